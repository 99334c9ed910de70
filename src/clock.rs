//! The one place that asks what time it is.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

/// Wall-clock time that may run on tokio's clock, so that under a paused runtime a day passes in a moment.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Kind);

#[derive(Clone, Copy, Debug)]
enum Kind {
    System,
    Tokio { epoch: Timestamp, origin: Instant },
}

impl Clock {
    pub const fn system() -> Self {
        Self(Kind::System)
    }

    /// Starts at `epoch` and follows tokio's clock, paused or not.
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn starting_at(epoch: Timestamp) -> Self {
        Self(Kind::Tokio { epoch, origin: Instant::now() })
    }

    /// In whole milliseconds: what is kept of a time is equal to it.
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn now(&self) -> Timestamp {
        let now = match self.0 {
            Kind::System => Timestamp::now(),
            Kind::Tokio { epoch, origin } => epoch.saturating_add(origin.elapsed()).unwrap_or(Timestamp::MAX),
        };
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    /// A monotonic point in time, for measuring and waiting; it never steps with the wall clock.
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn instant(&self) -> Instant {
        Instant::now()
    }

    pub async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    /// Waits for a wall-clock time. Sleeps a minute at a time and looks again: clocks step and machines suspend.
    pub async fn sleep_until(&self, when: Timestamp) {
        loop {
            let left = Duration::try_from(when.duration_since(self.now())).unwrap_or(Duration::ZERO);
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left.min(Duration::from_mins(1))).await;
        }
    }
}
