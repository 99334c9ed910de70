//! `apply`: sends what a guard holds or what was planned into a file, as far as it is still true.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::now::Ask;
use super::terminal::say;
use super::{Exit, Failure, Format, plan, resync};
use crate::assembly::{Assembly, Scope};
use crate::clock::Clock;
use crate::config::{Config, StoreConfig};
use crate::cycle::{BY_APPLY, Decrees, decided};
use crate::model::{AccountName, SellerSku, StoreName};
use crate::plan::Released;
use crate::reason::Reason;
use crate::store::Store;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The id of a held plan, as `status` shows it, or a file that `plan --out` wrote
    #[arg(value_name = "PLAN", required_unless_present = "live")]
    plan: Option<String>,
    /// Let this store send, for the shop and the seller that the configuration names now; releases nothing
    #[arg(long, value_name = "STORE", conflicts_with = "plan")]
    live: Option<StoreName>,
    /// Wait also until Amazon has worked through the feeds that it sends
    #[arg(long)]
    wait: bool,
    /// Print only problems
    #[arg(long)]
    quiet: bool,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What somebody has looked at, by account.
#[derive(Debug, Default)]
struct Looked {
    quantities: BTreeMap<AccountName, Released>,
    stores: BTreeSet<StoreName>,
    held: Option<String>,
    shrunken: bool,
    /// Only this store is meant.
    is_named: bool,
}

/// What `plan --out` writes, as far as it matters here.
#[derive(serde::Deserialize)]
struct File {
    changes: Vec<Row>,
}

#[derive(serde::Deserialize)]
struct Row {
    account: AccountName,
    seller_sku: SellerSku,
    store: StoreName,
    to: u32,
}

pub(super) async fn run(args: Args, config: Arc<Config>, clock: Clock) -> Result<Exit, Failure> {
    let store = Assembly::open_store(&config)?;
    let now = clock.now();
    let looked = match (&args.plan, &args.live) {
        (Some(plan), _) if Path::new(plan).is_file() => from_file(Path::new(plan), &config)?,
        (Some(plan), _) => from_state(plan, &store, now).await?,
        (None, live) => named(live.as_ref(), &config)?,
    };
    let decrees = Decrees::load(&config, &store).await?;
    for one in looked.stores(&config) {
        if !decrees.is_live(one) {
            store.go_live(one.name(), decided(&config, one, BY_APPLY, now)).await?;
            say(&format!("store {} is live from now on: what its rules say is sent", one.name()));
        }
        if looked.shrunken {
            store.trust_products(&one.commerce).await?;
        }
    }
    let mut scope = Scope::new();
    for (account, quantities) in &looked.quantities {
        store.release(account, quantities.clone(), looked.held.clone(), now).await?;
        scope.push((account.clone(), BTreeSet::new()));
    }
    let (wait, quiet) = (args.wait, args.quiet);
    let ask = Ask { command: "apply", scope, skus: Vec::new(), afresh: false, wait, quiet };
    let outcomes = ask.work(&config, clock).await?;
    resync::report(args.format, quiet, &outcomes);
    let worked = resync::exit(&outcomes);
    if worked == Exit::Done && !quiet && args.format == Format::Table {
        for (account, quantities) in &looked.quantities {
            tell(&store, account, quantities).await?;
        }
    }
    Ok(worked)
}

/// How much of what was released was, or is being, sent.
async fn tell(store: &Store, account: &AccountName, quantities: &Released) -> Result<(), Failure> {
    let names: Vec<SellerSku> = quantities.keys().cloned().collect();
    let mut still: BTreeSet<SellerSku> = BTreeSet::new();
    for names in names.chunks(1000) {
        let listings = store.listings_named(Some(account), names).await?;
        let shown = listings.into_iter().filter(|listing| {
            let believed = listing.belief.believed().map(|believed| believed.quantity);
            believed == quantities.get(&listing.seller_sku).copied()
        });
        still.extend(shown.map(|listing| listing.seller_sku));
    }
    let waiting = store.waiting_quantities(account).await?;
    still.extend(waiting.into_iter().filter(|(sku, to)| quantities.get(sku) == Some(to)).map(|(sku, _)| sku));
    let (all, gone) = (quantities.len(), quantities.len() - still.len());
    if all > 0 {
        say(&format!("account {account}: of {all} released changes {} are still true, {gone} are not", still.len()));
    }
    Ok(())
}

impl Looked {
    /// The stores that decided, and those of the accounts that send it.
    fn stores<'a>(&'a self, config: &'a Config) -> impl Iterator<Item = &'a StoreConfig> {
        let countries: BTreeSet<&str> =
            config.stores.iter().filter(|one| self.stores.contains(one.name())).map(StoreConfig::country).collect();
        config.stores.iter().filter(move |one| {
            let own = self.quantities.contains_key(&one.account) && countries.contains(one.country());
            self.stores.contains(one.name()) || own && !self.is_named
        })
    }
}

fn named(live: Option<&StoreName>, config: &Config) -> Result<Looked, Failure> {
    plan::scope(config, live, None)?;
    let account = config.stores.iter().find(|one| Some(one.name()) == live).map(|one| one.account.clone());
    Ok(Looked {
        quantities: account.map(|account| (account, Released::new())).into_iter().collect(),
        stores: live.cloned().into_iter().collect(),
        is_named: true,
        ..Looked::default()
    })
}

fn from_file(path: &Path, config: &Config) -> Result<Looked, Failure> {
    let failed = |text: String| Failure(Exit::Failed, format!("read the plan {}: {text}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    let file: File = serde_json::from_str(&text)
        .map_err(|error| failed(format!("{error}\nhint: `stocksync plan --out FILE` writes one")))?;
    let mut looked = Looked::default();
    for Row { account, seller_sku, store, to } in file.changes {
        let known = config.stores.iter().any(|known| *known.name() == store);
        if !known || !config.accounts.iter().any(|known| known.name == account) {
            let which = format!("store {store} of account {account}");
            return Err(failed(format!("it is for {which}, which the configuration does not name")));
        }
        looked.quantities.entry(account).or_default().insert(seller_sku, to);
        looked.stores.insert(store);
    }
    if looked.quantities.is_empty() {
        return Err(failed("it holds no changes".to_owned()));
    }
    Ok(looked)
}

async fn from_state(id: &str, store: &Store, now: Timestamp) -> Result<Looked, Failure> {
    let Some((plan, quantities)) = store.held_plan(id).await? else {
        let open: Vec<String> = store.held_plans().await?.into_iter().map(|plan| plan.id).collect();
        let known = if open.is_empty() { "nothing is held".to_owned() } else { format!("held: {}", open.join(", ")) };
        return Err(Failure(Exit::Failed, format!("no held plan and no file {id}; {known}")));
    };
    // One that was added to may still be released: only what was looked at goes. So may one whose cycle never came.
    let left = store.released(&plan.account, now).await?;
    let unsent = quantities.iter().any(|(seller_sku, quantity)| left.get(seller_sku) == Some(quantity));
    if let Some((at, how)) = plan.ended.filter(|(_, how)| how == "gone" || how == "applied" && !unsent) {
        let text = if how == "applied" { "was released already" } else { "has ended: its cause is gone" };
        return Err(Failure(Exit::Failed, format!("the held plan {id} {text} ({at})")));
    }
    let shrunken = plan.guards.iter().any(|by| by.guard == Reason::GuardSourceShrunken.code());
    Ok(Looked {
        quantities: BTreeMap::from([(plan.account, quantities)]),
        stores: BTreeSet::from([plan.store]),
        held: Some(plan.id),
        shrunken,
        is_named: false,
    })
}
