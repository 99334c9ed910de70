use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::request::Head;
use super::super::{Commerce, MassAction, ProductEdit, SourceEdit};
use crate::clock::Clock;
use crate::sim::Quantity;
use crate::sim::world::{SystemWorld, World};

const TOKEN: &str = "test-token";

fn shop(lag: &str) -> Arc<Commerce> {
    let text = format!(
        "[commerce]\nintegration_bearer_token = \"{TOKEN}\"\nindex_lag = \"{lag}\"\n\
         [[commerce.stock]]\nid = 1\nname = \"Default Stock\"\n[[commerce.stock]]\nid = 2\nname = \"EU\"\n\
         [[commerce.website]]\ncode = \"base\"\nid = 1\nstock_id = 1\n\
         [[commerce.website]]\ncode = \"eu\"\nid = 2\nstock_id = 2\n\
         [[commerce.source]]\ncode = \"default\"\nstocks = [1]\n[[commerce.source]]\ncode = \"eu1\"\nstocks = [2]\n\
         [[commerce.product]]\nsku = \"P\"\nwebsites = [\"base\", \"eu\"]\nsources = {{ default = 8, eu1 = 3 }}\n\
         [[commerce.product]]\nsku = \"C\"\ntype = \"configurable\"\nchildren = {{ P = 1 }}\n"
    );
    let world = World::parse(&text, "test.toml".as_ref()).unwrap();
    Commerce::new(&world.commerce, Clock::starting_at(Timestamp::UNIX_EPOCH))
}

fn get(commerce: &Commerce, path: &str) -> Value {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let head = Head {
        method: "GET".to_owned(),
        path: format!("/rest/V1/inventory/{path}"),
        query: query.to_owned(),
        authorization: Some(format!("Bearer {TOKEN}")),
        ..Head::default()
    };
    serde_json::from_slice(&commerce.respond(&head, b"").reply.body).unwrap()
}

/// What the dump says of a SKU, as text.
fn row(commerce: &Commerce, website: &str, sku: &str) -> String {
    let dump = get(commerce, &format!("dump-stock-index-data/website/{website}"));
    let row = dump.as_array().unwrap().iter().find(|row| row["sku"] == sku);
    row.map_or_else(|| "absent".to_owned(), |row| format!("{} {}", row["qty"], row["is_salable"]))
}

async fn pass(seconds: u64) {
    tokio::time::advance(Duration::from_secs(seconds)).await;
}

fn edit(commerce: &Commerce, sku: &str, edit: Value) {
    commerce.edit(sku, &serde_json::from_value(edit).unwrap()).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_change_is_in_the_dump_when_the_lag_has_passed_and_on_the_live_routes_at_once() {
    let commerce = shop("60s");
    commerce.set_quantity("P", "default", Quantity::whole(5)).unwrap();
    pass(30).await;
    commerce.set_quantity("P", "default", Quantity::whole(2)).unwrap();
    let live = get(&commerce, "get-product-salable-quantity/P/1");
    assert_eq!((row(&commerce, "base", "P"), live), ("8 true".to_owned(), json!(2)));
    pass(30).await;
    assert_eq!(row(&commerce, "base", "P"), "5 true", "not yet the second change");
    pass(30).await;
    assert_eq!(row(&commerce, "base", "P"), "2 true");
}

#[tokio::test(start_paused = true)]
async fn without_a_lag_the_dump_follows_at_once() {
    let commerce = shop("0s");
    commerce.set_quantity("P", "default", Quantity::whole(5)).unwrap();
    assert_eq!(row(&commerce, "base", "P"), "5 true");
}

#[tokio::test(start_paused = true)]
async fn every_kind_of_change_waits_for_the_index() {
    type Change = fn(&Commerce);
    let changes: [(&str, &str, Change, &str); 7] = [
        ("base", "8 true", |shop| edit(shop, "P", json!({ "enabled": false })), "absent"),
        ("base", "8 true", |shop| edit(shop, "P", json!({ "websites": ["eu"] })), "absent"),
        ("base", "8 true", |shop| edit(shop, "P", json!({ "manage_stock": false })), "0 true"),
        (
            "base",
            "8 true",
            |shop| shop.set_system(SystemWorld { manage_stock: false, ..Default::default() }).unwrap(),
            "0 true",
        ),
        (
            "eu",
            "3 true",
            |shop| shop.edit_source("eu1", &SourceEdit { enabled: Some(false), ..Default::default() }).unwrap(),
            "absent",
        ),
        ("eu", "3 true", |shop| shop.reserve("P", 2, Quantity::whole(3)).unwrap(), "3 false"),
        (
            "base",
            "8 true",
            |shop| {
                let remove_websites = vec!["base".to_owned()];
                let skus = vec!["P".to_owned()];
                shop.mass_action(&MassAction { skus, remove_websites, ..Default::default() }).unwrap();
            },
            "absent",
        ),
    ];
    for (place, (website, before, change, after)) in changes.into_iter().enumerate() {
        let commerce = shop("60s");
        change(&commerce);
        pass(59).await;
        assert_eq!(row(&commerce, website, "P"), before, "change {place}");
        pass(1).await;
        assert_eq!(row(&commerce, website, "P"), after, "change {place}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_composite_waits_with_its_children() {
    let commerce = shop("60s");
    commerce.set_quantity("P", "default", Quantity::ZERO).unwrap();
    assert_eq!(row(&commerce, "base", "C"), "0 true");
    pass(60).await;
    assert_eq!(row(&commerce, "base", "C"), "0 false");
}

#[tokio::test(start_paused = true)]
async fn a_full_reindex_catches_up() {
    let commerce = shop("1h");
    commerce.set_quantity("P", "default", Quantity::whole(5)).unwrap();
    commerce.create(&serde_json::from_value(json!({ "sku": "NEW", "sources": { "default": 1 } })).unwrap()).unwrap();
    pass(600).await;
    assert_eq!(["P", "NEW"].map(|sku| row(&commerce, "base", sku)), ["8 true", "absent"]);
    commerce.reindex();
    assert_eq!(["P", "NEW"].map(|sku| row(&commerce, "base", sku)), ["5 true", "1 true"]);
}

#[tokio::test(start_paused = true)]
async fn an_index_that_is_being_rebuilt_is_empty() {
    let commerce = shop("0s");
    commerce.start_reindex();
    assert_eq!(get(&commerce, "dump-stock-index-data/website/base"), json!([]));
    assert_eq!(get(&commerce, "export-stock-salable-qty/website/base?searchCriteria=")["total_count"], 2);
    commerce.reindex();
    assert_eq!(row(&commerce, "base", "P"), "8 true");
}

#[tokio::test(start_paused = true)]
async fn a_deleted_product_leaves_the_dump_at_once_and_comes_back_as_a_new_one() {
    let commerce = shop("60s");
    commerce.edit("P", &ProductEdit { enabled: Some(false), ..Default::default() }).unwrap();
    assert_eq!(row(&commerce, "base", "P"), "8 true");
    let id = commerce.recreate("P").unwrap();
    assert_eq!((id, row(&commerce, "base", "P")), (3, "absent".to_owned()));
    commerce.delete("P").unwrap();
    assert_eq!(row(&commerce, "eu", "P"), "absent");
}
