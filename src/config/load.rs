//! From a file and an environment to a [`Config`], or to all that is wrong with them.

use std::collections::BTreeMap;
use std::path::Path;

use ::config::{Value, ValueKind};

use super::account::REGIONS;
use super::document::{self, Table, line_of};
use super::finding::{ConfigErrors, Finding, Wrong};
use super::section::{Report, Section, unknown_key};
use super::surroundings::Surroundings;
use super::{Config, account, commerce, plain, store, value};
use crate::model::{GuardLimits, Region};

const PLAIN: [&str; 7] = ["state", "log", "control", "http", "guards", "push", "journal"];
const LISTS: [&str; 3] = ["commerce", "account", "store"];

/// The names that stores may refer to, also those of entries with other problems.
pub(super) struct Known {
    pub(super) commerces: Vec<String>,
    /// With the region, where it is a valid one.
    pub(super) accounts: BTreeMap<String, Option<Region>>,
    pub(super) guards: GuardLimits,
}

pub(super) fn file(path: &Path, env: impl IntoIterator<Item = (String, String)>) -> Result<Config, ConfigErrors> {
    match std::fs::read_to_string(path) {
        Ok(content) => text(&content, path, env),
        Err(error) => {
            let around = Surroundings::new(path, env);
            let wrong = Wrong::new(format!("the configuration cannot be read: {error}"))
                .hint("`--config FILE` names another one");
            Err(ConfigErrors::new(vec![Finding::new(around.place(None), "", wrong)]))
        }
    }
}

pub(super) fn text(
    text: &str,
    path: &Path,
    env: impl IntoIterator<Item = (String, String)>,
) -> Result<Config, ConfigErrors> {
    let around = Surroundings::new(path, env);
    let document = document::parse(text).map_err(|errors| {
        let finding = |error: document::SyntaxError| Finding::new(around.place(Some(error.line)), "", error.wrong);
        ConfigErrors::new(errors.into_iter().map(finding).collect())
    })?;
    let lines = document.iter().map(|(name, value)| (name.clone(), line_of(value))).collect();
    let (root, names) = around.overlay(document, &PLAIN, &LISTS);
    let mut reader = Reader { around: &around, lines, root, report: Report { errors: names, ..Report::default() } };
    reader.check_names_of_sections();
    let config = reader.config();
    let Report { errors, warnings, settings } = reader.report;
    match config {
        Some(config) if errors.is_empty() => Ok(Config { warnings, settings, ..config }),
        _ => Err(ConfigErrors::new(errors)),
    }
}

struct Reader<'a> {
    around: &'a Surroundings,
    /// Where the file's sections stand.
    lines: BTreeMap<String, Option<usize>>,
    root: Table,
    report: Report,
}

