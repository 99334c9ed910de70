//! A few products by name, and absences that are believed.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::http::Response;
use serde_json::json;
use stocksync::commerce::{Confirmed, Edition, Found, ProductRow, Reader, StockRow, Wanted};
use stocksync::http::Fault;
use stocksync::model::{Decimal, Sku};

use crate::shop::{Asked, Product, Server, Shop, catalogue, list, product, reply, website};

async fn read(reader: &Reader, skus: &[&str]) -> Result<BTreeMap<Sku, Found>, Fault> {
    let websites = [website(1, "base")];
    let skus: Vec<Sku> = skus.iter().map(|sku| Sku::from(*sku)).collect();
    reader.read_skus(&Wanted { edition: Edition::Export, websites: &websites, attributes: &[] }, &skus).await
}

fn row<'a>(found: &'a BTreeMap<Sku, Found>, sku: &str) -> &'a ProductRow {
    match &found[sku] {
        Found::Product(row) => row,
        other => panic!("{sku}: {other:?}"),
    }
}

type Twist = fn(&Asked, &Shop) -> Option<Response<Body>>;
/// What happens, the SKU, what the export says, how the shop misbehaves, the outcome, and how many requests it took.
type Case = (&'static str, &'static str, Option<f64>, Twist, Confirmed, usize);

const ODD: [&str; 14] =
    ["A B", "A/B", "A+B", "A%B", "A%2FB", "A\"B", "A'B", "A,B", "A#B", "A?B", "A&B=C", "..", "00123", "ÖDD-ÜNI-日本"];

#[tokio::test(start_paused = true)]
async fn odd_skus_are_read_by_name() {
    let products = ODD.iter().zip(1..).map(|(sku, id)| product(id, sku)).collect();
    let server = Server::start(products).await;
    let found = read(&server.reader(300), &ODD).await.unwrap();
    assert_eq!(found.len(), ODD.len());
    for sku in ODD {
        let row = row(&found, sku);
        assert_eq!(row.config.is_some(), sku == "00123", "{sku}");
        assert!(matches!(row.stocks[0].1, StockRow::Level { .. }), "{sku}");
    }
    assert_eq!(server.asked("products").len(), 1);
    assert_eq!(server.asked("stockItems").len(), 1, "SKUs that fit no path are in the list of all settings only");
}

#[tokio::test(start_paused = true)]
async fn plain_skus_have_their_settings_read_singly() {
    let server = Server::start(catalogue(10)).await;
    let found = read(&server.reader(300), &["SKU-1", "SKU-2", "SKU-1"]).await.unwrap();
    assert_eq!(found.len(), 2);
    assert!(row(&found, "SKU-2").config.unwrap().managed);
    let asked: Vec<String> = server.asked("stockItems").into_iter().map(|asked| asked.path).collect();
    assert_eq!(asked, ["stockItems/SKU-1", "stockItems/SKU-2"]);
}

#[tokio::test(start_paused = true)]
async fn many_skus_are_asked_for_in_urls_that_a_server_takes() {
    let server = Server::start(catalogue(120)).await;
    let skus: Vec<String> = (1..=120).map(|n| format!("SKU-{n}")).collect();
    let skus: Vec<&str> = skus.iter().map(String::as_str).collect();
    let found = read(&server.reader(300), &skus).await.unwrap();
    assert!(found.values().all(|found| matches!(found, Found::Product(_))));
    let longest = server.asked("products").iter().map(|asked| asked.params.len() / 2).max().unwrap();
    assert!((20..=50).contains(&longest), "{longest}");
}

#[tokio::test(start_paused = true)]
async fn a_missing_sku_was_asked_for_twice() {
    let server = Server::start(catalogue(3)).await;
    let found = read(&server.reader(300), &["SKU-1", "NOPE", "sku-2", "SKU-3 "]).await.unwrap();
    assert!(matches!(found["SKU-1"], Found::Product(_)));
    for missing in ["NOPE", "sku-2", "SKU-3 "] {
        assert_eq!(found[missing], Found::Missing, "{missing}");
    }
    assert_eq!(server.asked("products").len(), 1 + 3);
}

