//! Values of the file or the environment as the types they should have. The file is taken strictly; a variable of the
//! environment is always text and is read as what its key needs.

use std::ops::RangeInclusive;

use ::config::{Value, ValueKind};

use super::document::is_from_environment;
use super::finding::Wrong;
use crate::model::Decimal;

pub(super) fn text<'v>(value: &'v Value, expected: &str) -> Result<&'v str, Wrong> {
    match &value.kind {
        ValueKind::String(text) => Ok(text),
        _ => Err(mismatch(value, expected)),
    }
}

pub(super) fn whole(value: &Value) -> Result<i128, Wrong> {
    let refusal = || mismatch(value, "a whole number");
    match &value.kind {
        ValueKind::I64(number) => Ok(i128::from(*number)),
        ValueKind::I128(number) => Ok(*number),
        ValueKind::String(text) => match text.parse() {
            Ok(number) if is_from_environment(value) => Ok(number),
            Ok(number) => Err(refusal().hint(format!("write {number} without quotes"))),
            Err(_) => Err(refusal()),
        },
        _ => Err(refusal()),
    }
}

pub(super) fn flag(value: &Value) -> Result<bool, Wrong> {
    match &value.kind {
        ValueKind::Boolean(flag) => Ok(*flag),
        ValueKind::String(text) if is_from_environment(value) && text == "true" => Ok(true),
        ValueKind::String(text) if is_from_environment(value) && text == "false" => Ok(false),
        _ => Err(mismatch(value, "true or false")),
    }
}

/// A number with at most three places, in thousandths.
pub(super) fn thousandths(value: &Value, range: &RangeInclusive<u32>) -> Result<u32, Wrong> {
    let bound = |thousandths: &u32| fraction(*thousandths).trim_end_matches(".0").to_owned();
    let (least, most) = (bound(range.start()), bound(range.end()));
    let expected = format!("a number from {least} to {most} with at most three places, such as 0.8");
    let written = match &value.kind {
        ValueKind::I64(number) => number.to_string(),
        ValueKind::Float(number) => number.to_string(),
        ValueKind::String(text) if is_from_environment(value) => text.clone(),
        _ => return Err(mismatch(value, &expected)),
    };
    let ten_thousandths = Decimal::parse(&written).ok().map(Decimal::ten_thousandths);
    ten_thousandths
        .filter(|number| number % 10 == 0)
        .and_then(|number| u32::try_from(number / 10).ok())
        .filter(|thousandths| range.contains(thousandths))
        .ok_or_else(|| Wrong::new(format!("{written} is refused, expected {expected}")))
}

/// Thousandths as people write them: 0.8, 1.0.
pub(super) fn fraction(thousandths: u32) -> String {
    let digits = format!("{}.{:03}", thousandths / 1000, thousandths % 1000);
    let short = digits.trim_end_matches('0');
    if short.ends_with('.') { format!("{short}0") } else { short.to_owned() }
}

/// What stands where something else belongs. Only for keys that hold no secret.
pub(super) fn mismatch(value: &Value, expected: &str) -> Wrong {
    Wrong::new(format!("expected {expected}, found {}{}", kind(value), shown(value)))
}

pub(super) fn kind(value: &Value) -> &'static str {
    match &value.kind {
        ValueKind::Nil => "nothing",
        ValueKind::Boolean(_) => "a boolean",
        ValueKind::I64(_) | ValueKind::I128(_) | ValueKind::U64(_) | ValueKind::U128(_) => "a whole number",
        ValueKind::Float(_) => "a number with a point",
        ValueKind::String(_) => "text",
        ValueKind::Table(_) => "a table",
        ValueKind::Array(_) => "a list",
    }
}

fn shown(value: &Value) -> String {
    match &value.kind {
        ValueKind::Boolean(flag) => format!(": {flag}"),
        ValueKind::I64(number) => format!(": {number}"),
        ValueKind::Float(number) => format!(": {number}"),
        ValueKind::String(text) => format!(": {}", quoted(text)),
        _ => String::new(),
    }
}

/// Text as it may be shown: cut when long, and without the parts of a URL in which people leave passwords.
pub(super) fn quoted(text: &str) -> String {
    const LONGEST: usize = 100;
    let end = match text.split_once(':') {
        Some((scheme, rest)) if rest.contains('@') => scheme.len() + if rest.starts_with("//") { 3 } else { 1 },
        Some((_, rest)) if rest.starts_with("//") => text.find(['?', '#']).unwrap_or(text.len()),
        _ => text.len(),
    };
    let kept: String = text[..end].chars().take(LONGEST).collect();
    let cut = if kept.len() < text.len() { "…" } else { "" };
    format!("{:?}", kept + cut)
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn passwords_in_urls_are_not_shown() {
        for (text, expected) in [
            ("plain", "\"plain\""),
            ("https://u:hunter2@shop/x", "\"https://…\""),
            ("mysql:u:hunter2@db", "\"mysql:…\""),
            ("u:hunter2@db", "\"u:…\""),
            ("https://shop/x?token=hunter2", "\"https://shop/x…\""),
            ("https://shop/x#hunter2", "\"https://shop/x…\""),
            ("0 */5 * * * ?", "\"0 */5 * * * ?\""),
            ("a\nb", "\"a\\nb\""),
        ] {
            assert_eq!(quoted(text), expected);
        }
        assert!(quoted(&"é".repeat(500)).chars().count() < 110);
    }
}
