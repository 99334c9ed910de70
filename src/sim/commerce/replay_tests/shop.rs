//! The recorded shop, put together again from its own answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::super::Commerce;
use super::recorded::recordings;
use crate::clock::Clock;
use crate::sim::Quantity;
use crate::sim::world::{CommerceWorld, SourceStock, World};

pub(super) const TOKEN: &str = "replay-token";

/// The newest product, which one recording saw being made.
pub(super) const LAST_ID: u64 = 110;

/// Reservations are in no answer; these are what the recorded shop held.
const RESERVED: [(&str, &str, f64); 13] = [
    ("A01-plain", "1", 4.0),
    ("A08-manage-explicit", "1", 1.0),
    ("A30-res3of10", "1", 3.0),
    ("A31-res5of2", "1", 5.0),
    ("A34-bo1-qty1-res4", "1", 4.0),
    ("A35-nomanage-res4", "1", 4.0),
    ("A36-min2-qty5-res2", "1", 2.0),
    ("A37-decimal-res1.5", "1", 1.5),
    ("A39-realorder", "1", 4.0),
    ("C1-S", "1", 1.0),
    ("E01-multi", "2", 3.0),
    ("E06-res2", "2", 2.0),
    // Not a reservation of the recorded shop's database: an order, placed below.
    ("A33-res10of10", "1", 0.0),
];

/// REST shows effective thresholds only; the names of these say the raw one.
const RAW_MIN_QTY: [(&str, i64); 2] = [("A17-bo1-min5-qty3", 5), ("A18-bo0-min-5-qty-2", -5)];

const CHILDREN: [(&str, &[(&str, f64)]); 9] = [
    ("C1-conf", &[("C1-S", 1.0), ("C1-M", 1.0), ("C1-L", 1.0)]),
    ("C2-conf-allout", &[("C2-S", 1.0), ("C2-M", 1.0)]),
    ("C3-conf-nochild", &[]),
    ("C4-conf-eu", &[("C4-S", 1.0), ("C4-M", 1.0)]),
    ("B1-bundle", &[("A01-plain", 2.0), ("A08-manage-explicit", 1.0)]),
    ("B2-bundle-oos", &[("A02-oos", 1.0)]),
    ("B3-bundle-insufficient", &[("A15-min5-qty6", 5.0)]),
    ("B4-bundle-eu", &[("E01-multi", 1.0)]),
    ("G1-grouped", &[("A01-plain", 1.0), ("A02-oos", 1.0)]),
];

/// The recorded shop, put together from its own answers.
pub(super) fn recorded_shop() -> Option<Arc<Commerce>> {
    shop_with(LAST_ID, |_| {})
}

/// The shop up to a product, changed before it opens.
pub(super) fn shop_with(last_id: u64, change: impl FnOnce(&mut CommerceWorld)) -> Option<Arc<Commerce>> {
    let mut products: BTreeMap<u64, Map<String, Value>> = BTreeMap::new();
    for single in recordings("product_single.json")? {
        let body = single.body.unwrap();
        products.insert(body["id"].as_u64().unwrap(), product_of(&body));
    }
    products.retain(|id, _| *id <= last_id);
    let items = recordings("source_items.json")?.into_iter().find(|recorded| recorded.name == "empty criteria")?.body?;
    for item in items["items"].as_array().unwrap() {
        let Some(product) = products.values_mut().find(|product| product["sku"] == item["sku"]) else { continue };
        let held = json!({ "quantity": item["quantity"], "in_stock": item["status"] == 1 });
        let sources = product.entry("sources").or_insert_with(|| Value::Object(Map::new()));
        sources.as_object_mut().unwrap().insert(item["source_code"].as_str().unwrap().to_owned(), held);
    }
    // Ids that the recorded shop had lost again.
    let gaps: Vec<u64> = (1..last_id).filter(|id| !products.contains_key(id)).collect();
    for id in &gaps {
        products.insert(*id, Map::from_iter([("sku".to_owned(), Value::from(format!("GAP-{id}")))]));
    }
    let world = json!({ "commerce": {
        "integration_bearer_token": TOKEN,
        "website": [
            { "code": "base", "id": 1, "stock_id": 1, "name": "Main Website", "store_view": "default" },
            { "code": "eu", "id": 2, "stock_id": 2, "name": "EU Website", "store_view": "eu_en" },
            { "code": "b2b", "id": 3, "stock_id": 1, "name": "B2B Website", "store_view": "b2b_en" },
        ],
        "stock": [
            { "id": 1, "name": "Default Stock" },
            { "id": 2, "name": "EU Stock" },
            { "id": 3, "name": "Backroom Stock" },
        ],
        "source": [
            { "code": "default", "stocks": [1] },
            { "code": "eu1", "stocks": [2] },
            { "code": "eu2", "stocks": [2, 3] },
            { "code": "eu3", "stocks": [2, 3], "enabled": false },
        ],
        "product": products.into_values().collect::<Vec<_>>(),
    }});
    let mut world = World::parse(&toml::to_string(&world).unwrap(), "recorded".as_ref()).unwrap();
    change(&mut world.commerce);
    let now: Timestamp = "2026-11-21T20:12:00Z".parse().unwrap();
    let commerce = Commerce::new(&world.commerce, Clock::starting_at(now));
    for id in gaps {
        commerce.delete(&format!("GAP-{id}")).unwrap();
    }
    commerce.order("A33-res10of10", 1, 10).unwrap();
    Some(commerce)
}

