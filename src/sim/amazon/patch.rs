//! Reads a patch as Amazon's schemas do: what cannot be parsed is 400, what is wrong in itself is INVALID.

use serde_json::{Map, Value, json};

use super::listing::{Availability, Change, DEFAULT_CHANNEL, Op};

/// What a well-formed patch asks for.
#[derive(Debug, Default)]
pub(super) struct Patch {
    pub(super) changes: Vec<Change>,
    /// Attributes other than the availability: taken in, and nothing is done with them.
    pub(super) foreign: Vec<String>,
}

#[derive(Debug)]
pub(super) enum Refusal {
    Malformed(String),
    Invalid(Vec<Value>),
}

const PREFIX: &str = "/attributes/";
const AVAILABILITY: &str = "fulfillment_availability";

/// Reads the body of a patch; a feed's PATCH message has the same two members among others.
pub(super) fn read(body: &Map<String, Value>) -> Result<Patch, Refusal> {
    let malformed = |text: &str| Refusal::Malformed(text.to_owned());
    match body.get("productType") {
        Some(Value::String(text)) if !text.is_empty() => {}
        _ => return Err(malformed("'productType' is missing or not a string.")),
    }
    let patches = body.get("patches").and_then(Value::as_array).filter(|patches| !patches.is_empty());
    let patches = patches.ok_or_else(|| malformed("'patches' is missing, empty or not an array."))?;
    let mut read = Patch::default();
    let mut issues = Vec::new();
    for one in patches {
        let operation = read_operation(one)?;
        match operation.path.strip_prefix(PREFIX) {
            Some(AVAILABILITY) => match availability(&operation) {
                Ok(changes) => read.changes.extend(changes),
                Err(issue) => issues.push(issue),
            },
            Some(name) if is_attribute_name(name) => read.foreign.push(name.to_owned()),
            _ => issues.push(invalid_attributes("The attributes are invalid.", &operation.path)),
        }
    }
    if issues.is_empty() { Ok(read) } else { Err(Refusal::Invalid(issues)) }
}

/// Attributes are in snake case; `fulfillmentAvailability` is the name of the read, not of the attribute.
fn is_attribute_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

struct Operation<'a> {
    op: Op,
    path: String,
    value: Vec<&'a Map<String, Value>>,
}

fn read_operation(one: &Value) -> Result<Operation<'_>, Refusal> {
    let malformed = |text: &str| Refusal::Malformed(text.to_owned());
    let one = one.as_object().ok_or_else(|| malformed("A patch is not an object."))?;
    if let Some(name) = one.keys().find(|name| !["op", "path", "value"].contains(&name.as_str())) {
        return Err(Refusal::Malformed(format!("'{name}' is not a member of a patch.")));
    }
    let text = |name: &str| one.get(name).and_then(Value::as_str);
    let op = text("op").and_then(Op::parse).ok_or_else(|| malformed("'op' is not a patch operation."))?;
    let path = text("path").ok_or_else(|| malformed("'path' is missing or not a string."))?.to_owned();
    let value = one.get("value").and_then(Value::as_array).filter(|value| !value.is_empty());
    let value = value.and_then(|value| value.iter().map(Value::as_object).collect::<Option<Vec<_>>>());
    let value = value.ok_or_else(|| malformed("'value' is not an array of objects."))?;
    Ok(Operation { op, path, value })
}

fn availability(operation: &Operation<'_>) -> Result<Vec<Change>, Value> {
    let mut changes: Vec<Change> = Vec::new();
    for entry in &operation.value {
        let entry = read_entry(entry, operation.op)?;
        if changes.iter().any(|change| change.entry.channel == entry.channel) {
            return Err(invalid_attributes("The same selector is given twice.", "fulfillment_channel_code"));
        }
        changes.push(Change { op: operation.op, entry });
    }
    Ok(changes)
}

fn read_entry(entry: &Map<String, Value>, op: Op) -> Result<Availability, Value> {
    const KNOWN: [&str; 4] = ["fulfillment_channel_code", "quantity", "lead_time_to_ship_max_days", "restock_date"];
    if let Some(name) = entry.keys().find(|name| !KNOWN.contains(&name.as_str())) {
        return Err(invalid_attributes(&format!("Additional property '{name}' is not allowed."), name));
    }
    let channel = entry.get(KNOWN[0]).and_then(Value::as_str).unwrap_or_default();
    if channel.is_empty() {
        let message = "'Fulfillment Channel Code' does not have enough values. The required minimum is '1'.";
        return Err(issue("99022", message, "MISSING_ATTRIBUTE", KNOWN[0]));
    }
    if channel != DEFAULT_CHANNEL && !channel.starts_with("AMAZON_") {
        return Err(invalid_attributes(&format!("'{channel}' is not a fulfillment channel."), KNOWN[0]));
    }
    if channel != DEFAULT_CHANNEL && entry.len() > 1 {
        let message = format!("Only the channel code may be given with '{channel}'.");
        return Err(issue("4000003", &message, "INVALID_ATTRIBUTE", KNOWN[1]));
    }
    let whole = |name: &str, most: u64| match entry.get(name) {
        None => Ok(None),
        Some(value) => match value.as_u64().filter(|number| *number <= most) {
            Some(number) => Ok(Some(number)),
            None => Err(invalid_attributes(&format!("'{value}' is not a value of '{name}'."), name)),
        },
    };
    let quantity = whole(KNOWN[1], u64::MAX)?;
    if channel == DEFAULT_CHANNEL && quantity.is_none() && op != Op::Delete {
        return Err(issue("90220", "'quantity' is required but missing.", "MISSING_ATTRIBUTE", KNOWN[1]));
    }
    let restock_date = match entry.get(KNOWN[3]) {
        None => None,
        Some(Value::String(date)) => Some(date.clone()),
        Some(_) => return Err(invalid_attributes("'restock_date' is not a date.", KNOWN[3])),
    };
    Ok(Availability { channel: channel.to_owned(), quantity, lead_time: whole(KNOWN[2], 30)?, restock_date })
}

fn invalid_attributes(message: &str, attribute: &str) -> Value {
    issue("90000900", message, "INVALID_ATTRIBUTE", attribute)
}

pub(super) fn issue(code: &str, message: &str, category: &str, attribute: &str) -> Value {
    json!({
        "code": code,
        "message": message,
        "severity": "ERROR",
        "attributeNames": [attribute],
        "categories": [category],
    })
}
