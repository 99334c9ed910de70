//! What an expression may say. The crate's own parser also reads blanks inside fields, fields without blanks between
//! them, numbered weekdays and `@daily`; here each field is one word, and a wrong one is named.

use std::str::FromStr;

use super::ScheduleError;

const FIELDS: [(&str, &str); 7] = [
    ("second", "0-59"),
    ("minute", "0-59"),
    ("hour", "0-23"),
    ("day", "1-31"),
    ("month", "1-12 or JAN-DEC"),
    (WEEKDAY, "SUN-SAT"),
    ("year", "1970-2100"),
];
const WEEKDAY: &str = "weekday";

pub(super) fn parse(expression: &str) -> Result<cron::Schedule, ScheduleError> {
    let mut fields: Vec<&str> = expression.split_whitespace().collect();
    match fields.len() {
        5 => fields.insert(0, "0"),
        6 | 7 => {}
        count => return Err(ScheduleError::FieldCount { expression: expression.to_owned(), count }),
    }
    for (position, text) in fields.iter().enumerate() {
        check(position, text)?;
    }
    Ok(cron::Schedule::from_str(&fields.join(" "))?)
}

fn check(position: usize, text: &str) -> Result<(), ScheduleError> {
    let (field, range) = FIELDS[position];
    if field == WEEKDAY && text.split(',').any(|item| base(item).contains(|c: char| c.is_ascii_digit())) {
        return Err(ScheduleError::NumericWeekday { text: text.to_owned() });
    }
    let mut alone = ["*"; FIELDS.len()];
    alone[position] = text;
    if text.split(',').all(is_item) && cron::Schedule::from_str(&alone.join(" ")).is_ok() {
        return Ok(());
    }
    Err(ScheduleError::Field { field, text: text.to_owned(), range })
}

/// `*`, `?`, `a` or `a-b`, each with `/n` or without.
fn is_item(item: &str) -> bool {
    let step = item.split_once('/').map_or("1", |(_, step)| step);
    (matches!(base(item), "*" | "?") || base(item).split('-').all(|end| is_number(end) || is_name(end)))
        && is_number(step)
}

fn base(item: &str) -> &str {
    item.split_once('/').map_or(item, |(base, _)| base)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphabetic())
}
