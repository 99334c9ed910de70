//! Faults that a test or an operator orders: so many times, or until cleared.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use futures_util::{StreamExt, stream};
use rand::RngExt;
use rand::rngs::StdRng;
use serde::{Deserialize, Serialize};

use super::answer::Answer;
use super::operation::Operation;
use super::world::chance;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    #[serde(rename = "status_500")]
    Status500,
    #[serde(rename = "status_503")]
    Status503,
    /// A 429 for no reason of ours.
    #[serde(rename = "status_429")]
    Status429,
    /// A page from something in between.
    Html,
    /// The answer breaks off in its middle; what was asked is done.
    CutBody,
    /// The answer comes `ms` later.
    Slow,
    /// What was asked is done at once, and the answer comes `ms` later.
    SlowAnswer,
    /// What was asked is done, and nothing is answered.
    AcceptThenDrop,
    RegionMismatch,
    RoleMissing,
    /// The report, or feed, that the call creates ends so.
    Cancelled,
    Fatal,
    /// The feed that the call creates stays `IN_PROGRESS` until the fault is cleared.
    Stuck,
    /// It stays `IN_QUEUE`, and can be cancelled.
    StuckInQueue,
    /// It does its work and ends `DONE`, without a processing report.
    NoReport,
    /// It ends `FATAL` with some of its work done, and its report is not of the documented format.
    OddReport,
}

/// Without an operation, seller or SKU it is for all of them; without a count it stays until cleared.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    pub kind: FaultKind,
    pub operation: Option<Operation>,
    pub seller_id: Option<String>,
    pub sku: Option<String>,
    #[serde(default)]
    pub ms: u64,
    pub count: Option<u64>,
    /// So many of a hundred calls.
    pub percent: Option<f64>,
}

impl Fault {
    pub const fn new(kind: FaultKind) -> Self {
        Self { kind, operation: None, seller_id: None, sku: None, ms: 0, count: None, percent: None }
    }

    fn concerns(&self, operation: Operation, seller: &str, id: Option<&str>) -> bool {
        let fits = |wanted: &Option<String>, is: Option<&str>| wanted.is_none() || wanted.as_deref() == is;
        self.operation.is_none_or(|wanted| wanted == operation)
            && fits(&self.seller_id, Some(seller))
            && fits(&self.sku, id)
            && self.kind.may_strike(operation)
    }
}

impl FaultKind {
    /// Whether it is about how a report or feed ends, not about the call.
    pub(super) const fn is_an_ending(self) -> bool {
        matches!(self, Self::Cancelled | Self::Fatal | Self::Stuck) || self.is_of_feeds()
    }

    /// Whether only feeds can end so.
    const fn is_of_feeds(self) -> bool {
        matches!(self, Self::StuckInQueue | Self::NoReport | Self::OddReport)
    }

    fn may_strike(self, operation: Operation) -> bool {
        match operation {
            Operation::CreateFeed => true,
            Operation::CreateReport => !self.is_of_feeds(),
            _ => !self.is_an_ending(),
        }
    }

    /// The answer that it gives in place of the real one.
    pub(super) fn answer(self) -> Option<Answer> {
        match self {
            Self::Status500 => Some(Answer::of_status(StatusCode::INTERNAL_SERVER_ERROR)),
            Self::Status503 => Some(Answer::of_status(StatusCode::SERVICE_UNAVAILABLE)),
            Self::Status429 => Some(Answer::of_status(StatusCode::TOO_MANY_REQUESTS)),
            Self::RegionMismatch => Some(Answer::forbidden("Region mismatch")),
            Self::RoleMissing => Some(Answer::forbidden("")),
            _ => None,
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    pub(super) const fn new(faults: Vec<Fault>) -> Self {
        Self(faults)
    }

    pub(super) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn list(&self) -> &[Fault] {
        &self.0
    }

    pub(super) fn draw(
        &mut self,
        call: (Operation, &str, Option<&str>),
        rng: &mut StdRng,
    ) -> Option<(FaultKind, Duration)> {
        let (operation, seller, id) = call;
        let strikes = |fault: &Fault, rng: &mut StdRng| {
            fault.concerns(operation, seller, id) && rng.random_bool(chance(fault.percent.unwrap_or(100.0)))
        };
        let at = self.0.iter().position(|fault| strikes(fault, rng))?;
        let fault = self.0.get_mut(at)?;
        let drawn = (fault.kind, Duration::from_millis(fault.ms));
        if let Some(count) = &mut fault.count {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.0.remove(at);
            }
        }
        Some(drawn)
    }
}

pub(super) fn html() -> Response {
    let page = "<!DOCTYPE html><html><head><title>503</title></head><body>Service Unavailable</body></html>";
    let mut response = Response::new(Body::from(page));
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
    response
}

/// Breaks the connection where the answer would be: in its middle, or before its first byte.
pub(super) async fn spoil(kind: FaultKind, response: Response) -> Response {
    if !matches!(kind, FaultKind::CutBody | FaultKind::AcceptThenDrop) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let whole = to_bytes(body, usize::MAX).await.unwrap_or_default();
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(whole.len()));
    let half = whole.slice(..whole.len() / 2);
    // The head leaves with the first wait: a drop must not wait, and a cut must, or its half never leaves either.
    let sent = stream::iter((kind == FaultKind::CutBody).then_some(Ok(half)));
    let broken = stream::once(async move {
        if kind == FaultKind::CutBody {
            tokio::task::yield_now().await;
        }
        Err(std::io::Error::from(std::io::ErrorKind::ConnectionAborted))
    });
    Response::from_parts(parts, Body::from_stream(sent.chain(broken)))
}
