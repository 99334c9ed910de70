//! What was called, what was refused, and what no careful client does.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use axum::http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use tokio::time::Instant;

use super::events::shown;
use super::operation::Operation;

#[derive(Clone, Debug, Default, Serialize)]
pub struct Stats {
    /// By seller, then by operation.
    pub calls: BTreeMap<String, BTreeMap<Operation, Counts>>,
    /// Requests that no route, token or user agent let through.
    pub refused: u64,
    pub units_sold: u64,
    pub violations: Vec<Violation>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Counts {
    pub calls: u64,
    /// 429s that the caller brought upon itself.
    pub throttled: u64,
    /// Calls that a fault answered or spoilt.
    pub faults: u64,
    pub statuses: BTreeMap<u16, u64>,
    /// The most calls let through within any one second.
    pub most_in_a_second: usize,
    #[serde(skip)]
    pub first_granted: Option<Instant>,
    #[serde(skip)]
    pub last_granted: Option<Instant>,
    #[serde(skip)]
    recent: VecDeque<Instant>,
}

/// Something that Amazon lets pass and that hurts the merchant, or that gives a secret away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ViolationKind {
    /// A merchant's quantity on an FBA listing: the offer is turned over and the stock stranded.
    FbaConverted,
    UnknownSku,
    LeadTimeWiped,
    LeadTimeWritten,
    /// An attribute other than the availability.
    ForeignAttribute,
    ChannelWritten,
    /// A patch for a listing that an unfinished feed carries, and not to zero.
    PatchedInsideFeed,
    /// The access token went to the document store.
    TokenSentToDocument,
}

#[derive(Clone, Debug, Serialize)]
pub struct Violation {
    #[serde(serialize_with = "shown")]
    pub at: Timestamp,
    pub kind: ViolationKind,
    pub seller_id: String,
    pub detail: String,
}

impl Stats {
    pub(super) fn of(&mut self, seller: &str, operation: Operation) -> &mut Counts {
        if !self.calls.contains_key(seller) {
            self.calls.insert(seller.to_owned(), BTreeMap::new());
        }
        self.calls.entry(seller.to_owned()).or_default().entry(operation).or_default()
    }

    fn sum(&self, operation: Operation, count: fn(&Counts) -> u64) -> u64 {
        self.calls.values().filter_map(|by| by.get(&operation)).map(count).sum()
    }

    pub fn calls(&self, operation: Operation) -> u64 {
        self.sum(operation, |counts| counts.calls)
    }

    pub fn throttled(&self) -> u64 {
        self.calls.values().flat_map(BTreeMap::values).map(|counts| counts.throttled).sum()
    }

    pub fn violations(&self, kind: ViolationKind) -> usize {
        self.violations.iter().filter(|violation| violation.kind == kind).count()
    }
}

impl Counts {
    pub(super) fn granted(&mut self, now: Instant) {
        self.first_granted.get_or_insert(now);
        self.last_granted = Some(now);
        self.recent.push_back(now);
        while self.recent.front().is_some_and(|first| now - *first >= Duration::from_secs(1)) {
            self.recent.pop_front();
        }
        self.most_in_a_second = self.most_in_a_second.max(self.recent.len());
    }

    pub(super) fn answered(&mut self, status: StatusCode) {
        *self.statuses.entry(status.as_u16()).or_default() += 1;
    }
}
