//! What the shop's server had to do, by the costs measured on a real one.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

/// A row before the page that was asked for: found, counted and thrown away.
const SKIPPED_ROW_US: u64 = 8;

/// Microseconds of a core, as measured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    pub(super) request_us: u64,
    pub(super) row_us: u64,
}

/// What an answer took, beside being asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Work {
    /// Loaded, whether or not the answer shows them.
    pub(super) rows: usize,
    pub(super) skipped: usize,
}

impl Cost {
    pub(super) const REFUSED: Self = Self { request_us: 25_000, row_us: 0 };

    fn of(self, work: Work) -> u64 {
        let times = |count: usize, each: u64| u64::try_from(count).unwrap_or(u64::MAX).saturating_mul(each);
        self.request_us
            .saturating_add(times(work.rows, self.row_us))
            .saturating_add(times(work.skipped, SKIPPED_ROW_US))
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RouteStats {
    pub requests: u64,
    pub rows: u64,
    pub core_us: u64,
}

/// Requests, rows and simulated microseconds of a core, by route.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    pub routes: BTreeMap<String, RouteStats>,
    /// Requests that would have taken a compressed answer.
    pub gzip_requests: u64,
    /// How long answers were held back, all together.
    pub busy: Duration,
    /// The most requests that were under way at once.
    pub most_in_flight: u64,
    #[serde(skip)]
    in_flight: u64,
}

impl Stats {
    /// Begins again, with the requests that are under way.
    pub(super) fn reset(&mut self) {
        *self = Self { in_flight: self.in_flight, most_in_flight: self.in_flight, ..Self::default() };
    }

    pub(super) fn begin(&mut self) {
        self.in_flight += 1;
        self.most_in_flight = self.most_in_flight.max(self.in_flight);
    }

    pub(super) fn end(&mut self) {
        self.in_flight -= 1;
    }

    pub(super) fn keep_busy(&mut self, time: Duration) {
        self.busy += time;
    }

    /// Counts a request and says what it cost.
    pub(super) fn count(&mut self, route: &'static str, work: Work, cost: Cost) -> u64 {
        let rows = u64::try_from(work.rows).unwrap_or(u64::MAX);
        let cost = cost.of(work);
        let entry = self.routes.entry(route.to_owned()).or_default();
        entry.requests += 1;
        entry.rows += rows;
        entry.core_us += cost;
        cost
    }

    pub fn requests(&self) -> u64 {
        self.routes.values().map(|route| route.requests).sum()
    }

    /// Simulated milliseconds of a core.
    pub fn core_ms(&self) -> u64 {
        self.routes.values().map(|route| route.core_us).sum::<u64>() / 1_000
    }
}
