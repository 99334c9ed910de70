//! The four ways to sign in, as the server sees them.

use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
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
    let auth = Auth::Ims {
        client_id: "id".to_owned(),
        client_secret: "s&cret".into(),
        org_id: "org@AdobeOrg".to_owned(),
        token_url: format!("{}/ims/token/v3", server.base_url),
    };
    assert!(sweep(&server.reader_with(10, auth)).await.unwrap().sweep.complete);
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
