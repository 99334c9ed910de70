//! Which listings there are, who ships them, and what they show: asked of Amazon, never assumed.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::{AccountCycle, CycleError, Event, Order};
use crate::http::Fault;
use crate::model::{Listing, MarketplaceId, SellerSku};
use crate::push::LookError;
use crate::store::Moved;

/// So few may well be taken off sale at once.
const VANISHED: usize = 20;

impl AccountCycle {
    /// The whole list, when it is older than it may be or nothing is to be believed; else only what was named.
    pub(super) async fn discover(&self, order: &Order) -> Result<(), CycleError> {
        self.progress.send(Event::Discovering { account: self.account.name.clone() });
        if !order.skus.is_empty() {
            return self.find_named(&order.skus).await;
        }
        let known = self.store.discovered(&self.account.name).await?;
        let oldest = SignedDuration::try_from(self.account.discover_every).unwrap_or(SignedDuration::MAX);
        let now = self.clock.now();
        let due: Vec<&MarketplaceId> = self
            .looker
            .marketplaces
            .iter()
            .filter(|&id| order.afresh || known.get(id).is_none_or(|at| now.duration_since(*at) >= oldest))
            .collect();
        // A report takes Amazon minutes; all of them together take no longer.
        let reports = due.into_iter().map(async |marketplace| {
            let report = self.client.report(marketplace).await;
            (marketplace, report)
        });
        let mut listed = self.looker.marketplaces.iter().filter(|id| known.contains_key(*id)).count();
        let mut without_list = None;
        for (marketplace, report) in futures_util::future::join_all(reports).await {
            match report {
                Ok(seller_skus) => {
                    tracing::info!(
                        event = "listings_discovered",
                        account = %self.account.name,
                        %marketplace,
                        listings = seller_skus.len(),
                        "listings discovered"
                    );
                    listed += 1;
                    let now = self.clock.now();
                    let moved = self.store.save_discovery(&self.account.name, marketplace, seller_skus, now).await?;
                    self.tell_vanished(marketplace, moved);
                }
                // An old list is better than none: what is on it is still looked at before it is sent anything.
                Err(fault) if !matches!(fault, Fault::Unauthorized { .. }) => {
                    tracing::warn!(
                        event = "discovery_failed",
                        account = %self.account.name,
                        %marketplace,
                        error = %fault,
                        "listings could not be discovered; the last list is used, if there is one"
                    );
                    without_list = Some(fault);
                }
                Err(fault) => return Err(self.amazon(fault)),
            }
        }
        // One country that has no list holds up no other one.
        match without_list {
            Some(fault) if listed == 0 => Err(self.amazon(fault)),
            _ => Ok(()),
        }
    }

    /// It may be meant, or the report may be short: what is not on it is kept no longer.
    fn tell_vanished(&self, marketplace: &MarketplaceId, moved: Moved) {
        let Moved { before, gone } = moved;
        if gone > VANISHED && gone * 2 > before {
            tracing::warn!(
                event = "listings_vanished",
                account = %self.account.name,
                %marketplace,
                before,
                gone,
                "most listings are no longer on Amazon's report, and get no quantities any more; where they are still \
                 listed in Seller Central, `stocksync resync` asks for a new report"
            );
        }
    }

    /// Looks for a few seller SKUs in every marketplace of the account, with or without a report.
    async fn find_named(&self, seller_skus: &[SellerSku]) -> Result<(), CycleError> {
        let mut found: BTreeMap<SellerSku, Vec<MarketplaceId>> = BTreeMap::new();
        for marketplace in &self.looker.marketplaces {
            for live in self.looker.find(marketplace, seller_skus).await.map_err(|fault| self.amazon(fault))? {
                found.entry(live.seller_sku).or_default().push(marketplace.clone());
            }
        }
        for marketplaces in found.values_mut() {
            marketplaces.sort_unstable();
        }
        Ok(self.store.add_presence(&self.account.name, found.into_iter().collect()).await?)
    }

    /// Reads channel and live quantity of these listings and keeps them.
    pub(super) async fn look(&self, listings: &[Listing]) -> Result<(), CycleError> {
        let account = &self.account.name;
        let seen = |listings| self.progress.send(Event::Looked { account: account.clone(), listings });
        self.looker.look(listings, seen).await.map(drop).map_err(|error| match error {
            LookError::Store(error) => error.into(),
            LookError::Amazon(fault) => self.amazon(fault),
        })
    }

    fn amazon(&self, fault: Fault) -> CycleError {
        CycleError::Amazon { account: self.account.name.clone(), fault }
    }
}
