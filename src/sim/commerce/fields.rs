//! The `fields` parameter: which parts of an answer are sent, with its traps.

use serde_json::{Map, Value};

/// A tree of wanted names; a name without a tree is wanted whole.
#[derive(Debug, Default)]
pub(super) struct Fields(Vec<(String, Option<Fields>)>);

impl Fields {
    /// Nothing for a malformed filter, which empties the answer.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (fields, rest) = parse_list(text)?;
        rest.is_empty().then_some(fields)
    }

    /// Keeps the wanted parts. PHP cannot tell an empty object from an empty list, so an object of which nothing is
    /// left is `[]`, and a list that was empty becomes null.
    pub(super) fn apply(&self, value: Value) -> Value {
        match value {
            Value::Object(mut map) => {
                let mut kept = Map::new();
                for (name, inner) in &self.0 {
                    let Some(value) = map.remove(name) else { continue };
                    let value = match inner {
                        Some(inner) => inner.apply_below(value),
                        None => value,
                    };
                    kept.insert(name.clone(), value);
                }
                if kept.is_empty() { Value::Array(Vec::new()) } else { Value::Object(kept) }
            }
            Value::Array(rows) => rows.into_iter().map(|row| self.apply(row)).collect(),
            scalar => scalar,
        }
    }

    fn apply_below(&self, value: Value) -> Value {
        match value {
            Value::Array(rows) if rows.is_empty() => Value::Null,
            other => self.apply(other),
        }
    }
}

fn parse_list(text: &str) -> Option<(Fields, &str)> {
    let mut fields = Fields::default();
    let mut rest = text;
    loop {
        let end = rest.find([',', '[', ']']).unwrap_or(rest.len());
        let (name, after) = rest.split_at_checked(end)?;
        let mut inner = None;
        rest = after;
        if let Some(nested) = rest.strip_prefix('[') {
            let (parsed, after) = parse_list(nested)?;
            rest = after.strip_prefix(']')?;
            inner = Some(parsed);
        }
        if name.is_empty() {
            return None;
        }
        fields.0.push((name.trim().to_owned(), inner));
        match rest.strip_prefix(',') {
            Some(next) => rest = next,
            None => return Some((fields, rest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Fields;

    fn apply(fields: &str, value: Value) -> Option<Value> {
        Fields::parse(fields).map(|fields| fields.apply(value))
    }

    #[test]
    fn wanted_parts_are_kept() {
        let page =
            json!({ "items": [{ "id": 1, "sku": "A", "ext": { "w": [1], "x": 2 } }], "total_count": 1, "sc": {} });
        let kept = json!({ "items": [{ "sku": "A", "ext": { "w": [1] } }], "total_count": 1 });
        assert_eq!(apply("items[sku,ext[w,nope]],total_count", page), Some(kept));
    }

    #[test]
    fn an_empty_list_becomes_null_and_unknown_names_leave_empty_lists() {
        assert_eq!(
            apply("items[sku],total_count", json!({ "items": [], "total_count": 0 })),
            Some(json!({ "items": null, "total_count": 0 }))
        );
        assert_eq!(apply("items[nope]", json!({ "items": [{ "sku": "A" }] })), Some(json!({ "items": [[]] })));
    }

    #[test]
    fn a_malformed_filter_is_noticed() {
        for fields in ["items[sku", "items]", "", "a,,b"] {
            assert!(Fields::parse(fields).is_none(), "{fields}");
        }
    }
}