#[tokio::test(start_paused = true)]
async fn skus_that_differ_in_case_are_two() {
    let server = Server::start(vec![product(1, "ab"), Product { qty: Some(3.0), ..product(2, "AB") }]).await;
    let found = read(&server.reader(300), &["AB", "ab", "Ab"]).await.unwrap();
    assert_eq!((row(&found, "ab").product_id, row(&found, "AB").product_id), (1, 2));
    assert_eq!(found["Ab"], Found::Missing);
    // The route for one SKU found the other, whose settings are not ours.
    assert_eq!(row(&found, "AB").config, None);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_not_whole_makes_nothing_missing() {
    let twists: [Twist; 3] = [
        |asked, _| (asked.path == "products").then(|| reply(200, "<html>")),
        |asked, _| (asked.path == "products").then(|| reply(200, list(vec![], 2))),
        |asked, _| (asked.path == "products").then(|| reply(200, list(vec![json!({"sku": "SKU-1"})], 1))),
    ];
    for twist in twists {
        let server = Server::start_twisted(catalogue(3), twist).await;
        let found = read(&server.reader(300), &["SKU-1", "NOPE"]).await.unwrap();
        assert!(found.values().all(|found| matches!(found, Found::Unknown(_))), "{found:?}");
    }
    let down = Server::start_twisted(catalogue(3), |_, _| Some(reply(503, "<html>"))).await;
    assert!(matches!(read(&down.reader(300), &["SKU-1"]).await, Err(Fault::Exhausted { .. })));
    assert_eq!(down.asked("").len(), 3, "an outage is not asked about every SKU");
}

#[tokio::test(start_paused = true)]
async fn skus_can_be_read_in_a_task() {
    let server = Server::start(catalogue(3)).await;
    let reader = Arc::new(server.reader(300));
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move {
        let found = read(&reader, &["SKU-1", "A B"]).await.map(|found| found.len());
        let confirmed = reader.confirm_absent_stock(&website(1, "base"), &"SKU-1".into(), 3).await;
        (found, confirmed)
    });
    let (found, confirmed) = tasks.join_next().await.unwrap().unwrap();
    assert_eq!(found, Ok(2));
    assert!(matches!(confirmed, Ok(Confirmed::HasSource { .. })));
}

#[tokio::test(start_paused = true)]
async fn absent_stock_is_confirmed_by_another_route() {
    let fair: Twist = |_, _| None;
    let has = |qty| Confirmed::HasSource { salable: Decimal::from_whole(qty), is_salable: qty > 0 };
    let unknown = Confirmed::Unknown(String::new());
    let gone: Twist = |asked, _| (asked.path == "products").then(|| reply(200, list(vec![], 0)));
    let cases: [Case; 9] = [
        ("no source", "PLAIN", None, fair, Confirmed::NoSource, 1),
        ("no source, no path", "ODD/SKU", None, fair, Confirmed::NoSource, 2),
        ("deleted meanwhile", "ODD/SKU", None, gone, unknown.clone(), 2),
        ("a source", "PLAIN", Some(4.0), fair, has(4), 2),
        ("a source, no path", "ODD/SKU", Some(4.0), fair, has(4), 1),
        // The status of a source with nothing in it looks like no source; both are nothing to sell.
        ("an empty source", "PLAIN", Some(0.0), fair, Confirmed::NoSource, 1),
        (
            "another product's status",
            "PLAIN",
            None,
            |asked, _| {
                let other = json!({"product_id": null, "qty": 0, "stock_status": 0});
                asked.path.contains("stockStatuses").then(|| reply(200, other.to_string()))
            },
            Confirmed::NoSource,
            3,
        ),
        (
            "routes that disagree",
            "PLAIN",
            Some(4.0),
            |asked, _| asked.path.contains("export").then(|| reply(200, list(vec![], 0))),
            unknown.clone(),
            2,
        ),
        ("nonsense", "ODD/SKU", None, |_, _| Some(reply(200, "<html>")), unknown, 1),
    ];
    for (name, sku, qty, twist, expected, requests) in cases {
        let server = Server::start_twisted(vec![Product { qty, ..product(7, sku) }], twist).await;
        let confirmed = server.reader(300).confirm_absent_stock(&website(1, "base"), &sku.into(), 7).await.unwrap();
        let confirmed = match confirmed {
            Confirmed::Unknown(_) => Confirmed::Unknown(String::new()),
            other => other,
        };
        assert_eq!((confirmed, server.asked("").len()), (expected, requests), "{name}");
    }
}
