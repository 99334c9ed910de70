//! The cycle: read what Commerce can sell, apply the rules, compare with what Amazon shows, queue what has to change.
//! A cycle carries no input but its scope: tick, resync, plan and recovery are this one function.

mod decide;
mod decrees;
mod discover;
mod explain;
mod facts;
mod first;
mod guarding;
mod pass;
mod progress;
mod sample;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::amazon::{Cause, Client};
use crate::clock::Clock;
use crate::config::{AccountConfig, Config, SkuMapping, StoreConfig};
use crate::http::{Fault, Hurry};
use crate::model::{AccountName, CommerceName, Listing, SellerSku, Sku, StoreName};
use crate::plan::{Change, Patience, Plan, Speeds, assign_lanes, sort};
use crate::push::{self, Looker};
use crate::store::{Settled, Store, StoreError};

use facts::{Facts, Mapped};
use pass::{Pass, Stage};

pub use decrees::{BY_APPLY, Decrees, decided};
pub use explain::{Explanation, Say, explain};
pub use facts::ReadState;
pub use first::Firsts;
pub use progress::{Event, Progress};
pub use sample::Sample;
pub use source::{Sources, commerce_access};

/// Listings decided at a time. Memory follows this number, not the catalogue.
const BATCH: u32 = 500;

/// What a cycle is for.
#[derive(Clone, Debug)]
pub struct Order {
    /// Why it runs, for logs and `status`.
    pub cause: &'static str,
    /// Only listings shown where these stores sell; none named means all of the account's.
    pub stores: BTreeSet<StoreName>,
    /// Only these seller SKUs; none named means all.
    pub skus: Vec<SellerSku>,
    /// Believe nothing: discover and look at everything in scope.
    pub afresh: bool,
    /// Read everything exactly, not only what may have moved.
    pub everything: bool,
    /// Readings of Commerce made before this do not count.
    pub read_since: Timestamp,
}

#[derive(Debug, thiserror::Error)]
pub enum CycleError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("work account {account}: {fault}")]
    Amazon { account: AccountName, fault: Fault },
    #[error("interrupted before anything was decided")]
    Interrupted,
}

impl CycleError {
    /// What only a person can put right.
    pub fn wants_a_person(&self) -> Option<Cause> {
        match self {
            Self::Amazon { fault, .. } => Cause::of(fault),
            Self::Store(_) | Self::Interrupted => None,
        }
    }
}

/// One account's part of the job.
#[derive(Clone, Debug)]
pub struct AccountCycle {
    pub config: Arc<Config>,
    pub account: AccountConfig,
    pub client: Arc<Client>,
    pub looker: Looker,
    pub sources: Arc<Sources>,
    pub firsts: Firsts,
    pub store: Store,
    pub clock: Clock,
    pub progress: Progress,
    /// How much of what was accepted is read back.
    pub sample: Arc<Sample>,
}

impl AccountCycle {
    /// The whole cycle but for the sending, which goes on beside it: the plan is kept before any of it takes effect.
    pub async fn run(&self, order: &Order) -> Result<Plan, CycleError> {
        let started_at = self.clock.now();
        self.end_what_is_over(started_at).await?;
        let (mut plan, settled, used_up) = self.decide(order).await?;
        self.remember_the_pair(&plan).await?;
        self.hold_back(&mut plan, order).await?;
        self.store.end_releases(&self.account.name, used_up).await?;
        self.store.record_plan(&plan, order.cause, self.scope_text(order), started_at).await?;
        let sendable: Vec<Change> = plan.changes.iter().filter(|change| change.live).cloned().collect();
        self.store.queue(&plan.id, &self.account.name, sendable, settled, started_at).await?;
        self.summarise(&plan, order, started_at);
        Ok(plan)
    }

    /// What [`Self::run`] would send and withhold, and why; queues nothing.
    pub async fn plan(&self, order: &Order) -> Result<Plan, CycleError> {
        Ok(self.decide(order).await?.0)
    }

