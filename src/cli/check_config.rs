//! `check-config`: the effective settings and the next ticks.

use std::path::Path;

use super::terminal::{complain, say};
use super::{Exit, render};
use crate::clock::Clock;
use crate::config::Config;

pub(super) fn run(config: &Config, path: &Path, clock: Clock) -> Exit {
    say(&config.effective());
    let now = clock.now();
    let rows = config.stores.iter().map(|store| {
        let ticks = store.schedule.upcoming(now, 3);
        let zone = store.schedule.zone();
        let ticks: Vec<String> = ticks.into_iter().map(|tick| render::time(tick, zone)).collect();
        vec![store.name().to_string(), store.schedule.expression().to_owned(), ticks.join("\n")]
    });
    say(&render::table(&["store", "schedule", "next ticks"], rows, &[]));
    for warning in &config.warnings {
        complain(&format!("warning: {warning}"));
    }
    say(&format!("\n{}: valid, {} warning(s)", path.display(), config.warnings.len()));
    Exit::Done
}
