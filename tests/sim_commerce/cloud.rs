//! A shop of the cloud service: its own paths, its own sign-in.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::shop::{Answer, Shop};

const CLOUD: &str = "ims = { client_id = \"client\", client_secret = \"secret\", org_id = \"org@AdobeOrg\", \
    tenant_id = \"T3nant\", token_life = \"1h\" }\n\
    [commerce.admin]\nusername = \"admin\"\npassword = \"right\"\n\
    [[commerce.stock]]\nid = 1\nname = \"Default Stock\"\n[[commerce.stock]]\nid = 2\nname = \"EU\"\n\
    [[commerce.website]]\ncode = \"base\"\nid = 1\nstock_id = 1\n\
    [[commerce.website]]\ncode = \"eu\"\nid = 2\nstock_id = 2\nstore_view = \"eu_en\"\n\
    [[commerce.source]]\ncode = \"default\"\nstocks = [1]\n[[commerce.source]]\ncode = \"eu1\"\nstocks = [2]\n\
    [[commerce.product]]\nsku = \"P\"\nsources = { default = 8, eu1 = 3 }\n";

const FORM: [(&str, &str); 4] = [
    ("grant_type", "client_credentials"),
    ("client_id", "client"),
    ("client_secret", "secret"),
    ("scope", "openid,AdobeID,email,profile,commerce.accs"),
];

async fn sign_in(shop: &Shop, form: &[(&str, &str)]) -> Answer {
    shop.send(shop.client.post(format!("{}/ims/token/v3", shop.base)).form(form)).await.unwrap()
}

async fn token(shop: &Shop) -> String {
    let answer = sign_in(shop, &FORM).await.json();
    assert_eq!((&answer["token_type"], &answer["expires_in"]), (&json!("bearer"), &json!(3_600)));
    answer["access_token"].as_str().unwrap().to_owned()
}

/// Asks with the right headers, but for one.
async fn get(shop: &Shop, path: &str, token: &str, other: (&str, &str)) -> (u16, Value) {
    let headers =
        [("authorization", &*format!("Bearer {token}")), ("x-api-key", "client"), ("x-gw-ims-org-id", "org@AdobeOrg")];
    let mut request = shop.client.get(format!("{}{path}", shop.base));
    for (name, value) in headers.into_iter().filter(|(name, _)| *name != other.0).chain([other]) {
        request = request.header(name, value);
    }
    let answer = shop.send(request).await.unwrap();
    let body = answer.body.ok().and_then(|body| serde_json::from_str(&body).ok());
    (answer.status, body.unwrap_or_default())
}

const PLAIN: (&str, &str) = ("accept", "application/json");

#[tokio::test(start_paused = true)]
async fn the_cloud_has_no_rest_and_no_admin_token() {
    let shop = Shop::open(CLOUD).await;
    let token = token(&shop).await;
    for (path, status) in [
        ("/T3nant/V1/store/websites", 200),
        ("/T3nant/V1/products/P", 200),
        ("/T3nant/V1/inventory/dump-stock-index-data/website/base", 200),
        ("/rest/V1/store/websites", 404),
        ("/T3nant/default/V1/store/websites", 404),
        ("/other/V1/store/websites", 404),
        ("/V1/store/websites", 404),
    ] {
        assert_eq!(get(&shop, path, &token, PLAIN).await.0, status, "{path}");
    }
    let body = json!({ "username": "admin", "password": "right" });
    let request = shop.client.post(format!("{}/T3nant/V1/integration/admin/token", shop.base)).json(&body);
    assert_eq!(shop.send(request).await.unwrap().status, 404);
    shop.close().await;
}

#[tokio::test(start_paused = true)]
async fn every_header_of_a_cloud_request_counts() {
    let shop = Shop::open(CLOUD).await;
    let token = token(&shop).await;
    let websites = "/T3nant/V1/store/websites";
    assert_eq!(get(&shop, websites, &token, PLAIN).await.0, 200);
    for other in [
        ("authorization", "Bearer test-token"),
        ("authorization", "Basic Y2xpZW50OnNlY3JldA=="),
        ("x-api-key", "other"),
        ("x-api-key", ""),
        ("x-gw-ims-org-id", "other@AdobeOrg"),
    ] {
        assert_eq!(get(&shop, websites, &token, other).await.0, 401, "{other:?}");
    }
    shop.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_form_that_is_not_right_gets_no_token() {
    let shop = Shop::open(CLOUD).await;
    for (name, value, error) in [
        ("grant_type", "password", "unsupported_grant_type"),
        ("client_id", "other", "invalid_client"),
        ("client_secret", "other", "invalid_client"),
        ("scope", "openid", "invalid_scope"),
    ] {
        let form = FORM.map(|(known, right)| (known, if known == name { value } else { right }));
        let answer = sign_in(&shop, &form).await;
        assert_eq!((answer.status, answer.json()["error"].clone()), (400, json!(error)), "{name}");
    }
    shop.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_cloud_token_ends_by_the_clock_and_when_it_is_revoked() {
    let shop = Shop::open(CLOUD).await;
    let websites = "/T3nant/V1/store/websites";
    let first = token(&shop).await;
    tokio::time::advance(Duration::from_mins(59)).await;
    assert_eq!(get(&shop, websites, &first, PLAIN).await.0, 200);
    tokio::time::advance(Duration::from_mins(2)).await;
    assert_eq!(get(&shop, websites, &first, PLAIN).await.0, 401);
    let second = token(&shop).await;
    assert_eq!(get(&shop, websites, &second, PLAIN).await.0, 200);
    assert_eq!(shop.control(Method::DELETE, "tokens", None).await.status, 200);
    assert_eq!(get(&shop, websites, &second, PLAIN).await.0, 401);
    shop.close().await;
}

#[tokio::test(start_paused = true)]
async fn the_store_header_selects_the_stores_website() {
    let shop = Shop::open(CLOUD).await;
    let token = token(&shop).await;
    for (store, quantity) in [("default", 8), ("all", 8), ("eu_en", 3)] {
        let (_, status) = get(&shop, "/T3nant/V1/stockStatuses/P", &token, ("store", store)).await;
        assert_eq!(status["qty"], quantity, "{store}");
    }
    assert_eq!(get(&shop, "/T3nant/V1/stockStatuses/P", &token, ("store", "nope")).await.0, 400);
    shop.close().await;
}
