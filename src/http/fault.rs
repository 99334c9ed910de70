//! Why a request gave nothing that can be used.

use std::time::Duration;

/// The text of another program may be long, and ends up in one line of a log.
const LONGEST_TEXT: usize = 300;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Trying again may help. Seen outside of `http` only inside [`Fault::Exhausted`].
    #[error("{message}")]
    Transient { status: Option<u16>, message: String, after: Option<Duration> },
    /// Signing in did not help, or the permission is missing.
    #[error("not authorized{}: {message}", status.map(|status| format!(" (HTTP {status})")).unwrap_or_default())]
    Unauthorized { status: Option<u16>, message: String },
    /// The server understood and said no.
    #[error(transparent)]
    Rejected(#[from] Refusal),
    /// An answer that is not what the API speaks: HTML, another schema, a body without end.
    #[error("an answer that makes no sense: {what}")]
    Nonsense { what: String },
    /// Tried as often as it may be; no outer layer tries again.
    #[error("no success in {attempts} attempts: {last}")]
    Exhausted { attempts: u32, last: Box<Self> },
}

/// A refusal in the server's own words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("HTTP {status}{}: {message}", code.as_deref().map(|code| format!(" {code}")).unwrap_or_default())]
pub struct Refusal {
    pub status: u16,
    pub code: Option<String>,
    pub message: String,
}

impl Fault {
    pub fn transient(message: impl AsRef<str>) -> Self {
        Self::Transient { status: None, message: one_line(message.as_ref()), after: None }
    }

    pub fn unauthorized(status: Option<u16>, message: impl AsRef<str>) -> Self {
        Self::Unauthorized { status, message: one_line(message.as_ref()) }
    }

    pub fn nonsense(what: impl AsRef<str>) -> Self {
        Self::Nonsense { what: one_line(what.as_ref()) }
    }

    /// The HTTP status behind the fault, where there was one.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Transient { status, .. } | Self::Unauthorized { status, .. } => *status,
            Self::Rejected(refusal) => Some(refusal.status),
            Self::Nonsense { .. } => None,
            Self::Exhausted { last, .. } => last.status(),
        }
    }
}

/// Cuts a text of another program to what fits a log line; control characters could forge one.
pub(super) fn one_line(text: &str) -> String {
    let mut line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_TEXT).collect();
    if text.chars().nth(LONGEST_TEXT).is_some() {
        line.push('…');
    }
    line
}