    async fn decide(&self, order: &Order) -> Result<(Plan, Vec<Settled>, Vec<SellerSku>), CycleError> {
        self.discover_first(order).await?;
        let stores = self.stores_with_a_say();
        self.wait_for_those_beside(&stores).await?;
        let reads = self.read(&stores, order).await?;
        let waiting = self.store.waiting(&self.account.name).await?;
        let decrees = Decrees::load(&self.config, &self.store).await?;
        let released = self.store.released(&self.account.name, self.clock.now()).await?;
        let mut pass = Pass::new(self, order, stores.clone(), reads, waiting, decrees, released);
        let mut after = None;
        while let Some(listings) = self.next_batch(order, &mut after).await? {
            let unseen = |listing: &Listing| order.afresh || !listing.live;
            let (to_see, known): (Vec<Listing>, Vec<Listing>) = listings.into_iter().partition(unseen);
            pass.judge(&known, Stage::Known).await?;
            self.look(&to_see).await?;
            let names: Vec<SellerSku> = to_see.into_iter().map(|listing| listing.seller_sku).collect();
            pass.judge(&self.named(&names).await?, Stage::Looked).await?;
        }
        pass.ask_again().await?;
        self.learn_from_looking();
        self.find_never_shown(order, &mut pass).await?;
        let (mut decisions, reads) = (pass.result, pass.reads);
        self.store.save_basis(&self.account.name, std::mem::take(&mut decisions.held)).await?;
        self.store.forget_unapplied(&self.account.name, std::mem::take(&mut decisions.shown_right)).await?;
        sort(&mut decisions.changes);
        let held = self.guard(&mut decisions, &stores, order).await?;
        assign_lanes(&mut decisions.changes, &self.speeds().await?);
        decisions.withheld.sort_by(|a, b| a.seller_sku.cmp(&b.seller_sku));
        let problems: Vec<String> = reads
            .iter()
            .filter_map(|(commerce, read)| Some(format!("{commerce}: {}", read.problem.as_ref()?)))
            .collect();
        let plan = Plan {
            id: uuid::Uuid::now_v7().to_string(),
            account: self.account.name.clone(),
            at: self.clock.now(),
            changes: decisions.changes,
            withheld: decisions.withheld,
            unchanged: decisions.unchanged,
            listings: decisions.listings,
            look_at: decisions.look_at,
            held,
            products: reads.values().map(|read| read.products).sum(),
            problem: (!problems.is_empty()).then(|| problems.join("; ")),
        };
        Ok((plan, decisions.settled, decisions.used_up))
    }

    async fn speeds(&self) -> Result<Speeds, StoreError> {
        let (rate, expected) = (self.client.patch_rate(), self.config.push.feed_expected_time);
        push::speeds(&self.store, &self.account.name, rate, expected, self.clock.now()).await
    }

    /// Every store that may decide for a listing of this account: its own, and those of the same Commerce and country.
    pub fn stores_with_a_say(&self) -> Vec<&StoreConfig> {
        let own = |store: &&StoreConfig| store.account == self.account.name;
        let beside = |store: &&StoreConfig| {
            let mut own = self.config.stores.iter().filter(own);
            own.any(|own| own.commerce == store.commerce && own.country() == store.country())
        };
        self.config.stores.iter().filter(beside).collect()
    }

