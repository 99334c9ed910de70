//! A token bucket on tokio's clock: first come, first served, and following the rate that the server grants.

use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::clock::Clock;

/// A stated rate this many times above or below the documented one is a mistake: following it up would flood the server,
/// following it down would stop us.
const PLAUSIBLE: f64 = 1000.0;
/// What a 429 leaves of the rate. Less wastes more of it on a single stray 429, more takes longer to make room for others.
const DECREASE: f64 = 0.5;
/// What regular steps give back, as a share of the granted rate. Twice as much runs into 1.2 % of 429s beside somebody
/// who takes 40 % of the budget, instead of 0.5 %, and sends no more for it.
const INCREASE: f64 = 0.05;
/// Shorter steps run into the next 429, longer ones leave the budget unused.
const STEP: Duration = Duration::from_secs(10);
/// However many 429s come, this share of the granted rate stays: somebody has to notice when they end.
const FLOOR: f64 = 1.0 / 16.0;

type Limiter = RateLimiter<NotKeyed, InMemoryState, Ticks, NoOpMiddleware<Duration>>;

/// A rate with a burst, shared by all who call one operation of one account.
#[derive(Debug)]
pub struct Bucket {
    /// Whoever waits for a permit holds this; tokio's mutex is fair, the limiter alone is not.
    queue: tokio::sync::Mutex<()>,
    gauge: Mutex<Gauge>,
    changed: Notify,
}

impl Bucket {
    /// `rate_per_second` and `burst` as the server documents them. One less than the burst is used (but at least one):
    /// requests sent in time arrive with the network's jitter, and a strict bucket of the same size turns the odd one down.
    pub fn new(clock: Clock, rate_per_second: f64, burst: u32) -> Self {
        let documented = if plausible(rate_per_second) { rate_per_second } else { 1.0 };
        let burst = NonZeroU32::new(burst.saturating_sub(1)).unwrap_or(NonZeroU32::MIN);
        let gauge = Gauge {
            clock,
            documented,
            burst,
            granted: documented,
            rate: documented,
            limiter: limiter(clock, documented, burst),
            adjusted: clock.instant(),
        };
        Self { queue: tokio::sync::Mutex::new(()), gauge: Mutex::new(gauge), changed: Notify::new() }
    }

    /// Waits for a permit, behind everybody who came before.
    pub async fn acquire(&self) {
        let _turn = self.queue.lock().await;
        while let Some(wait) = self.try_acquire() {
            // A change of the rate ends the wait early; a stored one only makes this look again.
            let _ = tokio::time::timeout(wait, self.changed.notified()).await;
        }
    }

    /// The rate at which permits are given out now.
    pub fn rate(&self) -> f64 {
        self.gauge().rate()
    }

    /// Follows the rate that the server says it grants.
    pub fn observe(&self, rate_per_second: f64) {
        self.gauge().observe(rate_per_second);
        self.changed.notify_one();
    }

    /// Slows down after a 429: somebody else uses the same budget. Several at once count as one.
    pub fn penalise(&self) {
        self.gauge().penalise();
        self.changed.notify_one();
    }

    fn try_acquire(&self) -> Option<Duration> {
        self.gauge().try_acquire()
    }

    fn gauge(&self) -> MutexGuard<'_, Gauge> {
        self.gauge.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct Gauge {
    clock: Clock,
    documented: f64,
    burst: NonZeroU32,
    granted: f64,
    rate: f64,
    limiter: Limiter,
    adjusted: Instant,
}

impl Gauge {
    /// Takes a permit, or says how long until the next.
    fn try_acquire(&mut self) -> Option<Duration> {
        self.recover();
        let refused = self.limiter.check().err()?;
        Some(refused.wait_time_from(governor::clock::Clock::now(self.limiter.clock())))
    }

    fn rate(&mut self) -> f64 {
        self.recover();
        self.rate
    }

    fn observe(&mut self, rate: f64) {
        let plausible = self.documented / PLAUSIBLE..=self.documented * PLAUSIBLE;
        let same = (rate - self.granted).abs() <= f64::EPSILON * self.granted;
        if same || !plausible.contains(&rate) {
            return;
        }
        let share = self.rate / self.granted;
        self.granted = rate;
        let spent = self.spent();
        self.swap(rate * share, spent);
    }

    fn penalise(&mut self) {
        let now = self.clock.instant();
        if self.rate < self.granted && now.duration_since(self.adjusted) < self.step() / 10 {
            return;
        }
        self.adjusted = now;
        let rate = (self.rate * DECREASE).max(self.granted * FLOOR);
        // The server's bucket is empty, so ours is.
        self.swap(rate, self.burst.get());
    }

    fn recover(&mut self) {
        let now = self.clock.instant();
        let steps = now.duration_since(self.adjusted).div_duration_f64(self.step()).floor();
        if self.rate >= self.granted || steps < 1.0 {
            return;
        }
        self.adjusted = now;
        let spent = self.spent();
        self.swap(self.granted.min(self.rate + steps * INCREASE * self.granted), spent);
    }

    /// An operation allowed once a minute learns nothing in ten seconds.
    fn step(&self) -> Duration {
        STEP.max(Duration::from_secs_f64(2.0 / self.granted))
    }

    /// How much of the burst is used. Asking takes the rest: the limiter is swapped next.
    fn spent(&self) -> u32 {
        let left = (1..=self.burst.get())
            .rev()
            .find(|n| NonZeroU32::new(*n).is_some_and(|n| matches!(self.limiter.check_n(n), Ok(Ok(())))))
            .unwrap_or(0);
        self.burst.get() - left
    }

    /// A limiter's rate cannot be changed in place. The new one starts with what the old one had spent, or every change
    /// of the rate would give a burst away.
    fn swap(&mut self, rate: f64, spent: u32) {
        self.rate = rate;
        self.limiter = limiter(self.clock, rate, self.burst);
        if let Some(spent) = NonZeroU32::new(spent) {
            let _ = self.limiter.check_n(spent);
        }
    }
}

fn plausible(rate: f64) -> bool {
    rate.is_finite() && rate > 1e-6 && rate < 1e6
}

fn limiter(clock: Clock, rate: f64, burst: NonZeroU32) -> Limiter {
    let period = Duration::from_secs_f64(1.0 / rate).max(Duration::from_nanos(1));
    let quota = Quota::with_period(period).unwrap_or(Quota::per_second(NonZeroU32::MIN)).allow_burst(burst);
    RateLimiter::direct_with_clock(quota, Ticks { clock, origin: clock.instant() })
}

/// governor's own clocks do not follow tokio's.
#[derive(Clone, Debug)]
struct Ticks {
    clock: Clock,
    origin: Instant,
}

impl governor::clock::Clock for Ticks {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.clock.instant().duration_since(self.origin)
    }
}

#[cfg(test)]
#[path = "bucket_tests.rs"]
mod tests;
