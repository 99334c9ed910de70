//! What is wrong with a configuration, told so that it can be put right without reading this program.

use std::fmt;
use std::path::PathBuf;

/// One thing that is wrong or, among the warnings, doubtful.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub(super) place: Place,
    /// Path of the key, such as `store[2].country`; empty for the file as a whole.
    pub(super) key: String,
    /// The entry that the key belongs to, where it has a name: `store "acme-de"`.
    pub(super) owner: Option<String>,
    pub(super) wrong: Wrong,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    File { file: PathBuf, line: Option<usize> },
    Variable(String),
}

/// Why something is refused and what would be right. Never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    message: String,
    hint: Option<String>,
}

/// Everything that is wrong with a configuration, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors(Vec<Finding>);

impl Wrong {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Offers `nearest` as what was meant.
    pub(super) fn nearest(self, nearest: Option<&str>) -> Self {
        match nearest {
            Some(nearest) => self.hint(format!("did you mean `{nearest}`?")),
            None => self,
        }
    }

    /// Puts the refused value, or what stands for it, in front.
    pub(super) fn about(self, value: impl fmt::Display) -> Self {
        Self { message: format!("{value} {}", self.message), ..self }
    }
}

impl Finding {
    pub(super) fn new(place: Place, key: impl Into<String>, wrong: Wrong) -> Self {
        Self { place, key: key.into(), owner: None, wrong }
    }
}

impl ConfigErrors {
    pub(super) fn new(mut findings: Vec<Finding>) -> Self {
        findings.sort_by(|left, right| left.place.cmp(&right.place));
        Self(findings)
    }

    pub fn findings(&self) -> &[Finding] {
        &self.0
    }
}

impl std::error::Error for ConfigErrors {}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, finding) in self.0.iter().enumerate() {
            let end = if index + 1 == self.0.len() { "" } else { "\n" };
            write!(f, "{finding}{end}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        match (self.key.as_str(), &self.owner) {
            ("", _) => {}
            (key, Some(owner)) => write!(f, "{key} ({owner}): ")?,
            (key, None) => write!(f, "{key}: ")?,
        }
        f.write_str(&self.wrong.message.trim_end().replace('\n', "\n    "))?;
        match &self.wrong.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { file, line: Some(line) } => write!(f, "{}:{line}", file.display()),
            Self::File { file, line: None } => write!(f, "{}", file.display()),
            Self::Variable(name) => write!(f, "environment variable {name}"),
        }
    }
}
