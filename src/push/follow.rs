//! Feeds on their way: each is followed until it has ended, through restarts, and then every message's outcome is kept.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{SET_ASIDE, Submitting, later};
use crate::amazon::{Client, Feed, FeedStatus};
use crate::clock::Clock;
use crate::http::Fault;
use crate::model::{AccountName, MarketplaceId};
use crate::store::{Ended, Ending, FeedState, OpenFeed, Store, StoreError};

/// A feed is asked about after a tenth of its age, but for these bounds.
const SOONEST: Duration = Duration::from_secs(15);
const LATEST: Duration = Duration::from_mins(2);
/// Amazon lets its list of feeds be read every 45 seconds.
const LIST_SOONEST: Duration = Duration::from_secs(45);
/// After an order to create a feed whose answer was lost: when it would have to be in Amazon's list.
const SHOWN_WITHIN: SignedDuration = SignedDuration::from_mins(3);
/// What a feed did shows so much later. Its listings are looked at only then, or all of them would seem undone, and be sent
/// again for an hour.
const SHOWS_AFTER: SignedDuration = SignedDuration::from_mins(3);
/// Clocks differ, and Amazon may round.
const SLACK: SignedDuration = SignedDuration::from_mins(2);
/// A processing report that cannot be had for so long is given up.
const REPORT_PATIENCE: SignedDuration = SignedDuration::from_mins(30);
/// Amazon forgets feeds; nobody needs one as old as this.
const FORGOTTEN_AFTER: SignedDuration = SignedDuration::from_hours(14 * 24);

/// Follows one account's feeds.
#[derive(Clone, Debug)]
pub struct Follower {
    pub account: AccountName,
    pub client: Arc<Client>,
    pub store: Store,
    pub clock: Clock,
    pub stuck_after: Duration,
    pub submitting: Arc<Submitting>,
    /// What feeds held up may go.
    pub queued: Arc<Notify>,
    /// Something has to be planned anew.
    pub replan: Arc<Notify>,
}

impl Follower {
    /// Follows until `stop`.
    pub async fn follow(&self, stop: &CancellationToken) {
        loop {
            let looked = tokio::select! {
                () = stop.cancelled() => return,
                looked = self.look() => looked,
            };
            let wake = match looked {
                Ok(wake) => wake,
                Err(error) => {
                    tracing::error!(event = "feeds_unknown", account = %self.account, %error, "feeds could not be followed");
                    Some(later(self.clock.now(), LATEST))
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.submitting.ended.notified() => {}
                () = self.clock.sleep_until(wake.unwrap_or(Timestamp::MAX)) => {}
            }
        }
    }

    /// Follows until nothing of a plan is in a feed any more, or `stop`.
    pub async fn finish(&self, plan_id: &str, stop: &CancellationToken) -> Result<(), StoreError> {
        while self.store.in_feeds(plan_id).await? > 0 {
            let wake = self.look().await?;
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = self.clock.sleep_until(wake.unwrap_or_else(|| later(self.clock.now(), SOONEST))) => {}
            }
        }
        Ok(())
    }

    /// Looks after every feed that has not ended, and says when to look again.
    pub async fn look(&self) -> Result<Option<Timestamp>, StoreError> {
        let mut wake = None;
        for feed in self.store.open_feeds(&self.account).await? {
            if feed.state == FeedState::Building || self.submitting.is(&feed.id) {
                continue;
            }
            if let Err(fault) = self.look_after(&feed).await? {
                tracing::warn!(
                    event = "feed_unknown",
                    account = %self.account,
                    feed_id = feed.feed_id.as_deref().unwrap_or_default(),
                    error = %fault,
                    "Amazon does not say how far a feed has come; it is asked again"
                );
            }
            let now = self.clock.now();
            let age = Duration::try_from(now.duration_since(feed.made_at)).unwrap_or_default();
            let soonest = if feed.feed_id.is_some() { SOONEST } else { LIST_SOONEST };
            let next = later(now, (age / 10).clamp(soonest, LATEST));
            wake = Some(wake.map_or(next, |wake: Timestamp| wake.min(next)));
        }
        Ok(wake)
    }

    async fn look_after(&self, feed: &OpenFeed) -> Result<Result<(), Fault>, StoreError> {
        let age = self.clock.now().duration_since(feed.made_at);
        if age > FORGOTTEN_AFTER {
            return self.end(feed, Ending::Lost, None).await.map(Ok);
        }
        let Some(feed_id) = &feed.feed_id else { return self.search(feed).await };
        let shown = match self.client.feed(feed_id).await {
            Ok(shown) => shown,
            Err(fault) if fault.status() == Some(404) && age > SHOWN_WITHIN => {
                let text = format!("Amazon knows the feed no more: {fault}");
                return self.end(feed, Ending::Fatal { text }, None).await.map(Ok);
            }
            Err(fault) => {
                self.wait(feed, None).await?;
                return Ok(Err(fault));
            }
        };
        let ended = shown.processing_ended;
        match &shown.status {
            FeedStatus::Done => self.read_report(feed, &shown).await,
            FeedStatus::Fatal if self.has_just_ended(&shown) => Ok(Ok(())),
            FeedStatus::Fatal => {
                let text = "Amazon ended the feed as fatal: some of it may have been done".to_owned();
                self.end(feed, Ending::Fatal { text }, ended).await.map(Ok)
            }
            FeedStatus::Cancelled => self.end(feed, Ending::Cancelled, ended).await.map(Ok),
            FeedStatus::InQueue | FeedStatus::InProgress | FeedStatus::Unknown(_) => {
                self.wait(feed, Some(&shown)).await.map(Ok)
            }
        }
    }

