//! Filters, order and pages over rows of any kind.

use std::borrow::Cow;
use std::cmp::Ordering;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::criteria::{Criteria, Filter};
use super::time_text;
use crate::sim::world::{PastTheEnd, caseless, folded};

/// A row's value as a filter sees it.
#[derive(Debug)]
pub(super) enum Field<'a> {
    Number(f64),
    Text(Cow<'a, str>),
    /// Compared with nonsense, every time is later.
    Time(Timestamp),
    /// Any of these ids, as of a joined table.
    AnyOf(Vec<u32>),
    Null,
    /// A filter on it is accepted and does nothing.
    Ignored,
}

/// A filter's value, read once for all rows that it is held against.
#[derive(Debug)]
pub(super) struct Wanted {
    text: String,
    number: f64,
    /// Seconds.
    time: Option<i64>,
}

impl Wanted {
    pub(super) fn read(text: &str) -> Self {
        let time = text.trim().trim_end_matches('Z').parse::<DateTime>().ok();
        let time = time.and_then(|time| TimeZone::UTC.to_timestamp(time).ok()).map(Timestamp::as_second);
        Self { text: folded(text), number: leading_number(text), time }
    }
}

#[derive(Debug)]
pub(super) struct Selected<R> {
    pub(super) rows: Vec<R>,
    pub(super) total: usize,
    /// Matching rows before the page.
    pub(super) skipped: usize,
}

/// Selects one page. Rows arrive in the order of `natural`, the field that needs no sorting; `field` answers nothing
/// for a field that cannot be sorted by.
pub(super) fn select<'a, R: Copy + 'a>(
    rows: impl Iterator<Item = R> + Clone,
    criteria: &Criteria,
    past_the_end: PastTheEnd,
    natural: &str,
    field: impl Fn(R, &str) -> Option<Field<'a>>,
) -> Selected<R> {
    let matching = rows.filter(|row| matches(*row, criteria, &field));
    let reversed_or_other = criteria.sort.first().is_some_and(|sort| sort.field != natural || !sort.ascending);
    if reversed_or_other {
        return sorted(matching, criteria, past_the_end, &field);
    }
    let total = matching.clone().count();
    let (skip, take) = window(criteria, past_the_end, total);
    Selected { rows: matching.skip(skip).take(take).collect(), total, skipped: skip.min(total) }
}

fn window(criteria: &Criteria, past_the_end: PastTheEnd, total: usize) -> (usize, usize) {
    let Some(size) = criteria.size() else { return (0, usize::MAX) };
    let last = total.saturating_sub(1) / size;
    let page = match past_the_end {
        PastTheEnd::Empty => criteria.page(),
        PastTheEnd::LastPage => criteria.page().min(last),
    };
    let step = if criteria.quirks.overlap { size - 1 } else { size };
    (page.saturating_mul(step), size)
}

fn matches<'a, R: Copy>(row: R, criteria: &Criteria, field: &impl Fn(R, &str) -> Option<Field<'a>>) -> bool {
    criteria.groups.iter().all(|group| {
        let hit = |filter: &Filter| field(row, &filter.field).is_some_and(|value| hits(filter, &value));
        group.is_empty() || group.iter().any(hit)
    })
}

/// What a row is sorted by, read once; nothing for a field that cannot be sorted by.
enum Key {
    Number(f64),
    Text(String),
    Time(Timestamp),
    None,
}

/// Only the rows up to the page's end are put in order.
fn sorted<'a, R: Copy>(
    matching: impl Iterator<Item = R>,
    criteria: &Criteria,
    past_the_end: PastTheEnd,
    field: &impl Fn(R, &str) -> Option<Field<'a>>,
) -> Selected<R> {
    let keys = |row: R| criteria.sort.iter().map(move |sort| key(field(row, &sort.field))).collect::<Vec<_>>();
    let mut all: Vec<(Vec<Key>, usize, R)> = matching.enumerate().map(|(place, row)| (keys(row), place, row)).collect();
    let total = all.len();
    let (skip, take) = window(criteria, past_the_end, total);
    let end = skip.saturating_add(take);
    let order = |a: &(Vec<Key>, usize, R), b: &(Vec<Key>, usize, R)| compare(&a.0, &b.0, criteria).then(a.1.cmp(&b.1));
    if end < total {
        all.select_nth_unstable_by(end, order);
        all.truncate(end);
    }
    all.sort_unstable_by(order);
    Selected { rows: all.into_iter().skip(skip).map(|(_, _, row)| row).collect(), total, skipped: skip.min(total) }
}

