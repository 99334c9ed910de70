//! The feed lane's way out: what stands too far behind for patches goes up in one document.

use std::time::Duration;

use jiff::Timestamp;

use super::busy::Busy;
use super::look::CHUNK;
use super::{Landed, LookError, Pusher, SET_ASIDE, earlier, later};
use crate::amazon::{Creation, FeedDocument, FeedPermit, Unfit};
use crate::http::Fault;
use crate::model::{AccountName, MarketplaceId, SellerSku};
use crate::plan::Speeds;
use crate::store::{Ending, FeedBound, FeedState, Slot, Store, StoreError};

/// Nothing goes into a feed that was not seen this recently as ours to ship: a look at 25,000 takes Amazon four minutes,
/// and a feed takes longer than that anyway.
const SEEN_WITHIN: Duration = Duration::from_hours(1);
/// What a document may hold.
const MOST: u32 = 25_000;
/// The middle of so many feeds tells how long the next one takes.
const LEARNT_FROM: usize = 5;

#[derive(Debug, thiserror::Error)]
pub(super) enum FeedError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0}")]
    Look(#[from] LookError),
    #[error("send a feed: {0}")]
    Amazon(#[from] Fault),
}

/// What an attempt to send a feed came to.
#[derive(Clone, Debug, Default)]
pub(super) struct Fed {
    /// What went up; nothing where nothing stands that far behind.
    pub(super) slots: Vec<Slot>,
    /// None where no answer says whether there is a feed.
    pub(super) feed_id: Option<String>,
    /// What turned out to need nothing, or not to be ours.
    pub(super) withdrawn: Vec<Landed>,
}

/// How fast the lanes of an account are: patches by the rate that Amazon grants, a feed by how long the last ones took, or
/// `expected` as long as there was none, behind the one that is open.
pub async fn speeds(
    store: &Store,
    account: &AccountName,
    patch_rate: f64,
    expected: Duration,
    now: Timestamp,
) -> Result<Speeds, StoreError> {
    let mut times = worked(&store.feed_times(account).await?);
    times.truncate(LEARNT_FROM);
    times.sort_unstable();
    let one = times.get(times.len() / 2).copied().unwrap_or(expected);
    let open = store.open_feeds(account).await?;
    let in_queue = one.saturating_mul(u32::try_from(open.len()).unwrap_or(u32::MAX));
    let age = open.first().and_then(|first| Duration::try_from(now.duration_since(first.made_at)).ok());
    let age = age.unwrap_or_default();
    // One that is late already may take as long again.
    let left = in_queue.checked_sub(age).unwrap_or(age);
    let stuck = open.iter().any(|feed| feed.state == FeedState::Stuck);
    let waits = store.failed_feeds(account).await?.is_some_and(|(failed, last)| {
        let wait = SET_ASIDE[(failed - 1).min(SET_ASIDE.len() - 1)];
        now < later(last, wait)
    });
    // Behind a stuck feed every other one is stuck, too; after one that came to nothing the next may fare the same.
    let feed_time = if stuck || waits { Duration::MAX } else { one.saturating_add(left) };
    let patch_every = Duration::try_from_secs_f64(1.0 / patch_rate).unwrap_or(Duration::MAX);
    Ok(Speeds { patch_every, feed_time })
}

/// How long Amazon worked at each: one begins when the one before has ended.
fn worked(times: &[(Timestamp, Timestamp)]) -> Vec<Duration> {
    let before = times.iter().skip(1).map(|(_, ended)| *ended).chain([Timestamp::MIN]);
    let took = |((created, ended), before): (&(Timestamp, Timestamp), Timestamp)| {
        Duration::try_from(ended.duration_since(before.max(*created))).unwrap_or_default()
    };
    times.iter().zip(before).map(took).collect()
}

impl Pusher {
    pub(super) async fn speeds(&self) -> Result<Speeds, StoreError> {
        let (rate, now) = (self.client.patch_rate(), self.clock.now());
        speeds(&self.store, &self.account, rate, self.feed_expected_time, now).await
    }

    /// Sends one feed of what patches would reach later than it.
    #[expect(
        clippy::significant_drop_tightening,
        reason = "the permit is for the feed whose contents are chosen after it"
    )]
    pub(super) async fn feed_the_rest(&self, plan_id: Option<&str>, busy: &Busy) -> Result<Fed, FeedError> {
        if self.behind_reach(plan_id).await? == 0 {
            return Ok(Fed::default());
        }
        let unseen: Vec<SellerSku> = self.bound(plan_id, busy).await?.unseen.into_iter().collect();
        let mut withdrawn = Vec::new();
        for some in unseen.chunks(CHUNK) {
            withdrawn.extend(self.look_and_withdraw(some).await?);
        }
        let ordered = self.store.ordered_feeds(&self.account, self.clock.now()).await?;
        self.client.recall_feeds(&ordered).await;
        let permit = self.client.feed_permit().await;
        // All that took its time: patches have come nearer.
        let bound = self.bound(plan_id, busy).await?;
        let seen = bound.slots.into_iter().filter(|slot| !bound.unseen.contains(&slot.seller_sku)).collect();
        let id = uuid::Uuid::now_v7().to_string();
        // Until this is dropped nobody wonders what became of it.
        let _order = self.submitting.begin(&id);
        let Some((slots, document)) = self.build(&id, seen).await? else {
            return Ok(Fed { withdrawn, ..Fed::default() });
        };
        let feed_id = self.submit(permit, &id, &slots, &document).await?;
        Ok(Fed { slots, feed_id, withdrawn })
    }

    /// Amazon has nothing of it: its changes are planned anew.
    async fn give_up(&self, id: &str) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.store.end_feed(&self.account, id, Ending::Cancelled, now, &SET_ASIDE, now).await?;
        self.replan.notify_one();
        Ok(())
    }

    /// Takes back what an attempt left behind before Amazon could know of it. Only while none is under way.
    pub async fn recover(&self) -> Result<(), StoreError> {
        for feed in self.store.open_feeds(&self.account).await? {
            if feed.state == FeedState::Building {
                self.give_up(&feed.id).await?;
                // It says nothing about how feeds fare at Amazon.
                self.store.forget_feed(&feed.id).await?;
            }
        }
        Ok(())
    }

    /// Uploads a document and has a feed created of it. On a fault there is none, and its changes are planned anew.
    async fn submit(
        &self,
        permit: FeedPermit<'_>,
        id: &str,
        slots: &[Slot],
        document: &FeedDocument,
    ) -> Result<Option<String>, FeedError> {
        let marketplaces: Vec<MarketplaceId> = slots.first().map(|slot| slot.marketplace.clone()).into_iter().collect();
        let created = async {
            let uploaded = self.client.upload_feed(document).await?;
            self.store.feed_leaves(id, self.clock.now()).await?;
            Ok::<_, FeedError>(self.client.create_feed(permit, &uploaded, &marketplaces).await?)
        };
        match created.await {
            Ok(Creation::Created { feed_id }) => {
                self.store.feed_created(id, &feed_id, self.clock.now()).await?;
                tracing::info!(
                    event = "feed_created",
                    account = %self.account,
                    feed_id,
                    messages = slots.len(),
                    bytes = document.bytes().len(),
                    "changes sent in a feed"
                );
                Ok(Some(feed_id))
            }
            Ok(Creation::InDoubt(fault)) => {
                tracing::warn!(
                    event = "feed_in_doubt",
                    account = %self.account,
                    messages = slots.len(),
                    error = %fault,
                    "no answer says whether a feed was created; it is looked for"
                );
                Ok(None)
            }
            Err(error) => {
                self.give_up(id).await?;
                Err(error)
            }
        }
    }

    /// How many changes are faster in a feed. Says how the choice was made.
    async fn behind_reach(&self, plan_id: Option<&str>) -> Result<u64, StoreError> {
        let speeds = self.speeds().await?;
        let reach = speeds.within_reach();
        let (backlog, behind) = self.store.feed_backlog(&self.account, plan_id, reach).await?;
        if behind > 0 {
            tracing::info!(
                event = "lanes_chosen",
                account = %self.account,
                backlog,
                by_feed = behind,
                by_patch = backlog - behind,
                patches_take_s = speeds.patch_time(backlog).as_secs(),
                feed_takes_s = speeds.feed_time.as_secs(),
                "patches alone would take longer than a feed: what they reach later goes into one"
            );
        }
        Ok(behind)
    }

    async fn bound(&self, plan_id: Option<&str>, busy: &Busy) -> Result<FeedBound, StoreError> {
        let seen_since = earlier(self.clock.now(), SEEN_WITHIN);
        let reach = self.speeds().await?.within_reach();
        self.store.feed_bound(&self.account, plan_id, &busy.names(), reach, seen_since, MOST).await
    }

    /// Takes changes out of the outbox into a document. What changed meanwhile stays behind, and so does a name that no
    /// document can carry: it goes by patch.
    async fn build(&self, id: &str, slots: Vec<Slot>) -> Result<Option<(Vec<Slot>, FeedDocument)>, StoreError> {
        let mut draft = self.client.feed_draft();
        let mut fitting = Vec::with_capacity(slots.len());
        for slot in slots {
            match draft.push(&slot.seller_sku, slot.quantity) {
                Ok(_) => fitting.push(slot),
                Err(Unfit::Never) => {}
                Err(Unfit::Full) => break,
            }
        }
        if fitting.is_empty() {
            return Ok(None);
        }
        let taken = self.store.build_feed(id, &self.account, fitting.clone(), self.clock.now()).await?;
        let mut taken = taken.into_iter();
        fitting.retain(|_| taken.next().unwrap_or(false));
        let mut draft = self.client.feed_draft();
        for slot in &fitting {
            // All of them were in a larger one.
            let _ = draft.push(&slot.seller_sku, slot.quantity);
        }
        let Some(document) = draft.finish() else {
            self.give_up(id).await?;
            return Ok(None);
        };
        Ok(Some((fitting, document)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_feed_waited_behind_another_is_not_its_own_time() {
        let at = |minutes: i64| Timestamp::constant(minutes * 60, 0);
        let times = [(at(11), at(60)), (at(10), at(40)), (at(0), at(20))];
        assert_eq!(worked(&times), [20, 20, 20].map(Duration::from_mins));
        assert_eq!(worked(&[(at(30), at(35)), (at(0), at(10))]), [5, 10].map(Duration::from_mins));
        assert_eq!(worked(&[]), []);
    }
}
