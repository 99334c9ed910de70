//! `plan`: what a cycle would send and withhold.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::FutureExt;
use jiff::Timestamp;

use super::terminal::{Bar, complain, say};
use super::{Exit, Failure, Format, render};
use crate::assembly::{Assembly, Scope};
use crate::clock::Clock;
use crate::config::Config;
use crate::cycle::Order;
use crate::model::{AccountName, SellerSku, StoreName};
use crate::plan::{Change, Plan, Withheld, sort};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only this store's listings
    #[arg(long, value_name = "STORE")]
    store: Option<StoreName>,
    /// Only this seller SKU; may be given several times
    #[arg(long, value_name = "SKU", value_parser = super::seller_sku)]
    sku: Vec<SellerSku>,
    /// Write the plan as JSON to this file as well
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Exit with 3 when there is something to send
    #[arg(long)]
    exit_code: bool,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) async fn run(args: Args, config: Arc<Config>, clock: Clock) -> Result<Exit, Failure> {
    let scope = scope(&config, args.store.as_ref(), None)?;
    let plans = plans(&config, &scope, args.sku, false, clock).await;
    let merged = Merged::of(plans.iter().filter_map(|(_, plan)| plan.as_ref().ok()), clock.now());
    if let Some(path) = &args.out {
        std::fs::write(path, format!("{}\n", merged.json()))
            .map_err(|error| Failure(Exit::Failed, format!("write {}: {error}", path.display())))?;
    }
    merged.show(args.format, false);
    let mut failed = false;
    for (account, error) in plans.iter().filter_map(|(account, plan)| Some((account, plan.as_ref().err()?))) {
        complain(&format!("account {account}: {error}"));
        failed = true;
    }
    // A shop that could not be read has not said that there is nothing to send.
    failed |= args.exit_code && merged.read_nothing();
    Ok(match (failed, args.exit_code && !merged.changes.is_empty()) {
        (true, _) => Exit::Failed,
        (false, true) => Exit::Changes,
        (false, false) => Exit::Done,
    })
}

/// What the options mean.
pub(super) fn scope(
    config: &Config,
    store: Option<&StoreName>,
    account: Option<&AccountName>,
) -> Result<Scope, Failure> {
    let usage = |text: String| Failure(Exit::Usage, text);
    let names = |names: Vec<&str>| names.join(", ");
    if let Some(account) = account
        && !config.accounts.iter().any(|known| known.name == *account)
    {
        let known = names(config.accounts.iter().map(|known| known.name.as_str()).collect());
        return Err(usage(format!("no account {account} in the configuration; there are: {known}")));
    }
    let Some(store) = store else {
        let accounts = config.accounts.iter().map(|known| &known.name);
        let meant = accounts.filter(|name| account.is_none_or(|account| account == *name));
        return Ok(meant.map(|name| (name.clone(), BTreeSet::new())).collect());
    };
    let Some(found) = config.stores.iter().find(|known| known.name() == store) else {
        let known = names(config.stores.iter().map(|known| known.name().as_str()).collect());
        return Err(usage(format!("no store {store} in the configuration; there are: {known}")));
    };
    if account.is_some_and(|account| *account != found.account) {
        return Err(usage(format!("store {store} belongs to account {}", found.account)));
    }
    Ok(vec![(found.account.clone(), BTreeSet::from([store.clone()]))])
}

/// Plans every account side by side; one that fails does not keep the others from their plan.
pub(super) async fn plans(
    config: &Arc<Config>,
    scope: &Scope,
    skus: Vec<SellerSku>,
    afresh: bool,
    clock: Clock,
) -> Vec<(AccountName, Result<Plan, String>)> {
    let bar = Bar::new(true);
    bar.message("reading".into());
    let assembly = Assembly::open_store(config)
        .map_err(|error| error.to_string())
        .and_then(|store| Assembly::new(Arc::clone(config), store, clock, seed()).map_err(|error| error.to_string()));
    let assembly = match assembly {
        Ok(assembly) => assembly,
        Err(error) => return scope.iter().map(|(account, _)| (account.clone(), Err(error.clone()))).collect(),
    };
    let order =
        Order { cause: "plan", stores: BTreeSet::new(), skus, afresh, everything: true, read_since: clock.now() };
    let plans = assembly.side_by_side(scope, &order, async |work, order| work.cycle.plan(order).boxed().await).await;
    plans.into_iter().map(|(account, plan)| (account, plan.map_err(|error| error.to_string()))).collect()
}