fn product_of(body: &Value) -> Map<String, Value> {
    let mut product = Map::new();
    let mut put = |key: &str, value: Value| product.insert(key.to_owned(), value);
    let sku = body["sku"].as_str().unwrap();
    put("sku", body["sku"].clone());
    put("name", body["name"].clone());
    put("type", body["type_id"].clone());
    put("enabled", Value::from(body["status"] == 1));
    let codes = body["extension_attributes"]["website_ids"].as_array().unwrap();
    let codes = codes.iter().map(|id| ["base", "eu", "b2b"][usize::try_from(id.as_u64().unwrap()).unwrap() - 1]);
    put("websites", codes.collect());
    let item = &body["extension_attributes"]["stock_item"];
    for setting in ["manage_stock", "backorders", "min_qty"] {
        // The recorded server shows an unmanaged product's own `false` as if it were the system's.
        if item[format!("use_config_{setting}")] == false {
            put(setting, item[setting].clone());
        }
    }
    put("is_qty_decimal", item["is_qty_decimal"].clone());
    if item["qty_increments"] == 6 {
        put("qty_increments", Value::from(6));
    }
    put("without_stock_data", item["qty"].is_null().into());
    if let Some((_, raw)) = RAW_MIN_QTY.iter().find(|(known, _)| *known == sku) {
        put("min_qty", Value::from(*raw));
    }
    if let Some((_, stock, quantity)) = RESERVED.iter().find(|(known, ..)| *known == sku) {
        put("reserved", json!({ *stock: quantity }));
    }
    if let Some((_, children)) = CHILDREN.iter().find(|(known, _)| *known == sku) {
        put("children", children.iter().map(|(sku, wanted)| ((*sku).to_owned(), Value::from(*wanted))).collect());
    }
    product
}

/// 20,001 more products, as the recorded shop had when it was measured: each tenth is sold on the second website too,
/// and each fiftieth is disabled.
pub(super) fn with_bulk(world: &mut CommerceWorld) {
    let plain = world.product.iter().find(|product| product.sku == "A01-plain").unwrap().clone();
    let held = |units: u32| SourceStock { quantity: Quantity::whole(units.into()), in_stock: true };
    world.product.extend((1..=20_001).map(|number| {
        let mut product = plain.clone();
        product.sku = format!("BULK-{number:06}");
        product.enabled = number % 50 != 0;
        product.reserved.clear();
        product.sources = BTreeMap::from([("default".to_owned(), held(number % 400))]);
        if number % 10 == 0 {
            product.websites = Some(vec!["base".to_owned(), "eu".to_owned()]);
            product.sources.extend(["eu1", "eu2"].map(|code| (code.to_owned(), held(number % 50))));
        }
        product
    }));
}