fn key(field: Option<Field<'_>>) -> Key {
    match field {
        Some(Field::Number(number)) => Key::Number(number),
        Some(Field::Text(text)) => Key::Text(caseless(&text)),
        Some(Field::Time(time)) => Key::Time(time),
        _ => Key::None,
    }
}

fn compare(a: &[Key], b: &[Key], criteria: &Criteria) -> Ordering {
    let orders = criteria.sort.iter().zip(a.iter().zip(b)).map(|(sort, keys)| {
        let order = match keys {
            (Key::Number(a), Key::Number(b)) => a.total_cmp(b),
            (Key::Text(a), Key::Text(b)) => a.cmp(b),
            (Key::Time(a), Key::Time(b)) => a.as_second().cmp(&b.as_second()),
            _ => Ordering::Equal,
        };
        if sort.ascending { order } else { order.reverse() }
    });
    orders.fold(Ordering::Equal, Ordering::then)
}

fn hits(filter: &Filter, value: &Field<'_>) -> bool {
    match value {
        Field::Ignored => true,
        Field::Null => filter.condition == "null",
        Field::AnyOf(ids) => joined_hits(filter, ids),
        Field::Number(_) | Field::Text(_) | Field::Time(_) => value_hits(filter, value),
    }
}

fn joined_hits(filter: &Filter, ids: &[u32]) -> bool {
    let some = || filter.value.split(',').any(|wanted| any_of(ids, wanted));
    match filter.condition.as_str() {
        "eq" => any_of(ids, &filter.value),
        "neq" => !any_of(ids, &filter.value),
        "in" => some(),
        "nin" => !some(),
        condition => condition == "notnull",
    }
}

/// An unknown condition is no error: nothing matches it.
fn value_hits(filter: &Filter, value: &Field<'_>) -> bool {
    let order = || filter.wanted.first().map_or(Ordering::Equal, |wanted| ordering(value, wanted));
    let listed = || filter.wanted.iter().any(|wanted| ordering(value, wanted).is_eq());
    let in_set = || text_of(value).split(',').any(|part| caseless(part) == caseless(&filter.value));
    let alike = || like(&caseless(&filter.value), &caseless(&text_of(value)));
    match filter.condition.as_str() {
        "notnull" => true,
        "eq" => order().is_eq(),
        "neq" => order().is_ne(),
        "gt" => order().is_gt(),
        "gteq" | "from" | "moreq" => order().is_ge(),
        "lt" => order().is_lt(),
        "lteq" | "to" => order().is_le(),
        "in" => listed(),
        "nin" => !listed(),
        "finset" => in_set(),
        "nfinset" => !in_set(),
        "like" => alike(),
        "nlike" => !alike(),
        _ => false,
    }
}

fn any_of(ids: &[u32], wanted: &str) -> bool {
    wanted.trim().parse().is_ok_and(|id: u32| ids.contains(&id))
}

fn text_of(value: &Field<'_>) -> String {
    match value {
        Field::Number(number) => number.to_string(),
        Field::Text(text) => text.clone().into_owned(),
        Field::Time(time) => time_text(*time),
        Field::AnyOf(_) | Field::Null | Field::Ignored => String::new(),
    }
}

fn ordering(value: &Field<'_>, wanted: &Wanted) -> Ordering {
    match value {
        Field::Number(number) => number.total_cmp(&wanted.number),
        Field::Text(text) => folded(text).as_str().cmp(&wanted.text),
        Field::Time(time) => wanted.time.map_or(Ordering::Greater, |wanted| time.as_second().cmp(&wanted)),
        Field::AnyOf(_) | Field::Null | Field::Ignored => Ordering::Equal,
    }
}

/// The database reads the number a text begins with, or 0.
fn leading_number(text: &str) -> f64 {
    let text = text.trim_start();
    let end = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '-' | '+' | '.'))).unwrap_or(text.len());
    text.get(..end).and_then(|number| number.parse().ok()).unwrap_or(0.0)
}

/// SQL's LIKE: `%` is any text, `_` any character, a backslash takes the next one literally.
pub(super) fn like(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    like_from(&pattern, &text)
}

fn like_from(pattern: &[char], text: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        ['%', rest @ ..] => (0..=text.len()).any(|skip| like_from(rest, text.get(skip..).unwrap_or_default())),
        ['\\', literal, rest @ ..] => text.split_first().is_some_and(|(c, text)| c == literal && like_from(rest, text)),
        [wanted, rest @ ..] => {
            text.split_first().is_some_and(|(c, text)| (*wanted == '_' || c == wanted) && like_from(rest, text))
        }
    }
}

#[cfg(test)]
#[path = "select_tests.rs"]
mod tests;
