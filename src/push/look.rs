//! Looks at listings on Amazon: who ships them now, and which quantity they show.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use jiff::Timestamp;

use crate::amazon::{Client, Live};
use crate::clock::Clock;
use crate::http::Fault;
use crate::model::{AccountName, Listing, MarketplaceId, SellerSku};
use crate::plan::{drift, settled};
use crate::store::{Observation, Store, StoreError};

use super::Tally;

/// Kept small enough that what was learnt is kept soon, large enough that the searches of it keep Amazon's rate busy.
pub(super) const CHUNK: usize = 400;

#[derive(Debug, thiserror::Error)]
pub enum LookError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("look at listings: {0}")]
    Amazon(#[from] Fault),
}

/// One account's eyes.
#[derive(Clone, Debug)]
pub struct Looker {
    pub account: AccountName,
    pub client: Arc<Client>,
    pub store: Store,
    pub clock: Clock,
    /// Where the account's stores sell.
    pub marketplaces: BTreeSet<MarketplaceId>,
    /// How long Amazon may show the old quantity after it accepted a new one.
    pub verify_after: Duration,
    pub tally: Arc<Tally>,
}

impl Looker {
    /// Reads channel and live quantity of these listings and keeps them; `seen` is told how many as it goes. Says where
    /// each was found: of the marketplaces that it names, the first in which Amazon shows it.
    pub async fn look(
        &self,
        listings: &[Listing],
        seen: impl Fn(usize),
    ) -> Result<BTreeMap<SellerSku, MarketplaceId>, LookError> {
        let mut places = BTreeMap::new();
        for chunk in listings.chunks(CHUNK) {
            // What Amazon says is as old as the question.
            let at = self.clock.now();
            let found = self.find_first(chunk).await?;
            self.keep(chunk, &found, at).await?;
            places.extend(found.into_iter().map(|(seller_sku, (marketplace, _))| (seller_sku, marketplace)));
            seen(chunk.len());
        }
        Ok(places)
    }

    /// A search speaks for one marketplace; the quantity is the same in all of them. So the next one is asked only
    /// about what the one before does not show.
    async fn find_first(&self, listings: &[Listing]) -> Result<BTreeMap<SellerSku, (MarketplaceId, Live)>, Fault> {
        let mut found = BTreeMap::new();
        for nth in 0..self.marketplaces.len() {
            let mut by_marketplace: BTreeMap<&MarketplaceId, Vec<SellerSku>> = BTreeMap::new();
            for listing in listings.iter().filter(|listing| !found.contains_key(&listing.seller_sku)) {
                let mut ours = listing.marketplaces.iter().filter(|id| self.marketplaces.contains(*id));
                if let Some(marketplace) = ours.nth(nth) {
                    by_marketplace.entry(marketplace).or_default().push(listing.seller_sku.clone());
                }
            }
            for (marketplace, names) in by_marketplace {
                let lives = self.find(marketplace, &names).await?.into_iter();
                found.extend(lives.map(|live| (live.seller_sku.clone(), (marketplace.clone(), live))));
            }
        }
        Ok(found)
    }

    async fn keep(
        &self,
        listings: &[Listing],
        found: &BTreeMap<SellerSku, (MarketplaceId, Live)>,
        at: Timestamp,
    ) -> Result<(), LookError> {
        let names: Vec<SellerSku> = listings.iter().map(|listing| listing.seller_sku.clone()).collect();
        // As they are by now: something may have been accepted right before the question.
        let listings = self.store.listings_named(Some(&self.account), &names).await?;
        let mut observations = Vec::with_capacity(listings.len());
        for listing in &listings {
            let observation = self.observation(listing, found.get(&listing.seller_sku).map(|one| &one.1), at);
            if let Some(drift) = observation.drift {
                self.tally.count(listing, drift);
            }
            observations.push(observation);
        }
        Ok(self.store.save_observations(&self.account, observations, at).await?)
    }

    /// What Amazon shows of these names in one marketplace. Paced by the rate, not by waiting for one another.
    pub async fn find(&self, marketplace: &MarketplaceId, names: &[SellerSku]) -> Result<Vec<Live>, Fault> {
        let searches: Vec<_> = names.chunks(20).map(|names| self.client.look(marketplace, names)).collect();
        Ok(try_join_all(searches).await?.into_iter().flatten().collect())
    }

    fn observation(&self, listing: &Listing, live: Option<&Live>, at: Timestamp) -> Observation {
        let shown = live.and_then(|live| live.quantity);
        Observation {
            seller_sku: listing.seller_sku.clone(),
            channel: live.map(|live| live.channel.clone()),
            quantity: shown.filter(|shown| settled(listing, *shown, at, self.verify_after)),
            drift: shown.and_then(|shown| drift(listing, shown, at, self.verify_after)),
        }
    }
}
