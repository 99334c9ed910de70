//! Replays every recorded request against a world made to match, and compares status, content type and body: names,
//! types, nulls and number forms everywhere, totals, and the values of the routes that quantities come from.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Commerce;
use super::reply::Reply;
use super::request::Head;

mod differences;
mod recorded;
mod sessions;
mod shop;
mod timings;

use differences::{DIFFERENCES, ELSEWHERE};
use recorded::{Recorded, recordings};
use shop::{TOKEN, recorded_shop};

/// What of two answers must be the same, besides their shapes.
type Kept = fn(&Value) -> Value;
const VALUES: Kept = masked;
const TOTAL: Kept = |list| list["total_count"].clone();
const SHAPE: Kept = |_| Value::Null;

/// A file of questions to one unchanging shop, and what of the answers must be the same.
const FILES: [(&str, Kept); 10] = [
    ("salable.json", VALUES),
    ("export.json", VALUES),
    ("stockStatuses.json", VALUES),
    ("stockItems.json", VALUES),
    ("source_items.json", VALUES),
    ("inventory.json", TOTAL),
    ("products_list.json", TOTAL),
    ("product_single.json", TOTAL),
    ("store.json", TOTAL),
    ("errors_misc.json", TOTAL),
];

fn ask(commerce: &Commerce, recorded: &Recorded, authorization: Option<String>) -> Reply {
    let head = Head {
        method: recorded.method.clone(),
        scheme: recorded.header("X-Forwarded-Proto").unwrap_or("http").to_owned(),
        host: recorded.header("Host").unwrap_or(&recorded.host).to_owned(),
        path: recorded.path.clone(),
        query: recorded.query.clone(),
        authorization,
        accept: recorded.header("Accept").unwrap_or_default().to_owned(),
        ..Head::default()
    };
    // What was no JSON was kept as text.
    let body = recorded.sent.as_str().map_or_else(|| recorded.sent.to_string(), str::to_owned);
    commerce.respond(&head, body.as_bytes()).reply
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

fn difference(reply: &Reply, recorded: &Recorded, kept: Kept) -> Option<String> {
    let status = u64::from(reply.status.as_u16());
    if status != recorded.status {
        return Some(format!("status {status}, recorded {}", recorded.status));
    }
    if !reply.content_type.eq_ignore_ascii_case(&recorded.content_type) {
        return Some(format!("{:?}, recorded {:?}", reply.content_type, recorded.content_type));
    }
    if recorded.cut {
        return None;
    }
    let ours: Option<Value> = serde_json::from_slice(&reply.body).ok();
    let (ours, theirs) = (ours.unwrap_or_default(), recorded.body.clone().unwrap_or_default());
    let (mut our_shape, mut their_shape) = (BTreeSet::new(), BTreeSet::new());
    shape("", &ours, &mut our_shape);
    shape("", &theirs, &mut their_shape);
    if our_shape != their_shape {
        let odd: Vec<&String> = our_shape.symmetric_difference(&their_shape).take(4).collect();
        return Some(format!("shapes differ in {odd:?}"));
    }
    other_value("", &kept(&ours), &kept(&theirs))
}

/// The first place where two values are not the same.
fn other_value(place: &str, ours: &Value, theirs: &Value) -> Option<String> {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) if ours.keys().eq(theirs.keys()) => {
            ours.iter().zip(theirs.values()).find_map(|((key, a), b)| other_value(&format!("{place}.{key}"), a, b))
        }
        (Value::Array(ours), Value::Array(theirs)) if ours.len() == theirs.len() => {
            ours.iter().zip(theirs).enumerate().find_map(|(row, (a, b))| other_value(&format!("{place}[{row}]"), a, b))
        }
        _ => (ours != theirs).then(|| format!("{place}: {ours}, recorded {theirs}")),
    }
}

/// What differs, held against what is known to differ.
#[derive(Default)]
struct Verdict {
    unexplained: Vec<String>,
    explained: BTreeSet<(String, &'static str)>,
}

impl Verdict {
    fn note(&mut self, file: &str, recorded: &Recorded, difference: Option<String>) {
        let Some(difference) = difference else { return };
        let known = DIFFERENCES.iter().find(|(known, name, _)| *known == file && recorded.name.starts_with(name));
        match known {
            Some((_, name, _)) => drop(self.explained.insert((file.to_owned(), *name))),
            None => self.unexplained.push(format!("{file} {:?}: {difference}", recorded.name)),
        }
    }

    fn is_complete_for(&self, files: &[&str]) {
        assert!(self.unexplained.is_empty(), "{}", self.unexplained.join("\n"));
        let seen = |file: &str, name| self.explained.contains(&(file.to_owned(), name));
        let stale: Vec<_> =
            DIFFERENCES.iter().filter(|(file, name, _)| files.contains(file) && !seen(file, name)).collect();
        assert!(stale.is_empty(), "no longer different: {stale:?}");
    }
}

#[test]
fn recorded_requests_get_the_recorded_answers() {
    let Some(commerce) = recorded_shop() else { return skipped() };
    let mut verdict = Verdict::default();
    for (file, kept) in FILES {
        for recorded in recordings(file).unwrap() {
            let reply = ask(&commerce, &recorded, Some(format!("Bearer {TOKEN}")));
            verdict.note(file, &recorded, difference(&reply, &recorded, kept));
        }
    }
    verdict.is_complete_for(&FILES.map(|(file, _)| file));
}

#[test]
fn every_recording_is_replayed_or_listed_with_a_reason() {
    let Ok(folder) = std::fs::read_dir(recorded::folder()) else { return skipped() };
    let known = FILES.iter().map(|(file, _)| *file).chain(sessions::FILES).chain(timings::FILES);
    let known: BTreeSet<&str> = known.chain(ELSEWHERE.iter().map(|(file, _)| *file)).collect();
    let files = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let found: BTreeSet<String> = files.filter(|name| name != "README.md").collect();
    assert_eq!(found.iter().map(String::as_str).collect::<BTreeSet<_>>(), known);
}

fn skipped() {
    eprintln!("skipped: ../shared/data is absent");
}
