//! What looking at listings found, for the log and for how much is looked at next.

use std::sync::{Mutex, PoisonError};

use crate::model::Listing;
use crate::plan::{Cause, Drift};

/// One account's, since it was last taken.
#[derive(Debug, Default)]
pub struct Tally(Mutex<Drifts>);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drifts {
    pub lost: u64,
    pub sale: u64,
    pub edit: u64,
}

impl Tally {
    pub(super) fn count(&self, listing: &Listing, drift: Drift) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).add(drift.cause);
        tracing::debug!(
            event = "drift_seen",
            account = %listing.account,
            seller_sku = %listing.seller_sku,
            cause = drift.cause.as_str(),
            expected = drift.expected,
            shown = drift.shown,
            "amazon shows another quantity than was believed"
        );
        let before = listing.unapplied.as_ref().map_or(0, |unapplied| unapplied.times);
        if drift.unapplied && before > 0 {
            tracing::warn!(
                event = "not_applied",
                account = %listing.account,
                seller_sku = %listing.seller_sku,
                accepted = drift.expected,
                shown = drift.shown,
                times = before + 1,
                "amazon accepted the quantity again and does not show it; if it did not sell at once, look at the listing in Seller Central"
            );
        }
    }

    pub fn take(&self) -> Drifts {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drifts {
    const fn add(&mut self, cause: Cause) {
        match cause {
            Cause::Lost => self.lost += 1,
            Cause::Sale => self.sale += 1,
            Cause::Edit => self.edit += 1,
        }
    }

    pub const fn any(self) -> bool {
        self.lost + self.sale + self.edit > 0
    }
}
