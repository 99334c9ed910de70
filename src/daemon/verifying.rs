//! When an account is due because Amazon has to be asked what it shows, whatever its schedules say.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;

use crate::config::Config;

/// Shared by the task that plans and the one that sends.
#[derive(Debug)]
pub(super) struct Verifying {
    verify_after: Duration,
    /// Between two cycles of this kind. Longer, and a constant is looked at too late; shorter, and a large catalogue,
    /// of which there is always something to look at, is gone through all the time.
    least: Duration,
    next: Mutex<Next>,
    sooner: Notify,
}

#[derive(Debug, Default)]
struct Next {
    /// When the last cycle over all listings ended.
    cycled: Timestamp,
    look_at: Option<Timestamp>,
    /// The first that was accepted since the cycle began that is under way, or began last: it knows nothing of it.
    accepted: Option<Timestamp>,
}

impl Verifying {
    pub(super) fn new(config: &Config) -> Self {
        let push = &config.push;
        // An eighth of the interval is what is left of it when a listing is due.
        let least = push.verify_after.min(push.verify_static_every / 8).max(Duration::from_secs(1));
        Self { verify_after: push.verify_after, least, next: Mutex::default(), sooner: Notify::new() }
    }

    pub(super) fn begun(&self) {
        self.next().accepted = None;
    }

    /// A cycle has ended. One over all listings knows all that was to be looked at when it began.
    pub(super) fn cycled(&self, look_at: Option<Timestamp>, all: bool, now: Timestamp) {
        let mut next = self.next();
        let known = if all { next.accepted } else { next.look_at };
        next.look_at = known.into_iter().chain(look_at).min();
        if all {
            next.cycled = now;
        }
    }

    /// A cycle came to nothing: what was to be looked at still is, and not at once.
    pub(super) fn failed(&self, now: Timestamp) {
        self.next().cycled = now;
    }

    /// Amazon took something in: it is to be read back.
    pub(super) fn accepted(&self, now: Timestamp) {
        let at = later(now, self.verify_after);
        let mut next = self.next();
        next.accepted.get_or_insert(at);
        let sooner = next.look_at.is_none_or(|known| at < known);
        if sooner {
            next.look_at = Some(at);
        }
        drop(next);
        if sooner {
            self.sooner.notify_one();
        }
    }

    /// Until it is due sooner than it was.
    pub(super) async fn sooner(&self) {
        self.sooner.notified().await;
    }

    pub(super) fn due(&self) -> Option<Timestamp> {
        let next = self.next();
        next.look_at.map(|at| at.max(later(next.cycled, self.least)))
    }

    fn next(&self) -> MutexGuard<'_, Next> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn later(at: Timestamp, wait: Duration) -> Timestamp {
    at.saturating_add(wait).unwrap_or(Timestamp::MAX)
}
