//! Listings feeds: a document goes up, a feed of it waits in the account's one queue, and in the end a processing report
//! says what was refused. Accepted is not applied, here as elsewhere.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::MutexGuard;
use tokio::time::Instant;

use super::documents::{Source, of_store};
use super::feed_document::{FeedDocument, FeedDraft};
use super::feed_report::{FeedReport, MOST_BYTES};
use super::{Client, MAX_BODY, Signature, TIMEOUT, classify, encode, wire};
use crate::http::{Attempt, Call, Fault, Method, Pace, json};
use crate::model::MarketplaceId;

const FEED_TYPE: &str = "JSON_LISTINGS_FEED";
/// Declared, and then sent to the letter, or the store refuses the upload.
const CONTENT_TYPE: &str = "application/json; charset=UTF-8";
/// Listings feeds that an account may submit within any such time, whatever the operation's own rate.
const SUBMISSIONS: (usize, Duration) = (5, Duration::from_mins(5));
/// The operation's documented rate, as the time that one call costs, and burst.
const CREATE_FEED: (Duration, u32) = (Duration::from_millis(120_482), 15);
/// Only 429s are tried again, and each costs minutes: what is in the document gets old.
const CREATE_ATTEMPTS: u32 = 3;
/// As many as one answer can hold.
const PAGE_SIZE: usize = 100;
/// Of feeds, most of which are somebody else's: an account sends a few in an hour.
const MOST_PAGES: usize = 10;

/// A feed as Amazon shows it. It does not say which document went in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feed {
    pub id: String,
    pub marketplaces: Vec<MarketplaceId>,
    pub status: FeedStatus,
    pub created: Timestamp,
    pub processing_started: Option<Timestamp>,
    pub processing_ended: Option<Timestamp>,
    /// Where its processing report is, for [`Client::feed_report`].
    pub report_document: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedStatus {
    /// Perhaps behind another feed.
    InQueue,
    InProgress,
    Done,
    /// Some, none or all of it was done.
    Fatal,
    /// Before it began: nothing was done.
    Cancelled,
    /// A word that was not known when this was written.
    Unknown(String),
}

/// What became of an order to create a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Creation {
    Created {
        feed_id: String,
    },
    /// There may be a feed now, or not: no answer came that says. [`Client::feeds`] shows it if there is, as one that was
    /// created after the order left and is not known; nothing in it names the document, and it may be somebody else's.
    InDoubt(Fault),
}

/// When listings feeds were submitted lately.
#[derive(Debug, Default)]
pub(super) struct Submissions(tokio::sync::Mutex<Recent>);

#[derive(Debug, Default)]
struct Recent {
    times: VecDeque<Instant>,
    /// What earlier processes ordered was counted.
    recalled: bool,
}

/// Leave to create one feed now. While it is held, nobody else gets one for the account.
#[derive(Debug)]
#[must_use = "the permit is for one feed, now"]
pub struct FeedPermit<'a>(MutexGuard<'a, Recent>);

