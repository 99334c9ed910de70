//! A server that misbehaves, and what serving costs it.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;
use stocksync::clock::Clock;
use stocksync::sim::commerce::{Fault, FaultKind};

use super::shop::{Shop, TOKEN};

const EXPORT: &str = "inventory/export-stock-salable-qty/website/base";

fn generated(products: u32, rest: &str) -> String {
    format!("{rest}\n[commerce.generate]\nproducts = {products}\nplain = true\n")
}

fn page(number: u32, size: u32) -> String {
    format!("searchCriteria[pageSize]={size}&searchCriteria[currentPage]={number}")
}

/// What the rows of a list call themselves.
async fn rows(shop: &Shop, url: &str, name: &str) -> Vec<String> {
    let list = shop.get(url).await.json();
    list["items"].as_array().unwrap().iter().map(|row| row[name].to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_limit_answers_html_and_may_say_how_long_to_wait() {
    let shop = Shop::open(&generated(1, "")).await;
    for (ms, told) in [(0, None), (1_500, Some("2")), (60_000, Some("60"))] {
        shop.control(Method::POST, "fault", Some(json!({ "kind": "html_429", "ms": ms, "count": 1 }))).await;
        let answer = shop.get("modules").await;
        assert_eq!(answer.status, 429);
        assert!(answer.body.unwrap().contains("<html"));
        assert_eq!(answer.headers.get("retry-after").map(|value| value.to_str().unwrap()), told);
        assert_eq!(shop.get("modules").await.status, 200);
    }
    shop.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_database_that_refuses_answers_html_and_calls_it_text() {
    let shop = Shop::open(&generated(1, "")).await;
    shop.commerce.set_fault(Fault::every(FaultKind::Database500));
    let answer = shop.get("modules").await;
    assert_eq!((answer.status, &answer.headers["content-type"]), (500, &"text/plain;charset=UTF-8".parse().unwrap()));
    assert!(answer.body.unwrap().contains("<html"));
    shop.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_body_that_drips_is_whole_in_the_end() {
    let shop = Shop::open(&generated(30, "")).await;
    let url = "products?searchCriteria[pageSize]=30";
    let good = shop.get(url).await.json();
    let start = Clock::system().instant();
    shop.commerce.set_fault(Fault { ms: 120_000, ..Fault::every(FaultKind::SlowDrip) });
    let answer = shop.get(url).await;
    assert_eq!(answer.headers["content-length"].to_str().unwrap(), answer.body.as_ref().unwrap().len().to_string());
    assert_eq!(answer.json(), good);
    let seconds = start.elapsed().as_secs();
    assert!((115..=125).contains(&seconds), "{seconds}");
    assert_eq!(shop.commerce.stats().busy, Duration::from_mins(2));
    shop.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_total_that_lies_leaves_the_rows_alone() {
    let shop = Shop::open(&generated(30, "")).await;
    for (kind, total) in [("total_too_high", 61), ("total_too_low", 15)] {
        shop.control(Method::POST, "fault", Some(json!({ "kind": kind, "count": 1 }))).await;
        let list = shop.get(&format!("products?{}", page(1, 10))).await.json();
        assert_eq!((&list["total_count"], list["items"].as_array().unwrap().len()), (&json!(total), 10), "{kind}");
    }
    shop.close().await;
}

#[tokio::test(start_paused = true)]
async fn pages_that_overlap_show_rows_twice_and_lose_the_last() {
    let shop = Shop::open(&generated(30, "")).await;
    shop.commerce.set_fault(Fault::every(FaultKind::DuplicateRows));
    for (route, name) in [
        ("products?", "sku"),
        ("inventory/source-items?", "sku"),
        (&format!("{EXPORT}?") as &str, "sku"),
        ("", "product_id"),
    ] {
        let mut seen = Vec::new();
        for number in 1..=3 {
            let low_stock = format!("stockItems/lowStock/?scopeId=0&qty=1000&pageSize=10&currentPage={number}");
            let url = if route.is_empty() { low_stock } else { format!("{route}{}", page(number, 10)) };
            seen.extend(rows(&shop, &url, name).await);
        }
        let different: BTreeSet<&String> = seen.iter().collect();
        assert_eq!((seen.len(), different.len(), &seen[9], &seen[19]), (30, 28, &seen[10], &seen[20]), "{route}");
    }
    shop.close().await;
}

#[tokio::test(start_paused = true)]
async fn one_bad_product_kills_its_page_and_no_other() {
    let shop = Shop::open(&generated(30, "")).await;
    shop.control(Method::POST, "fault", Some(json!({ "kind": "bad_product", "sku": "gen-000015" }))).await;
    for route in ["products", EXPORT] {
        let mut statuses = Vec::new();
        for number in 1..=3 {
            statuses.push(shop.get(&format!("{route}?{}", page(number, 10))).await.status);
        }
        assert_eq!(statuses, [200, 500, 200], "{route}");
    }
    assert_eq!(shop.get("stockItems/GEN-000015").await.status, 200);
    shop.commerce.clear_faults();
    assert_eq!(shop.get(&format!("products?{}", page(2, 10))).await.status, 200);
    shop.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_shop_may_allow_pages_of_twenty_only() {
    let shop = Shop::open(&generated(30, "input_limits = true\nmaximum_page_size = 20")).await;
    for route in ["products", "inventory/source-items", EXPORT] {
        assert_eq!(rows(&shop, &format!("{route}?{}", page(1, 20)), "sku").await.len(), 20, "{route}");
        let refused = shop.get(&format!("{route}?{}", page(1, 21))).await;
        assert_eq!((refused.status, &refused.json()["parameters"]), (400, &json!({ "max": 20 })), "{route}");
    }
    shop.close().await;
}

#[tokio::test(start_paused = true)]
async fn requests_at_once_and_time_held_back_are_counted_and_begin_again() {
    let shop = Shop::open(&generated(1, "latency = 1.0")).await;
    join_all((0..5).map(|_| shop.get("modules"))).await;
    let stats = shop.control(Method::GET, "stats", None).await.json();
    assert_eq!((&stats["most_in_flight"], &stats["busy_ms"]), (&json!(5), &json!(125)));
    assert_eq!((&stats["requests"], &stats["gzip_requests"]), (&json!(5), &json!(0)));
    shop.control(Method::DELETE, "stats", None).await;
    let asked = shop.client.get(format!("{}/rest/V1/modules", shop.base)).bearer_auth(TOKEN);
    shop.send(asked.header("accept-encoding", "gzip")).await.unwrap();
    let stats = shop.commerce.stats();
    assert_eq!((stats.most_in_flight, stats.busy, stats.gzip_requests), (1, Duration::from_millis(25), 1));
    assert_eq!(stats.requests(), 1);
    shop.close().await;
}

#[tokio::test(start_paused = true)]
async fn rows_that_an_export_leaves_out_are_paid_for() {
    let products = "[[commerce.product]]\nsku = \"A\"\nsources = { default = 1 }\n\
        [[commerce.product]]\nsku = \"B\"\n[[commerce.product]]\nsku = \"C\"\n";
    let shop = Shop::open(products).await;
    assert_eq!(rows(&shop, &format!("{EXPORT}?searchCriteria="), "sku").await.len(), 1);
    let stats = shop.commerce.stats();
    let export = stats.routes["export-stock-salable-qty"];
    assert_eq!((export.rows, export.core_us), (3, 110_000 + 3 * 4_200));
    shop.close().await;
}
