//! `resync`: one cycle now, believing nothing, in the running service or here.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;

use futures_util::{FutureExt, StreamExt};
use tokio_util::sync::CancellationToken;

use super::plan;
use super::terminal::{Bar, StopSignals, complain, say};
use super::{Exit, Failure, Format};
use crate::assembly::{Assembly, Scope, Worked};
use crate::clock::Clock;
use crate::config::{Config, StateUrl};
use crate::control::{Line, ResyncRequest};
use crate::cycle::{CycleError, Event, Order, Progress};
use crate::daemon::Done;
use crate::lease::{Lease, LeaseError};
use crate::model::{AccountName, SellerSku, StoreName};
use crate::reason::Reason;

#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command")]
pub(super) struct Args {
    /// Only this store's listings
    #[arg(long, value_name = "STORE", conflicts_with = "all")]
    store: Option<StoreName>,
    /// Only this account's listings
    #[arg(long, value_name = "ACCOUNT", conflicts_with = "all")]
    account: Option<AccountName>,
    /// Only this seller SKU; may be given several times
    #[arg(long, value_name = "SKU", value_parser = super::seller_sku, conflicts_with = "all")]
    sku: Vec<SellerSku>,
    /// Everything, which is also what no scope means
    #[arg(long)]
    all: bool,
    /// Show what would be sent; send nothing
    #[arg(long)]
    dry_run: bool,
    /// Wait also until Amazon has worked through the feeds that it sends
    #[arg(long)]
    wait: bool,
    /// Print only problems
    #[arg(long)]
    quiet: bool,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Args {
    pub(super) const fn is_quiet(&self) -> bool {
        self.quiet
    }
}

type Outcomes = BTreeMap<AccountName, Result<Done, String>>;

pub(super) async fn run(args: Args, config: Arc<Config>, clock: Clock) -> Result<Exit, Failure> {
    let scope = plan::scope(&config, args.store.as_ref(), args.account.as_ref())?;
    if args.dry_run {
        return dry_run(&args, &config, &scope, clock).await;
    }
    let StateUrl::Sqlite(state) = &config.state;
    let outcomes = match Lease::take(state, "resync") {
        Ok(lease) => {
            let outcomes = here(&args, &config, &scope, clock).await?;
            drop(lease);
            outcomes
        }
        Err(LeaseError::Held { holder, .. }) => {
            if UnixStream::connect(&config.control_socket).is_err() {
                return Err(Failure(Exit::Held, format!("{holder} works on this state, and takes no requests")));
            }
            in_service(&args, &config.control_socket, scope).await?
        }
        Err(error) => return Err(error.into()),
    };
    report(&args, &outcomes);
    let worked = |outcome: &Result<Done, String>| outcome.as_ref().is_ok_and(worked);
    Ok(if outcomes.values().all(worked) { Exit::Done } else { Exit::Failed })
}

async fn dry_run(args: &Args, config: &Arc<Config>, scope: &Scope, clock: Clock) -> Result<Exit, Failure> {
    let plans = plan::plans(config, scope, args.sku.clone(), true, clock).await;
    let merged = plan::Merged::of(plans.iter().filter_map(|(_, plan)| plan.as_ref().ok()), clock.now());
    merged.show(args.format, args.quiet);
    let failed: Vec<_> = plans.iter().filter_map(|(account, plan)| Some((account, plan.as_ref().err()?))).collect();
    for (account, error) in &failed {
        complain(&format!("account {account}: {error}"));
    }
    Ok(if failed.is_empty() { Exit::Done } else { Exit::Failed })
}

/// Works in this process, every account side by side.
async fn here(args: &Args, config: &Arc<Config>, scope: &Scope, clock: Clock) -> Result<Outcomes, Failure> {
    let store = Assembly::open_store(config)?;
    let assembly = Assembly::new(Arc::clone(config), store, clock, plan::seed())?;
    let (events, mut progress) = tokio::sync::mpsc::unbounded_channel();
    let mut signals = StopSignals::new()?;
    let stop = CancellationToken::new();
    let order = Order {
        cause: "resync",
        stores: BTreeSet::new(),
        skus: args.sku.clone(),
        afresh: true,
        everything: true,
        read_since: clock.now(),
    };
    let working = assembly.side_by_side(scope, &order, async |work, order| {
        work.watched(Progress::to(events.clone())).once_and_wait(order, args.wait, &stop).boxed().await.map(done)
    });
    let bar = Bar::new(!args.quiet);
    let mut working = std::pin::pin!(working);
    loop {
        tokio::select! {
            biased;
            Some(event) = progress.recv() => show(&bar, &event),
            outcomes = &mut working => {
                while let Ok(event) = progress.try_recv() {
                    show(&bar, &event);
                }
                let told = |(account, outcome): (_, Result<_, CycleError>)| (account, outcome.map_err(|error| error.to_string()));
                return Ok(outcomes.into_iter().map(told).collect());
            }
            () = signals.told() => {
                if stop.is_cancelled() {
                    return Err(Failure(Exit::Failed, "stopped by force".into()));
                }
                stop.cancel();
            }
        }
    }
}

fn done(worked: Worked) -> Done {
    let Worked { plan, drained } = worked;
    let done = Done {
        accepted: drained.accepted,
        refused: drained.refused,
        in_feed: drained.in_feed,
        parked: drained.parked.map(|parked| parked.text),
        ..Done::of(&plan)
    };
    // What the plan queued and is not among these was found to need nothing, or waits for an open feed.
    let left = done.queued.saturating_sub(done.accepted + done.refused + done.in_feed);
    let interrupted = (drained.stopped && left > 0)
        .then(|| format!("interrupted: {left} changes were not sent; the next cycle sends them"));
    Done { parked: done.parked.or(interrupted), ..done }
}

/// Not where Amazon could not be worked to the end, nor where Commerce said nothing that decides any listing.
fn worked(done: &Done) -> bool {
    let unread = done.problem.is_some() && done.changes + done.unchanged == 0;
    let undecided = done.withheld.get(Reason::SourceUnknown.code()).is_some_and(|count| *count > 0);
    done.parked.is_none() && !(unread && undecided)
}

/// Asks the service and shows what it says meanwhile.
async fn in_service(args: &Args, socket: &Path, scope: Scope) -> Result<Outcomes, Failure> {
    let request = ResyncRequest { accounts: scope, skus: args.sku.clone(), wait: args.wait };
    let mut lines = crate::control::ask(socket, &request).await?;
    let bar = Bar::new(!args.quiet);
    let mut outcomes = Outcomes::new();
    while let Some(line) = lines.next().await {
        match line? {
            Line::Progress(event) => show(&bar, &event),
            Line::Done { account, done } => {
                outcomes.insert(account, Ok(done));
            }
            Line::Failed { account, error } => {
                outcomes.insert(account, Err(error));
            }
        }
    }
    for (account, _) in request.accounts {
        outcomes.entry(account).or_insert_with(|| Err("the service went away before it answered".into()));
    }
    Ok(outcomes)
}

fn show(bar: &Bar, event: &Event) {
    match event {
        Event::Discovering { account } => bar.message(format!("{account}: asking Amazon for its listings")),
        Event::Reading { commerce } => bar.message(format!("{commerce}: reading")),
        Event::Read { commerce, products } => bar.message(format!("{commerce}: {products} products read")),
        Event::Looked { account, listings } => bar.message(format!("{account}: {listings} listings looked at")),
        Event::Planned { queued, .. } => bar.expect(*queued),
        Event::Sent { seller_sku, to, .. } => {
            bar.step();
            bar.message(format!("{seller_sku} = {to}"));
        }
    }
}

fn report(args: &Args, outcomes: &Outcomes) {
    if args.format == Format::Json {
        let rows = outcomes.iter().map(|(account, outcome)| match outcome {
            Ok(done) => serde_json::json!({ "account": account, "done": done }),
            Err(error) => serde_json::json!({ "account": account, "error": error }),
        });
        say(&format!("{:#}", serde_json::json!({ "accounts": rows.collect::<Vec<_>>() })));
        return;
    }
    for (account, outcome) in outcomes {
        match outcome {
            Ok(done) => report_one(args, account, done),
            Err(error) => complain(&format!("account {account}: {error}")),
        }
    }
}

fn report_one(args: &Args, account: &AccountName, done: &Done) {
    if !args.quiet {
        let withheld: Vec<String> = done.withheld.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
        let withheld =
            if withheld.is_empty() { "0 withheld".into() } else { format!("withheld: {}", withheld.join(", ")) };
        say(&format!(
            "account {account}: {} listings, {} sent and accepted, {} set aside, {} unchanged, {withheld}",
            done.listings, done.accepted, done.refused, done.unchanged,
        ));
        if done.in_feed > 0 {
            say(&format!(
                "  {} changes are on their way in a feed, which ends later; `--wait` waits for it",
                done.in_feed
            ));
        }
        let observing = done.changes - done.queued;
        if observing > 0 {
            say(&format!("  {observing} changes not sent: their store observes"));
            say("  hint: `stocksync plan` shows them; `mode = \"live\"` in the store's section sends them");
        }
    }
    if let Some(problem) = &done.problem {
        complain(&format!("account {account}: incomplete: {problem}"));
    }
    if done.refused > 0 {
        complain(&format!(
            "account {account}: {} refused by Amazon; `stocksync plan` lists them with Amazon's words",
            done.refused
        ));
    }
    if let Some(parked) = &done.parked {
        complain(&format!("account {account}: not worked to the end: {parked}"));
    }
}
