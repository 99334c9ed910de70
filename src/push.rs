//! Sends what waits in the outbox, best first, at the rate that Amazon grants, and keeps every outcome as it lands.

mod busy;
mod feed;
mod follow;
mod last_look;
mod look;
mod submitting;
mod tally;

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, OptionFuture};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::amazon::{self, Cause, Client, Submission};
use crate::clock::Clock;
use crate::http::Fault;
use crate::model::AccountName;
use crate::store::{Ahead, Outcome, Slot, Store, StoreError};

use busy::Busy;
use feed::{Fed, FeedError};
use last_look::LastLooks;

pub use feed::speeds;
pub use follow::Follower;
pub use look::{LookError, Looker};
pub use submitting::Submitting;
pub use tally::{Drifts, Tally};

/// Patches under way at once. Fewer leave the rate unused when Amazon answers slowly; more are lost in doubt by a crash.
const IN_FLIGHT: usize = 16;
/// Nothing is sent to a listing that was not seen this recently: it may have become Amazon's to ship. A look costs a
/// twentieth of a call; longer leaves a window in which a quantity would strand stock in Amazon's warehouse.
const SEEN_WITHIN: Duration = Duration::from_mins(1);
/// How many slots are looked at before their turn, so that sending never waits for it.
const LOOK_AHEAD: u32 = 60;
/// So many different listings in a row that Amazon does not answer, or forbids, mean that it is not the listings.
const FAILED_IN_A_ROW: u32 = 3;
/// How long a refused listing is set aside; the last is repeated.
const SET_ASIDE: [Duration; 6] = [
    Duration::from_mins(5),
    Duration::from_mins(15),
    Duration::from_hours(1),
    Duration::from_hours(4),
    Duration::from_hours(12),
    Duration::from_hours(24),
];
/// Silence says little about the listing: after an outage of a day nothing may stay away for another one.
const SILENT_AT_MOST: Duration = Duration::from_mins(15);
/// How soon a listing may go again that was refused for its account's sake; the account itself waits longer and longer.
/// Not longer than the first of its waits: it would find nothing to send, and take that for working again.
const PARKED: Duration = Duration::from_mins(1);

/// One account's way to Amazon.
#[derive(Clone, Debug)]
pub struct Pusher {
    pub account: AccountName,
    pub client: Arc<Client>,
    pub looker: Looker,
    pub store: Store,
    pub clock: Clock,
    /// How long a feed takes until the account's own have taught better.
    pub feed_expected_time: Duration,
    /// There may be something new to send.
    pub queued: Arc<Notify>,
    pub submitting: Arc<Submitting>,
    /// Something has to be planned anew.
    pub replan: Arc<Notify>,
}

/// What one drain came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    pub accepted: u64,
    /// Set aside, to be tried again later.
    pub refused: u64,
    /// On their way in a feed.
    pub in_feed: u64,
    /// Told to stop before all was tried.
    pub stopped: bool,
    /// Why the rest was not tried.
    pub parked: Option<Parked>,
}

/// Why an account cannot be worked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parked {
    /// What a person has to put right, where that is known.
    pub cause: Option<Cause>,
    pub text: String,
}

impl Parked {
    pub fn by(fault: &Fault, text: String) -> Self {
        Self { cause: Cause::of(fault), text }
    }

    pub fn code(&self) -> Option<&'static str> {
        self.cause.map(Cause::code)
    }
}

impl Drained {
    /// Nothing was there to be sent, and nothing was in the way.
    pub const fn tried_nothing(&self) -> bool {
        self.accepted + self.refused + self.in_feed == 0 && self.parked.is_none() && !self.stopped
    }
}

/// One landed change, for whoever watches.
#[derive(Clone, Debug)]
pub struct Landed {
    pub slot: Slot,
    pub outcome: Outcome,
}

type Answer = Result<Submission, Fault>;

impl Pusher {
    /// Sends until nothing waits, or the account turns out not to work, or `stop`; what is under way is waited for.
    /// With a plan id, only that plan's changes.
    pub async fn drain(
        &self,
        plan_id: Option<&str>,
        stop: &CancellationToken,
        mut landed: impl FnMut(Landed),
    ) -> Result<Drained, StoreError> {
        let started = self.clock.instant();
        let mut drained = self.drain_all(plan_id, stop, &mut landed).await?;
        drained.stopped = stop.is_cancelled();
        if drained.accepted + drained.refused + drained.in_feed > 0 {
            tracing::info!(
                event = "changes_sent",
                account = %self.account,
                accepted = drained.accepted,
                refused = drained.refused,
                in_feed = drained.in_feed,
                rate_per_second = self.client.patch_rate(),
                duration_ms = u64::try_from((self.clock.instant() - started).as_millis()).unwrap_or(u64::MAX),
                "changes sent"
            );
        }
        Ok(drained)
    }

