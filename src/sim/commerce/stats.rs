//! What the shop's server had to do, by the costs measured on a real one.

use std::collections::BTreeMap;

use serde::Serialize;

/// Microseconds of a core that every request costs before its first row.
const REQUEST_COST_US: u64 = 25_000;

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
}

impl Stats {
    /// Counts a request and says what it cost.
    pub(super) fn count(&mut self, route: &'static str, rows: usize, row_cost_us: u64) -> u64 {
        let rows = u64::try_from(rows).unwrap_or(u64::MAX);
        let cost = REQUEST_COST_US.saturating_add(rows.saturating_mul(row_cost_us));
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
