//! Answers recorded from a real server, for tests. They are not part of the package: tests say so and skip.

use std::path::Path;

use serde_json::Value;

pub(super) fn read(name: &str) -> Option<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/commerce-captures").join(name);
    if let Ok(bytes) = std::fs::read(&path) {
        return Some(serde_json::from_slice(&bytes).unwrap());
    }
    eprintln!("skipped: ../shared/data is absent");
    None
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
}

/// The exchanges of a file whose answers were kept whole.
pub(super) fn exchanges(name: &str) -> Option<Vec<Exchange>> {
    let file = read(name)?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let whole = file.as_array().unwrap().iter().filter_map(|entry| {
        let answer = &entry["response"];
        let body = match (&answer["body"], answer["body_text"].as_str()) {
            (Value::Null, None) => return None,
            (Value::Null, Some(text)) => text.to_owned(),
            (body, _) => body.to_string(),
        };
        Some(Exchange {
            name: text(&entry["name"]),
            url: text(&entry["request"]["url"]),
            method: text(&entry["request"]["method"]),
            status: u16::try_from(answer["status"].as_u64().unwrap()).unwrap(),
            body,
        })
    });
    Some(whole.collect())
}
