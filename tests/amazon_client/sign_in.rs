//! Login with Amazon: when it is asked, and what is made of its refusals.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use stocksync::amazon::{Cause, Client, Submission};
use stocksync::http::Fault;

use crate::stub::{Reply, Stub, client, de, grant, html, json, late, refusal, reply};

async fn patch(client: &Client) -> Result<Submission, Fault> {
    client.patch(&de(), &"A".into(), 1).await
}

/// Patches that are all under way at once.
async fn patches(client: &Arc<Client>, count: usize) -> Vec<Result<Submission, Fault>> {
    join_all((0..count).map(|_| patch(client))).await
}

fn denied(details: &str) -> Reply {
    refusal(403, "Unauthorized", "Access to requested resource is denied.", details)
}

fn expired() -> Reply {
    denied("The access token you provided has expired.")
}

fn lwa_refusal(status: u16, code: &str, description: &str) -> Reply {
    json(status, serde_json::json!({"error": code, "error_description": description}).to_string())
}

async fn wait(minutes: u64) {
    tokio::time::sleep(Duration::from_mins(minutes)).await;
}

#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_five_minutes_before_its_end() {
    let stub = Stub::obliging().await;
    let client = stub.client();
    for (minutes, expected) in [(0, "Atza|1"), (54, "Atza|1"), (2, "Atza|2"), (53, "Atza|2"), (120, "Atza|3")] {
        wait(minutes).await;
        patch(&client).await.unwrap();
        let asked = stub.asked("patchListingsItem").pop().unwrap();
        assert_eq!(asked.header("x-amz-access-token"), Some(expected));
    }
    assert_eq!(stub.count("token"), 3);
}

#[tokio::test(start_paused = true)]
async fn many_at_once_sign_in_once() {
    let stub = Stub::start(|asked| (asked.operation == "token").then(|| late(8, json(200, grant(asked.nth))))).await;
    let client = stub.client();
    assert!(patches(&client, 20).await.into_iter().all(|outcome| outcome.is_ok()));
    assert_eq!((stub.count("token"), stub.count("patchListingsItem")), (1, 20));
}

#[tokio::test(start_paused = true)]
async fn many_whose_token_ended_sign_in_once_however_slow_that_is() {
    let stub = Stub::start(|asked| match (asked.operation, asked.header("x-amz-access-token")) {
        ("token", _) => Some(late(8, json(200, grant(asked.nth)))),
        (_, Some("Atza|1")) => Some(expired()),
        _ => None,
    })
    .await;
    let client = stub.client();
    assert!(patches(&client, 20).await.into_iter().all(|outcome| outcome.is_ok()));
    assert_eq!((stub.count("token"), stub.count("patchListingsItem")), (2, 40));
}

#[tokio::test(start_paused = true)]
async fn a_late_refusal_of_an_old_token_does_not_end_the_new_one() {
    let stub = Stub::start(|asked| match (asked.operation, asked.nth) {
        ("patchListingsItem", 1) => Some(late(20, expired())),
        ("patchListingsItem", 2) => Some(expired()),
        _ => None,
    })
    .await;
    let client = stub.client();
    assert!(patches(&client, 2).await.into_iter().all(|outcome| outcome.is_ok()));
    assert_eq!((stub.count("token"), stub.count("patchListingsItem")), (2, 4));
}

