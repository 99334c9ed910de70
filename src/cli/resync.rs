//! `resync`: one cycle now, believing nothing, in the running service or here.

use std::sync::Arc;

use super::now::{Ask, Outcomes, worked};
use super::plan;
use super::terminal::{complain, say};
use super::{Exit, Failure, Format};
use crate::assembly::Scope;
use crate::clock::Clock;
use crate::config::Config;
use crate::daemon::Done;
use crate::model::{AccountName, SellerSku, StoreName};

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

pub(super) async fn run(args: Args, config: Arc<Config>, clock: Clock) -> Result<Exit, Failure> {
    let scope = plan::scope(&config, args.store.as_ref(), args.account.as_ref())?;
    if args.dry_run {
        return dry_run(&args, &config, &scope, clock).await;
    }
    let ask =
        Ask { command: "resync", scope, skus: args.sku.clone(), afresh: true, wait: args.wait, quiet: args.quiet };
    let outcomes = ask.work(&config, clock).await?;
    report(args.format, args.quiet, &outcomes);
    Ok(exit(&outcomes))
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

pub(super) fn exit(outcomes: &Outcomes) -> Exit {
    let worked = |outcome: &Result<Done, String>| outcome.as_ref().is_ok_and(worked);
    if outcomes.values().all(worked) { Exit::Done } else { Exit::Failed }
}

/// What a cycle that somebody asked for came to.
pub(super) fn report(format: Format, quiet: bool, outcomes: &Outcomes) {
    if format == Format::Json {
        let rows = outcomes.iter().map(|(account, outcome)| match outcome {
            Ok(done) => serde_json::json!({ "account": account, "done": done }),
            Err(error) => serde_json::json!({ "account": account, "error": error }),
        });
        say(&format!("{:#}", serde_json::json!({ "accounts": rows.collect::<Vec<_>>() })));
        return;
    }
    for (account, outcome) in outcomes {
        match outcome {
            Ok(done) => report_one(quiet, account, done),
            Err(error) => complain(&format!("account {account}: {error}")),
        }
    }
}

fn report_one(quiet: bool, account: &AccountName, done: &Done) {
    if !quiet {
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
    for held in &done.held {
        complain(&format!(
            "account {account}: {} changes of store {} are held back: {}",
            held.changes, held.store, held.why
        ));
        complain(&format!("  release them, if they are right: stocksync apply {}", held.id));
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
