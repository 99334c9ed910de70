//! `demo`: the whole job on this terminal, against the simulators. Nothing to set up, nothing left behind.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::terminal::{self, StopSignals, say};
use super::{Exit, Failure, plan, render};
use crate::assembly::{AccountWork, Assembly, Worked};
use crate::clock::Clock;
use crate::config::{Config, LogConfig, LogFormat};
use crate::cycle::Order;
use crate::sim::commerce::ChangeError;
use crate::sim::world::World;
use crate::sim::{Pair, Quantity};
use crate::telemetry;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// End after so many cycles; on a terminal it goes on until Ctrl-C, elsewhere it ends after 4
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    cycles: Option<u64>,
}

const CYCLES_IN_A_PIPE: u64 = 4;
const PAUSE: Duration = Duration::from_secs(3);
const SELLER: &str = "A1SAMPLE";

/// A folder that goes away with the demonstration.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

pub(super) async fn run(args: Args, clock: Clock) -> Result<Exit, Failure> {
    let mut signals = StopSignals::new()?;
    let log = LogConfig { format: LogFormat::Pretty, filter: "warn".into() };
    telemetry::start(&log, false, terminal::log_writer);
    let cycles = args.cycles.or_else(|| (!std::io::stdout().is_terminal()).then_some(CYCLES_IN_A_PIPE));
    let pair = Pair::start(World::sample()?, 0, 0, clock).await?;
    let folder = Folder(std::env::temp_dir().join(format!("stocksync-demo-{}", uuid::Uuid::now_v7())));
    std::fs::create_dir_all(&folder.0)?;
    let config = Arc::new(config(&folder.0, &pair)?);
    let assembly = Assembly::new(Arc::clone(&config), Assembly::open_store(&config)?, clock, plan::seed())?;
    let Some(work) = assembly.accounts.first() else { return Ok(Exit::Failed) };
    say("A simulated shop and a simulated Amazon run on this machine; stocksync works between them.");
    say("Account acme-eu sells in DE (oldest: it decides), FR and IT. Germany lists at most 40, nothing below 3.\n");
    let showing = show(work, &pair, clock, cycles);
    tokio::select! {
        outcome = showing => outcome?,
        () = signals.told() => {}
    }
    let stats = pair.amazon.stats();
    say(&format!(
        "Amazon throttled {} of our calls. Next: `stocksync simulate`, or README.md for a shop of your own.",
        stats.throttled()
    ));
    Ok(Exit::Done)
}

async fn show(work: &AccountWork, pair: &Pair, clock: Clock, cycles: Option<u64>) -> Result<(), Failure> {
    let mut number = 0;
    while cycles.is_none_or(|cycles| number < cycles) {
        if number > 0 {
            happen(pair, number)?;
            clock.sleep(PAUSE).await;
        }
        number += 1;
        let order = Order {
            cause: "demo",
            stores: std::collections::BTreeSet::new(),
            skus: Vec::new(),
            afresh: false,
            everything: false,
            read_since: clock.now(),
        };
        let started = clock.instant();
        let worked = work.once(&order, &CancellationToken::new()).await?;
        tell(number, &worked, clock.instant() - started);
    }
    Ok(())
}

/// What the world does between two cycles, told as it happens.
fn happen(pair: &Pair, number: u64) -> Result<(), Failure> {
    let sell = |sku: &str, quantity| {
        if let Some(sale) = pair.amazon.sell(SELLER, sku, quantity) {
            say(&format!("  ~ Amazon sells {} x {sku}", sale.quantity));
        }
    };
    let receive = |sku: &str, source: &str, quantity| -> Result<(), ChangeError> {
        say(&format!("  ~ the shop counts {quantity} x {sku}"));
        pair.commerce.set_quantity(sku, source, Quantity::whole(quantity))
    };
    match number % 3 {
        1 => {
            sell("MUG-BLACK", 2);
            sell("MUG-WHITE", 1);
            receive("SOLD-OUT", "default", 12)?;
        }
        2 => {
            sell("EBOOK-VOUCHER", 5);
            say("  ~ the shop's own customers order 20 x TOWEL");
            pair.commerce.order("TOWEL", 1, 20)?;
        }
        _ => {
            receive("LAST-PIECES", "default", 30)?;
            receive("TOWEL", "default", 60)?;
            receive("SOLD-OUT", "default", 0)?;
        }
    }
    say("");
    Ok(())
}

fn tell(number: u64, worked: &Worked, took: Duration) {
    let plan = &worked.plan;
    say(&format!(
        "cycle {number}: {} products read, {} listings: {} to send, {} unchanged, {} withheld ({:.1} s)",
        plan.products,
        plan.listings,
        plan.changes.len(),
        plan.unchanged,
        plan.withheld.len(),
        took.as_secs_f32(),
    ));
    if !plan.changes.is_empty() {
        say(&render::changes(&plan.changes));
        say(&format!("  sent: {} accepted, {} refused", worked.drained.accepted, worked.drained.refused));
    }
    if number == 1 && !plan.withheld.is_empty() {
        say("");
        say(&render::withheld(&plan.withheld));
    }
    say("");
}

/// The sample's configuration, with its files in a folder and the simulators where they are.
fn config(folder: &Path, pair: &Pair) -> Result<Config, Failure> {
    let text = config_text(folder, pair)?;
    Ok(Config::parse(&text, &folder.join("stocksync.toml"), std::iter::empty())?)
}

pub(super) fn config_text(folder: &Path, pair: &Pair) -> Result<String, Failure> {
    let map = folder.join("italy.csv");
    std::fs::write(&map, include_str!("demo.csv"))
        .map_err(|error| Failure(Exit::Failed, format!("write {}: {error}", map.display())))?;
    let path = |name: &str| folder.join(name).display().to_string();
    Ok(include_str!("demo.toml")
        .replace("{state}", &path("state.db"))
        .replace("{socket}", &path("control.sock"))
        .replace("{map}", &map.display().to_string())
        .replace("{commerce}", &pair.commerce_url())
        .replace("{amazon}", &pair.amazon_url()))
}
