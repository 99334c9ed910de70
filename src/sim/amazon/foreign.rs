//! Another program of the same application, which uses up a part of an account's quotas: so many calls, each at a random
//! moment of its turn. It tries until it is let through, so its share is never ours.

use std::time::Duration;

use rand::RngExt;
use rand::rngs::StdRng;
use tokio::time::Instant;

/// How much it takes, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Foreign {
    /// Of every quota.
    pub(super) share: f64,
    /// So long it works, from the beginning of the world on, and so long it rests, by turns; without a rest, always.
    pub(super) on: Duration,
    pub(super) off: Duration,
}

impl Foreign {
    pub(super) fn works(&self, since_the_beginning: Duration) -> bool {
        let round = self.on + self.off;
        self.off.is_zero() || since_the_beginning.as_nanos() % round.as_nanos() < self.on.as_nanos()
    }
}

/// Its calls of one operation, one in each turn.
#[derive(Debug)]
pub(super) struct Turns {
    call: Instant,
    turn_ends: Instant,
}

impl Turns {
    pub(super) fn new(now: Instant, every: Duration, rng: &mut StdRng) -> Self {
        let mut turns = Self { call: now, turn_ends: now };
        turns.next(every, rng);
        turns
    }

    /// The next call that was made until `now`.
    pub(super) fn call_until(&mut self, now: Instant, every: Duration, rng: &mut StdRng) -> Option<Instant> {
        let call = Some(self.call).filter(|call| *call <= now)?;
        self.next(every, rng);
        Some(call)
    }

    fn next(&mut self, every: Duration, rng: &mut StdRng) {
        self.call = self.turn_ends + every.mul_f64(rng.random_range(0.0..1.0));
        self.turn_ends += every;
    }
}
