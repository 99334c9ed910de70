//! Reads one table of the configuration key by key, and remembers which keys were asked for: the rest is unknown.
//!
//! Every reader asks for all of its keys before it uses any, so that one look at the file finds all of its problems.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

use ::config::{Value, ValueKind};
use secrecy::SecretString;

use super::document::{Table, is_from_environment, line_of};
use super::duration;
use super::effective::Setting;
use super::finding::{Finding, Place, Wrong};
use super::nearest::nearest;
use super::secret;
use super::surroundings::{Surroundings, variable_name};
use super::value;

/// What reading found so far.
#[derive(Default)]
pub(super) struct Report {
    pub(super) errors: Vec<Finding>,
    pub(super) warnings: Vec<Finding>,
    pub(super) settings: Vec<Setting>,
}

pub(super) struct Section<'a> {
    pub(super) around: &'a Surroundings,
    report: &'a mut Report,
    table: Option<&'a Table>,
    /// Where the table stands: what is missing from it is reported there.
    line: Option<usize>,
    path: String,
    header: String,
    key_prefix: String,
    owner: Option<String>,
    asked: Vec<&'static str>,
}

impl<'a> Section<'a> {
    pub(super) fn plain(
        name: &str,
        line: Option<usize>,
        table: Option<&'a Table>,
        around: &'a Surroundings,
        report: &'a mut Report,
    ) -> Self {
        let header = format!("[{name}]");
        Self { line, ..Self::new(name.to_owned(), header, table, around, report) }
    }

