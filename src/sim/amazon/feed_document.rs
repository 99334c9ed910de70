//! A `JSON_LISTINGS_FEED` as it was uploaded, read message by message.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::listing::Change;
use super::patch::{self, Refusal};

const MOST_MESSAGES: usize = 25_000;

/// What a feed asks for. Issues of its own mean that nothing in it was looked at.
#[derive(Debug, Default)]
pub(super) struct FeedDocument {
    pub(super) messages: Vec<Message>,
    pub(super) issues: Vec<Value>,
    /// The header's `report`, when the result shall list the items.
    pub(super) report: Option<Value>,
}

#[derive(Debug)]
pub(super) struct Message {
    pub(super) id: Value,
    pub(super) sku: String,
    pub(super) content: Content,
}

#[derive(Debug)]
pub(super) enum Content {
    Changes { changes: Vec<Change>, foreign: usize },
    Invalid(Vec<Value>),
}

impl FeedDocument {
    pub(super) fn read(bytes: &[u8], seller_id: &str) -> Self {
        let unreadable = || Self::broken("4002001", "Item 'Feed' cannot be parsed");
        let Ok(feed) = serde_json::from_slice::<Map<String, Value>>(bytes) else { return unreadable() };
        let (Some(header), Some(messages)) =
            (feed.get("header").and_then(Value::as_object), feed.get("messages").and_then(Value::as_array))
        else {
            return unreadable();
        };
        if header.get("sellerId").and_then(Value::as_str) != Some(seller_id) {
            return Self::broken("4002005", "Attribute 'Merchant' is required");
        }
        if header.get("version").and_then(Value::as_str) != Some("2.0") || messages.is_empty() {
            return unreadable();
        }
        if messages.len() > MOST_MESSAGES {
            return Self::broken("4002001", "The feed messages list is beyond the allowed size");
        }
        let mut ids = HashSet::new();
        let messages = messages.iter().map(|message| Message::read(message, &mut ids)).collect();
        Self { messages, issues: Vec::new(), report: header.get("report").cloned() }
    }

    pub(super) fn broken(code: &str, message: &str) -> Self {
        let issue = json!({"code": code, "severity": "ERROR", "message": message});
        Self { issues: vec![issue], ..Self::default() }
    }
}

impl Message {
    fn read(message: &Value, ids: &mut HashSet<u64>) -> Self {
        let id = message.get("messageId").cloned().unwrap_or(Value::Null);
        let sku = message.get("sku").and_then(Value::as_str).unwrap_or_default().to_owned();
        let known = id.as_u64().filter(|id| (1..=2_147_483_647).contains(id));
        let content = match known {
            _ if sku.is_empty() => bad("'sku' is missing."),
            None => bad("'messageId' is not between 1 and 2147483647."),
            Some(id) if !ids.insert(id) => bad("'messageId' is given twice."),
            Some(_) => message.as_object().map_or_else(|| bad("A message is not an object."), content),
        };
        Self { id, sku, content }
    }
}

fn bad(message: &str) -> Content {
    Content::Invalid(vec![json!({"code": "BAD_REQUEST", "message": message})])
}

fn content(message: &Map<String, Value>) -> Content {
    let read = match message.get("operationType").and_then(Value::as_str) {
        Some("PATCH") => match ["attributes", "requirements"].iter().find(|name| message.contains_key(**name)) {
            Some(name) => return bad(&format!("'{name}' cannot be given with PATCH.")),
            None => patch::read(message),
        },
        Some("PARTIAL_UPDATE") => match as_replacements(message) {
            Some(patches) => patch::read(&patches),
            None => return bad("'attributes' is missing."),
        },
        Some("UPDATE" | "DELETE") => return bad("This world has no listings to make or to delete by feed."),
        _ => return bad("'operationType' is missing or unknown."),
    };
    match read {
        Ok(patch) => Content::Changes { changes: patch.changes, foreign: patch.foreign.len() },
        Err(Refusal::Malformed(text)) => bad(&text),
        Err(Refusal::Invalid(issues)) => Content::Invalid(issues),
    }
}

/// `PARTIAL_UPDATE` is a patch that replaces, handling time and all.
fn as_replacements(message: &Map<String, Value>) -> Option<Map<String, Value>> {
    let attributes = message.get("attributes")?.as_object()?;
    let replace = |(name, value): (&String, &Value)| json!({"op": "replace", "path": format!("/attributes/{name}"), "value": value});
    let mut patches = Map::new();
    patches.insert("productType".to_owned(), message.get("productType")?.clone());
    patches.insert("patches".to_owned(), attributes.iter().map(replace).collect());
    Some(patches)
}
