//! A fresh store, and the few things that most facts begin with.

use jiff::{SignedDuration, Timestamp};
use stocksync::model::{AccountName, Channel, CommerceName, Known, Listing, MarketplaceId, SellerSku};
use stocksync::plan::{Change, Lane, Priority};
use stocksync::reason::Reason;
use stocksync::store::{Observation, Outcome, Settled, Slot, Store};
use tempfile::TempDir;

/// Runs each fact on every implementation.
macro_rules! on_every_store {
    ($($fact:ident),* $(,)?) => {$(
        mod $fact {
            #[tokio::test]
            async fn sqlite() {
                super::$fact(crate::bench::Bench::sqlite()).await;
            }
        }
    )*};
}
pub(crate) use on_every_store;

pub(crate) const DE: &str = "A1PA6795UKMFR9";
pub(crate) const FR: &str = "A13V1IB3VIYZZH";

/// Some minutes after a time that stands still.
pub(crate) fn at(minutes: i64) -> Timestamp {
    Timestamp::constant(1_795_000_000, 0) + SignedDuration::from_mins(minutes)
}

pub(crate) fn acme() -> AccountName {
    "acme".into()
}

pub(crate) fn shop() -> CommerceName {
    "shop".into()
}

pub(crate) fn skus<const N: usize>(names: [&str; N]) -> Vec<SellerSku> {
    names.map(SellerSku::from).to_vec()
}

pub(crate) const fn known(quantity: u32, at: Timestamp) -> Known {
    Known { quantity, at }
}

pub(crate) fn seen(name: &str, quantity: u32) -> Observation {
    Observation { seller_sku: name.into(), channel: Some(Channel::Merchant), quantity: Some(quantity), drift: None }
}

/// A change of the plan, as urgent as it is.
pub(crate) fn change(name: &str, from: Option<u32>, to: u32) -> Change {
    Change {
        account: acme(),
        seller_sku: name.into(),
        store: "acme-de".into(),
        country: "DE",
        marketplace: DE.into(),
        from,
        accepted_at: None,
        to,
        lane: Lane::Patch,
        priority: Priority::of(from, to),
        reasons: vec![Reason::SalableQuantity, Reason::Capped],
        conflict: None,
        basis: format!("{to}"),
        live: true,
    }
}

pub(crate) fn accepted(submission_id: &str) -> Outcome {
    Outcome::Accepted { submission_id: submission_id.into() }
}

pub(crate) fn settled(name: &str) -> Settled {
    Settled { seller_sku: name.into(), correction: None }
}

/// A store of its own for each fact.
pub(crate) struct Bench {
    pub(crate) store: Store,
    folder: TempDir,
}

impl Bench {
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("state.db")).unwrap();
        Self { store, folder }
    }

    /// The same state, as another process opens it.
    pub(crate) fn once_more(&self) -> Store {
        Store::open(&self.folder.path().join("state.db")).unwrap()
    }

    pub(crate) fn restarted(self) -> Self {
        Self { store: self.once_more(), ..self }
    }

    /// Listings that Amazon shows in Germany with this quantity, seen at minute 0.
    pub(crate) async fn selling(&self, listings: &[(&str, u32)]) {
        let names = listings.iter().map(|(name, _)| SellerSku::from(*name)).collect();
        self.store.save_discovery(&acme(), &DE.into(), names, at(0)).await.unwrap();
        let seen = listings.iter().map(|(name, quantity)| seen(name, *quantity)).collect();
        self.store.save_observations(&acme(), seen, at(0)).await.unwrap();
    }

    /// As a plan queues that knows what was accepted before it began.
    pub(crate) async fn queue(&self, plan_id: &str, mut changes: Vec<Change>, minutes: i64) {
        for change in &mut changes {
            let found = self
                .store
                .listings_named(Some(&change.account), std::slice::from_ref(&change.seller_sku))
                .await
                .unwrap();
            let accepted = found.into_iter().find_map(|listing| listing.belief.accepted);
            change.accepted_at = accepted.map(|accepted| accepted.at).filter(|accepted| *accepted < at(minutes));
        }
        self.store.queue(plan_id, &acme(), changes, Vec::new(), at(minutes)).await.unwrap();
    }

    pub(crate) async fn take(&self, plan_id: Option<&str>, busy: &[&str]) -> Option<Slot> {
        // Only what was seen right before may go; the look brings no news of the quantity.
        let waiting = self.store.waiting(&acme()).await.unwrap().into_keys();
        let look = waiting.map(|seller_sku| Observation {
            seller_sku,
            channel: Some(Channel::Merchant),
            quantity: None,
            drift: None,
        });
        self.store.save_observations(&acme(), look.collect(), at(1_000_000)).await.unwrap();
        let busy: Vec<SellerSku> = busy.iter().copied().map(SellerSku::from).collect();
        self.store.take_next(&acme(), plan_id, &busy, at(0)).await.unwrap()
    }

    /// Takes what goes next, and lands it.
    pub(crate) async fn send(&self, outcome: Outcome, minutes: i64) -> Slot {
        let slot = self.take(None, &[]).await.expect("something waits");
        self.store.record_outcomes(vec![(slot.clone(), outcome)], at(minutes)).await.unwrap();
        slot
    }

    /// The names of what waits, in sending order.
    pub(crate) async fn order(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        loop {
            let busy: Vec<&str> = names.iter().map(String::as_str).collect();
            let Some(slot) = self.take(None, &busy).await else { return names };
            names.push(slot.seller_sku.to_string());
        }
    }

    pub(crate) async fn slot(&self, name: &str) -> Option<Slot> {
        self.store.slot(&acme(), &name.into()).await.unwrap()
    }

    pub(crate) async fn listing(&self, name: &str) -> Listing {
        let mut found = self.store.listings_named(Some(&acme()), &skus([name])).await.unwrap();
        assert_eq!(found.len(), 1, "{name}");
        found.remove(0)
    }

    pub(crate) async fn shown(&self, name: &str) -> Vec<MarketplaceId> {
        self.listing(name).await.marketplaces
    }
}
