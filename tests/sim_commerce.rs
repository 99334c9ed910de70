//! The simulated Commerce server as a client meets it.

use std::collections::BTreeSet;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use stocksync::clock::Clock;
use stocksync::sim::Quantity;
use stocksync::sim::commerce::{Fault, FaultKind};

#[cfg(test)]
#[path = "sim_commerce/cloud.rs"]
mod cloud;
#[cfg(test)]
#[path = "sim_commerce/control.rs"]
mod control;
#[cfg(test)]
#[path = "sim_commerce/shop.rs"]
mod shop;
#[cfg(test)]
#[path = "sim_commerce/signed.rs"]
mod signed;
#[cfg(test)]
#[path = "sim_commerce/skus.rs"]
mod skus;
#[cfg(test)]
#[path = "sim_commerce/trouble.rs"]
mod trouble;

use shop::{Shop, TOKEN};

const TWO: &str = "[[commerce.product]]\nsku = \"P\"\nsources = { default = 8 }\n\
                   [[commerce.product]]\nsku = \"Q\"\nsources = { default = 5 }\n";
const EXPORT: &str = "inventory/export-stock-salable-qty/website/base";

fn generated(products: u32, rest: &str) -> String {
    format!("{rest}\n[commerce.generate]\nproducts = {products}\nplain = true\n")
}

fn id_range(after: u32, to: u32) -> String {
    let filter = |group: u32, condition: &str, value: u32| {
        let group = format!("searchCriteria[filter_groups][{group}][filters][0]");
        format!("{group}[field]=entity_id&{group}[condition_type]={condition}&{group}[value]={value}")
    };
    format!("{}&{}&searchCriteria[pageSize]=300", filter(0, "gt", after), filter(1, "lteq", to))
}

#[tokio::test(start_paused = true)]
async fn a_change_through_the_control_route_is_in_the_next_export() {
    let shop = Shop::open(TWO).await;
    let edit = json!({ "sku": "P", "sources": { "default": 3.5 }, "min_qty": 1 });
    let shown = shop.control(Method::POST, "product", Some(edit)).await;
    assert_eq!(shown.json()["stocks"]["1"]["salable_quantity"], 2.5);
    assert_eq!(shop.control(Method::POST, "order", Some(json!({ "sku": "Q", "quantity": 2 }))).await.status, 200);
    let export = shop.get(&format!("{EXPORT}?searchCriteria[pageSize]=10")).await.json();
    let rows = json!([{ "sku": "P", "qty": 2.5, "is_salable": true }, { "sku": "Q", "qty": 3, "is_salable": true }]);
    assert_eq!(export["items"], rows);
    shop.close().await;
}