impl Client {
    /// Waits until a feed may be created. What goes into it is best chosen after that: it can take minutes. A permit that
    /// is given back costs one call of the operation's own rate, and none of the five listings feeds.
    pub async fn feed_permit(&self) -> FeedPermit<'_> {
        let (most, window) = SUBMISSIONS;
        let mut recent = self.budget.feed_submissions.0.lock().await;
        while recent.times.len() >= most {
            let free = recent
                .times
                .front()
                .map_or(Duration::ZERO, |first| (*first + window).saturating_duration_since(self.clock.instant()));
            self.clock.sleep(free).await;
            recent.times.pop_front();
        }
        self.budget.create_feed.acquire().await;
        FeedPermit(recent)
    }

    /// Counts what earlier processes ordered against both limits, the first time it is called: else a process that
    /// starts again and again would exceed them.
    pub async fn recall_feeds(&self, ordered: &[Timestamp]) {
        let mut recent = self.budget.feed_submissions.0.lock().await;
        if std::mem::replace(&mut recent.recalled, true) {
            return;
        }
        let (now, instant) = (self.clock.now(), self.clock.instant());
        let ages: Vec<Duration> =
            ordered.iter().map(|at| Duration::try_from(now.duration_since(*at)).unwrap_or_default()).collect();
        let young = ages.iter().filter(|age| **age < SUBMISSIONS.1);
        recent.times.extend(young.map(|age| instant.checked_sub(*age).unwrap_or(instant)));
        drop(recent);
        for _ in 0..spent(&ages) {
            self.budget.create_feed.acquire().await;
        }
    }

    pub fn feed_draft(&self) -> FeedDraft {
        FeedDraft::new(&self.access.seller_id)
    }

    /// Uploads a document and gives its id, of which a feed can be created within two days.
    pub async fn upload_feed(&self, document: &FeedDocument) -> Result<String, Fault> {
        let mut urls = 0;
        loop {
            urls += 1;
            let created = self.create_feed_document().await?;
            match self.upload(&created.url, CONTENT_TYPE, document.bytes()).await {
                Ok(()) => return Ok(created.feed_document_id),
                // The URL died before the upload began; nothing refers to its document.
                Err(Fault::Rejected(_)) if urls == 1 => {}
                Err(fault) => return Err(of_store(fault, urls)),
            }
        }
    }

    async fn create_feed_document(&self) -> Result<wire::FeedDocumentCreated, Fault> {
        let body = body(&wire::CreateFeedDocument { content_type: CONTENT_TYPE })?;
        let url = format!("{}/feeds/2021-06-30/documents", self.access.endpoint);
        let pace = Pace::Bucket(&self.budget.create_feed_document);
        json(&self.call("createFeedDocument", pace, Method::POST, &url, Some(body)).await?)
    }

    /// Creates a feed of an uploaded document. A fault means that there is none. Whoever stops waiting for the outcome
    /// is in doubt, too.
    pub async fn create_feed(
        &self,
        permit: FeedPermit<'_>,
        document_id: &str,
        marketplaces: &[MarketplaceId],
    ) -> Result<Creation, Fault> {
        let FeedPermit(mut recent) = permit;
        let body = body(&wire::CreateFeed {
            feed_type: FEED_TYPE,
            marketplace_ids: marketplaces,
            input_feed_document_id: document_id,
        })?;
        let url = self.feeds_url();
        let call = Call {
            operation: "createFeed",
            pace: Pace::Granted(&self.budget.create_feed),
            timeout: TIMEOUT,
            attempts: CREATE_ATTEMPTS,
            max_body: MAX_BODY,
            renewable: true,
            classify,
        };
        let (signature, left) = (Signature::default(), AtomicBool::new(false));
        let build = async |attempt: Attempt| {
            left.store(false, Ordering::Relaxed);
            let request = self.sign(attempt, &signature, (&Method::POST, &url, Some(&body))).await?;
            left.store(true, Ordering::Relaxed);
            Ok(request)
        };
        recent.times.push_back(self.clock.instant());
        let outcome = self.http.send_once(&call, build).await;
        // Amazon counted it at some time before this.
        if let Some(last) = recent.times.back_mut() {
            *last = self.clock.instant();
        }
        drop(recent);
        match outcome.and_then(|answer| json::<wire::FeedCreated>(&answer)) {
            Ok(created) => Ok(Creation::Created { feed_id: created.feed_id }),
            Err(fault) if left.into_inner() && may_be_done(&fault) => Ok(Creation::InDoubt(fault)),
            Err(fault) => Err(fault),
        }
    }

    pub async fn feed(&self, feed_id: &str) -> Result<Feed, Fault> {
        let pace = Pace::Bucket(&self.budget.get_feed);
        let answer = self.call("getFeed", pace, Method::GET, &self.feed_url(feed_id), None).await?;
        json::<wire::FeedRow>(&answer).map(Feed::from)
    }

    /// Takes a feed out of the queue. Amazon refuses that with a 400 once the feed has left it, be it because an earlier
    /// attempt was done and its answer lost: [`Self::feed`] tells.
    pub async fn cancel_feed(&self, feed_id: &str) -> Result<(), Fault> {
        let pace = Pace::Bucket(&self.budget.cancel_feed);
        self.call("cancelFeed", pace, Method::DELETE, &self.feed_url(feed_id), None).await.map(|_| ())
    }

    /// The account's listings feeds since then, whoever created them, oldest first.
    pub async fn feeds(&self, created_since: Timestamp) -> Result<Vec<Feed>, Fault> {
        let base = self.feeds_url();
        let since = encode(&created_since.to_string());
        let mut url = format!("{base}?feedTypes={FEED_TYPE}&pageSize={PAGE_SIZE}&createdSince={since}");
        let mut found = Vec::new();
        for _ in 0..MOST_PAGES {
            let pace = Pace::Bucket(&self.budget.get_feeds);
            let rows: wire::FeedPage = json(&self.call("getFeeds", pace, Method::GET, &url, None).await?)?;
            found.extend(rows.feeds.into_iter().map(Feed::from));
            let Some(token) = rows.next_token else {
                found.sort_by(|one, other| (one.created, &one.id).cmp(&(other.created, &other.id)));
                return Ok(found);
            };
            // It stands for all the others, which must not be given again.
            url = format!("{base}?nextToken={}", encode(&token));
        }
        Err(Fault::nonsense(format!("more than {MOST_PAGES} pages of {PAGE_SIZE} feeds")))
    }

    /// What became of each message of a feed, by the [`Feed::report_document`] of one that has ended.
    pub async fn feed_report(&self, report_document: &str) -> Result<FeedReport, Fault> {
        let source = Source {
            get: "getFeedDocument",
            download: "feedReportDocument",
            url: format!("{}/feeds/2021-06-30/documents/{}", self.access.endpoint, encode(report_document)),
            budget: &self.budget.get_feed_document,
            max_body: MOST_BYTES,
        };
        FeedReport::read(&self.fetch(&source).await?)
    }

    fn feeds_url(&self) -> String {
        format!("{}/feeds/2021-06-30/feeds", self.access.endpoint)
    }

    fn feed_url(&self, feed_id: &str) -> String {
        format!("{}/{}", self.feeds_url(), encode(feed_id))
    }
}

