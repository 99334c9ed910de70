//! The recordings as they lie in their files.

use std::path::PathBuf;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use serde_json::{Map, Value};

#[derive(Debug)]
pub(super) struct Recorded {
    pub(super) name: String,
    pub(super) method: String,
    pub(super) host: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) headers: Map<String, Value>,
    pub(super) sent: Value,
    pub(super) at: Timestamp,
    pub(super) status: u64,
    pub(super) content_type: String,
    /// Nothing where the body was no JSON.
    pub(super) body: Option<Value>,
    /// The body was too long to be kept.
    pub(super) cut: bool,
}

impl Recorded {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(Value::as_str)
    }
}

pub(super) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data/commerce-captures")
}

pub(super) fn file(name: &str) -> Option<Value> {
    let text = std::fs::read_to_string(folder().join(name)).ok()?;
    Some(serde_json::from_str(&text).unwrap())
}

pub(super) fn recordings(name: &str) -> Option<Vec<Recorded>> {
    Some(file(name)?.as_array().unwrap().iter().map(recorded).collect())
}

fn recorded(entry: &Value) -> Recorded {
    let (request, response) = (&entry["request"], &entry["response"]);
    let (_, rest) = request["url"].as_str().unwrap().split_once("//").unwrap();
    let (host, rest) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let header = |wanted: &str| {
        let named = response["headers"].as_array().unwrap().iter().find(|pair| pair[0] == wanted);
        named.map_or("", |pair| pair[1].as_str().unwrap()).to_owned()
    };
    // Some recordings kept the text only.
    let text = || response["body_text"].as_str().and_then(|text| serde_json::from_str(text).ok());
    Recorded {
        name: entry["name"].as_str().unwrap().to_owned(),
        method: request["method"].as_str().unwrap().to_owned(),
        host: host.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: request["headers"].as_object().cloned().unwrap_or_default(),
        sent: request["body"].clone(),
        at: rfc2822::parse(&header("Date")).unwrap().timestamp(),
        status: response["status"].as_u64().unwrap(),
        content_type: header("Content-Type"),
        body: response.get("body").filter(|body| !body.is_null()).cloned().or_else(text),
        cut: response.get("body_text_head").is_some(),
    }
}
