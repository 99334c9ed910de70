//! The four ways to sign in, as the server sees them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use stocksync::clock::Clock;
use stocksync::commerce::Auth;
use stocksync::http::Fault;

use crate::shop::{Asked, Server, catalogue, reply};
use crate::sweep::sweep;

const TOKEN_ROUTE: &str = "integration/admin/token";

fn header<'a>(asked: &'a Asked, name: &str) -> &'a str {
    asked.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

fn admin() -> Auth {
    Auth::Admin { username: "anna".to_owned(), password: "pass\"word".into() }
}

/// A token as Commerce issues it, for an hour.
fn jwt(serial: usize) -> String {
    let claims = json!({"uid": serial, "iat": 1_795_293_150, "exp": 1_795_296_750});
    format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims.to_string()))
}

#[tokio::test(start_paused = true)]
async fn every_request_and_every_attempt_has_its_own_nonce() {
    let server = Server::start_twisted(catalogue(30), |asked, _| (asked.nth == 0).then(|| reply(503, "<html>"))).await;
    let auth = Auth::OAuth1 {
        consumer_key: "key".to_owned(),
        consumer_secret: "hidden1".into(),
        access_token: "token".into(),
        access_token_secret: "hidden2".into(),
    };
    assert!(sweep(&server.reader_with(10, auth)).await.unwrap().sweep.complete);
    let asked = server.asked("");
    let part = |asked: &Asked, key: &str| {
        let (_, rest) = header(asked, "authorization").split_once(&format!("{key}=\"")).unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    let nonces: BTreeSet<String> = asked.iter().map(|asked| part(asked, "oauth_nonce")).collect();
    assert_eq!(nonces.len(), asked.len());
    assert!(asked.iter().all(|asked| part(asked, "oauth_timestamp").starts_with("17952624")), "{asked:?}");
    assert!(asked.iter().all(|asked| header(asked, "accept") == "application/json"));
    assert!(asked.iter().all(|asked| header(asked, "user-agent").starts_with("stocksync/")));
    assert!(asked.iter().all(|asked| header(asked, "accept-encoding").contains("gzip")));
    assert!(asked.iter().all(|asked| asked.full_path.starts_with("/rest/V1/")));
}

#[tokio::test(start_paused = true)]
async fn every_attempt_carries_the_time_at_which_it_left() {
    let (clock, started) = (Clock::system(), Clock::system().instant());
    let server = Server::start_twisted(catalogue(3), move |asked, _| {
        let (_, rest) = header(asked, "authorization").split_once("oauth_timestamp=\"").unwrap();
        let signed_at: u64 = rest.split('"').next().unwrap().parse().unwrap();
        // 2026-11-21T12:00:00Z, and the shop takes a tenth of a second.
        let now = 1_795_262_400 + (clock.instant() - started).as_secs();
        assert!((now - 1..=now).contains(&signed_at), "signed at {signed_at}, sent at {now}");
        (asked.nth < 2).then(|| {
            let mut busy = reply(503, "<html>");
            busy.headers_mut().insert("retry-after", "40".parse().unwrap());
            busy
        })
    })
    .await;
    let auth = Auth::OAuth1 {
        consumer_key: "key".to_owned(),
        consumer_secret: "hidden1".into(),
        access_token: "token".into(),
        access_token_secret: "hidden2".into(),
    };
    assert!(sweep(&server.reader_with(10, auth)).await.unwrap().sweep.complete);
    assert!(started.elapsed() > Duration::from_mins(2), "nothing was tried again");
}

#[tokio::test(start_paused = true)]
async fn an_admin_token_is_fetched_once_and_again_before_its_end() {
    let server = Server::start_twisted(catalogue(30), |asked, _| {
        if asked.path == TOKEN_ROUTE {
            assert_eq!(asked.body, r#"{"password":"pass\"word","username":"anna"}"#);
            return Some(reply(200, json!(jwt(asked.nth)).to_string()));
        }
        header(asked, "authorization").is_empty().then(|| reply(401, "{}"))
    })
    .await;
    let reader = server.reader_with(10, admin());
    for (tokens, pause) in [(1, 50), (1, 10), (2, 0)] {
        assert!(sweep(&reader).await.unwrap().sweep.complete);
        assert_eq!(server.asked(TOKEN_ROUTE).len(), tokens);
        tokio::time::sleep(Duration::from_mins(pause)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_renewed_once_for_all() {
    let server = Server::start_twisted(catalogue(30), |asked, _| {
        if asked.path == TOKEN_ROUTE {
            return Some(reply(200, json!(jwt(asked.nth)).to_string()));
        }
        // The first token was withdrawn.
        header(asked, "authorization").ends_with(&jwt(0)).then(|| reply(401, "{}"))
    })
    .await;
    assert!(sweep(&server.reader_with(10, admin())).await.unwrap().sweep.complete);
    assert_eq!(server.asked(TOKEN_ROUTE).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_password_is_tried_once() {
    let server = Server::start_twisted(catalogue(30), |_, _| Some(reply(401, r#"{"message":"incorrect"}"#))).await;
    let reader = server.reader_with(10, admin());
    for _ in 0..10 {
        assert!(matches!(sweep(&reader).await, Err(Fault::Unauthorized { .. })));
    }
    assert_eq!(server.asked("").len(), 1);
    tokio::time::sleep(Duration::from_mins(11)).await;
    assert!(sweep(&reader).await.is_err());
    assert_eq!(server.asked("").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_cloud_service_has_its_own_path_headers_and_token() {
    let server = Server::start_twisted(catalogue(30), |asked, _| {
        let token = json!({"access_token": "cloud", "token_type": "bearer", "expires_in": 86_399});
        (asked.path == "/ims/token/v3").then(|| reply(200, token.to_string()))
    })
    .await;
    assert!(sweep(&server.reader_with(10, ims(&server))).await.unwrap().sweep.complete);
    let [token] = &server.asked("/ims")[..] else { panic!("one token") };
    assert!(
        token.body.starts_with("grant_type=client_credentials&client_id=id&client_secret=s%26cret&scope=openid%2C")
    );
    for asked in server.asked("").iter().filter(|asked| !asked.path.starts_with("/ims")) {
        assert!(asked.full_path.starts_with("/V1/"), "{}", asked.full_path);
        let headers = ["authorization", "x-api-key", "x-gw-ims-org-id", "store"].map(|name| header(asked, name));
        assert_eq!(headers, ["Bearer cloud", "id", "org@AdobeOrg", "default"]);
    }
}

fn ims(server: &Server) -> Auth {
    Auth::Ims {
        client_id: "id".to_owned(),
        client_secret: "s&cret".into(),
        org_id: "org@AdobeOrg".to_owned(),
        token_url: format!("{}/ims/token/v3", server.base_url),
    }
}

/// A cloud service whose tokens live for a day; those below `withdrawn` are refused.
async fn cloud(withdrawn: Arc<AtomicUsize>) -> Server {
    Server::start_twisted(catalogue(30), move |asked, _| {
        if asked.path == "/ims/token/v3" {
            let token = json!({"access_token": format!("cloud{}", asked.nth), "expires_in": 86_399});
            return Some(reply(200, token.to_string()));
        }
        let serial: usize = header(asked, "authorization").trim_start_matches("Bearer cloud").parse().unwrap();
        let refusal = r#"{"error_code":"401013","message":"Oauth token is not valid"}"#;
        (serial < withdrawn.load(Ordering::SeqCst)).then(|| reply(401, refusal))
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn a_token_of_the_cloud_service_lasts_a_day_and_is_renewed_before_its_end() {
    let server = cloud(Arc::default()).await;
    let reader = server.reader_with(10, ims(&server));
    for (hours, tokens) in [(0, 1), (23, 1), (1, 2), (23, 2), (1, 3)] {
        tokio::time::sleep(Duration::from_hours(hours)).await;
        assert!(sweep(&reader).await.unwrap().sweep.complete);
        assert_eq!(server.asked("/ims").len(), tokens, "{hours}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_of_the_cloud_service_that_was_taken_back_is_renewed_once_for_all() {
    let withdrawn = Arc::new(AtomicUsize::new(0));
    let server = cloud(Arc::clone(&withdrawn)).await;
    let reader = server.reader_with(10, ims(&server));
    assert!(sweep(&reader).await.unwrap().sweep.complete);
    withdrawn.store(1, Ordering::SeqCst);
    let (a, b) = tokio::join!(sweep(&reader), sweep(&reader));
    assert!(a.unwrap().sweep.complete && b.unwrap().sweep.complete);
    assert_eq!(server.asked("/ims").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_busy_identity_service_is_asked_again_and_a_refusal_is_not() {
    for (status, body, requests, said) in [
        (429, "", 3, "no success in 3 attempts"),
        (
            400,
            r#"{"error":"invalid_client","error_description":"invalid client_id parameter"}"#,
            1,
            "sign in: invalid_client",
        ),
        (404, "<html>", 1, "sign in: a page for people"),
    ] {
        let server =
            Server::start_twisted(vec![], move |asked, _| asked.path.starts_with("/ims").then(|| reply(status, body)))
                .await;
        let fault = server.reader_with(10, ims(&server)).websites().await.unwrap_err();
        assert!(fault.to_string().contains(said), "{fault}");
        assert_eq!(server.asked("").len(), requests, "{fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_factor_is_explained() {
    let refusal = r#"{"message":"Please use the 2fa provider-specific endpoints to obtain a token.",
        "parameters":{"active_providers":["google"]}}"#;
    let server =
        Server::start_twisted(vec![], move |asked, _| (asked.path == TOKEN_ROUTE).then(|| reply(400, refusal))).await;
    let fault = server.reader_with(10, admin()).websites().await.unwrap_err();
    assert!(matches!(fault, Fault::Unauthorized { status: Some(400), .. }), "{fault:?}");
    assert!(fault.to_string().contains("use an integration with method = \"oauth1\""), "{fault}");
}

#[tokio::test(start_paused = true)]
async fn no_secret_is_shown() {
    let server = Server::start_twisted(catalogue(3), |asked, _| {
        (asked.path == TOKEN_ROUTE).then(|| reply(200, r#"{"token":"hidden3"}"#))
    })
    .await;
    let auth = Auth::Admin { username: "anna".to_owned(), password: "hidden1".into() };
    let reader = server.reader_with(10, auth);
    let fault = sweep(&reader).await.err().unwrap();
    for text in [format!("{reader:?}"), format!("{fault:?}"), fault.to_string()] {
        assert!(!text.contains("hidden"), "{text}");
    }
}
