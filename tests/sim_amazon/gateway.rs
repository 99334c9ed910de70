//! Sign-in, tokens, errors of the gateway, and quotas.

use reqwest::Method;
use serde_json::json;
use stocksync::sim::amazon::Operation;

use crate::harness::{ACCOUNT, Bench, DE, SELLER, item, patch, send, wait};

const SEARCH: &str = "/listings/2021-08-01/items/A1SELLER?marketplaceIds=A1PA6795UKMFR9";

#[tokio::test(start_paused = true)]
async fn a_token_lasts_an_hour_and_the_refresh_token_is_echoed() {
    let bench = Bench::with("").await;
    let reply = bench.sign_in().await;
    assert_eq!((reply.status, reply.header("cache-control")), (200, Some("no-store")));
    let body = reply.json();
    assert!(body["access_token"].as_str().unwrap().starts_with("Atza|"));
    assert_eq!(body["refresh_token"], "Atzr|refresh");
    assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("bearer"), &json!(3600)));

    wait(3599.9).await;
    assert_eq!(bench.get(SEARCH).await.status, 200);
    wait(0.2).await;
    let reply = bench.get(SEARCH).await;
    assert_eq!(reply.status, 403);
    assert_eq!(reply.error(), ("Unauthorized".into(), "The access token you provided has expired.".into()));
}