impl Reader<'_> {
    fn config(&mut self) -> Option<Config> {
        let state = self.plain("state", plain::state);
        let log = self.plain("log", plain::log);
        let control_socket = self.plain("control", plain::control);
        let http_listen = self.root.contains_key("http").then(|| self.plain("http", plain::http));
        let guards = self.plain("guards", plain::guards);
        let push = self.plain("push", plain::push);
        let journal_keep = self.plain("journal", plain::journal);

        let commerces = self.list("commerce", |section, _| commerce::read(section));
        let accounts = self.list("account", account::read);
        let known = self.known(guards.limits);
        let mut tables = store::Tables::new();
        let stores = self.list("store", |section, earlier| store::read(section, &known, &mut tables, earlier));
        let config = Config {
            state: state?,
            log,
            control_socket,
            http_listen: http_listen.flatten(),
            guards,
            push,
            journal_keep,
            commerces,
            accounts,
            stores,
            warnings: Vec::new(),
            settings: Vec::new(),
        };
        self.warn_of_unused(&config);
        Some(config)
    }

    fn check_names_of_sections(&mut self) {
        let known: Vec<&str> = PLAIN.into_iter().chain(LISTS).collect();
        for (name, line) in self.lines.iter().filter(|(name, _)| !known.contains(&name.as_str())) {
            let wrong = unknown_key(name, &known);
            self.report.errors.push(Finding::new(self.around.place(*line), name, wrong));
        }
    }

    fn plain<T>(&mut self, name: &str, read: impl FnOnce(&mut Section<'_>) -> T) -> T {
        let line = self.lines.get(name).copied().flatten();
        let table = match self.root.get(name).map(|found| (found, &found.kind)) {
            Some((_, ValueKind::Table(table))) => Some(table),
            Some((found, _)) => {
                let wrong = Wrong::new(format!("expected a section, found {}", value::kind(found)))
                    .hint(format!("write `[{name}]` on a line of its own"));
                self.report.errors.push(Finding::new(self.around.place(line), name, wrong));
                None
            }
            None => None,
        };
        let mut section = Section::plain(name, line, table, self.around, &mut self.report);
        let result = read(&mut section);
        section.finish();
        result
    }

    /// Reads the entries of a list, each with those before it at hand.
    fn list<T>(&mut self, name: &str, mut read: impl FnMut(&mut Section<'_>, &[T]) -> Option<T>) -> Vec<T> {
        let mut results = Vec::new();
        let mut names: BTreeMap<&str, usize> = BTreeMap::new();
        let entries = match self.root.get(name).map(|found| (found, &found.kind)) {
            Some((_, ValueKind::Array(entries))) => entries.as_slice(),
            Some((found, _)) => {
                let line = self.lines.get(name).copied().flatten();
                let wrong = Wrong::new(format!("expected a list of entries, found {}", value::kind(found)))
                    .hint(format!("write `[[{name}]]` before each entry"));
                self.report.errors.push(Finding::new(self.around.place(line), name, wrong));
                return results;
            }
            None => &[],
        };
        if entries.is_empty() {
            let wrong = Wrong::new(format!("there is no [[{name}]], expected at least one"));
            self.report.errors.push(Finding::new(self.around.place(None), "", wrong));
        }
        for (index, entry) in entries.iter().enumerate() {
            let ValueKind::Table(table) = &entry.kind else {
                let wrong = Wrong::new(format!("expected an entry, found {}", value::kind(entry)));
                let place = self.around.place(line_of(entry));
                self.report.errors.push(Finding::new(place, format!("{name}[{index}]"), wrong));
                continue;
            };
            let mut section = Section::entry(name, index, (entry, table), self.around, &mut self.report);
            if let Some(ValueKind::String(text)) = table.get("name").map(|value| &value.kind)
                && let Some(first) = names.insert(text, index)
            {
                let wrong = Wrong::new(format!("{text:?} is the name of {name}[{first}] already, expected another"));
                section.error("name", wrong);
            }
            results.extend(read(&mut section, &results));
            section.finish();
        }
        results
    }

    fn known(&self, guards: GuardLimits) -> Known {
        let text = |entry: &Value, key: &str| match &entry.kind {
            ValueKind::Table(table) => match table.get(key).map(|value| &value.kind) {
                Some(ValueKind::String(text)) => Some(text.clone()),
                _ => None,
            },
            _ => None,
        };
        let region = |entry: &Value| {
            let written = text(entry, "region")?;
            REGIONS.iter().find(|(word, _)| *word == written).map(|(_, region)| *region)
        };
        let entries = |list: &str| match self.root.get(list).map(|found| &found.kind) {
            Some(ValueKind::Array(entries)) => entries.as_slice(),
            _ => &[],
        };
        Known {
            commerces: entries("commerce").iter().filter_map(|entry| text(entry, "name")).collect(),
            accounts: entries("account")
                .iter()
                .filter_map(|entry| Some((text(entry, "name")?, region(entry))))
                .collect(),
            guards,
        }
    }

    fn warn_of_unused(&mut self, config: &Config) {
        for (index, commerce) in config.commerces.iter().enumerate() {
            if config.stores.iter().all(|store| store.commerce != commerce.name) {
                self.warn_unused(&format!("commerce[{index}]"), commerce.name.as_str());
            }
        }
        for (index, account) in config.accounts.iter().enumerate() {
            if config.stores.iter().all(|store| store.account != account.name) {
                self.warn_unused(&format!("account[{index}]"), account.name.as_str());
            }
        }
    }

    fn warn_unused(&mut self, key: &str, name: &str) {
        let wrong = Wrong::new(format!("no [[store]] uses {name:?}"));
        self.report.warnings.push(Finding::new(self.around.place(None), key, wrong));
    }
}