/// Where jitter starts from: another place in every process.
pub(super) fn seed() -> u64 {
    uuid::Uuid::now_v7().as_u64_pair().1
}

/// The plans of several accounts as one.
#[derive(Debug, Default)]
pub(super) struct Merged {
    at: Timestamp,
    changes: Vec<Change>,
    withheld: Vec<Withheld>,
    unchanged: u64,
    problems: Vec<String>,
}

impl Merged {
    pub(super) fn of<'a>(plans: impl Iterator<Item = &'a Plan>, at: Timestamp) -> Self {
        let mut merged = Self { at, ..Self::default() };
        for plan in plans {
            merged.changes.extend_from_slice(&plan.changes);
            merged.withheld.extend_from_slice(&plan.withheld);
            merged.unchanged += plan.unchanged;
            merged.problems.extend(plan.problem.clone());
        }
        sort(&mut merged.changes);
        merged.withheld.sort_by(|a, b| (&a.account, &a.seller_sku).cmp(&(&b.account, &b.seller_sku)));
        merged.problems.dedup();
        merged
    }

    fn json(&self) -> String {
        let changes = self.changes.iter().map(|change| {
            serde_json::json!({
                "account": change.account,
                "seller_sku": change.seller_sku,
                "store": change.store,
                "country": change.country,
                "marketplace_id": change.marketplace,
                "from": change.from,
                "to": change.to,
                "lane": change.lane.as_str(),
                "priority": change.priority,
                "reasons": change.reasons,
            })
        });
        let withheld = self.withheld.iter().map(|withheld| {
            serde_json::json!({
                "account": withheld.account,
                "seller_sku": withheld.seller_sku,
                "store": withheld.store,
                "reason": withheld.reason,
                "detail": withheld.detail,
            })
        });
        let plan = serde_json::json!({
            "generated_at": self.at.to_string(),
            "changes": changes.collect::<Vec<_>>(),
            "withheld": withheld.collect::<Vec<_>>(),
            "unchanged": self.unchanged,
        });
        format!("{plan:#}")
    }

    /// Shows it on stdout; what JSON has no place for goes to stderr.
    pub(super) fn show(&self, format: Format, quiet: bool) {
        match format {
            Format::Json => {
                say(&self.json());
                self.problems().chain(self.hint()).for_each(|line| complain(&line));
            }
            Format::Table if quiet => self.problems().for_each(|line| complain(&line)),
            Format::Table => self.print(),
        }
    }

    fn print(&self) {
        if !self.changes.is_empty() {
            say(&render::changes(&self.changes));
            say("");
        }
        if !self.withheld.is_empty() {
            say(&render::withheld(&self.withheld));
            say("");
        }
        say(&format!("{} to send, {} withheld, {} unchanged", self.changes.len(), self.withheld.len(), self.unchanged));
        self.problems().chain(self.hint()).for_each(|line| say(&line));
    }

    fn read_nothing(&self) -> bool {
        !self.problems.is_empty() && self.changes.is_empty() && self.unchanged == 0
    }

    /// What kept the plans from being whole.
    fn problems(&self) -> impl Iterator<Item = String> {
        self.problems.iter().map(|problem| format!("incomplete: {problem}"))
    }

    fn hint(&self) -> Option<String> {
        let observing: Vec<&str> =
            self.changes.iter().filter(|change| !change.live).map(|change| change.store.as_str()).collect();
        let stores: BTreeSet<&str> = observing.iter().copied().collect();
        let stores: Vec<&str> = stores.into_iter().collect();
        (!observing.is_empty()).then(|| {
            let (count, stores) = (observing.len(), stores.join(", "));
            format!("hint: {count} of them would not leave: {stores} observe(s); set `mode = \"live\"`")
        })
    }
}
