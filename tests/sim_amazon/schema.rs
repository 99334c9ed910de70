//! Values against the schemas of Amazon's own models, where those are at hand.

use std::io::Write as _;
use std::path::Path;

use jiff::Timestamp;
use serde_json::Value;

/// Says past the harness, which keeps what a passing test prints, that a test did not run.
pub(crate) fn model(name: &str) -> Option<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/sp-api-models").join(name);
    let Ok(text) = std::fs::read(path) else {
        let thread = std::thread::current();
        let _ = writeln!(std::io::stderr(), "skipped: {}: ../shared/data is absent", thread.name().unwrap_or_default());
        return None;
    };
    Some(serde_json::from_slice(&text).unwrap())
}

/// What a value has that its schema does not allow, or lacks; a property that no schema names counts as wrong.
pub(crate) fn check(model: &Value, schema: &Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
    if let Some(reference) = schema["$ref"].as_str() {
        return check(model, model.pointer(reference.trim_start_matches('#')).unwrap(), value, at, wrong);
    }
    if *schema == false {
        wrong.push(format!("{at}: is not allowed"));
    }
    if schema.get("const").is_some_and(|only| only != value) {
        wrong.push(format!("{at}: {value} is not {}", schema["const"]));
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let fitting = choices.iter().filter(|choice| fits_beside(model, choice, value)).count();
        if fitting != 1 {
            wrong.push(format!("{at}: fits {fitting} of the {} choices", choices.len()));
        }
    }
    if schema["enum"].as_array().is_some_and(|allowed| !allowed.contains(value)) {
        wrong.push(format!("{at}: {value} is not one of {}", schema["enum"]));
    }
    let fits = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        _ => true,
    };
    if !fits {
        wrong.push(format!("{at}: {value} is not of type {}", schema["type"]));
    }
    if schema["format"] == "date-time" && value.as_str().is_none_or(|text| text.parse::<Timestamp>().is_err()) {
        wrong.push(format!("{at}: {value} is no time"));
    }
    for (size, least, most) in [
        (value.as_i64(), "minimum", "maximum"),
        (value.as_array().and_then(|items| i64::try_from(items.len()).ok()), "minItems", "maxItems"),
        (value.as_str().and_then(|text| i64::try_from(text.chars().count()).ok()), "minLength", "maxLength"),
    ] {
        let Some(size) = size else { continue };
        if schema[least].as_i64().is_some_and(|least| size < least) {
            wrong.push(format!("{at}: {value} is below the {least} of {}", schema[least]));
        }
        if schema[most].as_i64().is_some_and(|most| size > most) {
            wrong.push(format!("{at}: {value} is above the {most} of {}", schema[most]));
        }
    }
    for required in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if value.get(required).is_none() {
            wrong.push(format!("{at}: {required} is missing"));
        }
    }
    for (index, one) in value.as_array().into_iter().flatten().enumerate() {
        check(model, &schema["items"], one, &format!("{at}[{index}]"), wrong);
    }
    if let (Some(members), Some(properties)) = (value.as_object(), schema["properties"].as_object()) {
        for (name, one) in members {
            match properties.get(name) {
                Some(property) => check(model, property, one, &format!("{at}.{name}"), wrong),
                None => wrong.push(format!("{at}: no property {name}")),
            }
        }
    }
}

/// Whether a value is what one of several choices says; its properties are named beside the choices.
fn fits_beside(model: &Value, choice: &Value, value: &Value) -> bool {
    let mut wrong = Vec::new();
    for (name, property) in choice["properties"].as_object().into_iter().flatten() {
        if let Some(one) = value.get(name) {
            check(model, property, one, name, &mut wrong);
        }
    }
    let mut required = choice["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    wrong.is_empty() && required.all(|name| value.get(name).is_some())
}
