//! Sweeps of a shop that misbehaves: never a wrong number, never an absence that was not one.

use axum::body::Body;
use axum::http::Response;
use serde_json::Value;
use stocksync::commerce::{StockRow, Sweep};
use stocksync::http::Fault;

use crate::shop::{Asked, Product, Server, Shop, catalogue, cut, list, product, reply, row, settings};
use crate::sweep::sweep;

type Misbehaviour = fn(&Asked, &Shop) -> Option<Response<Body>>;

fn listing(asked: &Asked) -> bool {
    asked.path == "products" && asked.filter("entity_id", "gt").is_some()
}

/// The second page of products, with pages of ten.
fn second_page(asked: &Asked) -> bool {
    listing(asked) && asked.filter("entity_id", "gt") == Some("30")
}

fn exporting_second(asked: &Asked) -> bool {
    asked.path.starts_with("inventory/export") && asked.filter("entity_id", "gt") == Some("30")
}

fn edited(text: &str, edit: impl Fn(&mut Value)) -> Response<Body> {
    let mut value = serde_json::from_str(text).unwrap();
    edit(&mut value);
    reply(200, value.to_string())
}

fn keep_half(value: &mut Value) {
    if let Some(rows) = value["items"].as_array_mut() {
        rows.truncate(rows.len().div_ceil(2));
    }
}

fn reasons(sweep: &Sweep) -> String {
    assert_eq!(sweep.complete, sweep.incomplete_because.is_empty());
    sweep.incomplete_because.join("; ")
}