    async fn drain_all(
        &self,
        plan_id: Option<&str>,
        stop: &CancellationToken,
        landed: &mut impl FnMut(Landed),
    ) -> Result<Drained, StoreError> {
        let mut drained = Drained::default();
        let mut flights: JoinSet<(Slot, Answer)> = JoinSet::new();
        let busy = Busy::default();
        let mut looks = LastLooks::default();
        let mut feed: Option<BoxFuture<'_, Result<Fed, FeedError>>> = None;
        let mut may_feed = true;
        let mut failed = 0;
        loop {
            let going = drained.parked.is_none() && !stop.is_cancelled();
            let seen_since = earlier(self.clock.now(), SEEN_WITHIN);
            let ahead = if going {
                self.store.ahead(&self.account, plan_id, &busy.names(), seen_since, LOOK_AHEAD).await?
            } else {
                looks.clear();
                Ahead::default()
            };
            if stop.is_cancelled() {
                // What it left behind is taken up at the next start.
                feed = None;
            }
            looks.begin(self, &ahead);
            if going && std::mem::take(&mut may_feed) {
                feed.get_or_insert_with(|| self.feed_the_rest(plan_id, &busy).boxed());
            }
            if flights.is_empty() && looks.is_empty() && feed.is_none() && !ahead.may_go {
                return Ok(drained);
            }
            tokio::select! {
                Some(flight) = flights.join_next() => {
                    // Those that landed meanwhile are kept with it: on a slow disk, one at a time would hold the sending up.
                    let mut flown = vec![flight];
                    flown.extend(std::iter::from_fn(|| flights.try_join_next()));
                    let now = self.clock.now();
                    let mut outcomes = Vec::with_capacity(flown.len());
                    for flight in flown {
                        // A flight that panicked leaves its listing in doubt: the next cycle sends it again.
                        let (slot, answer) = match flight {
                            Ok(landed) => landed,
                            Err(error) => {
                                tracing::error!(event = "push_died", account = %self.account, %error, "a change died on its way");
                                continue;
                            }
                        };
                        busy.remove(&slot.seller_sku);
                        failed = if may_concern_all(&slot, &answer) { failed + 1 } else { 0 };
                        let outcome = self.land(&slot, answer, failed, now, &mut drained).await?;
                        outcomes.push((slot, outcome));
                    }
                    self.store.record_outcomes(outcomes.clone(), now).await?;
                    for (slot, outcome) in outcomes {
                        landed(Landed { slot, outcome });
                    }
                }
                Some(looked) = looks.next() => match looked {
                    Ok(withdrawn) => withdrawn.into_iter().for_each(&mut *landed),
                    Err(LookError::Store(error)) => return Err(error),
                    Err(LookError::Amazon(fault)) => {
                        let text = format!("look at listings: {fault}");
                        drained.parked.get_or_insert_with(|| Parked::by(&fault, text));
                    }
                },
                Some(outcome) = OptionFuture::from(feed.as_mut()), if feed.is_some() => {
                    feed = None;
                    may_feed = self.fed(outcome, &mut drained, landed)?;
                }
                () = self.client.patch_permit(), if going && ahead.may_go && flights.len() < IN_FLIGHT => {
                    let next = self.store.take_next(&self.account, plan_id, &busy.names(), seen_since).await?;
                    let Some(slot) = next else { continue };
                    busy.add(slot.seller_sku.clone());
                    let client = Arc::clone(&self.client);
                    flights.spawn(async move {
                        let answer = client.patch(&slot.marketplace, &slot.seller_sku, slot.quantity).await;
                        (slot, answer)
                    });
                }
                // What hangs is no reason to let what came meanwhile wait for it.
                () = self.queued.notified(), if going => may_feed = true,
                () = stop.cancelled(), if going => {}
            }
        }
    }

