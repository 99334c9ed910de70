use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::super::Commerce;
use super::super::oauth1::{Signed, encode, signature};
use super::{Head, Version};
use crate::clock::Clock;
use crate::sim::world::World;

const WORLD: &str = r#"
[commerce]
integration_bearer_token = "bearer-token"
resources = ["Magento_Catalog::products"]
[commerce.oauth]
consumer_key = "consumer00000000000000000000key1"
consumer_secret = "consumer-secret"
access_token = "access0000000000000000000token01"
access_token_secret = "access-secret"
[commerce.admin]
username = "admin"
password = "right"
[[commerce.product]]
sku = "P"
sources = { default = 1 }
"#;

const NOW: i64 = 1_795_293_150;
const PRODUCTS: &str = "/rest/V1/products?searchCriteria[pageSize]=1&fields=items[sku]";

fn commerce() -> std::sync::Arc<Commerce> {
    let world = World::parse(WORLD, "test.toml".as_ref()).unwrap();
    Commerce::new(&world.commerce, Clock::starting_at(Timestamp::from_second(NOW).unwrap()))
}

fn head(url: &str, authorization: Option<&str>) -> Head {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    Head {
        method: "GET".to_owned(),
        scheme: "http".to_owned(),
        host: "shop.test:8080".to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        authorization: authorization.map(str::to_owned),
        ..Head::default()
    }
}

fn ask(commerce: &Commerce, url: &str, authorization: Option<&str>) -> (u16, String) {
    let reply = commerce.respond(&head(url, authorization), b"").reply;
    (reply.status.as_u16(), String::from_utf8(reply.body).unwrap())
}

