//! How fast a bucket may be emptied now: the rate that the server grants, less what somebody else takes of it.

use std::time::Duration;

use tokio::time::Instant;

use crate::clock::Clock;

/// A stated rate this many times above or below the documented one is a mistake: following it up would flood the server,
/// following it down would stop us.
const PLAUSIBLE: f64 = 1000.0;
/// What a 429 leaves of the rate, at which it came. Less wastes more on a single stray 429; more is still too fast after
/// it, for the burst lets a rate pass that is a little above what is left for us.
const DECREASE: f64 = 0.85;
/// What a step gives back, as a share of the rate at which the last 429 came. Twice as much runs into twice as many 429s
/// and sends no more for it; half as much takes four minutes to notice that the other one has gone.
const INCREASE: f64 = 0.02;
/// So far above the last 429's rate it says nothing any more, and every step is twice the one before.
const OUTDATED: f64 = 1.03;
/// The largest step, as a share of the granted rate.
const LARGEST_STEP: f64 = 0.05;
/// Shorter steps run into the next 429, longer ones leave the budget unused.
const STEP: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Gauge {
    clock: Clock,
    documented: f64,
    burst: u32,
    /// However many 429s come, this share of the granted rate stays: somebody has to notice when they end.
    floor: f64,
    granted: f64,
    rate: f64,
    /// When nothing of the burst would be used up any more.
    full_at: Instant,
    /// When the rate was changed last, by a 429 or a step up.
    adjusted: Instant,
    refused: Option<Refused>,
}

/// The last 429.
#[derive(Clone, Copy, Debug)]
struct Refused {
    at: Instant,
    rate: f64,
    /// How much the next step adds.
    step: f64,
}

impl Gauge {
    pub(super) fn new(clock: Clock, rate_per_second: f64, burst: u32, floor: f64) -> Self {
        let documented = if is_rate(rate_per_second) { rate_per_second } else { 1.0 };
        let now = clock.instant();
        Self {
            clock,
            documented,
            burst: burst.max(1),
            floor,
            granted: documented,
            rate: documented,
            full_at: now,
            adjusted: now,
            refused: None,
        }
    }

    /// Takes a permit, or says how long until the next.
    pub(super) fn try_acquire(&mut self) -> Result<(), Duration> {
        let now = self.recover();
        let wait = self.next_at(now).saturating_duration_since(now);
        if wait.is_zero() {
            self.book();
            return Ok(());
        }
        Err(wait)
    }

    /// Takes the next permit, even one that has still to come, and says when it does.
    pub(super) fn book(&mut self) -> Instant {
        let now = self.recover();
        let comes_at = self.next_at(now).max(now);
        self.full_at = self.full_at.max(now) + self.period();
        comes_at
    }

    pub(super) fn rate(&mut self) -> f64 {
        self.recover();
        self.rate
    }

    pub(super) fn observe(&mut self, rate: f64) {
        let plausible = self.documented / PLAUSIBLE..=self.documented * PLAUSIBLE;
        let same = (rate - self.granted).abs() <= f64::EPSILON * self.granted;
        if same || !plausible.contains(&rate) {
            return;
        }
        let share = self.rate / self.granted;
        self.refused = self.refused.map(|refused| refused.scaled(rate / self.granted));
        self.granted = rate;
        self.set(rate * share);
    }

    /// `sent_at`: when the request left that was refused. If that was before the last decrease, it says nothing new.
    pub(super) fn penalise(&mut self, sent_at: Instant) {
        let now = self.recover();
        if self.refused.is_some_and(|refused| sent_at <= refused.at) {
            return;
        }
        self.refused = Some(Refused { at: now, rate: self.rate, step: self.rate * INCREASE });
        self.adjusted = now;
        self.set((self.rate * DECREASE).max(self.granted * self.floor));
        // The server's bucket is empty, so ours is.
        self.full_at = self.full_at.max(now + self.period() * self.burst);
    }

    /// Takes the steps up that are due.
    fn recover(&mut self) -> Instant {
        let now = self.clock.instant();
        while let Some(mut refused) = self.refused.filter(|_| self.rate < self.granted) {
            if now.duration_since(self.adjusted) < self.step_time() {
                break;
            }
            self.adjusted += self.step_time();
            if self.rate > refused.rate * OUTDATED {
                refused.step = (refused.step * 2.0).min(self.granted * LARGEST_STEP);
                self.refused = Some(refused);
            }
            self.set(self.granted.min(self.rate + refused.step));
        }
        now
    }

    /// An operation allowed once a minute learns nothing in ten seconds.
    fn step_time(&self) -> Duration {
        STEP.max(Duration::from_secs_f64(2.0 / self.granted))
    }

    /// Changes the rate; of the burst, as much is used up as before.
    fn set(&mut self, rate: f64) {
        let now = self.clock.instant();
        let spent = self.full_at.saturating_duration_since(now);
        self.full_at = now + spent.mul_f64(self.rate / rate);
        self.rate = rate;
    }

    /// When there is a permit.
    fn next_at(&self, now: Instant) -> Instant {
        self.full_at.checked_sub(self.period() * (self.burst - 1)).unwrap_or(now)
    }

    fn period(&self) -> Duration {
        Duration::from_secs_f64(1.0 / self.rate)
    }
}

impl Refused {
    fn scaled(self, by: f64) -> Self {
        Self { rate: self.rate * by, step: self.step * by, ..self }
    }
}

fn is_rate(rate: f64) -> bool {
    rate.is_finite() && rate > 1e-6 && rate < 1e6
}