    /// What an attempt to send a feed came to. True when there may be another one.
    fn fed(
        &self,
        fed: Result<Fed, FeedError>,
        drained: &mut Drained,
        landed: &mut impl FnMut(Landed),
    ) -> Result<bool, StoreError> {
        let fed = match fed {
            Ok(fed) => fed,
            Err(FeedError::Store(error) | FeedError::Look(LookError::Store(error))) => return Err(error),
            Err(error) => {
                // Whether the whole account is in trouble, the patches find out.
                tracing::warn!(event = "feed_failed", account = %self.account, %error, "no feed was sent; its changes go by patch");
                return Ok(false);
            }
        };
        let Fed { slots, feed_id, withdrawn } = fed;
        drained.in_feed += slots.len() as u64;
        let again = !slots.is_empty();
        withdrawn.into_iter().for_each(&mut *landed);
        for slot in slots {
            landed(Landed { slot, outcome: Outcome::InFeed { feed_id: feed_id.clone() } });
        }
        Ok(again)
    }

    /// What became of one; to be kept by the caller.
    async fn land(
        &self,
        slot: &Slot,
        answer: Answer,
        failed: u32,
        now: Timestamp,
        drained: &mut Drained,
    ) -> Result<Outcome, StoreError> {
        let set_aside = self.set_aside(slot).await?;
        let outcome = match answer {
            Ok(Submission::Accepted { submission_id }) => Outcome::Accepted { submission_id },
            Ok(Submission::Invalid { text }) => Outcome::Rejected { text, retry_at: later(now, set_aside) },
            Err(fault) => {
                let text = fault.to_string();
                if failed >= FAILED_IN_A_ROW || matches!(fault, Fault::Unauthorized { .. }) {
                    drained.parked.get_or_insert_with(|| Parked::by(&fault, text.clone()));
                }
                match fault {
                    Fault::Unauthorized { .. } => Outcome::NotSent,
                    // The account's right may be missing rather than the listing's: as soon as it is back, this goes.
                    fault if amazon::is_account_wide(&fault, &slot.seller_sku) => {
                        Outcome::Rejected { text, retry_at: later(now, PARKED) }
                    }
                    Fault::Rejected(_) => Outcome::Rejected { text, retry_at: later(now, set_aside) },
                    _ => Outcome::NoAnswer { text, retry_at: later(now, set_aside.min(SILENT_AT_MOST)) },
                }
            }
        };
        match &outcome {
            Outcome::Accepted { submission_id } => {
                drained.accepted += 1;
                tracing::debug!(
                    event = "change_accepted",
                    account = %slot.account,
                    seller_sku = %slot.seller_sku,
                    store = %slot.store,
                    from = slot.from,
                    to = slot.quantity,
                    reasons = slot.reasons,
                    submission_id,
                    waited_ms = i64::try_from(now.duration_since(slot.since).as_millis()).unwrap_or(i64::MAX),
                    "change accepted"
                );
            }
            Outcome::Rejected { text, retry_at } | Outcome::NoAnswer { text, retry_at } => {
                drained.refused += 1;
                tracing::warn!(
                    event = "change_refused",
                    account = %slot.account,
                    seller_sku = %slot.seller_sku,
                    store = %slot.store,
                    to = slot.quantity,
                    answer = text,
                    %retry_at,
                    "change refused; the listing is set aside"
                );
            }
            Outcome::NotSent | Outcome::Withdrawn { .. } | Outcome::InFeed { .. } => {}
        }
        Ok(outcome)
    }

    async fn set_aside(&self, slot: &Slot) -> Result<Duration, StoreError> {
        let failures = self.store.failures(&slot.account, &slot.seller_sku).await? as usize;
        Ok(SET_ASIDE[failures.min(SET_ASIDE.len() - 1)])
    }
}

/// Whether every other listing may fare the same.
fn may_concern_all(slot: &Slot, answer: &Answer) -> bool {
    let Err(fault) = answer else { return false };
    matches!(fault, Fault::Exhausted { .. } | Fault::Nonsense { .. })
        || amazon::is_account_wide(fault, &slot.seller_sku)
}

fn earlier(now: Timestamp, by: Duration) -> Timestamp {
    now.saturating_sub(by).unwrap_or(Timestamp::MIN)
}

fn later(now: Timestamp, wait: Duration) -> Timestamp {
    SignedDuration::try_from(wait).ok().and_then(|wait| now.checked_add(wait).ok()).unwrap_or(Timestamp::MAX)
}