    /// It goes on. One that takes far too long is taken out of the queue as soon as that can be done, and said once.
    async fn wait(&self, feed: &OpenFeed, shown: Option<&Feed>) -> Result<(), StoreError> {
        let age = self.clock.now().duration_since(feed.made_at);
        if age < SignedDuration::try_from(self.stuck_after).unwrap_or(SignedDuration::MAX) {
            return Ok(());
        }
        let cancelled = match shown {
            Some(shown) if shown.status == FeedStatus::InQueue => self.client.cancel_feed(&shown.id).await.is_ok(),
            _ => false,
        };
        if feed.state == FeedState::Stuck {
            return Ok(());
        }
        tracing::error!(
            event = "feed_stuck",
            account = %self.account,
            feed_id = feed.feed_id.as_deref().unwrap_or_default(),
            messages = feed.messages,
            status = shown.map_or_else(|| "unknown".to_owned(), |shown| format!("{:?}", shown.status)),
            age_s = age.as_secs(),
            cancelled,
            "a feed is stuck at Amazon; only drops to zero go past it: open a case with Selling Partner support"
        );
        self.store.feed_is_stuck(&feed.id).await
    }

    async fn read_report(&self, feed: &OpenFeed, shown: &Feed) -> Result<Result<(), Fault>, StoreError> {
        let report = match &shown.report_document {
            Some(document) => self.client.feed_report(document).await,
            None => Err(Fault::nonsense("it has no processing report")),
        };
        let ending = match report {
            // Something about the whole feed: nobody knows which of it was done.
            Ok(report) if !report.whole.is_empty() && self.has_just_ended(shown) => return Ok(Ok(())),
            Ok(report) if !report.whole.is_empty() => Ending::Fatal { text: report.whole.join("; ") },
            Ok(report) => Ending::Done { rejected: report.rejected, remark: None },
            Err(fault) => {
                let ended = shown.processing_ended.unwrap_or(feed.made_at).max(feed.made_at);
                if self.clock.now().duration_since(ended) < REPORT_PATIENCE {
                    return Ok(Err(fault));
                }
                let remark = Some(format!("without a processing report: {fault}"));
                Ending::Done { rejected: BTreeMap::new(), remark }
            }
        };
        self.end(feed, ending, shown.processing_ended).await.map(Ok)
    }

    /// Looks for a feed whose creation was never answered. Nothing in Amazon's list names a document, so that any feed of
    /// the same marketplaces and of that time may be it, or another program's: the fence stays until all of them have
    /// ended, and then the listings tell what was done.
    async fn search(&self, feed: &OpenFeed) -> Result<Result<(), Fault>, StoreError> {
        let now = self.clock.now();
        let searched_at = self.store.feed_searched(&feed.id, now).await?;
        let since = feed.made_at.saturating_sub(SLACK).unwrap_or(feed.made_at);
        let until = searched_at.saturating_add(SLACK).unwrap_or(Timestamp::MAX);
        let listed = match self.client.feeds(since).await {
            Ok(listed) => listed,
            Err(fault) => {
                self.wait(feed, None).await?;
                return Ok(Err(fault));
            }
        };
        let known = self.store.known_feeds(&self.account).await?;
        let ours: Vec<MarketplaceId> = self.store.feed_marketplaces(&feed.id).await?.into_iter().collect();
        let mut candidates = listed
            .into_iter()
            .filter(|one| one.created <= until && one.marketplaces == ours && !known.contains(&one.id))
            .peekable();
        let young = now.duration_since(searched_at) < SHOWN_WITHIN;
        let was_there = candidates.peek().is_some();
        let (mut under_way, mut may_be_done) = (false, false);
        for one in candidates {
            under_way |= !one.status.is_ended() || self.has_just_ended(&one);
            may_be_done |= one.status != FeedStatus::Cancelled;
        }
        if young || under_way {
            self.wait(feed, None).await?;
            return Ok(Ok(()));
        }
        tracing::info!(event = "feed_settled", account = %self.account, was_there, may_be_done, "a feed in doubt was settled");
        let ending = if may_be_done { Ending::Lost } else { Ending::Cancelled };
        self.end(feed, ending, None).await.map(Ok)
    }

    fn has_just_ended(&self, feed: &Feed) -> bool {
        feed.processing_ended.is_some_and(|ended| self.clock.now().duration_since(ended) < SHOWS_AFTER)
    }

    async fn end(&self, feed: &OpenFeed, ending: Ending, ended: Option<Timestamp>) -> Result<(), StoreError> {
        let now = self.clock.now();
        // Amazon's own word tells better than when it was looked at.
        let ended = ended.filter(|ended| (feed.made_at..now).contains(ended)).unwrap_or(now);
        let how = ending.as_str();
        let Ended { accepted, refused, overtaken, open } =
            self.store.end_feed(&self.account, &feed.id, ending, ended, &SET_ASIDE, now).await?;
        let feed_id = feed.feed_id.as_deref().unwrap_or_default();
        let took_s = now.duration_since(feed.made_at).as_secs();
        if how == "done" && refused == 0 {
            tracing::info!(
                event = "feed_ended", account = %self.account, feed_id, how, accepted, refused, overtaken, took_s, "feed ended"
            );
        } else {
            tracing::warn!(
                event = "feed_ended", account = %self.account, feed_id, how, accepted, refused, overtaken, open, took_s,
                "feed ended, and not all of it was done"
            );
        }
        self.queued.notify_one();
        // What it did is to be read back, and what it did not do is planned anew.
        if accepted + open + overtaken > 0 {
            self.replan.notify_one();
        }
        Ok(())
    }
}
