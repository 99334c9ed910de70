//! What a control route changes, and what it leaves alone.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::shop::Shop;

const WORLD: &str = "[[commerce.stock]]\nid = 1\nname = \"Default Stock\"\n[[commerce.stock]]\nid = 2\nname = \"EU\"\n\
    [[commerce.website]]\ncode = \"base\"\nid = 1\nstock_id = 1\n[[commerce.website]]\ncode = \"eu\"\nid = 2\nstock_id = 2\n\
    [[commerce.source]]\ncode = \"default\"\nstocks = [1]\n[[commerce.source]]\ncode = \"eu1\"\nstocks = [2]\n\
    [[commerce.product]]\nsku = \"P\"\nsources = { default = 8, eu1 = 3 }\n\
    [[commerce.product]]\nsku = \"Q\"\nsources = { default = 5 }\n\
    [[commerce.product]]\nsku = \"B\"\ntype = \"bundle\"\nchildren = { P = 1 }\n";

async fn post(shop: &Shop, path: &str, body: Value) -> Value {
    let answer = shop.control(Method::POST, path, Some(body.clone())).await;
    assert_eq!(answer.status, 200, "{path} {body}: {:?}", answer.body);
    answer.json()
}

async fn product(shop: &Shop, sku: &str) -> Value {
    shop.control(Method::GET, &format!("product?sku={sku}"), None).await.json()
}

/// Salable quantity and salability of a product on a stock.
fn seen(product: &Value, stock: &str) -> (Value, Value) {
    (product["stocks"][stock]["salable_quantity"].clone(), product["stocks"][stock]["salable"].clone())
}

