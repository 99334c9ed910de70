//! Answers recorded from a real server, for tests. They are not part of the package: tests say so and skip.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// Files that hold no exchanges, and what reads them instead.
pub(super) const WITHOUT_EXCHANGES: [(&str, &str); 4] = [
    ("bulk_timings_summary.json", "milliseconds, without answers"),
    ("concurrency.json", "milliseconds, without answers"),
    ("walks.json", "milliseconds, without answers"),
    ("oauth_vectors.json", "signatures: the tests of `oauth1`"),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/commerce-captures")
}

pub(super) fn read(name: &str) -> Option<Value> {
    if let Ok(bytes) = std::fs::read(folder().join(name)) {
        return Some(serde_json::from_slice(&bytes).unwrap());
    }
    eprintln!("skipped: ../shared/data is absent");
    None
}

/// The names of every file of recordings.
pub(super) fn files() -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder()) else {
        eprintln!("skipped: ../shared/data is absent");
        return Vec::new();
    };
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name != "README.md").collect();
    names.sort();
    names
}

/// An exchange as it was recorded.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) name: String,
    pub(super) url: String,
    pub(super) method: String,
    pub(super) status: u16,
    /// Byte for byte where it was kept as text; else as JSON written again.
    pub(super) body: String,
    /// Only the start of the body was kept.
    pub(super) cut: bool,
}

/// Every recorded exchange with the name of its file.
pub(super) fn exchanges() -> Vec<(String, Exchange)> {
    let files = files().into_iter().filter(|name| WITHOUT_EXCHANGES.iter().all(|(other, _)| other != name));
    files.flat_map(|name| exchanges_of(&name).into_iter().map(move |exchange| (name.clone(), exchange))).collect()
}

pub(super) fn exchanges_of(name: &str) -> Vec<Exchange> {
    let Some(file) = read(name) else { return Vec::new() };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let exchange = |entry: &Value| {
        let answer = &entry["response"];
        let (body, cut) = match (&answer["body"], answer["body_text"].as_str()) {
            (Value::Null, None) => (text(&answer["body_text_head"]), true),
            (_, Some(text)) => (text.to_owned(), false),
            (body, None) => (body.to_string(), false),
        };
        Exchange {
            name: text(&entry["name"]),
            url: text(&entry["request"]["url"]),
            method: text(&entry["request"]["method"]),
            status: u16::try_from(answer["status"].as_u64().unwrap()).unwrap(),
            body,
            cut,
        }
    };
    file.as_array().unwrap().iter().map(exchange).collect()
}
