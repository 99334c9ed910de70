//! Permits at a speed: governor's limiter on tokio's clock.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::time::Instant;

use super::speed::Speed;
use crate::clock::Clock;

type Limiter = RateLimiter<NotKeyed, InMemoryState, Ticks, NoOpMiddleware<Duration>>;

#[derive(Debug)]
pub(super) struct Gauge {
    clock: Clock,
    speed: Speed,
    burst: NonZeroU32,
    limiter: Limiter,
}

impl Gauge {
    pub(super) fn new(clock: Clock, rate_per_second: f64, burst: u32, floor: f64) -> Self {
        let speed = Speed::new(rate_per_second, floor, clock.instant());
        let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
        let limiter = limiter(clock, &speed, burst);
        Self { clock, speed, burst, limiter }
    }

    /// Takes a permit, or says how long until the next.
    pub(super) fn try_acquire(&mut self) -> Result<(), Duration> {
        self.recover();
        let clock = self.limiter.clock();
        self.limiter.check().map_err(|refused| refused.wait_time_from(governor::clock::Clock::now(clock)))
    }

    pub(super) fn rate(&mut self) -> f64 {
        self.recover();
        self.speed.rate()
    }

    pub(super) fn observe(&mut self, rate: f64) {
        self.change(|speed, _| speed.observe(rate));
    }

    pub(super) fn penalise(&mut self, sent_at: Instant) {
        self.recover();
        if self.speed.penalise(sent_at, self.clock.instant()) {
            // The server's bucket is empty, so ours is.
            self.swap(self.burst.get());
        }
    }

    fn recover(&mut self) {
        self.change(Speed::recover);
    }

    /// A limiter's rate cannot be changed in place. The new one starts with what the old one had spent, or every change
    /// of the rate would give a burst away.
    fn change(&mut self, change: impl FnOnce(&mut Speed, Instant)) {
        let before = self.speed.rate();
        change(&mut self.speed, self.clock.instant());
        if self.speed.rate().to_bits() != before.to_bits() {
            let spent = self.spent();
            self.swap(spent);
        }
    }

    /// How much of the burst is used. Asking takes the rest: the limiter is swapped next.
    fn spent(&self) -> u32 {
        let left = (1..=self.burst.get())
            .rev()
            .find(|n| NonZeroU32::new(*n).is_some_and(|n| matches!(self.limiter.check_n(n), Ok(Ok(())))))
            .unwrap_or(0);
        self.burst.get() - left
    }

    fn swap(&mut self, spent: u32) {
        self.limiter = limiter(self.clock, &self.speed, self.burst);
        if let Some(spent) = NonZeroU32::new(spent) {
            let _ = self.limiter.check_n(spent);
        }
    }
}

fn limiter(clock: Clock, speed: &Speed, burst: NonZeroU32) -> Limiter {
    let quota = Quota::with_period(speed.period()).unwrap_or(Quota::per_second(NonZeroU32::MIN)).allow_burst(burst);
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
