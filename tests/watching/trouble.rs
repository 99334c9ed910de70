//! Trouble: a shop that answers badly, and a program that is killed in the middle of its work.

use std::time::Duration;

use jiff::Timestamp;
use rand::RngExt;
use rand::rngs::StdRng;
use stocksync::plan::Plan;
use stocksync::sim::commerce::{Fault, FaultKind};

use super::bench::cycle;
use super::run::Run;

const ROUTES: [&str; 10] = [
    "V1/",
    "export-stock",
    "dump-stock",
    "V1/orders",
    "V1/products",
    "stockItems/lowStock",
    "V1/stockItems",
    "store/websites",
    "inventory/stocks",
    "V1/modules",
];
/// Answers that look whole and are not, for the lists that can be.
const LISTS: [&str; 5] = ["export-stock", "dump-stock", "V1/orders", "V1/products", "stockItems/lowStock"];

fn some_fault(rng: &mut StdRng) -> Fault {
    use FaultKind::*;
    let honest = [Status500, Database500, Html503, Html429, Html200, CutBody, ShortBody, Slow];
    let lies = [HalfRows, EmptyItems, DuplicateRows];
    let lie = rng.random_bool(0.3);
    let kind = if lie { lies[rng.random_range(0..lies.len())] } else { honest[rng.random_range(0..honest.len())] };
    let route = if lie { LISTS[rng.random_range(0..LISTS.len())] } else { ROUTES[rng.random_range(0..ROUTES.len())] };
    let ms = match kind {
        Slow => rng.random_range(1_000..40_000),
        Html429 => 2_000,
        _ => 0,
    };
    let count = rng.random_bool(0.8).then(|| rng.random_range(1..15));
    Fault { ms, count, after: rng.random_range(0..6), ..Fault::every(kind).on(route) }
}

impl Run {
    /// Changes and trouble, for so many ticks; then calm, and what the next tick must have found.
    pub(crate) async fn troubled(&mut self, ticks: u32) {
        let mut faults: Vec<Fault> = Vec::new();
        for _ in 0..ticks {
            self.round += 1;
            self.upheave();
            self.happen(self.variant.changes_a_round, Duration::from_mins(3)).await;
            self.wait_for_tick().await;
            self.note_dump().await;
            let rng = &mut self.bench.shop.rng;
            faults.retain(|_| rng.random_bool(0.5));
            faults.extend((0..rng.random_range(0..4)).map(|_| some_fault(rng)));
            for fault in &faults {
                self.bench.shop.commerce.set_fault(fault.clone());
            }
            self.tick_or_die().await;
            self.bench.shop.commerce.clear_faults();
        }
        // A dump that did not come would perhaps have been the only one to show it: the index may be as it was by now.
        self.bench.shop.pending.values_mut().flatten().for_each(|pending| pending.dumped = false);
        self.calm_since = self.bench.clock.now();
    }

    async fn tick_or_die(&mut self) {
        let began = self.bench.clock.now();
        let rng = &mut self.bench.shop.rng;
        let life =
            if rng.random_bool(0.35) { Duration::from_millis(rng.random_range(10..15_000)) } else { Duration::MAX };
        match tokio::time::timeout(life, cycle(self.bench.assembly())).await {
            Ok(plan) => self.nothing_is_raised_by_old_readings(&plan, began),
            Err(_) => self.bench.restart(),
        }
    }

    /// A quantity that grows was true not long ago. Beyond two turns of the sweep no reading counts.
    fn nothing_is_raised_by_old_readings(&self, plan: &Plan, began: Timestamp) {
        let oldest = began - Duration::from_mins(u64::from(self.variant.sweep_every_min) * 2);
        for change in plan.changes.iter().filter(|change| Some(change.to) > change.from) {
            let sku = change.seller_sku.as_str();
            let since = self.bench.shop.history.get(sku).into_iter().flatten().filter(|(until, _)| *until >= oldest);
            let now = self.bench.shop.expected(sku).listed;
            let most = since.map(|(_, listed)| *listed).chain(now).max().unwrap_or_default();
            let to = u64::from(change.to);
            let (round, seed) = (self.round, self.variant.seed);
            assert!(to <= most, "seed {seed}, tick {round} ({began}): {sku} raised to {to} where {most} was the most");
        }
    }
}