#[tokio::test(start_paused = true)]
async fn a_json_sign_in_is_as_good_as_a_form() {
    let bench = Bench::with("").await;
    let body = json!({"grant_type": "refresh_token", "refresh_token": "Atzr|refresh", "client_id": "client",
        "client_secret": "secret"});
    let reply = send(bench.request(Method::POST, "/auth/o2/token").json(&body)).await.unwrap();
    assert_eq!(reply.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_refused_sign_in_says_why() {
    let bench = Bench::with("").await;
    for (field, value, status, code) in [
        ("refresh_token", "Atzr|other", 400, "invalid_grant"),
        ("client_id", "other", 401, "invalid_client"),
        ("client_secret", "other", 401, "invalid_client"),
        ("client_secret", "", 400, "invalid_request"),
        ("grant_type", "password", 400, "invalid_request"),
        ("grant_type", "client_credentials", 400, "unauthorized_client"),
    ] {
        let reply = bench.lwa(&[(field, value)]).await;
        assert_eq!((reply.status, reply.json()["error"].as_str()), (status, Some(code)), "{field}={value}");
        assert!(reply.json()["errors"].is_null());
    }
}

#[tokio::test(start_paused = true)]
async fn a_revoked_grant_ends_tokens_and_sign_in_until_it_is_restored() {
    let bench = Bench::with("").await;
    assert_eq!(bench.control("token", json!({"action": "revoke"})).await.status, 204);
    assert_eq!(bench.get(SEARCH).await.status, 403);
    let reply = bench.sign_in().await;
    assert_eq!((reply.status, reply.json()["error"].as_str()), (400, Some("invalid_grant")));
    bench.control("token", json!({"action": "restore"})).await;
    assert_eq!(bench.sign_in().await.status, 200);
    bench.control("token", json!({"action": "expire_secret"})).await;
    assert_eq!(bench.sign_in().await.json()["error"], "invalid_client");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_authorized_is_403_with_one_message() {
    let bench = Bench::with("").await;
    let missing = "Access token is missing in the request header.";
    let unknown = "The access token you provided is revoked, malformed or invalid.";
    for (path, token, details) in [
        (SEARCH, None, missing),
        (SEARCH, Some("Atza|nonsense"), unknown),
        (SEARCH, Some(""), ""),
        ("/listings/2021-08-01/items/A1SELLER/a/b?marketplaceIds=A1PA6795UKMFR9", Some(""), ""),
        ("/listings/2021-08-01/items/A2OTHER?marketplaceIds=A1PA6795UKMFR9", Some(""), ""),
        ("/orders/v0/orders", Some(""), ""),
    ] {
        let request = match token {
            None => bench.request(Method::GET, path),
            Some("") => bench.signed(Method::GET, path),
            Some(token) => bench.request(Method::GET, path).header("x-amz-access-token", token),
        };
        let reply = send(request).await.unwrap();
        if path == SEARCH && token == Some("") {
            assert_eq!(reply.status, 200);
            continue;
        }
        assert_eq!((reply.status, reply.error()), (403, ("Unauthorized".into(), details.into())), "{path}");
        assert_eq!(reply.json()["errors"][0]["message"], "Access to requested resource is denied.");
        assert!(reply.header("x-amzn-errortype").is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn a_user_agent_is_mandatory_and_at_most_500_characters() {
    let bench = Bench::with("").await;
    for (agent, status) in [(String::new(), 400), ("a".repeat(500), 200), ("a".repeat(501), 400)] {
        let reply = send(bench.signed(Method::GET, SEARCH).header("user-agent", &agent)).await.unwrap();
        assert_eq!(reply.status, status, "{} characters", agent.len());
    }
}

#[tokio::test(start_paused = true)]
async fn the_request_id_is_everywhere_and_the_rate_on_200_400_and_404_only() {
    let bench = Bench::with("").await;
    let unknown = format!("{}?marketplaceIds={DE}", item("nothing"));
    let mut seen = Vec::new();
    let expected = [(SEARCH, 200), ("/listings/2021-08-01/items/A1SELLER", 400), (unknown.as_str(), 404), ("/x", 403)];
    for (path, status) in expected {
        let reply = bench.get(path).await;
        assert_eq!(reply.status, status);
        assert_eq!(reply.header("x-amzn-ratelimit-limit"), (status != 403).then_some("5.0"), "{status}");
        seen.push(reply.header("x-amzn-requestid").unwrap().to_owned());
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), expected.len());
}

#[tokio::test(start_paused = true)]
async fn five_calls_burst_and_then_one_comes_free_every_200_ms() {
    let bench = Bench::with("").await;
    for _ in 0..5 {
        assert_eq!(bench.get(SEARCH).await.status, 200);
    }
    let reply = bench.get(SEARCH).await;
    assert_eq!((reply.status, reply.error().0.as_str()), (429, "QuotaExceeded"));
    assert_eq!(reply.json()["errors"][0]["message"], "You exceeded your quota for the requested resource.");
    assert_eq!((reply.header("x-amzn-ratelimit-limit"), reply.header("retry-after")), (None, None));

    wait(0.199).await;
    assert_eq!(bench.get(SEARCH).await.status, 429, "a millisecond early");
    wait(0.001).await;
    assert_eq!(bench.get(SEARCH).await.status, 200);
    assert_eq!(bench.get(SEARCH).await.status, 429);
    assert_eq!(bench.merge("x", 1).await.status, 200, "every operation has a bucket of its own");
    let stats = bench.amazon.stats();
    assert_eq!((stats.calls(Operation::SearchListingsItems), stats.throttled()), (9, 3));
}

#[tokio::test(start_paused = true)]
async fn a_steady_caller_at_the_rate_is_never_refused() {
    let bench = Bench::with("").await;
    for call in 0..600 {
        assert_eq!(bench.merge("x", 1).await.status, 200, "call {call}");
        wait(0.2).await;
    }
    let stats = bench.amazon.stats();
    assert_eq!(stats.throttled(), 0);
    assert_eq!(stats.calls["A1SELLER"][&Operation::PatchListingsItem].most_in_a_second, 5);
}

#[tokio::test(start_paused = true)]
async fn the_speed_multiplies_rate_and_header_but_not_the_burst() {
    let bench = Bench::start(&format!("speed = 20.0\n{ACCOUNT}")).await;
    for _ in 0..5 {
        assert_eq!(bench.get(SEARCH).await.header("x-amzn-ratelimit-limit"), Some("100.0"));
    }
    assert_eq!(bench.get(SEARCH).await.status, 429);
    wait(0.01).await;
    assert_eq!(bench.get(SEARCH).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_foreign_consumer_takes_its_share_without_a_word() {
    let bench = Bench::with("foreign_share = 0.4").await;
    // A burst, and three a second for 50 seconds; up to one call of each comes a turn early or late.
    assert!((153..=155).contains(&granted(&bench, 500).await));
    assert_eq!(bench.merge("x", 1).await.header("x-amzn-ratelimit-limit"), Some("5.0"));
}

/// So many calls, one every tenth of a second.
async fn granted(bench: &Bench, calls: u32) -> u32 {
    let mut granted = 0;
    for _ in 0..calls {
        granted += u32::from(bench.merge("x", 1).await.status == 200);
        wait(0.1).await;
    }
    granted
}

#[tokio::test(start_paused = true)]
async fn a_foreign_consumer_comes_and_goes() {
    let bench = Bench::with("foreign_share = 0.4\nforeign_on = \"60s\"\nforeign_off = \"60s\"").await;
    granted(&bench, 100).await;
    for (seconds, expected) in [(50, 150), (60, 300), (60, 180), (60, 300)] {
        let granted = granted(&bench, seconds * 10).await;
        assert!(granted.abs_diff(expected) <= 7, "{granted} of {expected}");
    }
    bench.control("settings", json!({"foreign_share": 0.8, "foreign_off": "0s"})).await;
    let few = granted(&bench, 600).await;
    assert!(few.abs_diff(60) <= 7, "{few} of 60");
    bench.control("settings", json!({"foreign_share": 0})).await;
    let all = granted(&bench, 600).await;
    assert!((299..=301).contains(&all), "{all}");
}

#[tokio::test(start_paused = true)]
async fn the_accounts_of_one_application_share_its_ceiling() {
    let other = ACCOUNT.replace("A1SELLER", "A2OTHER").replace("Atzr|refresh", "Atzr|other");
    let stranger = other.replace("A2OTHER", "A3OTHER").replace("\"client\"", "\"another\"").replace("|other", "|third");
    let world = format!("[application_rates]\npatchListingsItem = 6\n{ACCOUNT}{other}{stranger}");
    let bench = Bench::start(&world).await;
    let text = "The frequency of requests was greater than what is allowed for the application.";
    let change = async |seller: &str, (client, refresh): (&str, &str)| {
        let grant = bench.lwa(&[("client_id", client), ("refresh_token", refresh)]).await.json();
        let path = format!("/listings/2021-08-01/items/{seller}/x?marketplaceIds={DE}");
        let body = patch("merge", json!({"fulfillment_channel_code": "DEFAULT", "quantity": 1}));
        let token = grant["access_token"].as_str().unwrap();
        let request = bench.request(Method::PATCH, &path).header("x-amz-access-token", token);
        let reply = send(request.json(&body)).await.unwrap();
        let message = reply.json()["errors"][0]["message"].as_str().unwrap_or_default().to_owned();
        (reply.status, message == text)
    };
    for _ in 0..5 {
        assert_eq!(change(SELLER, ("client", "Atzr|refresh")).await, (200, false));
    }
    assert_eq!(change(SELLER, ("client", "Atzr|refresh")).await, (429, false), "its own");
    assert_eq!(change("A2OTHER", ("client", "Atzr|other")).await, (200, false));
    assert_eq!(change("A2OTHER", ("client", "Atzr|other")).await, (429, true), "that of all");
    assert_eq!(change("A3OTHER", ("another", "Atzr|third")).await, (200, false), "another application's");
    bench.control("settings", json!({"application_rates": {}})).await;
    wait(0.01).await;
    assert_eq!(change("A2OTHER", ("client", "Atzr|other")).await, (200, false));
}

#[tokio::test(start_paused = true)]
async fn a_lower_granted_rate_is_in_the_header_and_in_force() {
    let bench = Bench::start(&format!("[rates]\npatchListingsItem = 0.25\n{ACCOUNT}")).await;
    for _ in 0..5 {
        assert_eq!(bench.merge("x", 1).await.header("x-amzn-ratelimit-limit"), Some("0.25"));
    }
    wait(3.999).await;
    assert_eq!(bench.merge("x", 1).await.status, 429);
    wait(0.001).await;
    assert_eq!(bench.merge("x", 1).await.status, 200);
    bench.control("settings", json!({"rates": {}})).await;
    wait(0.2).await;
    assert_eq!(bench.merge("x", 1).await.header("x-amzn-ratelimit-limit"), Some("5.0"));
}

#[tokio::test(start_paused = true)]
async fn participations_come_in_an_envelope_after_a_burst_of_15() {
    let bench = Bench::with("").await;
    let reply = bench.get("/sellers/v1/marketplaceParticipations").await;
    assert_eq!(reply.header("x-amzn-ratelimit-limit"), Some("0.016"));
    let payload = reply.json()["payload"].as_array().unwrap().clone();
    let countries: Vec<_> = payload.iter().map(|one| one["marketplace"]["countryCode"].as_str().unwrap()).collect();
    assert_eq!(countries, ["DE", "FR"]);
    assert_eq!(payload[0]["marketplace"]["id"], DE);
    assert_eq!(payload[0]["participation"]["isParticipating"], true);
    for _ in 1..15 {
        bench.get("/sellers/v1/marketplaceParticipations").await;
    }
    assert_eq!(bench.get("/sellers/v1/marketplaceParticipations").await.status, 429);
}