#[tokio::test(start_paused = true)]
async fn an_ended_token_is_renewed_once_and_no_other_refusal_renews_it() {
    for (details, requests, tokens) in [
        ("The access token you provided has expired.", 2, 2),
        ("The access token you provided is revoked, malformed or invalid.", 2, 2),
        ("Access token is missing in the request header.", 2, 2),
        ("", 1, 1),
        ("Region mismatch", 1, 1),
    ] {
        let stub = Stub::start(move |asked| (asked.operation == "patchListingsItem").then(|| denied(details))).await;
        let fault = patch(&stub.client()).await.unwrap_err();
        assert_eq!(matches!(fault, Fault::Unauthorized { status: Some(403), .. }), tokens == 2, "{details}: {fault}");
        assert_eq!(matches!(fault, Fault::Rejected(_)), tokens == 1, "{details}: {fault}");
        assert_eq!((stub.count("patchListingsItem"), stub.count("token")), (requests, tokens), "{details}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_sign_in_is_asked_once_and_says_what_to_do() {
    for (status, code, hint) in [
        (400, "invalid_grant", "authorize the application again in Seller Central"),
        (401, "invalid_client", "set `client_id` and `client_secret`"),
        (400, "unauthorized_client", "set `client_id` and `client_secret`"),
        (400, "invalid_request", "it is said so"),
        (403, "access_denied", "it is said so"),
        (400, "something_new", "it is said so"),
    ] {
        let stub =
            Stub::start(move |asked| (asked.operation == "token").then(|| lwa_refusal(status, code, "it is said\nso")))
                .await;
        let fault = patch(&stub.client()).await.unwrap_err();
        let text = fault.to_string();
        assert!(matches!(fault, Fault::Unauthorized { status: Some(is), .. } if is == status), "{fault:?}");
        assert!(text.starts_with(&format!("not authorized (HTTP {status}): sign in to amazon: ")), "{text}");
        assert!(text.contains(code) && text.contains(hint), "{text}");
        assert_eq!(text.matches("HTTP").count(), 1, "{text}");
        assert!(!text.contains("Atzr"), "{text}");
        assert_eq!((stub.count("token"), stub.all_asked().len()), (1, 1), "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_sign_in_is_not_asked_for_again_at_once_unless_somebody_says_so() {
    let stub = Stub::start(|asked| match (asked.operation, asked.nth) {
        ("token", 1..=4) => Some(lwa_refusal(401, "invalid_client", "Client authentication failed")),
        _ => None,
    })
    .await;
    let client = stub.client();
    for (wait_s, tokens) in [(0, 1), (4, 1), (6, 2), (20, 2), (20, 2), (15, 3), (40, 3)] {
        tokio::time::sleep(Duration::from_secs(wait_s)).await;
        let fault = patch(&client).await.unwrap_err();
        assert_eq!(Cause::of(&fault), Some(Cause::SecretRefused), "{fault}");
        assert_eq!(stub.count("token"), tokens);
    }
    client.forget_refusal();
    assert!(patch(&client).await.is_err());
    client.forget_refusal();
    patch(&client).await.unwrap();
    assert_eq!(stub.count("token"), 5);
}

#[tokio::test(start_paused = true)]
async fn a_sign_in_that_fails_for_a_moment_is_tried_again() {
    let stub = Stub::start(|asked| match (asked.operation, asked.nth) {
        ("token", 1) => Some(lwa_refusal(500, "server_error", "later")),
        ("token", 2) => Some(lwa_refusal(400, "temporarily_unavailable", "later")),
        _ => None,
    })
    .await;
    patch(&stub.client()).await.unwrap();
    assert_eq!(stub.count("token"), 3);
}

/// An answer, how often it is asked for, and the words for it.
type Case = (fn() -> Reply, usize, &'static str);

#[tokio::test(start_paused = true)]
async fn without_a_token_nothing_is_sent() {
    let replies: [Case; 8] = [
        (|| html(503), 3, "no success in 3 attempts: HTTP 503"),
        (|| html(200), 1, "an answer without a token"),
        (|| html(403), 1, "HTTP 403"),
        (|| json(502, ""), 3, "no success in 3 attempts: HTTP 502"),
        (|| json(429, "{}"), 3, "no success in 3 attempts: HTTP 429"),
        (|| json(200, r#"{"token_type":"bearer"}"#), 1, "an answer without a token"),
        (|| json(200, r#"{"access_token":"a\nb","expires_in":3600}"#), 1, "no header value"),
        (|| reply(302, &[("location", "/document")], ""), 1, "HTTP 302"),
    ];
    for (answer, tokens, expected) in replies {
        let stub = Stub::start(move |asked| (asked.operation == "token").then(answer)).await;
        let fault = patch(&stub.client()).await.unwrap_err();
        assert!(matches!(fault, Fault::Unauthorized { .. }), "{fault:?}");
        assert!(fault.to_string().contains(expected), "{fault}");
        assert_eq!((stub.count("token"), stub.all_asked().len()), (tokens, tokens), "{fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_a_sign_in_shares_its_failure() {
    let stub = Stub::start(|asked| match (asked.operation, asked.nth) {
        ("token", 1..=3) => Some(late(60, html(503))),
        _ => None,
    })
    .await;
    let client = stub.client();
    assert!(patches(&client, 20).await.iter().all(|outcome| matches!(outcome, Err(Fault::Unauthorized { .. }))));
    assert_eq!(stub.count("token"), 3);
    patch(&client).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_token_endpoint_that_is_gone_sends_nothing_either() {
    let stub = Stub::obliging().await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let client = client(&stub.base_url, &format!("http://{closed}"));
    let fault = patch(&client).await.unwrap_err();
    assert!(matches!(fault, Fault::Unauthorized { status: None, .. }), "{fault:?}");
    assert!(fault.to_string().starts_with("not authorized: sign in to amazon: no success in 3 attempts: "), "{fault}");
    assert_eq!(stub.all_asked().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_token_serves_to_its_end_while_no_other_is_to_be_had() {
    let stub = Stub::start(|asked| match (asked.operation, asked.nth) {
        ("token", 2..) => Some(html(503)),
        _ => None,
    })
    .await;
    let client = stub.client();
    patch(&client).await.unwrap();
    wait(56).await;
    assert!(patches(&client, 20).await.into_iter().all(|outcome| outcome.is_ok()));
    assert_eq!(stub.count("token"), 4, "one of them tried to renew it");
    wait(5).await;
    assert!(matches!(patch(&client).await, Err(Fault::Unauthorized { .. })));
    assert_eq!(stub.count("patchListingsItem"), 21);
}

#[tokio::test(start_paused = true)]
async fn a_renewal_holds_nobody_up() {
    let stub = Stub::start(|asked| match (asked.operation, asked.nth) {
        ("token", 2) => Some(late(10, json(200, grant(2)))),
        _ => None,
    })
    .await;
    let client = stub.client();
    patch(&client).await.unwrap();
    wait(56).await;
    patches(&client, 20).await;
    let tokens: Vec<_> = stub.asked("patchListingsItem").into_iter().skip(1).collect();
    let new = tokens.iter().filter(|asked| asked.header("x-amz-access-token") == Some("Atza|2")).count();
    assert_eq!((new, stub.count("token")), (1, 2), "only who renewed it waited for it");
}

#[tokio::test(start_paused = true)]
async fn a_lifetime_beyond_reason_is_survived() {
    for lifetime in ["18446744073709551615", "0", "1"] {
        let body = format!(r#"{{"access_token":"Atza|x","expires_in":{lifetime}}}"#);
        let stub = Stub::start(move |asked| (asked.operation == "token").then(|| json(200, body.clone()))).await;
        patch(&stub.client()).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_redirect_is_not_followed() {
    for status in [301, 302, 307, 308] {
        let stub = Stub::start(move |asked| {
            (asked.operation == "patchListingsItem").then(|| reply(status, &[("location", "/document")], ""))
        })
        .await;
        let fault = patch(&stub.client()).await.unwrap_err();
        assert!(matches!(&fault, Fault::Rejected(refusal) if refusal.status == status), "{fault:?}");
        assert_eq!(stub.all_asked().len(), 2);
    }
}
