//! A token bucket on tokio's clock: first come, first served, and following the rate that the server grants.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

use super::Answer;
use super::ceiling::Ceiling;
use super::gauge::Gauge;
use crate::clock::Clock;

/// What stays of a rate, however many 429s come: of five patches a second, one in six seconds.
const FLOOR: f64 = 1.0 / 32.0;

/// A rate with a burst, shared by all who call one operation of one account.
#[derive(Debug)]
pub struct Bucket {
    /// Whoever waits for a permit holds this; tokio's mutex is fair, the gauge alone is not.
    queue: tokio::sync::Mutex<()>,
    gauge: Mutex<Gauge>,
    changed: Notify,
    under: Option<Under>,
}

/// Its place below what several buckets together must stay below.
#[derive(Debug)]
struct Under {
    ceiling: Arc<Ceiling>,
    /// Whether a 429 speaks of the ceiling, and not of the bucket below it.
    is_meant: fn(&Answer) -> bool,
    /// When the permit leaves that was taken below. It outlives a caller who stopped waiting: neither the permit nor its
    /// place among the others is lost.
    booked: Mutex<Option<Instant>>,
}

impl Bucket {
    /// `rate_per_second` and `burst` as the server documents them. One less than the burst is used (but at least one):
    /// requests sent in time arrive with the network's jitter, and a strict bucket of the same size turns the odd one down.
    pub fn new(clock: Clock, rate_per_second: f64, burst: u32) -> Self {
        let gauge = Gauge::new(clock, rate_per_second, burst.saturating_sub(1), FLOOR);
        Self { queue: tokio::sync::Mutex::new(()), gauge: Mutex::new(gauge), changed: Notify::new(), under: None }
    }

    /// The same, and every permit is also one of `ceiling`, which other buckets share. 429s that `is_meant` slow down the
    /// ceiling, the others this bucket.
    #[must_use]
    pub fn under(self, ceiling: Arc<Ceiling>, is_meant: fn(&Answer) -> bool) -> Self {
        Self { under: Some(Under { ceiling, is_meant, booked: Mutex::default() }), ..self }
    }

    /// Waits for a permit, behind everybody who came before. Under a ceiling, the bucket's own comes first, and whoever has
    /// one has a place among all that are under it: each has one place at a time, so none is kept waiting by another's haste.
    pub async fn acquire(&self) {
        let _turn = self.queue.lock().await;
        let Some(under) = &self.under else { return self.own_permit().await };
        let leaves_at = if let Some(booked) = under.booked() {
            booked
        } else {
            self.own_permit().await;
            under.book()
        };
        tokio::time::sleep_until(leaves_at).await;
        under.leave();
    }

    async fn own_permit(&self) {
        while let Err(wait) = self.try_acquire() {
            // A change of the rate ends the wait early; a stored one only makes this look again.
            let _ = tokio::time::timeout(wait, self.changed.notified()).await;
        }
    }

    /// The rate at which permits are given out now, but for the ceiling.
    pub fn rate(&self) -> f64 {
        self.gauge().rate()
    }

    /// Follows the rate that the server says it grants.
    pub fn observe(&self, rate_per_second: f64) {
        self.gauge().observe(rate_per_second);
        self.changed.notify_one();
    }

    /// Slows down whatever a 429 speaks of: somebody else uses the same budget. `sent_at`: when the request left.
    pub(super) fn refused(&self, answer: &Answer, sent_at: Instant) {
        match &self.under {
            Some(under) if (under.is_meant)(answer) => under.ceiling.penalise(sent_at),
            _ => self.penalise(sent_at),
        }
    }

    /// Of several requests that were refused at once, one counts.
    fn penalise(&self, sent_at: Instant) {
        self.gauge().penalise(sent_at);
        self.changed.notify_one();
    }

    fn try_acquire(&self) -> Result<(), std::time::Duration> {
        self.gauge().try_acquire()
    }

    fn gauge(&self) -> MutexGuard<'_, Gauge> {
        self.gauge.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Under {
    fn booked(&self) -> Option<Instant> {
        *self.place()
    }

    fn book(&self) -> Instant {
        *self.place().insert(self.ceiling.book())
    }

    fn leave(&self) {
        *self.place() = None;
    }

    fn place(&self) -> MutexGuard<'_, Option<Instant>> {
        self.booked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[path = "bucket_tests.rs"]
mod tests;
