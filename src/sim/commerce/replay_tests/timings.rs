//! Measured requests to the shop with 20,108 products: how many rows they got, and what they cost.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use super::super::Commerce;
use super::recorded::{Recorded, file};
use super::shop::{LAST_ID, TOKEN, shop_with, with_bulk};
use super::{ask, skipped};

pub(super) const FILES: [&str; 2] = ["bulk_timings_summary.json", "walks.json"];

/// Answers whose rows are others here.
const OTHER_ROWS: [(&str, &str); 1] =
    [("products updated_at gteq last 1 day size300", "all products were saved at the same time here")];

/// A measurement on a shared machine and a cost of two numbers: this far from each other, as percent.
const CLOSE: RangeInclusive<u64> = 60..=165;

fn get(commerce: &Commerce, url: &str) -> (u16, Value, u64) {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let question = Recorded {
        name: String::new(),
        method: "GET".to_owned(),
        host: String::new(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: Map::new(),
        sent: Value::Null,
        at: commerce.clock.now(),
        status: 200,
        content_type: String::new(),
        body: None,
        cut: false,
    };
    commerce.reset_stats();
    let reply = ask(commerce, &question, Some(format!("Bearer {TOKEN}")));
    let body = serde_json::from_slice(&reply.body).unwrap_or_default();
    (reply.status.as_u16(), body, commerce.stats().core_ms())
}

#[test]
fn measured_requests_get_their_rows_and_cost_what_they_cost() {
    let Some(commerce) = shop_with(LAST_ID, with_bulk) else { return skipped() };
    let mut wrong = Vec::new();
    for measured in file("bulk_timings_summary.json").unwrap().as_array().unwrap() {
        let name = measured["name"].as_str().unwrap();
        // The web server refuses these; nobody behind it is asked.
        if measured["status"] == 414 {
            continue;
        }
        let (status, body, ms) = get(&commerce, measured["path"].as_str().unwrap());
        let list = body["items"].as_array().or_else(|| body.as_array());
        // With `fields`, no rows are null.
        let none = body.get("items").is_some_and(Value::is_null).then_some(0);
        let rows = list.map(Vec::len).or(none).map_or(Value::Null, Value::from);
        let same_rows = rows == measured["items"] && body["total_count"] == measured["total_count"];
        if status != measured["status"] || !(same_rows || OTHER_ROWS.iter().any(|(other, _)| *other == name)) {
            wrong.push(format!("{name}: {status}, {rows} of {}, measured {measured}", body["total_count"]));
        }
        let measured_ms = measured["ms_median"].as_u64().unwrap();
        if !CLOSE.contains(&(ms * 100 / measured_ms)) {
            wrong.push(format!("{name}: {ms} ms, measured {measured_ms}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_walk_over_all_pages_sees_every_row_and_takes_its_time() {
    let Some(commerce) = shop_with(LAST_ID, with_bulk) else { return skipped() };
    for walk in file("walks.json").unwrap().as_array().unwrap() {
        let name = walk["walk"].as_str().unwrap();
        let route = if name.starts_with("products") { "products" } else { "inventory/source-items" };
        let sort = |field: &str| {
            format!("searchCriteria[sortOrders][0][field]={field}&searchCriteria[sortOrders][0][direction]=ASC&")
        };
        let sort = match name.split_once("sorted ") {
            Some((_, "entity_id")) => sort("entity_id"),
            Some((_, "id")) => sort("source_item_id"),
            _ => String::new(),
        };
        let (mut rows, mut ms) = (0, 0);
        for page in 1..=walk["pages"].as_u64().unwrap() {
            let size = &walk["size"];
            let paging = format!("searchCriteria[pageSize]={size}&searchCriteria[currentPage]={page}");
            let (_, body, cost) = get(&commerce, &format!("/rest/V1/{route}?{sort}{paging}"));
            assert_eq!(body["total_count"], walk["total_count"], "{name}");
            rows += body["items"].as_array().unwrap().len();
            ms += cost;
        }
        assert_eq!(rows, walk["rows"], "{name}");
        // Tenths of a second, as text.
        let measured_ms = walk["seconds"].to_string().replace('.', "").parse::<u64>().unwrap() * 100;
        assert!(CLOSE.contains(&(ms * 100 / measured_ms)), "{name}: {ms} ms, measured {measured_ms}");
    }
}
