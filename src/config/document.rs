//! TOML text as a tree of values that know the line they stand on.

use ::config::{Map, Value, ValueKind};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::finding::Wrong;

pub(super) type Table = Map<String, Value>;

/// A syntax error and its line. The library's own rendering quotes the line, which may hold a secret, so it is not used.
#[derive(Debug)]
pub(super) struct SyntaxError {
    pub(super) line: usize,
    pub(super) wrong: Wrong,
}

pub(super) fn parse(text: &str) -> Result<Table, Vec<SyntaxError>> {
    let lines = Lines::new(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Ok(lines.table(table.get_ref()));
    }
    Err(errors
        .iter()
        .map(|error| {
            let (line, column) = lines.position(error.span().map_or(0, |span| span.start));
            let message = error.message().replace('\n', ", ");
            SyntaxError { line, wrong: Wrong::new(format!("not TOML at column {column}: {message}")) }
        })
        .collect())
}

/// The line of the file a value stands on, where it has one: tables lose theirs when sources are merged.
pub(super) fn line_of(value: &Value) -> Option<usize> {
    value.origin()?.parse().ok()
}

pub(super) fn is_from_environment(value: &Value) -> bool {
    value.origin().is_some() && line_of(value).is_none()
}

struct Lines<'t> {
    text: &'t str,
    /// Offsets of the line breaks.
    breaks: Vec<usize>,
}

impl<'t> Lines<'t> {
    fn new(text: &'t str) -> Self {
        Self { text, breaks: text.match_indices('\n').map(|(offset, _)| offset).collect() }
    }

    /// Line and column of an offset, both from 1.
    fn position(&self, offset: usize) -> (usize, usize) {
        let line = self.breaks.partition_point(|&line_break| line_break < offset);
        let start = line.checked_sub(1).map_or(0, |previous| self.breaks[previous] + 1);
        let column = self.text.get(start..offset).map_or(0, |before| before.chars().count());
        (line + 1, column + 1)
    }

    fn table(&self, table: &DeTable<'_>) -> Table {
        table.iter().map(|(key, value)| (key.get_ref().to_string(), self.value(value, key.span().start))).collect()
    }

    fn value(&self, value: &Spanned<DeValue<'_>>, key_offset: usize) -> Value {
        let kind = match value.get_ref() {
            DeValue::String(text) => ValueKind::String(text.to_string()),
            DeValue::Boolean(flag) => ValueKind::Boolean(*flag),
            DeValue::Integer(number) => match i128::from_str_radix(number.as_str(), number.radix()) {
                Ok(whole) => i64::try_from(whole).map_or(ValueKind::I128(whole), ValueKind::I64),
                Err(_) => ValueKind::Float(f64::INFINITY),
            },
            DeValue::Float(number) => ValueKind::Float(number.as_str().parse().unwrap_or(f64::NAN)),
            DeValue::Datetime(time) => ValueKind::String(time.to_string()),
            DeValue::Array(items) => {
                ValueKind::Array(items.iter().map(|item| self.value(item, item.span().start)).collect())
            }
            DeValue::Table(table) => ValueKind::Table(self.table(table)),
        };
        // A key and its value share a line, except that a long text may begin below its key: people look for the key.
        let (line, _) = self.position(key_offset);
        Value::new(Some(&line.to_string()), kind)
    }
}

#[cfg(test)]
mod tests {
    use ::config::{Value, ValueKind};

    use super::{line_of, parse};

    fn at<'v>(value: &'v Value, path: &[&str]) -> &'v Value {
        path.iter().fold(value, |value, step| match &value.kind {
            ValueKind::Table(table) => &table[*step],
            ValueKind::Array(items) => &items[step.parse::<usize>().expect("an index")],
            other => panic!("{other:?} has no {step}"),
        })
    }

    #[test]
    fn every_value_knows_its_line() {
        let text =
            "top = 1\n\n[guards]\na = [\n  1,\n  2]\n\n[[store]]\nname = 'x'\nauth = { m = 'é', n = 2 }\n[[store]]\n";
        let root = Value::new(None, ValueKind::Table(parse(text).expect("valid")));
        for (path, line) in [
            (&["top"][..], 1),
            (&["guards"], 3),
            (&["guards", "a"], 4),
            (&["guards", "a", "1"], 6),
            (&["store", "0"], 8),
            (&["store", "0", "name"], 9),
            (&["store", "0", "auth", "n"], 10),
            (&["store", "1"], 11),
        ] {
            assert_eq!(line_of(at(&root, path)), Some(line), "{path:?}");
        }
    }

    #[test]
    fn every_syntax_error_is_found_and_quotes_nothing() {
        let text = "a = \"hunter2\nb = hunter2\nc = 1\nc = 2\n[x\n";
        let errors = parse(text).map(|_| ()).expect_err("broken");
        let lines: Vec<_> = errors.iter().map(|error| error.line).collect();
        for line in [1, 2, 4, 5] {
            assert!(lines.contains(&line), "{line} in {lines:?}");
        }
        assert!(errors.iter().all(|error| !format!("{:?}", error.wrong).contains("hunter2")));
    }
}
