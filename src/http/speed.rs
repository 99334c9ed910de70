//! How fast a bucket may be emptied now: the rate that the server grants, less what somebody else takes of it.

use std::time::Duration;

use tokio::time::Instant;

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
pub(super) struct Speed {
    documented: f64,
    /// However many 429s come, this share of the granted rate stays: somebody has to notice when they end.
    floor: f64,
    granted: f64,
    rate: f64,
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

impl Speed {
    pub(super) fn new(rate_per_second: f64, floor: f64, now: Instant) -> Self {
        let documented = if is_rate(rate_per_second) { rate_per_second } else { 1.0 };
        Self { documented, floor, granted: documented, rate: documented, adjusted: now, refused: None }
    }

    pub(super) const fn rate(&self) -> f64 {
        self.rate
    }

    pub(super) fn period(&self) -> Duration {
        Duration::from_secs_f64(1.0 / self.rate).max(Duration::from_nanos(1))
    }

    /// Follows what the server says that it grants.
    pub(super) fn observe(&mut self, rate: f64) {
        let plausible = self.documented / PLAUSIBLE..=self.documented * PLAUSIBLE;
        let same = (rate - self.granted).abs() <= f64::EPSILON * self.granted;
        if same || !plausible.contains(&rate) {
            return;
        }
        let factor = rate / self.granted;
        self.refused = self.refused.map(|refused| refused.scaled(factor));
        self.granted = rate;
        self.rate *= factor;
    }

    /// `sent_at`: when the request left that was refused. If that was before the last decrease, it says nothing new, and
    /// nothing changes.
    pub(super) fn penalise(&mut self, sent_at: Instant, now: Instant) -> bool {
        if self.refused.is_some_and(|refused| sent_at <= refused.at) {
            return false;
        }
        self.refused = Some(Refused { at: now, rate: self.rate, step: self.rate * INCREASE });
        self.adjusted = now;
        self.rate = (self.rate * DECREASE).max(self.granted * self.floor);
        true
    }

    /// Takes the steps up that are due.
    pub(super) fn recover(&mut self, now: Instant) {
        while let Some(mut refused) = self.refused.filter(|_| self.rate < self.granted) {
            if now.duration_since(self.adjusted) < self.step_time() {
                break;
            }
            self.adjusted += self.step_time();
            if self.rate > refused.rate * OUTDATED {
                refused.step = (refused.step * 2.0).min(self.granted * LARGEST_STEP);
                self.refused = Some(refused);
            }
            self.rate = self.granted.min(self.rate + refused.step);
        }
    }

    /// An operation allowed once a minute learns nothing in ten seconds.
    fn step_time(&self) -> Duration {
        STEP.max(Duration::from_secs_f64(2.0 / self.granted))
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
