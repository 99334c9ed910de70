//! `status`: what each store and account did, does and will do.

mod decided;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use decided::Decided;

use super::terminal::say;
use super::{Exit, Failure, Format, render};
use crate::assembly::Assembly;
use crate::clock::Clock;
use crate::config::{AccountConfig, Config, StoreConfig};
use crate::model::{SellerSku, Unapplied};
use crate::plan::Priority;
use crate::store::{CycleRecord, FeedState, OpenFeed, Store, StoreError, SweepRecord, Trouble};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// One account as it stands.
struct Account<'a> {
    config: &'a AccountConfig,
    stores: Vec<&'a StoreConfig>,
    last: Option<CycleRecord>,
    backlog: Vec<(Priority, u64)>,
    oldest_zero: Option<Timestamp>,
    feeds: Vec<OpenFeed>,
    trouble: Option<Trouble>,
    /// By cause, of the last day.
    drift: BTreeMap<String, u64>,
    /// How many listings do not show what Amazon accepted, and the first of them.
    not_applied: (u64, Vec<(SellerSku, Unapplied)>),
}

/// Only what is lost more than once counts as not applied: a single one is sent again at once.
const LOST_AGAIN: u32 = 2;
/// In JSON; people see the first one.
const NAMED_AT_MOST: u32 = 100;
const DRIFT_OF: SignedDuration = SignedDuration::from_hours(24);

pub(super) async fn run(args: Args, config: &Config, clock: Clock) -> Result<Exit, Failure> {
    let (store, now) = (Assembly::open_store(config)?, clock.now());
    let mut accounts = Vec::new();
    for account in &config.accounts {
        accounts.push(look(config, account, &store, now).await?);
    }
    let decided = Decided::load(config, &store).await?;
    let mut commerces = BTreeMap::new();
    for commerce in &config.commerces {
        commerces.insert(commerce.name.as_str(), store.sweep(&commerce.name).await?);
    }
    match args.format {
        Format::Json => say(&json(&accounts, &commerces, &decided, now)),
        Format::Table => print(&accounts, &commerces, &decided, now),
    }
    Ok(Exit::Done)
}

async fn look<'a>(
    config: &'a Config,
    account: &'a AccountConfig,
    store: &Store,
    now: Timestamp,
) -> Result<Account<'a>, StoreError> {
    let a_day_ago = now.checked_sub(DRIFT_OF).unwrap_or(Timestamp::MIN);
    let (backlog, oldest_zero) = store.backlog_by_priority(&account.name).await?;
    Ok(Account {
        config: account,
        stores: config.stores.iter().filter(|store| store.account == account.name).collect(),
        last: store.cycles(&account.name, 1).await?.into_iter().next(),
        backlog,
        oldest_zero,
        feeds: store.open_feeds(&account.name).await?,
        trouble: store.trouble(&account.name).await?,
        drift: store.drifted_since(&account.name, a_day_ago).await?,
        not_applied: store.unapplied(&account.name, LOST_AGAIN, NAMED_AT_MOST).await?,
    })
}

impl Account<'_> {
    fn state(&self) -> &'static str {
        match (&self.trouble, &self.last) {
            (Some(_), _) => "trouble",
            (None, None) => "not_started",
            // A cycle of `resync` has no service that would be in trouble over it.
            (None, Some(last)) if last.problem.is_some() => "incomplete",
            (None, Some(_)) if self.waiting() > 0 || !self.feeds.is_empty() => "sending",
            (None, Some(_)) => "in_step",
        }
    }

    /// While a person has to put something right, the schedule waits for the next try.
    fn next_tick(&self, store: &StoreConfig, now: Timestamp) -> Option<Timestamp> {
        let parked = self.trouble.as_ref().filter(|trouble| trouble.cause.is_some() && trouble.retry_at > now);
        parked.map_or_else(|| store.schedule.next_after(now), |trouble| Some(trouble.retry_at))
    }

    fn waiting(&self) -> u64 {
        self.backlog.iter().map(|row| row.1).sum()
    }
}

