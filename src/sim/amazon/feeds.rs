//! The Feeds API: documents up, feeds through one queue per account, reports down.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::answer::Answer;
use super::api::Call;
use super::bucket::Verdict;
use super::events::Lane;
use super::fault::FaultKind;
use super::feed_document::FeedDocument;
use super::feed_queue::{Feed, Phase};
use super::query::Query;
use super::reports::{STATUSES, body_marketplaces};
use super::state::State;
use super::submission::Author;

pub(super) const LISTINGS_FEED: &str = "JSON_LISTINGS_FEED";
/// Submissions of listings feeds within any such time, besides the operation's own rate.
const SUBMISSIONS: (usize, Duration) = (5, Duration::from_mins(5));

impl State {
    pub(super) fn create_feed_document(&mut self, call: &Call) -> Result<Answer, Answer> {
        call.query.allow(&[])?;
        let body = call.json_object()?;
        let content_type = body.get("contentType").and_then(Value::as_str).filter(|_| body.len() == 1);
        let content_type = content_type.ok_or_else(|| Answer::invalid_input("'contentType' alone is required."))?;
        let id = self.store_document(call.account, content_type, (None, false));
        let url = self.presign(&call.base_url, &id, true, false);
        Ok(Answer::with(StatusCode::CREATED, json!({"feedDocumentId": id, "url": url})))
    }

    pub(super) fn create_feed(&mut self, call: &Call) -> Result<Answer, Answer> {
        call.query.allow(&[])?;
        let body = call.json_object()?;
        let known = ["feedType", "marketplaceIds", "inputFeedDocumentId", "feedOptions"];
        if let Some(name) = body.keys().find(|name| !known.contains(&name.as_str())) {
            return Err(Answer::invalid_input(&format!("'{name}' is not a member of the request.")));
        }
        if body.get("feedType").and_then(Value::as_str) != Some(LISTINGS_FEED) {
            return Err(Answer::invalid_input("Invalid Feed Type."));
        }
        let marketplaces = body_marketplaces(&body, &self.account_of(call)?.marketplaces)?;
        let input = body.get("inputFeedDocumentId").and_then(Value::as_str).unwrap_or_default();
        let input = self.documents.get(input, call.account);
        let bytes =
            input.ok_or_else(|| Answer::invalid_input("Invalid 'inputFeedDocumentId' provided."))?.bytes.clone();
        let window = SUBMISSIONS.1.div_f64(self.settings.speed);
        if !self.feeds.may_submit(call.account, self.now.instant, (SUBMISSIONS.0, window)) {
            let counts = self.stats.of(&call.seller, super::Operation::CreateFeed);
            counts.throttled += 1;
            return Err(Answer::throttled(Verdict::AccountExceeded));
        }
        let document = match bytes {
            Some(bytes) => FeedDocument::read(&bytes, &call.seller),
            None => FeedDocument::broken("4002001", "Item 'Feed' cannot be parsed"),
        };
        let delay = self.draw(self.settings.feed_delay);
        let number = self.next_number();
        let id = (60_000_000_000 + number).to_string();
        let author = Author {
            lane: Lane::Feed,
            feed_id: Some(id.clone()),
            user_agent: call.user_agent.clone(),
            request_id: call.request_id.clone(),
        };
        let ready = self.now.instant + delay / 4;
        let mut feed =
            Feed::new(call.account, number, marketplaces, (self.now.wall, ready, delay * 3 / 4), document, author);
        feed.fate = call.ending;
        self.feeds.submit(id.clone(), feed, self.now.instant);
        Ok(Answer::with(StatusCode::ACCEPTED, json!({"feedId": id})))
    }

    fn feed(&self, call: &Call) -> Result<&Feed, Answer> {
        let feed = self.feeds.get(&call.id).filter(|feed| feed.account == call.account);
        feed.ok_or_else(|| Answer::not_found(&format!("Feed {} not found.", call.id)))
    }

    pub(super) fn get_feed(&self, call: &Call) -> Result<Answer, Answer> {
        call.query.allow(&[])?;
        Ok(Answer::ok(self.feed(call)?.json(&call.id)))
    }

    pub(super) fn cancel_feed(&mut self, call: &Call) -> Result<Answer, Answer> {
        call.query.allow(&[])?;
        let phase = self.feed(call)?.phase;
        if phase != Phase::Queued {
            return Err(Answer::invalid_input(&format!("A feed that is {} cannot be cancelled.", phase.status())));
        }
        let now = self.now;
        self.feeds.end(&call.id, Phase::Cancelled, now);
        Ok(Answer::ok(json!({})))
    }

    pub(super) fn get_feeds(&self, call: &Call) -> Result<Answer, Answer> {
        if let Some(token) = call.query.get("nextToken") {
            call.query.allow(&["nextToken"])?;
            let (last, query) = Query::from_token(token)?;
            return self.feeds_page(call.account, &query, last);
        }
        self.feeds_page(call.account, &call.query, u64::MAX)
    }

    /// The newest feeds that fit and are older than the last of the page before.
    fn feeds_page(&self, account: usize, query: &Query, last: u64) -> Result<Answer, Answer> {
        let names = ["feedTypes", "processingStatuses", "marketplaceIds", "pageSize", "createdSince", "createdUntil"];
        query.allow(&names)?;
        let size = query.number("pageSize", 10, (1, 100))?;
        let types = query.list("feedTypes");
        let types = types.ok_or_else(|| Answer::invalid_input("Either 'feedTypes' or 'nextToken' is required."))?;
        let statuses = query.choices("processingStatuses", &STATUSES)?;
        let marketplaces = query.list("marketplaceIds");
        let (since, until) = (query.time("createdSince")?, query.time("createdUntil")?);
        let fits = |feed: &Feed| {
            feed.account == account
                && feed.number < last
                && types.contains(&LISTINGS_FEED)
                && statuses.as_ref().is_none_or(|statuses| statuses.contains(&feed.phase.status()))
                && marketplaces.as_ref().is_none_or(|ids| feed.marketplaces.iter().any(|one| ids.contains(&one.id)))
                && since.is_none_or(|since| feed.created >= since)
                && until.is_none_or(|until| feed.created <= until)
        };
        let mut found = self.feeds.newest().filter(|(_, feed)| fits(feed));
        let page: Vec<_> = found.by_ref().take(size).collect();
        let feeds: Vec<Value> = page.iter().map(|(id, feed)| feed.json(id)).collect();
        let mut body = json!({"feeds": feeds});
        if let (Some(_), Some((_, last))) = (found.next(), page.last()) {
            body["nextToken"] = json!(query.token(last.number));
        }
        Ok(Answer::ok(body))
    }

    /// Does the queue's next step: a feed leaves the queue, or ends.
    pub(super) fn step_feed(&mut self, id: &str, due: Instant) {
        let Some(feed) = self.feeds.get(id) else { return };
        let now = self.now;
        match (feed.phase, feed.fate) {
            (Phase::Queued, Some(FaultKind::Cancelled)) => self.feeds.end(id, Phase::Cancelled, now),
            (Phase::Queued, _) => self.feeds.start(id, due, now),
            (Phase::Running { .. }, _) => self.finish_feed(id),
            _ => {}
        }
    }
}
