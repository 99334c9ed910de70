//! The look at a listing right before it is sent something: it may have become Amazon's to ship.

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};

use super::{Landed, LookError, Pusher};
use crate::model::SellerSku;
use crate::plan;
use crate::store::{Ahead, Outcome};

/// As many as one call takes.
const LOOK_SIZE: usize = 20;
/// What stands further behind is looked at once there are enough for a whole call: one at a time, as they come near,
/// looks would use up the rate of searches, and what is urgent would wait for it.
const SOON: usize = 20;
/// One that takes its time does not hold up what came to stand before it.
const AT_ONCE: usize = 2;

type Looked = Result<Vec<Landed>, LookError>;

/// The looks under way.
#[derive(Default)]
pub(super) struct LastLooks<'a> {
    running: FuturesUnordered<BoxFuture<'a, (Vec<SellerSku>, Looked)>>,
    names: Vec<SellerSku>,
}

impl<'a> LastLooks<'a> {
    /// Looks at what stands first and has not been seen, if its turn comes soon.
    pub(super) fn begin(&mut self, pusher: &'a Pusher, ahead: &Ahead) {
        let soon = ahead.before_unseen < SOON || ahead.unseen.len() >= LOOK_SIZE;
        if !soon || self.running.len() >= AT_ONCE {
            return;
        }
        let unseen = ahead.unseen.iter().filter(|seller_sku| !self.names.contains(seller_sku));
        let names: Vec<SellerSku> = unseen.take(LOOK_SIZE).cloned().collect();
        if names.is_empty() {
            return;
        }
        self.names.extend(names.iter().cloned());
        self.running.push(
            async move {
                let looked = pusher.look_and_withdraw(&names).await;
                (names, looked)
            }
            .boxed(),
        );
    }

    /// What the next one came to; None when none is under way.
    pub(super) async fn next(&mut self) -> Option<Looked> {
        let (names, looked) = self.running.next().await?;
        self.names.retain(|name| !names.contains(name));
        Some(looked)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.running.is_empty()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

impl Pusher {
    /// Looks at listings right before they are sent something: one that Amazon ships by now, or does not show any more,
    /// gets nothing, and one that shows the quantity already needs nothing.
    pub(super) async fn look_and_withdraw(&self, seller_skus: &[SellerSku]) -> Result<Vec<Landed>, LookError> {
        let mut before = self.store.listings_named(Some(&self.account), seller_skus).await?;
        for listing in &mut before {
            if let Some(slot) = self.store.slot(&self.account, &listing.seller_sku).await? {
                // Where it is to be sent is where it is to be looked for first.
                listing.marketplaces.sort_by_key(|id| *id != slot.marketplace);
            }
        }
        let places = self.looker.look(&before, |_| {}).await?;
        let mut withdrawn = Vec::new();
        for listing in self.store.listings_named(Some(&self.account), seller_skus).await? {
            let Some(slot) = self.store.slot(&self.account, &listing.seller_sku).await? else { continue };
            let there = listing.belief.in_doubt.is_none()
                && listing.belief.believed().is_some_and(|believed| believed.quantity == slot.quantity)
                && listing.belief.observed.is_some_and(|observed| observed.at >= slot.planned_at);
            let reason = match plan::not_ours(&listing) {
                Some((reason, detail)) => format!("{reason}: {detail}"),
                None if there => "amazon shows it already".to_owned(),
                None => {
                    let elsewhere = places.get(&listing.seller_sku).filter(|place| **place != slot.marketplace);
                    if let Some(marketplace) = elsewhere {
                        self.store.send_to(&slot, marketplace).await?;
                    }
                    continue;
                }
            };
            tracing::info!(
                event = "change_withdrawn",
                account = %slot.account,
                seller_sku = %slot.seller_sku,
                to = slot.quantity,
                reason,
                "change withdrawn right before it was sent"
            );
            self.store.withdraw(&slot).await?;
            withdrawn.push(Landed { slot, outcome: Outcome::Withdrawn { reason } });
        }
        Ok(withdrawn)
    }
}
