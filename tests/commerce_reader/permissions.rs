//! What is tried before the work begins, where the whole binary would be too slow or too honest to show it.

use std::time::Duration;

use axum::body::Body;
use axum::http::Response;
use serde_json::json;
use stocksync::clock::Clock;
use stocksync::commerce::Auth;
use stocksync::commerce::permissions::{Needs, Permission, State, ahead_of};
use stocksync::http::Http;

use crate::shop::{Asked, Server, Shop, catalogue, reply};

const TOKEN_ROUTE: &str = "integration/admin/token";

fn needs() -> Needs {
    Needs { websites: [("base".into(), vec!["de".into()])].into(), ..Needs::default() }
}

/// The routes that the shop itself does not have.
fn others(asked: &Asked) -> Option<Response<Body>> {
    match &*asked.path {
        "modules" => Some(reply(200, r#"["Magento_InventoryApi","Magento_InventoryExportStockApi"]"#)),
        "orders" => Some(reply(200, r#"{"items":null,"total_count":0}"#)),
        _ => None,
    }
}

async fn granting(twist: impl Fn(&Asked, &Shop) -> Option<Response<Body>> + Send + Sync + 'static) -> Server {
    Server::start_twisted(catalogue(3), move |asked, shop| twist(asked, shop).or_else(|| others(asked))).await
}

fn text(permission: &Permission) -> String {
    format!("{} {:?} hint: {:?}", permission.name, permission.problem(), permission.hint())
}

#[tokio::test(start_paused = true)]
async fn everything_is_asked_once_and_for_one_row() {
    let server = granting(|_, _| None).await;
    let permissions = server.reader(300).permissions(&needs()).await;
    assert!(permissions.iter().all(|permission| matches!(permission.state, State::Granted)), "{permissions:?}");
    let asked = server.asked("");
    assert_eq!(asked.len(), 7, "{asked:?}");
    for asked in asked.iter().filter(|asked| !matches!(&*asked.path, "modules" | "store/websites" | "inventory/stocks"))
    {
        assert_eq!(asked.page_size(), 1, "{}", asked.path);
    }
}

#[tokio::test(start_paused = true)]
async fn a_shop_that_hangs_is_given_up_after_a_minute() {
    let mut server = Server::start(catalogue(3)).await;
    // Accepts connections and says nothing.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    server.base_url = format!("http://{}", silent.local_addr().unwrap());
    let reader = server.reader(300);
    let started = Clock::system().instant();
    let permissions = reader.permissions(&needs()).await;
    assert!(matches!(permissions[0].state, State::Failed(_)), "{}", text(&permissions[0]));
    assert!(permissions[1..].iter().all(|permission| matches!(permission.state, State::NotAsked(_))));
    assert_eq!(started.elapsed().as_secs(), 60);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_password_is_not_tried_for_every_permission() {
    let server = granting(|asked, _| {
        let refusal = r#"{"message":"The account sign-in was incorrect or your account is disabled temporarily."}"#;
        (asked.path == TOKEN_ROUTE).then(|| reply(401, refusal))
    })
    .await;
    let auth = Auth::Admin { username: "anna".to_owned(), password: "wrong".into() };
    let permissions = server.reader_with(300, auth).permissions(&needs()).await;
    assert_eq!(server.asked("").len(), 1);
    let text = text(&permissions[0]);
    assert!(text.contains("sign-in was incorrect") && text.contains("hint: Some(\"`username` or `password`"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_missing_resource_is_no_refused_sign_in_with_a_token_that_ends_either() {
    let server = granting(|asked, _| match &*asked.path {
        TOKEN_ROUTE => Some(reply(200, json!("eyJ.e30.x").to_string())),
        "products" => {
            let refusal = json!({"message": "The consumer isn't authorized to access %resources.",
                "parameters": {"resources": "Magento_Catalog::products"}});
            Some(reply(401, refusal.to_string()))
        }
        _ => None,
    })
    .await;
    let auth = Auth::Admin { username: "anna".to_owned(), password: "right".into() };
    let permissions = server.reader_with(300, auth).permissions(&needs()).await;
    let missing = permissions.iter().filter(|permission| !matches!(permission.state, State::Granted));
    let missing: Vec<String> = missing.map(text).collect();
    assert_eq!(missing.len(), 1, "{missing:?}");
    assert!(missing[0].contains("grant Magento_Catalog::products in the shop's admin"), "{missing:?}");
}

#[tokio::test(start_paused = true)]
async fn the_cloud_service_has_an_edition_of_its_own() {
    let server = granting(|asked, _| {
        (asked.path == "/ims/token/v3").then(|| reply(200, r#"{"access_token":"cloud","expires_in":86399}"#))
    })
    .await;
    let auth = Auth::Ims {
        client_id: "id".to_owned(),
        client_secret: "secret".into(),
        org_id: "org".to_owned(),
        token_url: format!("{}/ims/token/v3", server.base_url),
    };
    let permissions = server.reader_with(300, auth).permissions(&Needs { cloud: true, ..needs() }).await;
    assert_eq!(permissions[0].purpose, "sign-in: cloud service");
    assert!(permissions.iter().all(|permission| matches!(permission.state, State::Granted)), "{permissions:?}");
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_ahead_is_seen_in_any_answer() {
    for (date, expected) in [("Sat, 21 Nov 2026 11:50:00 GMT", Some(600)), ("soon", None)] {
        let server = Server::start_twisted(vec![], move |_, _| {
            let mut refusal = reply(401, "{}");
            refusal.headers_mut().insert("date", date.parse().unwrap());
            Some(refusal)
        })
        .await;
        let clock = Clock::starting_at("2026-11-21T12:00:00Z".parse().unwrap());
        let ahead = ahead_of(&server.base_url, &Http::new(clock, 1).unwrap(), clock).await;
        // The shop takes a moment to answer.
        assert_eq!(ahead.map(|ahead| ahead.as_secs()), expected, "{date}");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