#[tokio::test(start_paused = true)]
async fn only_saving_a_product_moves_its_time() {
    for (path, body, moves) in [
        ("product/save", json!({ "sku": "P", "min_qty": 2 }), true),
        ("product/save", json!({ "sku": "P", "websites": ["eu"] }), true),
        ("products/import", json!([{ "sku": "P", "sources": { "default": 4 } }]), true),
        ("product/rename", json!({ "sku": "P", "to": "P" }), true),
        ("product/stock-item", json!({ "sku": "P", "min_qty": 2, "sources": { "default": 3 } }), false),
        ("product", json!({ "sku": "P", "backorders": 1, "min_qty": -5 }), false),
        ("products/action", json!({ "skus": ["P"], "enabled": false }), false),
        ("products/action", json!({ "skus": ["P"], "add_websites": ["eu"], "remove_websites": ["base"] }), false),
        ("order", json!({ "sku": "P", "quantity": 1 }), false),
        ("reserve", json!({ "sku": "P", "quantity": 1.5 }), false),
        ("source", json!({ "code": "default", "enabled": false }), false),
        ("system", json!({ "min_qty": 1 }), false),
    ] {
        let shop = Shop::open(WORLD).await;
        let before = product(&shop, "P").await;
        tokio::time::advance(Duration::from_hours(1)).await;
        post(&shop, path, body.clone()).await;
        let after = product(&shop, "P").await;
        assert_ne!(before, after, "{path} {body}");
        assert_eq!(before["updated_at"] != after["updated_at"], moves, "{path} {body}");
        shop.close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_mass_action_moves_products_between_websites() {
    let shop = Shop::open(WORLD).await;
    post(&shop, "products/action", json!({ "skus": ["P", "Q"], "enabled": false, "add_websites": ["eu"] })).await;
    for sku in ["P", "Q"] {
        let shown = product(&shop, sku).await;
        assert_eq!((&shown["websites"], &shown["enabled"]), (&json!([1, 2]), &json!(false)));
    }
    shop.close().await;
}

#[tokio::test(start_paused = true)]
async fn an_import_is_done_as_a_whole_or_not_at_all() {
    let shop = Shop::open(WORLD).await;
    let rows = json!([{ "sku": "P", "sources": { "default": 1 } }, { "sku": "NOPE", "enabled": false }]);
    assert_eq!(shop.control(Method::POST, "products/import", Some(rows)).await.status, 404);
    assert_eq!(seen(&product(&shop, "P").await, "1"), (json!(8), json!(true)));
    let rows = json!([{ "sku": "P", "sources": { "default": 1 } }, { "sku": "Q", "enabled": false, "name": "New" }]);
    assert_eq!(post(&shop, "products/import", rows).await, json!({ "imported": 2 }));
    assert_eq!(seen(&product(&shop, "P").await, "1"), (json!(1), json!(true)));
    assert_eq!(product(&shop, "Q").await["enabled"], false);
    shop.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_source_is_switched_off_and_tied_to_another_stock() {
    let shop = Shop::open(WORLD).await;
    post(&shop, "source", json!({ "code": "eu1", "enabled": false })).await;
    assert_eq!(seen(&product(&shop, "P").await, "2"), (json!(0), json!(false)));
    post(&shop, "source", json!({ "code": "eu1", "enabled": true, "stocks": [] })).await;
    let export = shop.get("inventory/export-stock-salable-qty/website/eu?searchCriteria=").await.json();
    assert_eq!(export["items"], json!([{ "sku": "B", "qty": 0, "is_salable": false }]));
    post(&shop, "source", json!({ "code": "eu1", "stocks": [2] })).await;
    assert_eq!(seen(&product(&shop, "P").await, "2"), (json!(3), json!(true)));
    for (body, error) in [
        (json!({ "code": "moon" }), "unknown source \"moon\""),
        (json!({ "code": "eu1", "stocks": [9] }), "no stock has the id 9"),
        (json!({ "enabled": true }), "missing field `code`"),
    ] {
        assert_eq!(shop.control(Method::POST, "source", Some(body)).await.json()["error"], error);
    }
    shop.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_credit_memo_brings_units_back_only_when_it_says_so() {
    let shop = Shop::open(WORLD).await;
    post(&shop, "order", json!({ "sku": "P", "quantity": 5 })).await;
    post(&shop, "ship", json!({ "sku": "P", "quantity": 4 })).await;
    let refund = async |quantity: u32, back: bool| {
        let body = json!({ "sku": "P", "quantity": quantity, "back_to_stock": back });
        shop.control(Method::POST, "refund", Some(body)).await
    };
    assert_eq!(seen(&refund(1, false).await.json(), "1"), (json!(3), json!(true)));
    assert_eq!(seen(&refund(2, true).await.json(), "1"), (json!(5), json!(true)));
    let refused = refund(2, true).await;
    assert_eq!(refused.status, 409, "only one of the four is left");
    assert_eq!(refund(1, true).await.status, 200);
    let order = shop.get("orders?searchCriteria=").await.json()["items"][0].clone();
    assert_eq!((&order["state"], &order["items"][0]["qty_refunded"]), (&json!("processing"), &json!(4)));
    shop.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_reservation_of_another_system_has_no_order() {
    let shop = Shop::open(WORLD).await;
    let held = post(&shop, "reserve", json!({ "sku": "P", "stock_id": 2, "quantity": 3 })).await;
    assert_eq!(seen(&held, "2"), (json!(0), json!(false)));
    let freed = post(&shop, "reserve", json!({ "sku": "P", "stock_id": 2, "quantity": -1.5 })).await;
    assert_eq!(seen(&freed, "2"), (json!(1.5), json!(true)));
    assert_eq!(shop.get("orders?searchCriteria=").await.json()["total_count"], 0);
    shop.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_renamed_product_keeps_its_id_and_a_recreated_one_its_sku() {
    let shop = Shop::open(WORLD).await;
    let renamed = post(&shop, "product/rename", json!({ "sku": "P", "to": "p-NEW" })).await;
    assert_eq!((&renamed["id"], &renamed["sku"], seen(&renamed, "1").0), (&json!(1), &json!("p-NEW"), json!(8)));
    assert_eq!(shop.get("products/P").await.status, 404);
    assert_eq!(shop.get("inventory/is-product-salable/B/1").await.json(), true, "a bundle knows its child");
    let recreated = post(&shop, "product/recreate", json!({ "sku": "p-NEW" })).await;
    assert_eq!((&recreated["id"], seen(&recreated, "1").0), (&json!(4), json!(8)));
    let items = shop.get("inventory/source-items?searchCriteria=").await.json();
    assert_eq!(items["items"][0]["sku"], "Q", "its source items are new rows");
    for (to, status) in [("Q", 409), ("q ", 409), ("", 400), (&*"x".repeat(65), 400), ("P-NEW", 200)] {
        let answer = shop.control(Method::POST, "product/rename", Some(json!({ "sku": "p-NEW", "to": to }))).await;
        assert_eq!(answer.status, status, "{to:?}");
    }
    shop.close().await;
}

#[tokio::test(start_paused = true)]
async fn an_index_is_empty_while_it_is_rebuilt() {
    let shop = Shop::open(WORLD).await;
    let rows = async || shop.get("inventory/dump-stock-index-data/website/base").await.json().as_array().unwrap().len();
    assert_eq!(rows().await, 3);
    assert_eq!(post(&shop, "reindex/start", json!({})).await, json!({ "rebuilding": true }));
    assert_eq!(rows().await, 0);
    post(&shop, "reindex", json!({})).await;
    assert_eq!(rows().await, 3);
    shop.close().await;
}
