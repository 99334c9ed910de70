//! What a configuration is read in: its file, the folder that relative paths start from, and the environment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ::config::{Environment, Map, Source, Value};

use super::document::Table;
use super::finding::{Finding, Place, Wrong};
use super::nearest::nearest;

const PREFIX: &str = "STOCKSYNC__";
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// Holds the whole environment, so it has no `Debug`.
pub(super) struct Surroundings {
    file: PathBuf,
    environment: BTreeMap<String, String>,
}

impl Surroundings {
    pub(super) fn new(file: &Path, environment: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { file: file.to_owned(), environment: environment.into_iter().collect() }
    }

    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str)
    }

    pub(super) fn place(&self, line: Option<usize>) -> Place {
        Place::File { file: self.file.clone(), line }
    }

    /// A path named in the file: `${CREDENTIALS_DIRECTORY}/` in front is systemd's folder of credentials, and a
    /// relative path starts at the configuration's own folder.
    pub(super) fn path(&self, text: &str) -> Result<PathBuf, Wrong> {
        if let Some(rest) = text.strip_prefix("${CREDENTIALS_DIRECTORY}/") {
            return match self.variable(CREDENTIALS) {
                Some(folder) if !folder.is_empty() => Ok(Path::new(folder).join(rest)),
                _ => Err(Wrong::new(format!("needs the variable {CREDENTIALS}, which is not set"))
                    .hint("systemd sets it for a unit that has `LoadCredential=`")),
            };
        }
        if text.is_empty() || text.starts_with("${") {
            return Err(Wrong::new("is no path of a file"));
        }
        Ok(self.file.parent().unwrap_or_else(|| Path::new("")).join(text))
    }

    /// The variables that set keys of the `plain` sections, laid over `file`; problems with their names are returned.
    pub(super) fn overlay(&self, file: Table, plain: &[&str], lists: &[&str]) -> (Table, Vec<Finding>) {
        let mut accepted = Map::new();
        let mut findings = Vec::new();
        for (name, value) in self.environment.iter().filter(|(name, _)| name.starts_with(PREFIX)) {
            match check_name(name, plain, lists) {
                Ok(()) => {
                    accepted.insert(name.clone(), value.clone());
                }
                Err(wrong) => {
                    findings.push(Finding::new(Place::Variable(name.clone()), "", wrong));
                }
            }
        }
        let variables = Environment::with_prefix("STOCKSYNC")
            .prefix_separator("__")
            .separator("__")
            .try_parsing(false)
            .source(Some(accepted));
        let merged = ::config::Config::builder().add_source(Document(file)).add_source(variables).build();
        match merged.and_then(|merged| merged.collect()) {
            Ok(table) => (table, findings),
            Err(error) => {
                let wrong = Wrong::new(format!("cannot be merged with the environment: {error}"));
                findings.push(Finding::new(self.place(None), "", wrong));
                (Table::new(), findings)
            }
        }
    }
}

/// `guards.max_zeroed_percent` as `STOCKSYNC__GUARDS__MAX_ZEROED_PERCENT`.
pub(super) fn variable_name(section: &str, key: &str) -> String {
    format!("{PREFIX}{}__{}", section.to_uppercase(), key.to_uppercase())
}

fn check_name(name: &str, plain: &[&str], lists: &[&str]) -> Result<(), Wrong> {
    let rest = name[PREFIX.len()..].to_lowercase();
    let mut parts = rest.split("__");
    let section = parts.next().unwrap_or_default();
    if lists.contains(&section) {
        return Err(Wrong::new(format!("[[{section}]] entries are set in the file only"))
            .hint("secrets in the file may name a variable: `{ env = \"NAME\" }`"));
    }
    if !plain.contains(&section) {
        let sections = plain.iter().copied();
        return match nearest(section, sections) {
            Some(meant) => Err(Wrong::new(format!("unknown section {section:?}")).nearest(Some(meant))),
            None => Err(Wrong::new(format!("unknown section {section:?}, known: {}", plain.join(", ")))),
        };
    }
    match (parts.next(), parts.next()) {
        (Some(key), None) if !key.is_empty() => {}
        _ => return Err(Wrong::new(format!("names no key of [{section}]")).hint("expected STOCKSYNC__SECTION__KEY")),
    }
    if name.to_uppercase() == name {
        Ok(())
    } else {
        Err(Wrong::new("is not in capitals").nearest(Some(&name.to_uppercase())))
    }
}

/// The file as a source for the `config` crate: its own reader knows no lines and coerces types.
#[derive(Clone, Debug)]
struct Document(Table);

impl Source for Document {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ::config::ConfigError> {
        Ok(self.0.clone())
    }
}
