//! The levers of the world: edits, sales, faults, buyers.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use stocksync::sim::amazon::{Fault, FaultKind, Operation};
use tokio_util::sync::CancellationToken;

use crate::harness::{ACCOUNT, Bench, DE, SELLER, item, send, wait};

const LISTINGS: &str =
    "[[account.listing]]\nsku = \"A\"\nquantity = 5\n[[account.listing]]\nsku = \"B\"\nquantity = 2\n";

async fn bench() -> Bench {
    Bench::start(&format!("speed = 100.0\n{ACCOUNT}{LISTINGS}")).await
}

#[tokio::test(start_paused = true)]
async fn a_listing_is_read_edited_created_and_deleted() {
    let bench = bench().await;
    for (edit, status, pointer, value) in [
        (json!({"sku": "A", "quantity": 7}), 200, "/quantity", json!(7)),
        (json!({"sku": "A", "channel": "AMAZON_EU"}), 200, "/channels", json!(["AMAZON_EU"])),
        (json!({"sku": "A", "channel": "DEFAULT", "quantity": 3, "lead_time": 4}), 200, "/lead_time", json!(4)),
        (json!({"sku": "NEW", "quantity": 1}), 404, "/error", json!("no such listing")),
        (
            json!({"sku": "NEW", "quantity": 1, "create": true, "marketplaces": ["DE"]}),
            200,
            "/marketplaces",
            json!(["DE"]),
        ),
        (json!({"sku": "NEW", "create": true}), 409, "/error", json!("the listing exists already")),
        (json!({"sku": "NEW", "delete": true}), 200, "", Value::Null),
        (json!({"sku": "A", "seller_id": "A2OTHER"}), 404, "/error", json!("no such account")),
    ] {
        let reply = bench.control("listing", edit.clone()).await;
        assert_eq!((reply.status, reply.json().pointer(pointer)), (status, Some(&value)), "{edit}");
    }
    let all = send(bench.request(Method::GET, "/_control/amazon/listing")).await.unwrap().json();
    let skus: Vec<_> = all.as_array().unwrap().iter().map(|one| one["sku"].as_str().unwrap()).collect();
    assert_eq!(skus, ["A", "B"]);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_key_or_an_impossible_value_is_an_error_on_every_lever() {
    let bench = bench().await;
    for (path, body) in [
        ("listing", json!({"sku": "A", "quantty": 1})),
        ("sale", json!({"sku": "A", "quantity": 1, "price": 1})),
        ("fault", json!({"kind": "html", "times": 1})),
        ("fault", json!({"kind": "earthquake"})),
        ("token", json!({"action": "forget"})),
        ("settings", json!({"haste": 2})),
        ("settings", json!({"speed": 0})),
        ("settings", json!({"rates": {"patchListingsItem": -1}})),
        ("settings", json!({"rates": {"patchEverything": 1}})),
    ] {
        assert_eq!(bench.control(path, body.clone()).await.status, 422, "{path} {body}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_sale_takes_what_is_listed_at_once_and_is_told() {
    let bench = bench().await;
    let mut sales = bench.amazon.on_sale();
    assert_eq!(bench.control("sale", json!({"sku": "A", "quantity": 2})).await.json()["quantity"], 2);
    assert_eq!(bench.quantity("A"), Some(3));
    assert_eq!(bench.control("sale", json!({"sku": "A", "quantity": 9})).await.json()["quantity"], 3, "all there is");
    assert_eq!(bench.control("sale", json!({"sku": "A", "quantity": 1})).await.json(), Value::Null);
    let told: Vec<_> = (0..2).map(|_| sales.try_recv().unwrap()).map(|sale| (sale.sku, sale.quantity)).collect();
    assert_eq!(told, [("A".to_owned(), 2), ("A".to_owned(), 3)]);
    assert!(sales.try_recv().is_err());
    assert_eq!(bench.amazon.stats().units_sold, 5);
}

#[tokio::test(start_paused = true)]
async fn settings_change_while_it_runs() {
    let bench = bench().await;
    bench.control("settings", json!({"apply_delay": {"min": "5s", "max": "5s"}, "lose_percent": 0})).await;
    bench.merge("A", 9).await;
    wait(4.9).await;
    assert_eq!(bench.quantity("A"), Some(5));
    wait(0.1).await;
    assert_eq!(bench.quantity("A"), Some(9));
    bench.control("settings", json!({"lose_percent": 100, "speed": 2})).await;
    assert_eq!(bench.merge("A", 10).await.header("x-amzn-ratelimit-limit"), Some("10.0"));
    wait(60.0).await;
    assert_eq!(bench.quantity("A"), Some(9));
}

#[tokio::test(start_paused = true)]
async fn a_fault_strikes_where_and_as_often_as_ordered() {
    let bench = bench().await;
    let path = format!("{}?marketplaceIds={DE}", item("A"));
    for (kind, status, code) in [
        ("status_500", 500, "InternalFailure"),
        ("status_503", 503, "ServiceUnavailable"),
        ("status_429", 429, "QuotaExceeded"),
        ("role_missing", 403, "Unauthorized"),
        ("region_mismatch", 403, "Unauthorized"),
    ] {
        bench.control("fault", json!({"kind": kind, "operation": "getListingsItem", "sku": "A", "count": 1})).await;
        assert_eq!(bench.merge("A", 5).await.status, 200, "another operation");
        assert_eq!(bench.get(&format!("{}?marketplaceIds={DE}", item("B"))).await.status, 200, "another listing");
        let reply = bench.get(&path).await;
        assert_eq!((reply.status, reply.error().0.as_str()), (status, code));
        assert_eq!(bench.get(&path).await.status, 200, "once only");
        wait(0.1).await;
    }
    let stats = bench.amazon.stats();
    assert_eq!((stats.throttled(), stats.calls[SELLER][&Operation::GetListingsItem].faults), (0, 5));
}

#[tokio::test(start_paused = true)]
async fn an_html_page_and_a_slow_answer_come_until_cleared() {
    let bench = bench().await;
    let path = format!("{}?marketplaceIds={DE}", item("A"));
    bench.amazon.fault(Fault::new(FaultKind::Html));
    for _ in 0..3 {
        let reply = bench.get(&path).await;
        assert_eq!((reply.status, reply.header("content-type")), (503, Some("text/html")));
    }
    bench.amazon.clear_faults();
    bench.amazon.fault(Fault { ms: 30_000, ..Fault::new(FaultKind::Slow) });
    let before = bench.clock().now();
    assert_eq!(bench.get(&path).await.status, 200);
    assert_eq!(bench.clock().now().duration_since(before).as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_or_cut_answer_is_an_error_to_the_caller_and_done_all_the_same() {
    let bench = bench().await;
    for (kind, quantity) in [(FaultKind::AcceptThenDrop, 8), (FaultKind::CutBody, 9)] {
        bench.amazon.fault(Fault { count: Some(1), ..Fault::new(kind) });
        let body = crate::harness::patch("merge", json!({"fulfillment_channel_code": "DEFAULT", "quantity": quantity}));
        let request = bench.signed(Method::PATCH, &format!("{}?marketplaceIds={DE}", item("A"))).json(&body);
        let error = send(request).await.expect_err("the connection broke");
        assert_eq!(error.is_body() || error.is_decode(), kind == FaultKind::CutBody, "{error:?}");
        wait(2.0).await;
        assert_eq!(bench.quantity("A"), Some(quantity));
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_comes_long_after_what_was_asked_is_done() {
    let bench = bench().await;
    bench.amazon.fault(Fault { count: Some(1), ms: 30_000, ..Fault::new(FaultKind::SlowAnswer) });
    let before = bench.clock().now();
    let (reply, ()) = tokio::join!(bench.merge("A", 8), async {
        wait(5.0).await;
        assert_eq!(bench.quantity("A"), Some(8));
    });
    assert_eq!((reply.status, bench.clock().now().duration_since(before).as_secs()), (200, 30));
}

#[tokio::test(start_paused = true)]
async fn sign_in_fails_on_order_too() {
    let bench = bench().await;
    bench.control("fault", json!({"kind": "status_503", "operation": "token", "seller_id": SELLER, "count": 1})).await;
    let reply = bench.sign_in().await;
    assert_eq!((reply.status, reply.json()["error"].as_str()), (503, Some("temporarily_unavailable")));
    assert_eq!(bench.sign_in().await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn buyers_buy_the_same_things_whenever_the_seed_is_the_same() {
    let mut days = Vec::new();
    for _ in 0..2 {
        let world = "[account.generate]\nlistings = 50\nquantity = 100\n[[buyer]]\nevery = \"3s\"\nquantity = 2\n";
        let bench = Bench::with(world).await;
        let mut sales = bench.amazon.on_sale();
        let stop = CancellationToken::new();
        let buyers = bench.amazon.clone().run_buyers(stop.clone());
        tokio::join!(buyers, async {
            wait(300.0).await;
            stop.cancel();
        });
        let mut day = Vec::new();
        while let Ok(sale) = sales.try_recv() {
            day.push((sale.at, sale.sku, sale.quantity, sale.order_id));
        }
        days.push(day);
    }
    assert!((70..130).contains(&days[0].len()), "about one every three seconds: {}", days[0].len());
    assert_eq!(days[0], days[1]);
}

#[tokio::test(start_paused = true)]
async fn a_hundred_thousand_listings_are_no_burden() {
    let world = "[account.generate]\nlistings = 100000\nquantity = 1\n";
    let bench = Bench::with(world).await;
    tokio::time::resume();
    let path = format!("/listings/2021-08-01/items/{SELLER}?marketplaceIds={DE}");
    let order = json!({"reportType": "GET_MERCHANT_LISTINGS_ALL_DATA", "marketplaceIds": [DE]});
    let reads = async {
        assert_eq!(bench.get(&format!("{path}&identifiersType=SKU&identifiers=SKU-50000")).await.status, 200);
        assert_eq!(bench.get(&path).await.json()["numberOfResults"], 100_000);
        assert_eq!(bench.post("/reports/2021-06-30/reports", order).await.status, 202);
    };
    tokio::time::timeout(Duration::from_secs(20), reads).await.expect("well within, on a slow machine too");
}
