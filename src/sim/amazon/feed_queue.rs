//! Feeds in their order: one at a time for each account, and a stuck one holds up all behind it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::fault::FaultKind;
use super::feed_document::FeedDocument;
use super::feeds::LISTINGS_FEED;
use super::state::Now;
use super::submission::Author;
use crate::model::Marketplace;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Queued,
    Running { ends: Instant },
    Done,
    Fatal,
    Cancelled,
}

impl Phase {
    pub(super) const fn status(self) -> &'static str {
        match self {
            Self::Queued => "IN_QUEUE",
            Self::Running { .. } => "IN_PROGRESS",
            Self::Done => "DONE",
            Self::Fatal => "FATAL",
            Self::Cancelled => "CANCELLED",
        }
    }
}

#[derive(Debug)]
pub(super) struct Feed {
    pub(super) account: usize,
    pub(super) number: u64,
    pub(super) marketplaces: Vec<&'static Marketplace>,
    pub(super) created: Timestamp,
    ready: Instant,
    duration: Duration,
    started: Option<Timestamp>,
    ended: Option<Timestamp>,
    pub(super) phase: Phase,
    /// How it is ordered to end, or that it never does.
    pub(super) fate: Option<FaultKind>,
    /// Gone when the feed has ended.
    pub(super) document: FeedDocument,
    skus: HashSet<String>,
    pub(super) author: Author,
    pub(super) result: Option<String>,
}

impl Feed {
    pub(super) fn new(
        account: usize,
        number: u64,
        marketplaces: Vec<&'static Marketplace>,
        times: (Timestamp, Instant, Duration),
        document: FeedDocument,
        author: Author,
    ) -> Self {
        Self {
            account,
            number,
            marketplaces,
            created: times.0,
            ready: times.1,
            duration: times.2,
            started: None,
            ended: None,
            phase: Phase::Queued,
            fate: None,
            skus: document.messages.iter().map(|message| message.sku.clone()).collect(),
            document,
            author,
            result: None,
        }
    }

    pub(super) fn json(&self, id: &str) -> Value {
        let mut feed = Map::new();
        let mut put = |name: &str, value: Value| feed.insert(name.to_owned(), value);
        put("feedId", json!(id));
        put("feedType", json!(LISTINGS_FEED));
        put("marketplaceIds", self.marketplaces.iter().map(|marketplace| json!(marketplace.id)).collect());
        put("createdTime", json!(self.created.to_string()));
        put("processingStatus", json!(self.phase.status()));
        if let Some(started) = self.started {
            put("processingStartTime", json!(started.to_string()));
        }
        if let Some(ended) = self.ended {
            put("processingEndTime", json!(ended.to_string()));
        }
        if let Some(result) = &self.result {
            put("resultFeedDocumentId", json!(result));
        }
        Value::Object(feed)
    }
}

#[derive(Debug, Default)]
pub(super) struct Feeds {
    by_id: BTreeMap<String, Feed>,
    lines: BTreeMap<usize, Line>,
}

/// One account's feeds that have not ended, and when its last one did.
#[derive(Debug, Default)]
struct Line {
    open: VecDeque<String>,
    free_since: Option<Instant>,
    submitted: VecDeque<Instant>,
}

impl Feeds {
    pub(super) fn get(&self, id: &str) -> Option<&Feed> {
        self.by_id.get(id)
    }

    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut Feed> {
        self.by_id.get_mut(id)
    }

    pub(super) fn newest(&self) -> impl Iterator<Item = (&String, &Feed)> {
        let mut feeds: Vec<_> = self.by_id.iter().collect();
        feeds.sort_unstable_by_key(|(_, feed)| Reverse(feed.number));
        feeds.into_iter()
    }

    pub(super) fn may_submit(&mut self, account: usize, now: Instant, limit: (usize, Duration)) -> bool {
        let submitted = &mut self.lines.entry(account).or_default().submitted;
        while submitted.front().is_some_and(|first| now - *first >= limit.1) {
            submitted.pop_front();
        }
        submitted.len() < limit.0
    }

    pub(super) fn submit(&mut self, id: String, feed: Feed, now: Instant) {
        let line = self.lines.entry(feed.account).or_default();
        line.submitted.push_back(now);
        line.open.push_back(id.clone());
        self.by_id.insert(id, feed);
    }

    /// Whether a feed that has not ended carries the SKU.
    pub(super) fn carries(&self, account: usize, sku: &str) -> bool {
        let open = self.lines.get(&account).into_iter().flat_map(|line| &line.open);
        open.filter_map(|id| self.by_id.get(id)).any(|feed| feed.skus.contains(sku))
    }

    /// When the next thing happens to which feed.
    pub(super) fn next_step(&self) -> Option<(Instant, &str)> {
        self.lines.values().filter_map(|line| self.step_of(line)).min_by_key(|(due, _)| *due)
    }

    /// Only the first of a line moves.
    fn step_of<'a>(&self, line: &'a Line) -> Option<(Instant, &'a str)> {
        let id = line.open.front()?.as_str();
        let feed = self.by_id.get(id)?;
        match feed.phase {
            Phase::Queued if feed.fate != Some(FaultKind::StuckInQueue) => {
                Some((line.free_since.map_or(feed.ready, |since| since.max(feed.ready)), id))
            }
            Phase::Running { ends } if feed.fate != Some(FaultKind::Stuck) => Some((ends, id)),
            _ => None,
        }
    }

    pub(super) fn start(&mut self, id: &str, due: Instant, now: Now) {
        if let Some(feed) = self.by_id.get_mut(id) {
            feed.phase = Phase::Running { ends: due + feed.duration };
            feed.started = Some(now.wall);
        }
    }

    pub(super) fn end(&mut self, id: &str, phase: Phase, now: Now) {
        let Some(feed) = self.by_id.get_mut(id) else { return };
        feed.phase = phase;
        feed.ended = Some(now.wall);
        feed.document = FeedDocument::default();
        feed.skus = HashSet::new();
        let line = self.lines.entry(feed.account).or_default();
        line.open.retain(|open| open != id);
        line.free_since = Some(now.instant);
    }

    /// Stuck feeds move again, and end as soon as they may.
    pub(super) fn release(&mut self, now: Instant) {
        for feed in self.by_id.values_mut() {
            match (feed.fate, feed.phase) {
                (Some(FaultKind::Stuck), Phase::Running { ends }) => {
                    feed.phase = Phase::Running { ends: ends.max(now) }
                }
                (Some(FaultKind::StuckInQueue), _) => feed.ready = feed.ready.max(now),
                (Some(FaultKind::Stuck), _) => {}
                _ => continue,
            }
            feed.fate = None;
        }
    }
}