/// How much of the bucket of createFeed is used when this was ordered, so long ago, oldest first.
fn spent(ages: &[Duration]) -> u32 {
    let (period, burst) = CREATE_FEED;
    let (mut used, mut before) = (Duration::ZERO, None);
    for age in ages {
        let passed = before.map_or(Duration::ZERO, |before: Duration| before.saturating_sub(*age));
        used = (used.saturating_sub(passed) + period).min(period * burst);
        before = Some(*age);
    }
    let used = used.saturating_sub(before.unwrap_or_default());
    u32::try_from(used.as_nanos().div_ceil(period.as_nanos())).unwrap_or(burst).min(burst - 1)
}

fn body(request: &impl serde::Serialize) -> Result<String, Fault> {
    serde_json::to_string(request)
        .map_err(|error| Fault::nonsense(format!("a request that cannot be written: {error}")))
}

/// Whether a request that left may have been carried out, whatever came back. A refusal says that it was not, and so
/// does a 429.
fn may_be_done(fault: &Fault) -> bool {
    match fault {
        Fault::Transient { status, .. } => *status != Some(429),
        Fault::Unauthorized { .. } => false,
        Fault::Rejected(refusal) => refusal.status >= 500,
        Fault::Nonsense { .. } => true,
        Fault::Exhausted { last, .. } => may_be_done(last),
    }
}

impl From<wire::FeedRow> for Feed {
    fn from(feed: wire::FeedRow) -> Self {
        Self {
            id: feed.feed_id,
            marketplaces: feed.marketplace_ids,
            status: feed.processing_status.into(),
            created: feed.created_time,
            processing_started: feed.processing_start_time,
            processing_ended: feed.processing_end_time,
            report_document: feed.result_feed_document_id,
        }
    }
}

impl FeedStatus {
    pub const fn is_ended(&self) -> bool {
        matches!(self, Self::Done | Self::Fatal | Self::Cancelled)
    }
}

impl From<String> for FeedStatus {
    fn from(word: String) -> Self {
        match word.as_str() {
            "IN_QUEUE" => Self::InQueue,
            "IN_PROGRESS" => Self::InProgress,
            "DONE" => Self::Done,
            "FATAL" => Self::Fatal,
            "CANCELLED" => Self::Cancelled,
            _ => Self::Unknown(word),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_ordered_is_used_up_until_it_is_filled_again() {
        let minutes = |ages: &[u64]| ages.iter().map(|age| Duration::from_mins(*age)).collect::<Vec<_>>();
        for (ages, expected) in [
            (vec![], 0),
            (vec![0], 1),
            (vec![3], 0),
            (vec![1, 1, 1], 3),
            (vec![5, 5, 5], 1),
            (vec![60, 1], 1),
            (vec![0; 15], 14),
            (vec![0; 40], 14),
            (vec![40; 40], 0),
        ] {
            assert_eq!(spent(&minutes(&ages)), expected, "{ages:?}");
        }
    }
}
