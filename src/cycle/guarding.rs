//! Nothing dangerous leaves unseen: guards over the finished plan, and what they hold until somebody releases it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::decrees::Decrees;
use super::pass::Decisions;
use super::{AccountCycle, CycleError, Order};
use crate::config::StoreConfig;
use crate::model::{GuardLimits, StoreName};
use crate::plan::{Extent, HeldBack, Plan, Withheld, guard};
use crate::store::{HeldBy, Holding};

impl AccountCycle {
    /// Takes what is dangerous out of the changes and says so.
    pub(super) async fn guard(
        &self,
        decisions: &mut Decisions,
        stores: &[&StoreConfig],
        order: &Order,
    ) -> Result<Vec<HeldBack>, CycleError> {
        self.find_shrunken(decisions, stores).await?;
        if !order.skus.is_empty() {
            // A few listings by name are no measure of the store's.
            decisions.extents.values_mut().for_each(Extent::forget_size);
        }
        // What waits passed the guards of an earlier cycle.
        let mut released = self.store.waiting_quantities(&self.account.name).await?;
        released.extend(decisions.released.clone());
        let limits: BTreeMap<&StoreName, GuardLimits> =
            stores.iter().map(|store| (store.name(), store.guards)).collect();
        let limits = |store: &StoreName| limits.get(store).copied().unwrap_or_default();
        let changes = std::mem::take(&mut decisions.changes);
        let guarded = guard(changes, &decisions.extents, limits, &released);
        decisions.changes = guarded.passed;
        let mut held: BTreeMap<StoreName, HeldBack> = BTreeMap::new();
        for trip in guarded.trips {
            let store = trip.store.clone();
            let back = held.entry(store.clone()).or_insert_with(|| HeldBack {
                store,
                trips: Vec::new(),
                changes: Vec::new(),
                id: None,
            });
            back.trips.push(trip);
        }
        for (change, reason) in guarded.held {
            // Whatever waits to be sent for it is not what is wanted.
            decisions.settle(&change.seller_sku, None);
            let Some(back) = held.get_mut(&change.store) else { continue };
            let trip = back.trips.iter().find(|trip| trip.guard == reason);
            decisions.withheld.push(Withheld {
                account: change.account.clone(),
                seller_sku: change.seller_sku.clone(),
                store: change.store.clone(),
                reason,
                detail: trip.map(|trip| trip.detail.clone()).unwrap_or_default(),
            });
            back.changes.push(change);
        }
        Ok(held.into_values().collect())
    }

    async fn find_shrunken(&self, decisions: &mut Decisions, stores: &[&StoreConfig]) -> Result<(), CycleError> {
        let ratio = self.config.guards.min_source_ratio_thousandths;
        let commerces: BTreeSet<_> = stores.iter().map(|store| &store.commerce).collect();
        for commerce in commerces {
            let Some(shrunken) = self.store.shrunken(commerce, ratio).await? else { continue };
            for store in stores.iter().filter(|store| store.commerce == *commerce) {
                decisions.extents.entry(store.name().clone()).or_default().shrunken = Some(shrunken);
            }
        }
        Ok(())
    }

    /// What was to end by now has ended, and says so. Nothing waits for stores that do not send.
    pub(super) async fn end_what_is_over(&self, now: Timestamp) -> Result<(), CycleError> {
        let (pauses, words) = self.store.expire_decisions(now).await?;
        for pause in pauses {
            tracing::info!(event = "pause_ended", scope = %pause.scope, reason = pause.reason, "a pause has ended");
        }
        for word in words {
            let what = if word.quantity.is_some() { "an override has ended" } else { "a hold has ended" };
            tracing::info!(event = "hold_ended", seller_sku = %word.seller_sku, reason = word.reason, "{what}");
        }
        let decrees = Decrees::load(&self.config, &self.store).await?;
        for (store, live) in &decrees.strangers {
            tracing::error!(
                event = "state_of_another_pair",
                %store,
                shop = live.base_url,
                seller_id = live.seller_id,
                "this state went live for another shop or seller, so nothing is sent; give a copy a state of its own, or say that it is meant: `stocksync apply --live STORE`"
            );
        }
        let live: Vec<StoreName> = self
            .config
            .stores
            .iter()
            .filter(|store| decrees.is_live(store))
            .map(|store| store.name().clone())
            .collect();
        Ok(self.store.keep_waiting_only(&self.account.name, &live).await?)
    }

    /// What is live is live for this shop and this seller, once both have answered.
    pub(super) async fn remember_the_pair(&self, plan: &Plan) -> Result<(), CycleError> {
        if plan.problem.is_some() {
            return Ok(());
        }
        let decrees = Decrees::load(&self.config, &self.store).await?;
        Ok(decrees.remember(&self.config, &self.store, self.clock.now()).await?)
    }

    /// Keeps what is held, under an id that releases it. Only a cycle over everything that a store decides can tell that
    /// a cause is gone.
    pub(super) async fn hold_back(&self, plan: &mut Plan, order: &Order) -> Result<(), CycleError> {
        // What is not known, or paused, says nothing about the cause.
        if !order.skus.is_empty() || plan.problem.is_some() {
            return Ok(());
        }
        let at = plan.at;
        let decrees = Decrees::load(&self.config, &self.store).await?;
        let asked: BTreeSet<&str> = self.scope(order).map(StoreConfig::country).collect();
        let said = self.stores_with_a_say();
        let judged = said.iter().filter(|store| asked.contains(store.country()));
        let judged = judged.filter(|store| decrees.pause(&self.account.name, store.name()).is_none());
        let judged: BTreeSet<StoreName> = judged.map(|store| store.name().clone()).collect();
        for store in judged {
            let back = plan.held.iter_mut().find(|back| back.store == store);
            let (guards, changes) = match &back {
                Some(back) => {
                    let guards = back.trips.iter().map(|trip| HeldBy {
                        guard: trip.guard.code().to_owned(),
                        held: trip.held,
                        detail: trip.detail.clone(),
                    });
                    let changes = back.changes.iter().filter(|change| change.live).cloned();
                    (guards.collect(), changes.collect())
                }
                None => (Vec::new(), Vec::new()),
            };
            match self.store.hold_back(&self.account.name, &store, &plan.id, guards, changes, at).await? {
                Holding::None => {}
                Holding::Held(id, is_new) => {
                    let Some(back) = back else { continue };
                    if is_new {
                        let why: Vec<&str> = back.trips.iter().map(|trip| trip.detail.as_str()).collect();
                        tracing::error!(
                            event = "plan_held",
                            account = %self.account.name,
                            %store,
                            changes = back.changes.len(),
                            why = why.join("; "),
                            release = format!("stocksync apply {id}"),
                            "a guard holds changes back; look at them, and release them if they are right"
                        );
                    }
                    back.id = Some(id);
                }
                Holding::Ended(id) => tracing::info!(
                    event = "held_plan_ended",
                    account = %self.account.name,
                    %store,
                    held_plan = id,
                    "what was held is no longer wanted"
                ),
            }
        }
        Ok(())
    }
}