#[tokio::test(start_paused = true)]
async fn bad_products_pages_make_the_sweep_incomplete() {
    let cases: [(&str, Misbehaviour, u64, &str); 9] = [
        ("503", |asked, _| second_page(asked).then(|| reply(503, "<html>")), 10, "no success in 3 attempts: HTTP 503"),
        ("html", |asked, _| second_page(asked).then(|| reply(200, "<!doctype html>")), 10, "HTML"),
        ("cut", |asked, _| second_page(asked).then(|| cut(r#"{"items":[{"id":33,"#)), 10, "no success in 3 attempts"),
        ("cut json", |asked, _| second_page(asked).then(|| reply(200, r#"{"items":["#)), 10, "EOF"),
        ("no list", |asked, _| second_page(asked).then(|| reply(200, "[]")), 10, "does not fit"),
        ("nothing", |asked, _| second_page(asked).then(|| reply(200, list(vec![], 20))), 10, "none of 20 is new"),
        (
            "wrong types",
            |asked, shop| {
                let spoil = |value: &mut Value| value["items"][4]["sku"] = 7.into();
                second_page(asked).then(|| edited(&shop.products(asked), spoil))
            },
            29,
            "row 4 does not fit at sku",
        ),
        (
            "repeats",
            |asked, shop| {
                // A server that ignores the filter.
                let first: Vec<Value> = shop.products.iter().take(10).map(row).collect();
                listing(asked).then(|| reply(200, list(first.clone(), 30)))
            },
            10,
            "none of 30 is new",
        ),
        ("empty", |asked, _| listing(asked).then(|| reply(200, list(vec![], 0))), 0, "no products at all"),
    ];
    for (name, misbehaviour, expected, reason) in cases {
        let server = Server::start_twisted(catalogue(30), misbehaviour).await;
        let swept = sweep(&server.reader(10)).await.unwrap();
        assert!(reasons(&swept.sweep).contains(reason), "{name}: {}", reasons(&swept.sweep));
        assert_eq!(swept.rows.len() as u64, expected, "{name}");
        assert_eq!(swept.sweep.products, expected, "{name}");
        assert!(swept.rows.iter().all(|row| matches!(row.stocks[0].1, StockRow::Level { .. })), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn trouble_that_passes_leaves_a_complete_sweep() {
    let cases: [(&str, Misbehaviour); 7] = [
        ("503 once", |asked, _| (asked.nth == 0).then(|| reply(503, "<html>"))),
        ("cut once", |asked, _| (asked.nth == 0).then(|| cut("{"))),
        ("half", |asked, shop| listing(asked).then(|| edited(&shop.products(asked), keep_half))),
        ("half and counted so", |asked, shop| {
            let lose = |value: &mut Value| {
                keep_half(value);
                value["total_count"] = value["items"].as_array().unwrap().len().into();
            };
            second_page(asked).then(|| edited(&shop.products(asked), lose))
        }),
        ("unordered and twice", |asked, shop| {
            let disturb = |value: &mut Value| {
                let rows = value["items"].as_array_mut().unwrap();
                rows.extend(rows.clone());
                rows.reverse();
            };
            second_page(asked).then(|| edited(&shop.products(asked), disturb))
        }),
        ("settings miscounted once", |asked, shop| {
            let first: Vec<Value> = shop.products.iter().take(20).map(settings).collect();
            (asked.path.contains("lowStock") && asked.nth == 0).then(|| reply(200, list(first, 30)))
        }),
        ("throttled", |asked, _| (asked.nth % 2 == 0).then(|| reply(429, "slow down"))),
    ];
    for (name, misbehaviour) in cases {
        let server = Server::start_twisted(catalogue(30), misbehaviour).await;
        let swept = sweep(&server.reader(10)).await.unwrap();
        assert_eq!(reasons(&swept.sweep), "", "{name}");
        assert_eq!(swept.rows.len(), 30, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_bad_export_makes_only_its_products_unknown() {
    let cases: [(&str, Misbehaviour, usize, &str); 7] = [
        ("html", |asked, _| exporting_second(asked).then(|| reply(200, "\n<html>")), 10, "HTML"),
        ("503", |asked, _| exporting_second(asked).then(|| reply(503, r#"{"message":"Busy"}"#)), 10, "HTTP 503"),
        (
            "404",
            |asked, _| exporting_second(asked).then(|| reply(404, r#"{"message":"No linked stock found"}"#)),
            10,
            "stock",
        ),
        (
            "cut",
            |asked, _| exporting_second(asked).then(|| cut(r#"{"items":[{"sku":"SKU-11","qty":1"#)),
            10,
            "no success",
        ),
        (
            "half",
            |asked, shop| exporting_second(asked).then(|| edited(&shop.export(asked), keep_half)),
            5,
            "5 rows where",
        ),
        (
            "wrong types",
            |asked, shop| {
                let spoil = |value: &mut Value| value["items"][2]["qty"] = Value::Null;
                exporting_second(asked).then(|| edited(&shop.export(asked), spoil))
            },
            1,
            "row 2 does not fit at qty",
        ),
        (
            "another range",
            |asked, shop| {
                let first = Asked {
                    params: [("searchCriteria[pageSize]".to_owned(), "10".to_owned())].into(),
                    ..asked.clone()
                };
                exporting_second(asked).then(|| reply(200, shop.export(&first)))
            },
            10,
            "names products that were not asked for",
        ),
    ];
    for (name, misbehaviour, expected, reason) in cases {
        let server = Server::start_twisted(catalogue(30), misbehaviour).await;
        let swept = sweep(&server.reader(10)).await.unwrap();
        let unknown: Vec<&str> = swept
            .rows
            .iter()
            .filter_map(|row| match &row.stocks[0].1 {
                StockRow::Level { .. } => None,
                StockRow::Unknown(why) => Some(why.as_str()),
                StockRow::Absent => panic!("{name}: {} counts as absent", row.sku),
            })
            .collect();
        assert_eq!((unknown.len(), swept.rows.len()), (expected, 30), "{name}");
        assert!(unknown.iter().all(|why| why.contains(reason)), "{name}: {unknown:?}");
        assert!(reasons(&swept.sweep).contains(reason), "{name}: {}", reasons(&swept.sweep));
    }
}

#[tokio::test(start_paused = true)]
async fn a_product_named_twice_with_different_stock_is_unknown() {
    let server = Server::start_twisted(vec![product(1, "A"), product(2, "B")], |asked, shop| {
        let again = |value: &mut Value| {
            let mut row = value["items"][0].clone();
            row["qty"] = 3.into();
            value["items"].as_array_mut().unwrap().push(row);
        };
        asked.path.contains("export").then(|| edited(&shop.export(asked), again))
    })
    .await;
    let swept = sweep(&server.reader(10)).await.unwrap();
    assert!(matches!(swept.stock("A"), StockRow::Unknown(_)));
    assert!(matches!(swept.stock("B"), StockRow::Level { .. }));
}

#[tokio::test(start_paused = true)]
async fn missing_settings_are_unknown_settings() {
    let cases: [(&str, Misbehaviour, usize, &str); 3] = [
        (
            "miscounted",
            |asked, shop| {
                let rows: Vec<Value> = shop.products.iter().skip(4).map(settings).collect();
                asked.path.contains("lowStock").then(|| reply(200, list(rows, 30)))
            },
            4,
            "stock settings of 26 products where the server counts 30",
        ),
        (
            "wrong types",
            |asked, shop| {
                let spoil = |value: &mut Value| value["items"][0]["manage_stock"] = "maybe".into();
                asked.path.contains("lowStock").then(|| edited(&shop.low_stock(asked), spoil))
            },
            1,
            "row 0 does not fit at manage_stock",
        ),
        (
            "uncounted",
            |asked, shop| {
                let rows: Vec<Value> = shop.products.iter().skip(1).map(settings).collect();
                asked.path.contains("lowStock").then(|| reply(200, list(rows, 29)))
            },
            1,
            "",
        ),
    ];
    for (name, misbehaviour, expected, reason) in cases {
        let server = Server::start_twisted(catalogue(30), misbehaviour).await;
        let swept = sweep(&server.reader(10)).await.unwrap();
        assert_eq!(swept.rows.iter().filter(|row| row.config.is_none()).count(), expected, "{name}");
        assert!(reasons(&swept.sweep).contains(reason), "{name}: {}", reasons(&swept.sweep));
    }
}

#[tokio::test(start_paused = true)]
async fn a_failing_page_of_settings_costs_only_its_own() {
    let server = Server::start_twisted(catalogue(2500), |asked, _| {
        (asked.path.contains("lowStock") && asked.number("currentPage") == Some(2)).then(|| reply(400, "{}"))
    })
    .await;
    let swept = sweep(&server.reader(300)).await.unwrap();
    assert_eq!(swept.rows.iter().filter(|row| row.config.is_none()).count(), 1000);
    assert!(reasons(&swept.sweep).contains("a page of stock settings"));
}

#[tokio::test(start_paused = true)]
async fn without_any_settings_there_is_no_sweep() {
    let server = Server::start_twisted(catalogue(30), |asked, _| {
        asked.path.contains("lowStock").then(|| reply(503, "<html>maintenance"))
    })
    .await;
    let fault = sweep(&server.reader(10)).await.err().unwrap();
    assert!(matches!(fault, Fault::Exhausted { attempts: 3, .. }), "{fault}");
    assert_eq!(server.asked("products").len(), 0);
}

#[tokio::test(start_paused = true)]
async fn products_lost_without_a_word_are_found_by_the_count_at_the_end() {
    let hole = vec![product(1, "A"), product(2, "B"), Product { type_id: "virtual", ..product(3, "C") }];
    let server = Server::start_twisted(hole, |asked, shop| {
        let lose = |value: &mut Value| {
            value["items"].as_array_mut().unwrap().remove(1);
            value["total_count"] = 2.into();
        };
        (listing(asked) && asked.nth == 0).then(|| edited(&shop.products(asked), lose))
    })
    .await;
    let swept = sweep(&server.reader(10)).await.unwrap();
    let reasons = reasons(&swept.sweep);
    assert!(reasons.contains("2 products up to id 3 where the server counts 3"), "{reasons}");
    assert!(reasons.contains("names products that were not asked for"), "{reasons}");
}
