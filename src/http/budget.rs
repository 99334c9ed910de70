//! How much time requests may take of the time that passes.

use std::time::Duration;

use tokio::time::Instant;

/// Less, and the few requests of an ordinary cycle would wait for each other; more, and a full read runs at full speed for
/// longer before it slows down.
const RESERVE: Duration = Duration::from_mins(1);
/// A shop that hangs runs up minutes with every attempt. More debt than this, and it would be left alone for an hour after
/// it has recovered; less, and a shop whose every page is slow would get more than its share.
const MOST_DEBT: Duration = Duration::from_mins(1);
/// Longer wastes the odd moment, shorter looks again and again while what is used and what is filled up are in balance.
const SHORTEST_WAIT: Duration = Duration::from_millis(100);

/// A reserve of request time. Requests use it up while they run, and a share of the time that passes fills it.
#[derive(Debug)]
pub(super) struct Budget {
    max_load_thousandths: u32,
    running: u32,
    /// Of the reserve; beyond it we are in debt.
    used: Duration,
    at: Instant,
}

impl Budget {
    pub(super) fn new(max_load_thousandths: u32, now: Instant) -> Self {
        Self { max_load_thousandths: max_load_thousandths.max(1), running: 0, used: Duration::ZERO, at: now }
    }

    pub(super) fn start(&mut self, now: Instant) {
        self.pass(now);
        self.running += 1;
    }

    pub(super) fn end(&mut self, now: Instant) {
        self.pass(now);
        self.running = self.running.saturating_sub(1);
    }

    /// How long until it is worth to look again whether a request may leave; None when one may leave now.
    pub(super) fn wait(&mut self, now: Instant) -> Option<Duration> {
        self.pass(now);
        let debt = self.used.checked_sub(RESERVE)?;
        // There must be something again, not just no debt.
        Some(debt * 1000 / self.max_load_thousandths + SHORTEST_WAIT)
    }

    fn pass(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.at);
        let filled = passed * self.max_load_thousandths / 1000;
        self.used = (self.used + passed * self.running).saturating_sub(filled).min(RESERVE + MOST_DEBT);
        self.at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    const FOREVER: u64 = 1_000_000;

    #[test]
    fn a_request_waits_only_while_nothing_is_left() {
        // What happens: seconds pass while so many requests run. Then: for how long a request would wait.
        for (name, thousandths, steps, expected) in [
            ("full at first", 200, &[(0, 0)][..], None),
            ("most of it used", 200, &[(74, 1)], None),
            ("all of it used", 200, &[(75, 1)], Some(0)),
            ("in debt", 200, &[(80, 1)], Some(20)),
            ("requests at once add up", 200, &[(40, 2)], Some(60)),
            ("filled meanwhile", 200, &[(80, 1), (19, 0)], Some(1)),
            ("just enough", 200, &[(80, 1), (21, 0)], None),
            ("never more than the reserve", 200, &[(FOREVER, 0), (80, 1)], Some(20)),
            ("the least load", 10, &[(61, 1)], Some(39)),
            ("one request after another", 1000, &[(FOREVER, 1)], None),
            ("two after two", 1000, &[(70, 2)], Some(10)),
            ("after hanging for long", 200, &[(540, 2)], Some(300)),
        ] {
            let start = Clock::system().instant();
            let mut budget = Budget::new(thousandths, start);
            let mut now = start;
            for (passes, running) in steps {
                (0..*running).for_each(|_| budget.start(now));
                now += Duration::from_secs(*passes);
                (0..*running).for_each(|_| budget.end(now));
            }
            assert_eq!(budget.wait(now).map(|wait| wait.as_secs()), expected, "{name}");
            if let Some(wait) = budget.wait(now) {
                assert_eq!(budget.wait(now + wait), None, "{name}: it waits long enough");
            }
        }
    }

    #[test]
    fn time_that_passes_in_many_small_steps_counts_in_full() {
        let start = Clock::system().instant();
        let mut budget = Budget::new(200, start);
        let after = |ms| start + Duration::from_millis(ms);
        budget.start(start);
        let waiting = (0..=80_000).map(after).filter(|now| budget.wait(*now).is_some()).count();
        assert_eq!(waiting, 5001);
        budget.end(after(80_000));
        let waiting = (80_000..=105_000).map(after).filter(|now| budget.wait(*now).is_some()).count();
        assert_eq!(waiting, 20_001);
    }
}
