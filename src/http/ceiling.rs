//! What several buckets together must stay below. Whoever has a permit of its own books the next place: a place is taken
//! before its time comes, which a limiter that only says yes or no cannot do.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::speed::Speed;
use crate::clock::Clock;

/// However many 429s come, of five hundred patches a second, one stays. It may be far above what is asked of it, so it
/// can fall a long way.
const FLOOR: f64 = 1.0 / 512.0;

#[derive(Debug)]
pub struct Ceiling(Mutex<Line>);

#[derive(Debug)]
struct Line {
    clock: Clock,
    speed: Speed,
    burst: u32,
    /// When nothing of the burst would be used up any more.
    full_at: Instant,
}

impl Ceiling {
    pub fn new(clock: Clock, rate_per_second: f64, burst: u32) -> Self {
        let now = clock.instant();
        let speed = Speed::new(rate_per_second, FLOOR, now);
        Self(Mutex::new(Line { clock, speed, burst: burst.saturating_sub(1).max(1), full_at: now }))
    }

    /// The rate at which places are given out now.
    pub fn rate(&self) -> f64 {
        let mut line = self.line();
        line.recover();
        line.speed.rate()
    }

    /// Takes the next place and says when it comes.
    pub(super) fn book(&self) -> Instant {
        let mut line = self.line();
        let now = line.recover();
        let ahead = line.speed.period() * (line.burst - 1);
        let comes_at = line.full_at.checked_sub(ahead).unwrap_or(now).max(now);
        line.full_at = line.full_at.max(now) + line.speed.period();
        comes_at
    }

    pub(super) fn penalise(&self, sent_at: Instant) {
        let mut line = self.line();
        let now = line.recover();
        if line.change(now, |speed| speed.penalise(sent_at, now)) {
            // The server's bucket is empty, so ours is.
            line.full_at = line.full_at.max(now + line.speed.period() * line.burst);
        }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    fn recover(&mut self) -> Instant {
        let now = self.clock.instant();
        self.change(now, |speed| speed.recover(now));
        now
    }

    /// Of the burst, as much is used up as before; places that were booked keep their time.
    fn change<T>(&mut self, now: Instant, change: impl FnOnce(&mut Speed) -> T) -> T {
        let before = self.speed.rate();
        let changed = change(&mut self.speed);
        let spent = self.full_at.saturating_duration_since(now);
        self.full_at = now + Duration::mul_f64(spent, before / self.speed.rate());
        changed
    }
}
