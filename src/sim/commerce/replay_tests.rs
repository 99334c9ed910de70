//! Replays recorded requests against a world made to match, and compares status and body: names, types, nulls and
//! number forms everywhere, and the values of the routes that quantities come from.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Commerce;
use super::request::Head;

mod recorded;

use recorded::{Recorded, TOKEN, recorded_shop, recordings};

/// A file of recordings, and whether its values must be the same too.
const FILES: [(&str, bool); 10] = [
    ("salable.json", true),
    ("export.json", true),
    ("stockStatuses.json", true),
    ("stockItems.json", true),
    ("source_items.json", true),
    ("inventory.json", false),
    ("products_list.json", false),
    ("product_single.json", false),
    ("store.json", false),
    ("errors_misc.json", false),
];

const NOT_SIMULATED: &str = "a route that no reader asks";
const CHILDREN: &str = "options and links of composites and downloads, which no reader looks at";
const ROW_ORDER: &str = "source item ids and the order of unsorted rows are the database's own";

const MIN_SALE: &str = "the least quantity of a sale is the same for all products here";

/// What differs, by file and the start of the name, and why it may.
const DIFFERENCES: [(&str, &str, &str); 29] = [
    ("salable.json", "requested qty", NOT_SIMULATED),
    ("stockStatuses.json", "A25-minsale10", MIN_SALE),
    ("stockItems.json", "A25-minsale10", MIN_SALE),
    ("source_items.json", "filter source_code eq eu1", ROW_ORDER),
    ("source_items.json", "filter source_item_id gt 100", ROW_ORDER),
    ("source_items.json", "keyset source_item_id gt 50", ROW_ORDER),
    ("inventory.json", "lowStock", ROW_ORDER),
    ("inventory.json", "get-sources-assigned", NOT_SIMULATED),
    ("inventory.json", "low-quantity-notification", NOT_SIMULATED),
    ("products_list.json", "size 0", CHILDREN),
    ("products_list.json", "size only empty criteria", CHILDREN),
    ("products_list.json", "searchCriteria=all", CHILDREN),
    ("product_single.json", "C1-conf", CHILDREN),
    ("product_single.json", "C2-conf", CHILDREN),
    ("product_single.json", "C3-conf", CHILDREN),
    ("product_single.json", "C4-conf", CHILDREN),
    ("product_single.json", "B", CHILDREN),
    ("product_single.json", "G1-grouped", CHILDREN),
    ("product_single.json", "A24-downloadable", CHILDREN),
    ("product_single.json", "A50-new-unindexed", "its price is whole and it has no weight"),
    ("store.json", "store/storeGroups", NOT_SIMULATED),
    ("store.json", "directory/currency", NOT_SIMULATED),
    ("store.json", "products/types", NOT_SIMULATED),
    ("store.json", "products/attribute-sets", NOT_SIMULATED),
    ("store.json", "magento_version", NOT_SIMULATED),
    ("store.json", "schema-probe", NOT_SIMULATED),
    ("errors_misc.json", "accept xml", "answers are JSON or an error page"),
    ("errors_misc.json", "gzip", "the recording kept the compressed bytes"),
    ("errors_misc.json", "HEAD", "HTTP takes the body away after this"),
];

fn replay(commerce: &Commerce, recorded: &Recorded) -> (u64, Option<Value>) {
    let head = Head {
        method: recorded.method.clone(),
        scheme: "http".to_owned(),
        path: recorded.path.clone(),
        query: recorded.query.clone(),
        authorization: Some(format!("Bearer {TOKEN}")),
        accept: recorded.accept.clone().unwrap_or_default(),
        ..Head::default()
    };
    let reply = commerce.respond(&head, b"").reply;
    (reply.status.as_u16().into(), serde_json::from_slice(&reply.body).ok())
}

/// Each place in an answer with the kinds of values there.
fn shape(place: &str, value: &Value, into: &mut BTreeSet<String>) {
    let kind = match value {
        Value::Object(map) => {
            return map.iter().for_each(|(key, value)| shape(&format!("{place}.{key}"), value, into));
        }
        Value::Array(rows) if rows.is_empty() => "no rows",
        Value::Array(rows) => return rows.iter().for_each(|value| shape(&format!("{place}[]"), value, into)),
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::String(_) => "text",
        Value::Number(number) if number.is_f64() => "decimal",
        Value::Number(_) => "integer",
    };
    into.insert(format!("{place}: {kind}"));
}

/// Without what is the database's own: row ids of stock items and the time of a save.
fn masked(value: &Value) -> Value {
    match value {
        Value::Array(rows) => rows.iter().map(masked).collect(),
        Value::Object(map) => {
            let kept = map.iter().filter(|(key, _)| !matches!(key.as_str(), "item_id" | "low_stock_date"));
            kept.map(|(key, value)| (key.clone(), masked(value))).collect()
        }
        scalar => scalar.clone(),
    }
}

fn difference(commerce: &Commerce, recorded: &Recorded, values_too: bool) -> Option<String> {
    let (status, body) = replay(commerce, recorded);
    if status != recorded.status {
        return Some(format!("status {status}, recorded {}", recorded.status));
    }
    let (ours, theirs) = (body.unwrap_or_default(), recorded.body.clone().unwrap_or_default());
    let (mut our_shape, mut their_shape) = (BTreeSet::new(), BTreeSet::new());
    shape("", &ours, &mut our_shape);
    shape("", &theirs, &mut their_shape);
    if our_shape != their_shape {
        let odd: Vec<&String> = our_shape.symmetric_difference(&their_shape).take(4).collect();
        return Some(format!("shapes differ in {odd:?}"));
    }
    (values_too && masked(&ours) != masked(&theirs)).then(|| "values differ".to_owned())
}

#[test]
fn recorded_requests_get_the_recorded_answers() {
    let Some(commerce) = recorded_shop() else {
        eprintln!("skipped: ../shared/data is absent");
        return;
    };
    let mut unexplained = Vec::new();
    let mut explained = BTreeSet::new();
    for (file, values_too) in FILES {
        for recorded in recordings(file).unwrap() {
            let Some(difference) = difference(&commerce, &recorded, values_too) else { continue };
            let known = DIFFERENCES.iter().find(|(known, name, _)| *known == file && recorded.name.starts_with(name));
            match known {
                Some((_, name, _)) => drop(explained.insert((file, *name))),
                None => unexplained.push(format!("{file} {:?}: {difference}", recorded.name)),
            }
        }
    }
    assert!(unexplained.is_empty(), "{}", unexplained.join("\n"));
    let stale: Vec<_> = DIFFERENCES.iter().filter(|(file, name, _)| !explained.contains(&(*file, *name))).collect();
    assert!(stale.is_empty(), "no longer different: {stale:?}");
}