    /// Somebody waits: until these are dropped, no read of what this account sells waits for `max_load`, not even one of a
    /// cycle that is under way.
    pub fn hurry(&self) -> Vec<Hurry<'_>> {
        let commerces: BTreeSet<&CommerceName> =
            self.stores_with_a_say().into_iter().map(|store| &store.commerce).collect();
        self.sources.hurry(commerces.into_iter())
    }

    async fn read(
        &self,
        stores: &[&StoreConfig],
        order: &Order,
    ) -> Result<BTreeMap<CommerceName, ReadState>, CycleError> {
        let commerces: BTreeSet<&CommerceName> = stores.iter().map(|store| &store.commerce).collect();
        let mut reads = BTreeMap::new();
        for commerce in commerces {
            self.progress.send(Event::Reading { commerce: commerce.clone() });
            let named = self.products_named(commerce, stores, order).await?;
            let read =
                self.sources.read(&self.store, commerce, named.as_deref(), order.everything, order.read_since).await?;
            self.progress.send(Event::Read { commerce: commerce.clone(), products: read.products });
            reads.insert(commerce.clone(), read);
        }
        Ok(reads)
    }

    /// The products behind the named seller SKUs; `None` when everything has to be read.
    async fn products_named(
        &self,
        commerce: &CommerceName,
        stores: &[&StoreConfig],
        order: &Order,
    ) -> Result<Option<Vec<Sku>>, CycleError> {
        if order.skus.is_empty() {
            return Ok(None);
        }
        let facts = Facts::mappings(&self.store, stores, &order.skus).await?;
        let mut products = BTreeSet::new();
        for store in stores.iter().filter(|store| store.commerce == *commerce) {
            for seller_sku in &order.skus {
                match facts.map(store, seller_sku) {
                    Mapped::To(components) => products.extend(components.into_iter().map(|(sku, _)| sku)),
                    // An attribute that was never read may name it: only a full read can tell.
                    Mapped::Nothing if matches!(store.seller_sku, SkuMapping::Attribute(_)) => return Ok(None),
                    Mapped::Nothing | Mapped::Ambiguous(_) => {}
                }
            }
        }
        Ok(Some(products.into_iter().collect()))
    }

    async fn next_batch(
        &self,
        order: &Order,
        after: &mut Option<SellerSku>,
    ) -> Result<Option<Vec<Listing>>, CycleError> {
        let listings = match (&*order.skus, &after) {
            ([], _) => self.store.listings_after(&self.account.name, after.as_ref(), BATCH).await?,
            (names, None) => self.named(names).await?,
            (_, Some(_)) => Vec::new(),
        };
        let Some(last) = listings.last() else { return Ok(None) };
        *after = Some(last.seller_sku.clone());
        let scope: BTreeSet<&str> = self.scope(order).map(|store| store.marketplace.id).collect();
        let in_scope = |listing: &Listing| listing.marketplaces.iter().any(|id| scope.contains(id.as_str()));
        Ok(Some(listings.into_iter().filter(in_scope).collect()))
    }

    /// The listings of these names as they are known by now.
    async fn named(&self, names: &[SellerSku]) -> Result<Vec<Listing>, StoreError> {
        self.store.listings_named(Some(&self.account.name), names).await
    }

    /// Seller SKUs that a mapping file or a person names and Amazon does not show: said, never sent.
    async fn find_never_shown(&self, order: &Order, pass: &mut Pass<'_>) -> Result<(), CycleError> {
        let mut expected: BTreeMap<SellerSku, &StoreName> = BTreeMap::new();
        for store in self.scope(order) {
            if let (SkuMapping::Table(table), []) = (&store.seller_sku, &*order.skus) {
                expected.extend(table.iter().map(|(seller_sku, _)| (seller_sku.clone(), store.name())));
            }
            expected.extend(order.skus.iter().map(|seller_sku| (seller_sku.clone(), store.name())));
        }
        let names: Vec<SellerSku> = expected.keys().cloned().collect();
        for chunk in names.chunks(BATCH as usize) {
            let shown: BTreeSet<SellerSku> = self
                .named(chunk)
                .await?
                .into_iter()
                .filter(|listing| !listing.marketplaces.is_empty())
                .map(|listing| listing.seller_sku)
                .collect();
            for seller_sku in chunk.iter().filter(|seller_sku| !shown.contains(*seller_sku)) {
                pass.never_shown(expected[seller_sku], seller_sku.clone());
            }
        }
        Ok(())
    }

    fn scope<'a>(&'a self, order: &'a Order) -> impl Iterator<Item = &'a StoreConfig> {
        self.config.stores.iter().filter(|store| {
            store.account == self.account.name
                && (order.stores.is_empty() || order.stores.contains(store.name().as_str()))
        })
    }

    fn scope_text(&self, order: &Order) -> String {
        let names: Vec<&str> = self.scope(order).map(|store| store.name().as_str()).collect();
        names.join(" ")
    }

    fn learn_from_looking(&self) {
        let drifts = self.looker.tally.take();
        self.sample.learn(drifts);
        if drifts.any() {
            tracing::info!(
                event = "drift",
                account = %self.account.name,
                lost = drifts.lost,
                sale = drifts.sale,
                edit = drifts.edit,
                "amazon showed other quantities than were believed"
            );
        }
    }

    /// The one line that says what a cycle did.
    fn summarise(&self, plan: &Plan, order: &Order, started_at: Timestamp) {
        let withheld = plan.withheld_by_reason();
        let text: Vec<String> = withheld.iter().map(|(reason, count)| format!("{reason}={count}")).collect();
        let queued = plan.changes.iter().filter(|change| change.live).count();
        let (changes, withheld) = (plan.changes.len(), plan.withheld.len());
        self.progress.send(Event::Planned {
            account: self.account.name.clone(),
            changes: changes as u64,
            queued: queued as u64,
            unchanged: plan.unchanged,
            withheld: withheld as u64,
        });
        tracing::info!(
            event = "cycle_planned",
            account = %self.account.name,
            stores = self.scope_text(order),
            cause = order.cause,
            plan_id = %plan.id,
            products = plan.products,
            listings = plan.listings,
            changes,
            queued,
            unchanged = plan.unchanged,
            withheld,
            withheld_by_reason = text.join(" "),
            conflicts = plan.conflicts(),
            problem = plan.problem.as_deref().unwrap_or_default(),
            duration_ms = i64::try_from(plan.at.duration_since(started_at).as_millis()).unwrap_or(i64::MAX),
            "cycle planned"
        );
    }
}

/// How long a belief is good.
fn patience(config: &Config) -> Patience {
    let push = &config.push;
    Patience {
        verify_after: push.verify_after,
        verify_every: push.verify_every,
        verify_static_every: push.verify_static_every,
    }
}
