//! A server having a bad day, on request.

use std::time::Duration;

use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::reply::{JSON, Reply};
use crate::sim::world::folded;

/// Far more than any field of any product.
const HUGE: usize = 10_000_000;

/// What goes wrong, where and how often.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    pub kind: FaultKind,
    /// A part of the path; every route when absent.
    #[serde(default)]
    pub route: Option<String>,
    /// Requests that still go well.
    #[serde(default)]
    pub after: u32,
    /// Requests that go wrong; until cleared when absent.
    #[serde(default)]
    pub count: Option<u32>,
    /// How long `slow` waits, `slow_drip` takes for a body, or `html_429` asks to wait.
    #[serde(default)]
    pub ms: u64,
    /// The product that `bad_product` is about.
    #[serde(default)]
    pub sku: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    #[serde(rename = "status_500")]
    Status500,
    /// The right was taken away, or the token.
    #[serde(rename = "status_401")]
    Status401,
    /// A page that calls itself text.
    #[serde(rename = "database_500")]
    Database500,
    /// A web server in front of the shop that does not let the route through.
    #[serde(rename = "html_404")]
    Html404,
    /// Maintenance.
    #[serde(rename = "html_503")]
    Html503,
    /// A web server in front of the shop limits its clients.
    #[serde(rename = "html_429")]
    Html429,
    /// A login page or a proxy's greeting.
    #[serde(rename = "html_200")]
    Html200,
    /// The connection ends in the middle of the body.
    CutBody,
    /// The body ends in the middle, and HTTP sees nothing wrong.
    ShortBody,
    EmptyItems,
    HalfRows,
    /// Each page after the first begins with the last row of the one before, and the last rows of all are on none.
    DuplicateRows,
    /// Every list of products fails that one product is in.
    BadProduct,
    TotalTooHigh,
    TotalTooLow,
    Slow,
    /// The body comes in small pieces.
    SlowDrip,
    /// To itself, for ever.
    Redirect,
    WrongTypes,
    HugeString,
}

impl Fault {
    /// One kind of trouble on every route until cleared.
    pub fn every(kind: FaultKind) -> Self {
        Self { kind, route: None, after: 0, count: None, ms: 0, sku: None }
    }

    #[must_use]
    pub fn on(mut self, route: &str) -> Self {
        self.route = Some(route.to_owned());
        self
    }
}

/// Wrongs that are done while rows are found, not to the answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Quirks {
    pub(super) overlap: bool,
    /// Folded.
    pub(super) bad_sku: Option<String>,
}

#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The fault that hits a request, counted down.
    pub(super) fn take(&mut self, path: &str) -> Option<Fault> {
        let hits = |fault: &Fault| fault.route.as_ref().is_none_or(|route| path.contains(route.as_str()));
        let place = self.0.iter().position(hits)?;
        let fault = self.0.get_mut(place)?;
        if fault.after > 0 {
            fault.after -= 1;
            return None;
        }
        let taken = fault.clone();
        if let Some(count) = &mut fault.count {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.0.remove(place);
            }
        }
        Some(taken)
    }
}

impl Fault {
    /// The answer of a server that never got as far as the route.
    pub(super) fn instead(&self) -> Option<Reply> {
        Some(match self.kind {
            FaultKind::Status500 => Reply::internal_error(),
            FaultKind::Status401 => Reply::unauthorized("Magento_Backend::all"),
            FaultKind::Database500 => Reply::database(),
            FaultKind::Html404 => Reply::html(StatusCode::NOT_FOUND, "404 Not Found"),
            FaultKind::Html503 => Reply::maintenance(),
            FaultKind::Html429 => Reply::html(StatusCode::TOO_MANY_REQUESTS, "429 Too Many Requests"),
            FaultKind::Html200 => Reply::html(StatusCode::OK, "Welcome"),
            FaultKind::Redirect => Reply::of(StatusCode::FOUND, "text/html; charset=UTF-8", ""),
            _ => return None,
        })
    }

    /// What becomes of the right answer.
    pub(super) fn spoil(&self, mut reply: Reply) -> Reply {
        let change: fn(Value) -> Value = match self.kind {
            FaultKind::ShortBody => {
                reply.body.truncate(reply.body.len() / 2);
                return reply;
            }
            FaultKind::EmptyItems => |value| with_rows(value, |_| Vec::new()),
            FaultKind::HalfRows => |value| with_rows(value, first_half),
            FaultKind::TotalTooHigh => |value| with_total(value, |total| total * 2 + 1),
            FaultKind::TotalTooLow => |value| with_total(value, |total| total / 2),
            FaultKind::WrongTypes => wrap_scalars,
            FaultKind::HugeString => |value| with_rows(value, |rows| rows.into_iter().map(with_huge_text).collect()),
            _ => return reply,
        };
        if reply.content_type == JSON
            && let Ok(value) = serde_json::from_slice(&reply.body)
        {
            reply.body = change(value).to_string().into_bytes();
        }
        reply
    }

    /// What the lists of the shop do wrong themselves.
    pub(super) fn quirks(&self) -> Quirks {
        Quirks {
            overlap: self.kind == FaultKind::DuplicateRows,
            bad_sku: self.sku.as_deref().filter(|_| self.kind == FaultKind::BadProduct).map(folded),
        }
    }

    /// How long the body takes once it has begun.
    pub(super) fn drip(&self) -> Duration {
        match self.kind {
            FaultKind::SlowDrip => Duration::from_millis(self.ms),
            _ => Duration::ZERO,
        }
    }

    pub(super) fn delay(&self) -> Duration {
        match self.kind {
            FaultKind::Slow => Duration::from_millis(self.ms),
            _ => Duration::ZERO,
        }
    }
}

fn with_rows(value: Value, change: impl Fn(Vec<Value>) -> Vec<Value>) -> Value {
    match value {
        Value::Array(rows) => Value::Array(change(rows)),
        Value::Object(mut map) => {
            if let Some(Value::Array(rows)) = map.get_mut("items") {
                *rows = change(std::mem::take(rows));
            }
            Value::Object(map)
        }
        scalar => scalar,
    }
}

fn with_total(mut value: Value, change: impl Fn(u64) -> u64) -> Value {
    if let Some(total) = value.get_mut("total_count")
        && let Some(right) = total.as_u64()
    {
        *total = json!(change(right));
    }
    value
}

fn first_half(mut rows: Vec<Value>) -> Vec<Value> {
    rows.truncate(rows.len() / 2);
    rows
}

fn wrap_scalars(value: Value) -> Value {
    match value {
        Value::Array(rows) => rows.into_iter().map(wrap_scalars).collect(),
        Value::Object(map) => map.into_iter().map(|(key, value)| (key, wrap_scalars(value))).collect(),
        scalar => json!([scalar]),
    }
}

fn with_huge_text(row: Value) -> Value {
    match row {
        Value::Object(mut map) => {
            if let Some(Value::String(text)) = map.get_mut("sku") {
                *text = "X".repeat(HUGE);
            }
            Value::Object(map)
        }
        other => other,
    }
}
