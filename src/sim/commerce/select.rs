//! Filters, order and pages over rows of any kind.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::criteria::{Criteria, Filter};
use crate::sim::world::{PastTheEnd, caseless};

/// A row's value as a filter sees it.
#[derive(Debug)]
pub(super) enum Field<'a> {
    Number(f64),
    Text(Cow<'a, str>),
    /// `Y-m-d H:i:s`; compared with nonsense, every time is later.
    Time(String),
    /// Any of these ids, as of a joined table.
    AnyOf(Vec<u32>),
    Null,
    /// A filter on it is accepted and does nothing.
    Ignored,
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
        let mut all: Vec<R> = matching.collect();
        all.sort_by(|a, b| compare(*a, *b, criteria, &field));
        let (skip, take) = window(criteria, past_the_end, all.len());
        let total = all.len();
        let rows = all.into_iter().skip(skip).take(take).collect();
        return Selected { rows, total, skipped: skip.min(total) };
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

fn compare<'a, R: Copy>(a: R, b: R, criteria: &Criteria, field: &impl Fn(R, &str) -> Option<Field<'a>>) -> Ordering {
    for sort in &criteria.sort {
        let order = match (field(a, &sort.field), field(b, &sort.field)) {
            (Some(Field::Number(a)), Some(Field::Number(b))) => a.total_cmp(&b),
            (Some(Field::Text(a)), Some(Field::Text(b))) => caseless(&a).cmp(&caseless(&b)),
            (Some(Field::Time(a)), Some(Field::Time(b))) => a.cmp(&b),
            _ => Ordering::Equal,
        };
        let order = if sort.ascending { order } else { order.reverse() };
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
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
    let wanted = filter.value.as_str();
    let order = || ordering(value, wanted);
    let listed = || wanted.split(',').any(|wanted| ordering(value, wanted).is_eq());
    let in_set = || text_of(value).split(',').any(|part| caseless(part) == caseless(wanted));
    let alike = || like(&caseless(wanted), &caseless(&text_of(value)));
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
        Field::Time(time) => time.clone(),
        Field::AnyOf(_) | Field::Null | Field::Ignored => String::new(),
    }
}

fn ordering(value: &Field<'_>, wanted: &str) -> Ordering {
    match value {
        Field::Number(number) => number.total_cmp(&leading_number(wanted)),
        Field::Text(text) => caseless(text.trim_end_matches(' ')).cmp(&caseless(wanted.trim_end_matches(' '))),
        Field::Time(_) if !wanted.starts_with(|c: char| c.is_ascii_digit()) => Ordering::Greater,
        Field::Time(time) => time.as_str().cmp(&wanted.replacen('T', " ", 1)),
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
