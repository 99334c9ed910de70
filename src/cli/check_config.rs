//! `check-config`: the effective settings and the next ticks; with `--online` also what both sides let us do.

mod amazon;
mod commerce;
mod online;

use std::path::Path;

use super::terminal::{complain, say};
use super::{Exit, Failure, render};
use crate::clock::Clock;
use crate::config::Config;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Also sign in to every shop and account, and try each permission that is needed; changes nothing
    #[arg(long)]
    online: bool,
}

pub(super) async fn run(args: Args, config: &Config, path: &Path, clock: Clock) -> Result<Exit, Failure> {
    offline(config, path, clock);
    if !args.online {
        return Ok(Exit::Done);
    }
    say("");
    online::run(config, clock).await
}

fn offline(config: &Config, path: &Path, clock: Clock) {
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
}