    /// One entry of the list `name`.
    pub(super) fn entry(
        name: &str,
        index: usize,
        (entry, table): (&Value, &'a Table),
        around: &'a Surroundings,
        report: &'a mut Report,
    ) -> Self {
        let owner = match table.get("name").map(|value| &value.kind) {
            Some(ValueKind::String(text)) => Some(format!("{name} {}", value::quoted(text))),
            _ => None,
        };
        let header = format!("[[{name}]]");
        let section = Self::new(format!("{name}[{index}]"), header, Some(table), around, report);
        Self { line: line_of(entry), owner, ..section }
    }

    fn new(
        path: String,
        header: String,
        table: Option<&'a Table>,
        around: &'a Surroundings,
        report: &'a mut Report,
    ) -> Self {
        Self {
            around,
            report,
            table,
            line: None,
            path,
            header,
            key_prefix: String::new(),
            owner: None,
            asked: Vec::new(),
        }
    }

    /// The table under `key`, as a section of its own that has to be finished.
    pub(super) fn table(&mut self, key: &'static str, what: &str) -> Option<Section<'_>> {
        let found = self.required_value(key, what)?;
        let ValueKind::Table(table) = &found.kind else {
            let wrong = Wrong::new(format!("expected {what}, found {}", value::kind(found)));
            self.error(key, wrong);
            return None;
        };
        Some(Section {
            around: self.around,
            report: &mut *self.report,
            table: Some(table),
            line: line_of(found),
            path: format!("{}.{key}", self.path),
            header: self.header.clone(),
            key_prefix: format!("{key}."),
            owner: self.owner.clone(),
            asked: Vec::new(),
        })
    }

    /// Text that `parse` turns into what it means; `parse` complains in words that follow the value.
    pub(super) fn required<T>(
        &mut self,
        key: &'static str,
        what: &str,
        parse: impl FnOnce(&str) -> Result<T, Wrong>,
    ) -> Option<T> {
        let found = self.required_value(key, what)?;
        self.parsed(key, found, what, parse)
    }

    pub(super) fn or<T>(
        &mut self,
        key: &'static str,
        default: &str,
        parse: impl FnOnce(&str) -> Result<T, Wrong>,
    ) -> Option<T> {
        if let Some(found) = self.ask(key) {
            return self.parsed(key, found, &format!("text such as {default:?}"), parse);
        }
        let outcome = parse(default).map_err(|wrong| wrong.about(value::quoted(default)));
        self.settle(key, outcome, |_| toml_text(default))
    }

    pub(super) fn duration(&mut self, key: &'static str, default: &str, range: RangeInclusive<Duration>) -> Duration {
        let parse = |text: &str| {
            let duration = duration::parse(text)?;
            if range.contains(&duration) {
                return Ok(duration);
            }
            let (least, most) = (duration::show(*range.start()), duration::show(*range.end()));
            Err(Wrong::new(format!("is out of range, expected {least} to {most}")))
        };
        self.or(key, default, parse).unwrap_or_default()
    }

    /// One of a few words, the first of which is the default.
    pub(super) fn choice<T: Copy>(&mut self, key: &'static str, words: &[(&str, T)]) -> T {
        let (default, fallback) = words[0];
        self.or(key, default, |text| one_of(text, words)).unwrap_or(fallback)
    }

    pub(super) fn whole<T>(&mut self, key: &'static str, default: T, range: RangeInclusive<T>) -> T
    where
        T: Copy + PartialOrd + Display + TryFrom<i128>,
    {
        let outcome = self.ask(key).map_or(Ok(default), |found| {
            let number = value::whole(found)?;
            T::try_from(number).ok().filter(|number| range.contains(number)).ok_or_else(|| {
                let (least, most) = (range.start(), range.end());
                Wrong::new(format!("{number} is out of range, expected a whole number from {least} to {most}"))
            })
        });
        self.settle(key, outcome, T::to_string).unwrap_or(default)
    }

    pub(super) fn flag(&mut self, key: &'static str, default: bool) -> bool {
        let outcome = self.ask(key).map_or(Ok(default), value::flag);
        self.settle(key, outcome, bool::to_string).unwrap_or(default)
    }

    /// A share of 1, in thousandths.
    pub(super) fn ratio(&mut self, key: &'static str, default: u32, range: RangeInclusive<u32>) -> u32 {
        let outcome = self.ask(key).map_or(Ok(default), |found| value::thousandths(found, &range));
        self.settle(key, outcome, |number| value::fraction(*number)).unwrap_or(default)
    }

    pub(super) fn secret(&mut self, key: &'static str) -> Option<SecretString> {
        let found = self.required_value(key, secret::EXPECTED)?;
        match secret::resolve(found, self.around) {
            Ok((secret, origin)) => {
                let origin = origin.unwrap_or_else(|| format!("written in the file, {}", self.origin(key)));
                self.record(key, "\"***\"".to_owned(), origin);
                Some(secret)
            }
            Err(wrong) => {
                self.error(key, wrong);
                None
            }
        }
    }

    /// Whether the key is written rather than left to its default.
    pub(super) fn has(&self, key: &str) -> bool {
        self.value_at(key).is_some()
    }

    pub(super) fn error(&mut self, key: &str, wrong: Wrong) {
        let finding = self.finding(key, wrong);
        self.report.errors.push(finding);
    }

    pub(super) fn warn(&mut self, key: &str, message: impl Into<String>) {
        let finding = self.finding(key, Wrong::new(message));
        self.report.warnings.push(finding);
    }

    /// Reports the keys that nobody asked for. Their values are not shown: one may be a misspelt secret.
    pub(super) fn finish(mut self) {
        let Some(table) = self.table else { return };
        let mut unknown: Vec<&String> = table.keys().filter(|key| !self.asked.contains(&key.as_str())).collect();
        unknown.sort();
        for key in unknown {
            let wrong = unknown_key(key, &self.asked);
            self.error(key, wrong);
        }
    }

    fn value_at(&self, key: &str) -> Option<&'a Value> {
        self.table?.get(key)
    }

    fn ask(&mut self, key: &'static str) -> Option<&'a Value> {
        self.asked.push(key);
        self.value_at(key)
    }

    fn required_value(&mut self, key: &'static str, what: &str) -> Option<&'a Value> {
        let found = self.ask(key);
        if found.is_none() {
            self.error(key, Wrong::new(format!("missing, expected {what}")));
        }
        found
    }

    fn parsed<T>(
        &mut self,
        key: &'static str,
        found: &Value,
        what: &str,
        parse: impl FnOnce(&str) -> Result<T, Wrong>,
    ) -> Option<T> {
        let outcome = value::text(found, what).and_then(|text| {
            let parsed = parse(text).map_err(|wrong| wrong.about(value::quoted(text)))?;
            Ok((parsed, toml_text(text)))
        });
        self.settle(key, outcome, |(_, shown)| shown.clone()).map(|(parsed, _)| parsed)
    }

    fn settle<T>(
        &mut self,
        key: &'static str,
        outcome: Result<T, Wrong>,
        show: impl FnOnce(&T) -> String,
    ) -> Option<T> {
        match outcome {
            Ok(result) => {
                self.record(key, show(&result), self.origin(key));
                Some(result)
            }
            Err(wrong) => {
                self.error(key, wrong);
                None
            }
        }
    }

    fn record(&mut self, key: &str, shown: String, origin: String) {
        let key = format!("{}{key}", self.key_prefix);
        let table = self.path.split('.').next().unwrap_or_default().to_owned();
        self.report.settings.push(Setting { table, header: self.header.clone(), key, value: shown, origin });
    }

    fn origin(&self, key: &str) -> String {
        match self.value_at(key) {
            None => "default".to_owned(),
            Some(value) => line_of(value).map_or_else(|| variable_name(&self.path, key), |line| format!("line {line}")),
        }
    }

    fn finding(&self, key: &str, wrong: Wrong) -> Finding {
        let place = match self.value_at(key) {
            Some(value) if is_from_environment(value) => Place::Variable(variable_name(&self.path, key)),
            found => self.around.place(found.and_then(line_of).or(self.line)),
        };
        Finding { owner: self.owner.clone(), ..Finding::new(place, format!("{}.{key}", self.path), wrong) }
    }
}

pub(super) fn one_of<T: Copy>(text: &str, words: &[(&str, T)]) -> Result<T, Wrong> {
    if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == text) {
        return Ok(*meaning);
    }
    let allowed: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    Err(Wrong::new(format!("is not one of {}", allowed.join(", "))).nearest(nearest(text, allowed)))
}

pub(super) fn unknown_key(key: &str, known: &[&str]) -> Wrong {
    match nearest(key, known.iter().copied()) {
        Some(meant) => Wrong::new("unknown key").nearest(Some(meant)),
        None => Wrong::new("unknown key").hint(format!("known here: {}", known.join(", "))),
    }
}

fn toml_text(text: &str) -> String {
    toml::Value::from(text).to_string()
}