#[tokio::test(start_paused = true)]
async fn the_control_route_refuses_what_it_does_not_know() {
    let shop = Shop::open(TWO).await;
    for (path, body, status, error) in [
        ("product", json!({ "sku": "P", "colour": 1 }), 400, "unknown field `colour`"),
        ("product", json!({ "enabled": true }), 400, "missing field `sku`"),
        ("product", json!({ "sku": "NOPE" }), 404, "no product has the SKU \"NOPE\""),
        ("product", json!({ "sku": "P", "sources": { "moon": 1 } }), 400, "unknown source \"moon\""),
        ("product", json!({ "sku": "P", "websites": ["moon"] }), 400, "unknown website \"moon\""),
        ("product", json!({ "sku": "P", "backorders": 7 }), 400, "backorders must be 0, 1 or 2"),
        ("order", json!({ "sku": "P", "quantity": 1, "stock_id": 9 }), 400, "no stock has the id 9"),
        ("ship", json!({ "sku": "P", "quantity": 99 }), 409, "do not hold 99"),
        ("fault", json!({ "kind": "fire" }), 400, "unknown variant `fire`"),
        ("system", json!({ "backorders": 3 }), 400, "backorders must be 0, 1 or 2"),
    ] {
        let answer = shop.control(Method::POST, path, Some(body.clone())).await;
        let text = answer.json()["error"].to_string().replace("\\\"", "\"");
        assert!(answer.status == status && text.contains(error), "{path} {body}: {} {text}", answer.status);
    }
    shop.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_setting_goes_back_to_the_systems_value_with_null() {
    let shop = Shop::open(TWO).await;
    for (value, flag) in [(json!(false), false), (Value::Null, true)] {
        shop.control(Method::POST, "product", Some(json!({ "sku": "P", "manage_stock": value }))).await;
        let item = shop.get("stockItems/p").await.json();
        assert_eq!((item["use_config_manage_stock"].clone(), item["manage_stock"].clone()), (json!(flag), json!(flag)));
    }
    shop.close().await;
}

#[tokio::test(start_paused = true)]
async fn every_fault_is_seen_by_a_client_and_ends_when_cleared() {
    let shop = Shop::open(TWO).await;
    let url = "products?searchCriteria[pageSize]=2";
    let good = shop.get(url).await.json();
    for kind in [
        "status_500",
        "html_503",
        "html_200",
        "cut_body",
        "short_body",
        "empty_items",
        "half_rows",
        "wrong_types",
        "huge_string",
    ] {
        shop.control(Method::POST, "fault", Some(json!({ "kind": kind, "route": "products" }))).await;
        let answer = shop.get(url).await;
        let body = answer.body.as_ref().map(|body| serde_json::from_str::<Value>(body));
        let rows = |count: usize| matches!(&body, Ok(Ok(value)) if value["items"].as_array().unwrap().len() == count);
        let as_expected = match kind {
            "status_500" => answer.status == 500,
            "html_503" => answer.status == 503 && matches!(body, Ok(Err(_))),
            "html_200" | "short_body" => answer.status == 200 && matches!(body, Ok(Err(_))),
            "cut_body" => body.is_err(),
            "empty_items" => rows(0),
            "half_rows" => rows(1),
            "wrong_types" => matches!(&body, Ok(Ok(value)) if value["total_count"].is_array()),
            _ => answer.body.as_ref().is_ok_and(|body| body.len() > 10_000_000),
        };
        assert!(as_expected, "{kind}: {}", answer.status);
        assert_eq!(shop.get("modules").await.status, 200, "{kind} is on one route only");
        shop.control(Method::DELETE, "fault", None).await;
        assert_eq!(shop.get(url).await.json(), good, "{kind}");
    }
    shop.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_fault_waits_and_counts() {
    let shop = Shop::open(TWO).await;
    shop.commerce.set_fault(Fault { after: 1, count: Some(2), ..Fault::every(FaultKind::Html503).on("modules") });
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(shop.get("modules").await.status);
    }
    assert_eq!(statuses, [200, 503, 503, 200, 200]);
    shop.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_redirect_never_ends() {
    let shop = Shop::open(TWO).await;
    shop.commerce.set_fault(Fault::every(FaultKind::Redirect));
    let request = shop.client.get(format!("{}/rest/V1/modules", shop.base)).bearer_auth(TOKEN);
    assert!(shop.send(request).await.is_err_and(|error| error.is_redirect()));
    shop.close().await;
}

#[tokio::test(start_paused = true)]
async fn slowness_passes_on_the_paused_clock() {
    let shop = Shop::open(&generated(300, "latency = 1.0")).await;
    let start = Clock::system().instant();
    let export = shop.get(&format!("{EXPORT}?searchCriteria[pageSize]=300")).await.json();
    assert_eq!(export["total_count"], 300);
    assert_eq!(start.elapsed().as_millis(), 1_370, "110 ms and 4.2 ms for each of 300 rows");
    shop.commerce.set_fault(Fault { ms: 3_600_000, ..Fault::every(FaultKind::Slow) });
    shop.get("modules").await;
    assert!(start.elapsed() > Duration::from_hours(1));
    assert_eq!(shop.commerce.stats().core_ms(), 1_370 + 25);
    shop.close().await;
}

#[tokio::test(start_paused = true)]
async fn large_answers_are_compressed_when_asked() {
    let shop = Shop::open(&generated(100, "")).await;
    let url = format!("{}/rest/V1/{EXPORT}?searchCriteria[pageSize]=100", shop.base);
    let plain = shop.send(shop.client.get(&url).bearer_auth(TOKEN)).await.unwrap();
    let asked = shop.client.get(&url).bearer_auth(TOKEN).header("accept-encoding", "gzip, br");
    let packed = shop.send(asked).await.unwrap();
    assert!(!plain.headers.contains_key("content-encoding"));
    assert_eq!(packed.headers["content-encoding"], "gzip");
    assert!(packed.body.unwrap().len() < plain.body.unwrap().len());
    shop.close().await;
}

#[tokio::test(start_paused = true)]
async fn low_stock_has_its_traps() {
    let unstocked = "[[commerce.product]]\nsku = \"X\"\nwithout_stock_data = true\n";
    let shop = Shop::open(&generated(250, unstocked)).await;
    let low_stock = async |query: &str| shop.get(&format!("stockItems/lowStock/?{query}")).await;
    let page = low_stock("scopeId=0&qty=999999999").await.json();
    assert_eq!((page["items"].as_array().unwrap().len(), &page["total_count"]), (1, &json!(250)));
    assert_eq!(low_stock("scopeId=1&qty=999999999&pageSize=10").await.json()["total_count"], 0);
    assert_eq!(low_stock("scopeId=0").await.status, 400);
    let mut seen = Vec::new();
    for number in 1..=4 {
        let url = format!("scopeId=0&qty=999999999&pageSize=100&currentPage={number}");
        let items = low_stock(&url).await.json()["items"].as_array().unwrap().clone();
        assert!(items.iter().all(|item| item.get("sku").is_none()));
        seen.extend(items.iter().map(|item| item["product_id"].as_u64().unwrap()));
    }
    assert!(!seen.is_sorted(), "the rows have no order");
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 250);
    shop.close().await;
}

#[tokio::test(start_paused = true)]
async fn pages_follow_the_shops_limits_and_release() {
    let shop = Shop::open(&generated(310, "input_limits = true\npast_the_end = \"last_page\"")).await;
    let items =
        async |query: &str| shop.get(&format!("products?{query}")).await.json()["items"].as_array().unwrap().len();
    assert_eq!(items("searchCriteria=").await, 20);
    assert_eq!(items("searchCriteria[pageSize]=300&searchCriteria[currentPage]=7").await, 10);
    let refused = shop.get("products?searchCriteria[pageSize]=301").await;
    let error = json!({ "message": "Maximum SearchCriteria pageSize is %max", "parameters": { "max": 300 } });
    assert_eq!((refused.status, refused.json()), (400, error));
    shop.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_url_that_does_not_fit_the_web_servers_buffer_is_refused() {
    let shop = Shop::open(TWO).await;
    for (length, status) in [(8_000, 200), (8_190, 414)] {
        let start = format!("{}/rest/V1/modules?x=", shop.base).len() - shop.base.len();
        let url = format!("modules?x={}", "a".repeat(length - start));
        assert_eq!(shop.get(&url).await.status, status, "{length} characters");
    }
    shop.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_shop_without_the_inventory_modules_has_no_inventory_routes() {
    for (edition, inventory, export) in
        [("multi_source", 200, 200), ("without_export", 200, 404), ("single_stock", 404, 404)]
    {
        let shop = Shop::open(&format!("edition = \"{edition}\"\n{TWO}")).await;
        assert_eq!(shop.get("inventory/stocks").await.status, inventory, "{edition}");
        assert_eq!(shop.get(&format!("{EXPORT}?searchCriteria=")).await.status, export, "{edition}");
        let modules = shop.get("modules").await.json().to_string();
        assert_eq!(modules.contains("Magento_InventoryExportStockApi"), export == 200, "{edition}");
        shop.commerce.order("P", 1, 3).unwrap();
        assert_eq!(shop.get("stockStatuses/P").await.json()["qty"], 5, "{edition}");
        let legacy = if edition == "single_stock" { 5 } else { 8 };
        assert_eq!(shop.get("stockItems/P").await.json()["qty"], legacy, "{edition}");
        shop.close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_product_is_in_the_export_at_once_and_in_the_dump_a_minute_later() {
    let shop = Shop::open(TWO).await;
    let dump = async || shop.get("inventory/dump-stock-index-data/website/base").await.json().as_array().unwrap().len();
    let created = json!({ "sku": "NEW", "sources": { "default": 4 } });
    assert_eq!(shop.control(Method::PUT, "product", Some(created.clone())).await.status, 200);
    assert_eq!(shop.control(Method::PUT, "product", Some(created)).await.status, 409);
    assert_eq!(shop.get(&format!("{EXPORT}?searchCriteria=")).await.json()["total_count"], 3);
    // Its stock status looks unmanaged meanwhile, and says nothing.
    assert_eq!(shop.get("stockStatuses/NEW").await.json()["stock_item"]["product_id"], 0);
    assert_eq!(dump().await, 2);
    tokio::time::advance(Duration::from_mins(1)).await;
    assert_eq!(dump().await, 3);
    assert_eq!(shop.control(Method::DELETE, "product?sku=NEW", None).await.status, 200);
    assert_eq!(dump().await, 2);
    shop.close().await;
}

#[tokio::test(start_paused = true)]
async fn orders_tell_which_skus_moved_and_products_do_not() {
    let shop = Shop::open(TWO).await;
    tokio::time::advance(Duration::from_hours(1)).await;
    shop.commerce.order("P", 1, 2).unwrap();
    tokio::time::advance(Duration::from_hours(1)).await;
    shop.commerce.ship("P", 1, 2).unwrap();
    shop.commerce.set_quantity("Q", "default", Quantity::whole(9)).unwrap();
    let since = |route: &str, time: &str| {
        let filter = "searchCriteria[filter_groups][0][filters][0]";
        format!("{route}?{filter}[field]=updated_at&{filter}[condition_type]=gteq&{filter}[value]=2026-11-21%20{time}")
    };
    let orders = since("orders", "22:00:00") + "&fields=items[entity_id,updated_at,items[sku,product_type]]";
    let moved = json!({ "items": [{ "entity_id": 1, "updated_at": "2026-11-21 22:00:00",
        "items": [{ "sku": "P", "product_type": "simple" }] }] });
    assert_eq!(shop.get(&orders).await.json(), moved);
    assert_eq!(shop.get(&since("products", "20:00:01")).await.json()["total_count"], 0);
    shop.commerce.edit("Q", &serde_json::from_value(json!({ "enabled": false })).unwrap()).unwrap();
    assert_eq!(shop.get(&since("products", "20:00:01")).await.json()["total_count"], 1);
    shop.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_hundred_thousand_products_are_read_in_ranges() {
    let shop = Shop::open(&generated(100_000, "")).await;
    for after in [0, 50_000, 99_900] {
        let export = shop.get(&format!("{EXPORT}?{}", id_range(after, after + 300))).await.json();
        assert_eq!(export["total_count"], 300.min(100_000 - after), "after {after}");
    }
    assert_eq!(shop.get("products?searchCriteria=").await.status, 500, "an unpaged list runs out of memory");
    shop.close().await;
}

#[tokio::test(start_paused = true)]
async fn each_release_wants_its_own_order_of_arrays_and_its_own_path() {
    let natural: Vec<(String, String)> = (0..12).map(|n| (format!("skus[{n}]"), format!("S{n}"))).collect();
    let mut by_bytes = natural.clone();
    by_bytes.sort();
    let end = ("stockId".to_owned(), "1".to_owned());
    for (version, natural_status, bytes_status) in [("2.4.7", 200, 401), ("2.4.8", 401, 200)] {
        let world = format!("version = \"{version}\"\n{}[[commerce.product]]\nsku = \"A/B\"\n", signed::OAUTH);
        let shop = Shop::open(&world).await;
        for (skus, status, nonce) in [(&natural, natural_status, "n1"), (&by_bytes, bytes_status, "n2")] {
            let query: Vec<_> = skus.iter().cloned().chain([end.clone()]).collect();
            let path = "/rest/V1/inventory/are-products-salable";
            assert_eq!(signed::get(&shop, path, path, &query, nonce).await, status, "{version} {nonce}");
        }
        let (sent, rebuilt) = ("/rest/V1/products/A%2FB", "/rest/V1/products/A/B");
        let fields = [("storeless".to_owned(), "1".to_owned())];
        assert_eq!(signed::get(&shop, sent, rebuilt, &fields, "n3").await, natural_status, "{version} rebuilt path");
        assert_eq!(signed::get(&shop, sent, sent, &fields, "n4").await, bytes_status, "{version} path as sent");
        shop.close().await;
    }
}
