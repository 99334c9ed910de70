//! Somebody who waits until a plan is sent.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;

use super::Done;
use crate::assembly::{AccountWork, sent};
use crate::model::SellerSku;
use crate::plan::Plan;
use crate::push::{Landed, Parked};
use crate::store::{Outcome, StoreError};

/// How often it is looked whether somebody else took something over or out.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// And how many listings are looked at: those are named in one query.
const LOOK_AT: usize = 1000;

pub(super) struct Waiting {
    work: AccountWork,
    landings: broadcast::Receiver<Landed>,
    parked: watch::Receiver<Option<Parked>>,
    stop: CancellationToken,
    done: Done,
    /// The listings whose change has not landed yet. A newer plan may have changed it meanwhile.
    left: BTreeSet<SellerSku>,
    feeds: bool,
    began: Timestamp,
    /// Of these, what had no slot any more at the last look: it was taken out, or is about to land.
    gone: BTreeSet<SellerSku>,
}

impl Waiting {
    /// `landings` from before the plan was queued, `parked` from before the sending was woken.
    pub(super) fn new(
        work: AccountWork,
        plan: &Plan,
        landings: broadcast::Receiver<Landed>,
        parked: watch::Receiver<Option<Parked>>,
        stop: CancellationToken,
    ) -> Self {
        let sendable = plan.changes.iter().filter(|change| change.live);
        let left = sendable.map(|change| change.seller_sku.clone()).collect();
        let (began, gone) = (plan.at, BTreeSet::new());
        Self { work, landings, parked, stop, done: Done::of(plan), left, feeds: false, began, gone }
    }

    /// Whether to wait for feeds too.
    pub(super) const fn for_feeds(mut self, wait: bool) -> Self {
        self.feeds = wait;
        self
    }

    /// Waits until every change has landed, was taken out again, or cannot be sent now.
    pub(super) async fn finish(mut self) -> Result<Done, StoreError> {
        loop {
            self.look().await?;
            if self.left.is_empty() || self.done.parked.is_some() || self.stop.is_cancelled() {
                break;
            }
            self.listen().await;
        }
        let (store, plan_id) = (&self.work.pusher.store, &self.done.plan_id);
        while self.feeds && store.in_feeds(plan_id).await? > 0 && !self.stop.is_cancelled() {
            self.work.cycle.clock.sleep(LOOK_EVERY).await;
        }
        self.done.in_feed = store.in_feeds(plan_id).await?;
        if self.feeds {
            let (accepted, refused) = store.feed_outcomes(plan_id, self.began).await?;
            self.done.accepted += accepted;
            self.done.refused += refused;
        }
        Ok(self.done)
    }

    async fn look(&mut self) -> Result<(), StoreError> {
        while let Ok(landed) = self.landings.try_recv() {
            self.take(&landed);
        }
        let some: Vec<SellerSku> = self.left.iter().take(LOOK_AT).cloned().collect();
        let waiting = self.work.pusher.store.waiting_of(self.work.name(), &some).await?;
        let gone: BTreeSet<SellerSku> = some.into_iter().filter(|name| !waiting.contains(name)).collect();
        self.left.retain(|name| !(gone.contains(name) && self.gone.contains(name)));
        self.gone = gone;
        Ok(())
    }

    /// Takes in what lands until it is time to look again.
    async fn listen(&mut self) {
        let clock = self.work.cycle.clock;
        let mut pause = std::pin::pin!(clock.sleep(LOOK_EVERY));
        while !self.left.is_empty() {
            tokio::select! {
                // Of very many some may go by unseen; the next look finds them gone.
                Ok(landed) = self.landings.recv() => self.take(&landed),
                Ok(()) = self.parked.changed() => {
                    self.done.parked = self.parked.borrow_and_update().as_ref().map(|parked| parked.text.clone());
                    return;
                }
                () = self.stop.cancelled() => return,
                () = &mut pause => return,
            }
        }
    }

    fn take(&mut self, landed: &Landed) {
        if !self.left.contains(&landed.slot.seller_sku) {
            return;
        }
        self.work.cycle.progress.send(sent(landed));
        match landed.outcome {
            Outcome::Accepted { .. } => self.done.accepted += 1,
            Outcome::Rejected { .. } | Outcome::NoAnswer { .. } => self.done.refused += 1,
            Outcome::InFeed { .. } | Outcome::Withdrawn { .. } => {}
            Outcome::NotSent => return,
        }
        self.left.remove(&landed.slot.seller_sku);
    }
}