/// A signed header with one parameter changed before signing, or taken away.
fn signed(change: (&str, Option<&str>)) -> String {
    let mut parts = BTreeMap::from(
        [
            ("oauth_consumer_key", "consumer00000000000000000000key1"),
            ("oauth_token", "access0000000000000000000token01"),
            ("oauth_signature_method", "HMAC-SHA256"),
            ("oauth_timestamp", "1795293150"),
            ("oauth_nonce", "n1"),
            ("oauth_version", "1.0"),
            ("oauth_signature", ""),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    match change {
        (name, Some(value)) => drop(parts.insert(name.to_owned(), value.to_owned())),
        (name, None) => drop(parts.remove(name)),
    }
    let join = |parts: &BTreeMap<String, String>| {
        parts.iter().map(|(name, value)| format!("{name}=\"{}\"", encode(value))).collect::<Vec<_>>().join(", ")
    };
    if let Ok(read) = Signed::read(&join(&parts))
        && change.0 != "oauth_signature"
    {
        let made = signature(Version::V2_4_7, &head(PRODUCTS, None), &read, "consumer-secret", "access-secret");
        parts.insert("oauth_signature".to_owned(), made);
    }
    format!("OAuth {}", join(&parts))
}

#[test]
fn a_signed_request_is_refused_for_the_recorded_reasons() {
    let longer = |seconds: i64| (NOW + seconds).to_string();
    for (change, status, message) in [
        (("oauth_version", Some("1.0")), 200, "\"sku\":\"P\""),
        (("oauth_version", None), 200, "\"sku\":\"P\""),
        (("realm", Some("x")), 200, "\"sku\":\"P\""),
        (("oauth_nonce", Some("")), 200, "\"sku\":\"P\""),
        (("oauth_timestamp", Some(longer(599).as_str())), 200, "\"sku\":\"P\""),
        (("oauth_timestamp", Some(longer(-86_400).as_str())), 200, "\"sku\":\"P\""),
        (("oauth_timestamp", Some(longer(601).as_str())), 401, "An error occurred validating the nonce"),
        (("oauth_timestamp", Some("0")), 401, "An error occurred validating the nonce"),
        (("oauth_timestamp", Some("junk")), 401, "An error occurred validating the nonce"),
        (("oauth_signature_method", Some("HMAC-SHA1")), 400, "Signature method %1 is not supported"),
        (("oauth_signature", Some("bm8=")), 401, "The signature is invalid. Verify and try again."),
        (("oauth_consumer_key", Some("short")), 401, "Consumer key is not the correct length"),
        (
            ("oauth_consumer_key", Some("consumer00000000000000000000key2")),
            401,
            "A consumer having the specified key does not exist",
        ),
        (("oauth_token", Some("short")), 400, "The token length is invalid. Check the length and try again."),
        (("oauth_token", Some("access0000000000000000000token02")), 401, "Specified token does not exist"),
        (("oauth_token", None), 400, "{\"fieldName\":\"oauth_token\"}"),
    ] {
        let (got, body) = ask(&commerce(), PRODUCTS, Some(&signed(change)));
        assert!(got == status && body.contains(message), "{change:?}: {got} {body}");
    }
}

#[test]
fn a_nonce_passes_once_even_when_the_request_failed() {
    let commerce = commerce();
    assert_eq!(ask(&commerce, PRODUCTS, Some(&signed(("oauth_signature", Some("bm8="))))).0, 401);
    let (status, body) = ask(&commerce, PRODUCTS, Some(&signed(("oauth_timestamp", Some("1795293151")))));
    assert!(status == 401 && body.contains("The nonce is already being used by the consumer with ID %1"), "{body}");
    assert_eq!(ask(&commerce, PRODUCTS, Some(&signed(("oauth_nonce", Some("n2"))))).0, 200);
}

#[test]
fn no_token_a_bad_one_and_a_missing_right_get_the_same_words() {
    let commerce = commerce();
    let refused = |resource: &str| {
        let message = "The consumer isn't authorized to access %resources.";
        (401, format!("{{\"message\":\"{message}\",\"parameters\":{{\"resources\":\"{resource}\"}}}}"))
    };
    assert_eq!(ask(&commerce, PRODUCTS, None), refused("Magento_Catalog::products"));
    assert_eq!(ask(&commerce, PRODUCTS, Some("Bearer nope")), refused("Magento_Catalog::products"));
    assert_eq!(ask(&commerce, PRODUCTS, Some("bearer bearer-token")).0, 200);
    for (url, resource) in [
        ("/rest/V1/store/websites", "Magento_Backend::store"),
        ("/rest/V1/stockItems/P", "Magento_Catalog::catalog_inventory"),
        ("/rest/V1/inventory/is-product-salable/P/1", "Magento_InventorySalesApi::stock"),
        ("/rest/V1/inventory/dump-stock-index-data/website/base", "Magento_InventoryApi::stock"),
    ] {
        assert_eq!(ask(&commerce, url, Some("Bearer bearer-token")), refused(resource), "{url}");
    }
    assert_eq!(ask(&commerce, "/rest/V1/modules", Some("Bearer bearer-token")).0, 200);
}

fn sign_in(commerce: &Commerce, body: &str) -> (u16, String) {
    let head = Head { method: "POST".to_owned(), ..head("/rest/V1/integration/admin/token", None) };
    let reply = commerce.respond(&head, body.as_bytes()).reply;
    (reply.status.as_u16(), String::from_utf8(reply.body).unwrap())
}

const RIGHT: &str = r#"{"username":"admin","password":"right"}"#;
const WRONG: &str = r#"{"username":"admin","password":"wrong"}"#;

#[tokio::test(start_paused = true)]
async fn an_admin_token_lives_for_an_hour() {
    let commerce = commerce();
    let (status, body) = sign_in(&commerce, RIGHT);
    let token: String = serde_json::from_str(&body).unwrap();
    let bearer = format!("Bearer {token}");
    assert_eq!((status, ask(&commerce, "/rest/V1/store/websites", Some(&bearer)).0), (200, 200));
    tokio::time::advance(Duration::from_secs(3_601)).await;
    assert_eq!(ask(&commerce, "/rest/V1/store/websites", Some(&bearer)).0, 401);
}

#[tokio::test(start_paused = true)]
async fn six_wrong_passwords_lock_for_half_an_hour() {
    let commerce = commerce();
    let (_, token) = sign_in(&commerce, RIGHT);
    for _ in 0..6 {
        assert_eq!(sign_in(&commerce, WRONG).0, 401);
    }
    assert_eq!(sign_in(&commerce, RIGHT), sign_in(&commerce, WRONG));
    let bearer = format!("Bearer {}", token.trim_matches('"'));
    assert_eq!(ask(&commerce, "/rest/V1/store/websites", Some(&bearer)).0, 200);
    tokio::time::advance(Duration::from_mins(31)).await;
    assert_eq!(sign_in(&commerce, RIGHT).0, 200);
}

#[test]
fn a_sign_in_without_its_fields_is_a_bad_request() {
    let commerce = commerce();
    for (body, expected) in [("{bad", "Decoding error."), (r#"{"username":"admin"}"#, "{\"fieldName\":\"password\"}")] {
        let (status, answer) = sign_in(&commerce, body);
        assert!(status == 400 && answer.contains(expected), "{answer}");
    }
}