fn feed(feed: &OpenFeed) -> serde_json::Value {
    serde_json::json!({
        "feed_id": feed.feed_id,
        "state": feed.state.as_str(),
        "messages": feed.messages,
        "since": feed.made_at,
    })
}

fn not_applied(account: &Account<'_>) -> Vec<serde_json::Value> {
    let listings = account.not_applied.1.iter();
    let row = |(seller_sku, unapplied): &(SellerSku, Unapplied)| {
        serde_json::json!({
            "seller_sku": seller_sku,
            "times": unapplied.times,
            "found_at": unapplied.found_at,
            "evidence": unapplied.evidence,
        })
    };
    listings.map(row).collect()
}

fn json(
    accounts: &[Account<'_>],
    commerces: &BTreeMap<&str, Option<SweepRecord>>,
    decided: &Decided,
    now: Timestamp,
) -> String {
    let rows = accounts.iter().map(|account| {
        let backlog: BTreeMap<&str, u64> = account.backlog.iter().map(|row| (row.0.as_str(), row.1)).collect();
        serde_json::json!({
            "name": account.config.name,
            "state": account.state(),
            "last_cycle": account.last,
            "backlog": backlog,
            "oldest_zero_since": account.oldest_zero,
            "open_feeds": account.feeds.iter().map(feed).collect::<Vec<_>>(),
            "trouble": account.trouble,
            "drift_in_24h": account.drift,
            "not_applied": { "count": account.not_applied.0, "listings": not_applied(account) },
        })
    });
    let stores = accounts.iter().flat_map(|account| {
        account.stores.iter().map(|store| {
            serde_json::json!({
                "name": store.name(),
                "account": store.account,
                "commerce": store.commerce,
                "country": store.country(),
                "mode": decided.mode(store),
                "state": account.state(),
                "last_cycle": account.last.as_ref().map(|last| last.planned_at),
                "next_tick": account.next_tick(store, now),
            })
        })
    });
    let commerces = commerces.iter().map(|(name, sweep)| {
        serde_json::json!({
            "name": name,
            "edition": sweep.as_ref().map(|sweep| sweep.edition.clone()),
            "read_at": sweep.as_ref().map(|sweep| sweep.started_at),
            "read": sweep.as_ref().map(|sweep| if sweep.full { "full" } else { "watch" }),
            "requests": sweep.as_ref().map(|sweep| sweep.requests),
            "busy_ms": sweep.as_ref().map(|sweep| u64::try_from(sweep.busy.as_millis()).unwrap_or(u64::MAX)),
            "complete": sweep.as_ref().map(|sweep| sweep.complete),
            "products": sweep.as_ref().map(|sweep| sweep.products),
            "problem": sweep.as_ref().and_then(|sweep| sweep.problem.clone()),
            "last_complete_at": sweep.as_ref().and_then(|sweep| sweep.last_complete_at),
        })
    });
    let mut status = serde_json::json!({
        "generated_at": now,
        "accounts": rows.collect::<Vec<_>>(),
        "stores": stores.collect::<Vec<_>>(),
        "commerces": commerces.collect::<Vec<_>>(),
    });
    for (key, value) in decided.json() {
        status[key] = value;
    }
    format!("{status:#}")
}

fn print(accounts: &[Account<'_>], commerces: &BTreeMap<&str, Option<SweepRecord>>, decided: &Decided, now: Timestamp) {
    let rows = accounts.iter().flat_map(|account| {
        account.stores.iter().map(|store| {
            let next = account.next_tick(store, now);
            vec![
                store.name().to_string(),
                store.account.to_string(),
                store.country().to_owned(),
                decided.mode(store).to_owned(),
                account.state().replace('_', " "),
                account.last.as_ref().map_or_else(|| "never".into(), |last| render::ago(last.planned_at, now)),
                next.map_or_else(|| "never".into(), |next| render::ago(next, now)),
            ]
        })
    });
    let header = ["store", "account", "country", "mode", "state", "last cycle", "next tick"];
    say(&render::table(&header, rows, &[]));
    for account in accounts {
        say("");
        print_account(account, now);
    }
    decided.print(now);
    say("");
    for (name, sweep) in commerces {
        match sweep {
            None => say(&format!("commerce {name}: not read yet")),
            Some(sweep) if sweep.complete => {
                say(&format!(
                    "commerce {name}: {} products, read {}; {}",
                    sweep.products,
                    render::ago(sweep.started_at, now),
                    sweep.edition
                ));
                say(&format!(
                    "  {}: {} requests, {:.1} s of the shop's time",
                    if sweep.full { "everything was read" } else { "what may have moved was read" },
                    sweep.requests,
                    sweep.busy.as_secs_f64()
                ));
            }
            Some(sweep) => {
                let complete = sweep.last_complete_at.map_or_else(|| "never".into(), |at| render::ago(at, now));
                let problem = sweep.problem.as_deref().unwrap_or("not complete");
                say(&format!(
                    "commerce {name}: read {} but not completely: {problem}",
                    render::ago(sweep.started_at, now)
                ));
                say(&format!("  last complete read: {complete}; what is unknown keeps its quantity on Amazon"));
            }
        }
    }
}

fn print_account(account: &Account<'_>, now: Timestamp) {
    let name = &account.config.name;
    match &account.last {
        None => say(&format!("account {name}: no cycle yet")),
        Some(last) => {
            say(&format!(
                "account {name}: {} listings; last cycle: {} unchanged, {} changes ({} to send)",
                last.listings, last.unchanged, last.changes, last.queued
            ));
            if last.conflicts > 0 {
                say(&format!("  in {} of them the account's countries disagree (country_conflict)", last.conflicts));
            }
            if !last.withheld.is_empty() {
                let counts: Vec<String> =
                    last.withheld.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
                say(&format!("  withheld: {}", counts.join(", ")));
            }
            if let Some(problem) = &last.problem {
                say(&format!("  incomplete: {problem}"));
            }
        }
    }
    if account.waiting() > 0 {
        let waiting: Vec<String> =
            account.backlog.iter().map(|(priority, count)| format!("{count} {}", priority.as_str())).collect();
        say(&format!("  waiting to be sent: {}", waiting.join(", ")));
    }
    if let Some(since) = account.oldest_zero {
        say(&format!("  oldest unsent zero: {}", render::ago(since, now)));
    }
    for feed in &account.feeds {
        let id = feed.feed_id.as_deref().unwrap_or("without an id yet");
        let stuck = if feed.state == FeedState::Stuck { ", stuck: ask Selling Partner support" } else { "" };
        say(&format!("  feed {id}: {} changes, since {}{stuck}", feed.messages, render::ago(feed.made_at, now)));
    }
    if let (count, Some((seller_sku, unapplied))) = (account.not_applied.0, account.not_applied.1.first()) {
        let listings = if count == 1 { "listing" } else { "listings" };
        say(&format!("  not applied by amazon: {count} {listings}, the first:"));
        let seen = render::ago(unapplied.found_at, now);
        say(&format!("    {seller_sku}: {} times, last seen {seen}", unapplied.times));
        say(&format!("    {}", unapplied.evidence));
    }
    if !account.drift.is_empty() {
        let causes: Vec<String> = account.drift.iter().map(|(cause, count)| format!("{count} {cause}")).collect();
        say(&format!("  drift in the last 24 hours: {}", causes.join(", ")));
    }
    if let Some(trouble) = &account.trouble {
        let cause = trouble.cause.as_deref().map(|cause| format!(", {}", cause.replace('_', " "))).unwrap_or_default();
        say(&format!(
            "  trouble since {}{cause}; next try {}",
            render::ago(trouble.since, now),
            next_try(trouble, now)
        ));
        say(&render::wrapped("   ", &trouble.text));
    }
}

/// It may be due, or there may be no service that tries.
fn next_try(trouble: &Trouble, now: Timestamp) -> String {
    if trouble.retry_at > now { render::ago(trouble.retry_at, now) } else { "with the next cycle".to_owned() }
}
