//! The lines of a mapping file. RFC 4180, but a record is one line, because no name holds a line break, and a mistake
//! in one line shall not swallow the next. The `csv` crate accepts stray quotes and does not say which fields were
//! quoted; both matter here.

use std::borrow::Cow;
use std::num::NonZeroU32;

use super::MappingError;
use crate::model::{SellerSku, Sku};

const MAX_UNITS: u32 = 1_000_000;
/// Commerce's column is this long.
const MAX_SKU_CHARS: usize = 64;
/// Amazon's limit as commonly known; no reference states it, so that more is a warning only.
const MAX_SELLER_SKU_CHARS: usize = 40;

pub(super) struct Row {
    pub(super) seller_sku: SellerSku,
    pub(super) sku: Sku,
    pub(super) units: NonZeroU32,
    pub(super) line: usize,
}

/// What a file's lines say, right and wrong.
#[derive(Default)]
pub(super) struct Lines {
    pub(super) rows: Vec<Row>,
    pub(super) errors: Vec<MappingError>,
    pub(super) warnings: Vec<String>,
}

struct Field<'a> {
    text: Cow<'a, str>,
    quoted: bool,
}

pub(super) fn read(text: &str) -> Lines {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines =
        text.lines().zip(1..).filter(|(line, _)| !line.starts_with('#') && !line.trim().is_empty()).peekable();
    let mut found = Lines::default();
    let mut columns = 3;
    if let Some(&(content, line)) = lines.peek() {
        match header(content) {
            Ok(None) => {}
            Ok(Some(named)) => {
                columns = named;
                lines.next();
            }
            Err(text) => {
                found.errors.push(MappingError { line, text });
                return found;
            }
        }
    }
    for (content, line) in lines {
        match fields(content) {
            Ok(fields) if (2..=columns).contains(&fields.len()) => found.take(&fields, line),
            Ok(fields) => {
                let expected = if columns == 2 { "2" } else { "2 or 3" };
                found.fail(line, format!("number of columns is {}, not {expected}", fields.len()));
            }
            Err(text) => found.fail(line, text.to_owned()),
        }
    }
    found
}

impl Lines {
    fn fail(&mut self, line: usize, text: String) {
        self.errors.push(MappingError { line, text });
    }

    fn take(&mut self, fields: &[Field<'_>], line: usize) {
        let [seller_sku, sku, units @ ..] = fields else { return };
        let units = units.first().map_or(Ok(NonZeroU32::MIN), |field| parse_units(&field.text));
        let problems = [
            name_problem("seller SKU", seller_sku, usize::MAX),
            name_problem("SKU", sku, MAX_SKU_CHARS),
            units.as_ref().err().cloned(),
        ];
        for text in problems.into_iter().flatten() {
            self.fail(line, text);
        }
        for (what, field) in [("seller SKU", seller_sku), ("SKU", sku)] {
            if !field.quoted && field.text.trim() != field.text {
                let text = &field.text;
                self.warnings.push(format!("line {line}: {what} `{text}` begins or ends with a blank, which is kept"));
            }
        }
        let length = seller_sku.text.chars().count();
        if length > MAX_SELLER_SKU_CHARS {
            let text = format!("line {line}: seller SKU of {length} characters; Amazon takes {MAX_SELLER_SKU_CHARS}");
            self.warnings.push(text);
        }
        if let Ok(units) = units {
            self.rows.push(Row { seller_sku: (&*seller_sku.text).into(), sku: (&*sku.text).into(), units, line });
        }
    }
}

/// How many columns the first line names, where it names columns at all.
fn header(content: &str) -> Result<Option<usize>, String> {
    if !content.contains(',')
        && let Some((_, separator)) =
            [(';', "`;`"), ('\t', "tabs")].into_iter().find(|(char, _)| content.contains(*char))
    {
        return Err(format!("columns are separated by {separator}, not by `,`"));
    }
    let names: Vec<String> =
        content.split(',').map(|name| name.trim().trim_matches('"').trim().to_ascii_lowercase()).collect();
    if !names.iter().any(|name| name == "seller_sku" || name == "sku") {
        return Ok(None);
    }
    if names == ["seller_sku", "sku"] || names == ["seller_sku", "sku", "units"] {
        return Ok(Some(names.len()));
    }
    Err(format!("the header is `{content}`, but must be `seller_sku,sku,units`"))
}

fn fields(content: &str) -> Result<Vec<Field<'_>>, &'static str> {
    let mut fields = Vec::with_capacity(3);
    let mut rest = content;
    loop {
        let (field, after) = match rest.strip_prefix('"') {
            Some(inside) => quoted(inside)?,
            None => plain(rest)?,
        };
        fields.push(field);
        rest = match after.strip_prefix(',') {
            Some(next) => next,
            None if after.is_empty() => return Ok(fields),
            None => return Err("text between a closing quote and the next comma"),
        };
    }
}

fn plain(rest: &str) -> Result<(Field<'_>, &str), &'static str> {
    let (text, after) = rest.split_at(rest.find(',').unwrap_or(rest.len()));
    if text.contains('"') {
        return Err("a field that holds a quote must be quoted itself, and the quote in it doubled");
    }
    Ok((Field { text: text.into(), quoted: false }, after))
}

fn quoted(inside: &str) -> Result<(Field<'_>, &str), &'static str> {
    let mut text = String::new();
    let mut rest = inside;
    loop {
        let (before, after) = rest.split_once('"').ok_or("a quote is not closed on its line")?;
        text.push_str(before);
        match after.strip_prefix('"') {
            Some(more) => {
                text.push('"');
                rest = more;
            }
            None => return Ok((Field { text: text.into(), quoted: true }, after)),
        }
    }
}

fn name_problem(what: &str, field: &Field<'_>, max_chars: usize) -> Option<String> {
    let text = &*field.text;
    if text.trim().is_empty() {
        return Some(format!("the {what} is empty"));
    }
    if text.chars().any(char::is_control) {
        return Some(format!("the {what} {text:?} holds a control character"));
    }
    let length = text.chars().count();
    (length > max_chars).then(|| format!("the {what} has {length} characters, Commerce allows {max_chars}"))
}

fn parse_units(text: &str) -> Result<NonZeroU32, String> {
    let digits = text.trim();
    if digits.is_empty() {
        return Ok(NonZeroU32::MIN);
    }
    // `parse` would take a sign.
    let number = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten();
    number
        .filter(|units: &NonZeroU32| units.get() <= MAX_UNITS)
        .ok_or_else(|| format!("units are `{digits}`, but must be a whole number from 1 to {MAX_UNITS}"))
}
