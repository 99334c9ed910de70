//! From desired and believed to what is sent, in which order, and what is not sent, and why. Pure.

mod drift;
mod guard;
mod judge;
mod lane;
mod order;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::{AccountName, MarketplaceId, SellerSku, StoreName};
use crate::reason::Reason;

pub use drift::{Cause, Drift, drift};
pub use guard::{Extent, Guarded, Released, Shrunken, Trip, guard};
pub use judge::{
    Desired, Due, Judgement, Need, Patience, due_again, judge, look_at, may_be_ours_again, not_ours, settled,
};
pub use lane::{Lane, Speeds, assign_lanes};
pub use order::{Priority, sort};

/// What one cycle decided for one account.
#[derive(Debug)]
pub struct Plan {
    pub id: String,
    pub account: AccountName,
    pub at: Timestamp,
    /// In sending order.
    pub changes: Vec<Change>,
    /// In seller SKU order.
    pub withheld: Vec<Withheld>,
    pub unchanged: u64,
    pub listings: u64,
    /// When the first of them is to be looked at on Amazon, if nothing happens until then.
    pub look_at: Option<Timestamp>,
    /// Products that Commerce was read for.
    pub products: u64,
    /// What guards hold of it, by store.
    pub held: Vec<HeldBack>,
    /// What kept the plan from being whole: Commerce did not answer, or not completely.
    pub problem: Option<String>,
}

/// Dangerous changes of one store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldBack {
    pub store: StoreName,
    pub trips: Vec<Trip>,
    pub changes: Vec<Change>,
    /// What releases it; nothing where nothing would be sent anyway.
    pub id: Option<String>,
}

/// A quantity to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub account: AccountName,
    pub seller_sku: SellerSku,
    /// The store that decided.
    pub store: StoreName,
    pub country: &'static str,
    pub marketplace: MarketplaceId,
    /// What is believed now; nothing, when nothing is.
    pub from: Option<u32>,
    /// When Amazon last took a quantity in, as far as the plan knew.
    pub accepted_at: Option<Timestamp>,
    pub to: u32,
    pub lane: Lane,
    pub priority: Priority,
    pub reasons: Vec<Reason>,
    /// The numbers of the countries that disagree, for people.
    pub conflict: Option<String>,
    /// The readings' numbers that it rests on.
    pub basis: String,
    /// Whether the store may send at all: an observing store plans and sends nothing.
    pub live: bool,
}

/// A quantity deliberately not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withheld {
    pub account: AccountName,
    pub seller_sku: SellerSku,
    pub store: StoreName,
    pub reason: Reason,
    pub detail: String,
}

impl Plan {
    pub fn withheld_by_reason(&self) -> BTreeMap<Reason, u64> {
        let mut counts = BTreeMap::new();
        for withheld in &self.withheld {
            *counts.entry(withheld.reason).or_insert(0) += 1;
        }
        counts
    }

    pub fn conflicts(&self) -> u64 {
        self.changes.iter().filter(|change| change.conflict.is_some()).count() as u64
    }
}
