//! When an account's stores are due. Nothing in here asks what time it is.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::model::{AccountName, StoreName};
use crate::schedule::{Schedule, jitter};

/// How long after a failure an account is tried again, when its schedule does not come first; the last is repeated.
/// Sooner hammers a shop or an account that is down; later leaves an hourly or nightly schedule's changes unsent for
/// long after a short outage.
const TRY_AGAIN: [Duration; 6] = [
    Duration::from_mins(1),
    Duration::from_mins(2),
    Duration::from_mins(5),
    Duration::from_mins(15),
    Duration::from_mins(30),
    Duration::from_hours(1),
];

/// The same where a person has to put something right, whatever the schedule says: more often hammers Amazon's sign-in
/// for nothing, later leaves changes unsent for long after it was put right. The first is for a refusal by mistake.
const PARKED: [Duration; 5] = [
    Duration::from_secs(10),
    Duration::from_mins(1),
    Duration::from_mins(5),
    Duration::from_mins(15),
    Duration::from_mins(30),
];

/// A cycle that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tick {
    pub cause: &'static str,
    /// What the schedule says. Accounts that tick together share one reading of Commerce from then on.
    pub nominal: Timestamp,
    /// When it is to begin.
    pub at: Timestamp,
    pub stores: BTreeSet<StoreName>,
    /// It should have begun so much earlier: a cycle was under way.
    pub late: Option<SignedDuration>,
}

impl Tick {
    /// Of all stores, whatever their schedules say.
    pub(super) const fn now(cause: &'static str, now: Timestamp) -> Self {
        Self { cause, nominal: now, at: now, stores: BTreeSet::new(), late: None }
    }
}

#[derive(Debug)]
pub(super) struct Ticks {
    account: AccountName,
    stores: Vec<Store>,
    started_at: Timestamp,
    failures: usize,
    try_again: Option<Timestamp>,
    /// A person has to put something right: what the schedule says is too often to see whether that has happened.
    parked: bool,
}

#[derive(Debug)]
struct Store {
    name: StoreName,
    schedule: Schedule,
    /// When its last cycle began; ticks up to then are over, however many they were.
    begun: Option<Timestamp>,
}

impl Ticks {
    /// The first cycle comes at the start, for whatever was missed.
    pub(super) fn new(
        account: AccountName,
        stores: impl Iterator<Item = (StoreName, Schedule)>,
        started_at: Timestamp,
    ) -> Self {
        let stores = stores.map(|(name, schedule)| Store { name, schedule, begun: None }).collect();
        Self { account, stores, started_at, failures: 0, try_again: None, parked: false }
    }

    /// What is due next; nothing, when every schedule has ended.
    pub(super) fn next(&self, now: Timestamp) -> Option<Tick> {
        let all = || self.stores.iter().map(|store| store.name.clone()).collect();
        if self.stores.iter().any(|store| store.begun.is_none()) {
            return Some(Tick { cause: "start", nominal: self.started_at, at: now, stores: all(), late: None });
        }
        let scheduled = self.scheduled(now);
        let first = scheduled.as_ref().map_or(Timestamp::MAX, |tick| tick.at);
        match self.try_again {
            Some(at) if at < first || self.parked => {
                Some(Tick { cause: "retry", nominal: at, at: at.max(now), stores: all(), late: None })
            }
            _ => scheduled,
        }
    }

    fn scheduled(&self, now: Timestamp) -> Option<Tick> {
        // A clock that was put back must not silence a store until it has caught up.
        let pending = |store: &Store| Some((store.name.clone(), self.after(&store.schedule, store.begun?.min(now))?));
        let pending: Vec<(StoreName, (Timestamp, Timestamp))> = self.stores.iter().filter_map(pending).collect();
        let at = pending.iter().map(|(_, (_, at))| *at).min()?;
        // Whoever's tick has come by then goes along: one pass over the listings serves all.
        let due = || pending.iter().filter(|(_, (tick, _))| *tick <= at);
        Some(Tick {
            cause: "schedule",
            nominal: due().map(|(_, (tick, _))| *tick).max()?,
            at: at.max(now),
            stores: due().map(|(name, _)| name.clone()).collect(),
            late: (at < now).then(|| now.duration_since(at)),
        })
    }

    /// The tick after `begun`, and when its cycle begins: a little later, so that accounts do not all start at once.
    fn after(&self, schedule: &Schedule, begun: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let tick = schedule.next_after(begun)?;
        let interval = schedule.next_after(tick).and_then(|next| Duration::try_from(next.duration_since(tick)).ok());
        let spread = jitter(self.account.as_str(), interval.unwrap_or_default());
        Some((tick, tick.saturating_add(spread).unwrap_or(Timestamp::MAX)))
    }

    pub(super) fn begun(&mut self, tick: &Tick, now: Timestamp) {
        for store in self.stores.iter_mut().filter(|store| tick.stores.contains(&store.name)) {
            store.begun = Some(now);
        }
        self.try_again = None;
    }

    /// The account could not be worked; when it is tried again.
    pub(super) fn failed(&mut self, now: Timestamp, parked: bool) -> Timestamp {
        self.parked = parked;
        let waits = if parked { &PARKED[..] } else { &TRY_AGAIN };
        let wait = waits[self.failures.min(waits.len() - 1)];
        self.failures += 1;
        let at = now.saturating_add(wait).unwrap_or(Timestamp::MAX);
        self.try_again = Some(at);
        at
    }

    /// The same after changes were refused. They may go again after a minute, and say nothing sooner.
    pub(super) fn refused(&mut self, now: Timestamp) -> Timestamp {
        self.failures = self.failures.max(1);
        self.failed(now, true)
    }

    pub(super) fn worked(&mut self) {
        (self.failures, self.try_again, self.parked) = (0, None, false);
    }

    /// Somebody wants it now; should that fail, the waits begin anew.
    pub(super) const fn asked(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
#[path = "ticks_tests.rs"]
mod tests;
