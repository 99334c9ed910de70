//! What a feed does in the end, and the processing report that tells of it.

use rand::RngExt;
use serde_json::{Map, Value, json};

use super::fault::FaultKind;
use super::feed_document::{Content, FeedDocument, Message};
use super::feed_queue::Phase;
use super::items::{DATA_SETS, item};
use super::report_text::compress;
use super::state::State;
use super::stats::ViolationKind;
use super::submission::{Address, Author};
use crate::model::Marketplace;

/// Where a feed's messages go, and whose they are.
struct Sender {
    account: usize,
    seller: String,
    marketplaces: Vec<&'static Marketplace>,
    author: Author,
}

#[derive(Default)]
struct Tally {
    accepted: usize,
    invalid: usize,
    issues: Vec<Value>,
}

impl State {
    pub(super) fn finish_feed(&mut self, id: &str) {
        let now = self.now;
        let Some(feed) = self.feeds.get_mut(id) else { return };
        let document = std::mem::take(&mut feed.document);
        let fate = feed.fate;
        let fatal = matches!(fate, Some(FaultKind::Fatal | FaultKind::OddReport));
        let (account, marketplaces, author) = (feed.account, feed.marketplaces.clone(), feed.author.clone());
        let Some(seller) = self.accounts.get(account).map(|owner| owner.seller_id.clone()) else { return };
        let sender = Sender { account, seller, marketplaces, author };
        let mut tally = Tally { issues: document.issues.clone(), ..Tally::default() };
        for message in &document.messages {
            // A fatal feed may have done some of its work, and nobody learns which.
            if !fatal || self.rng.random_bool(0.5) {
                self.process(message, &sender, &mut tally);
            }
        }
        let broken = !document.issues.is_empty();
        let result = match fate {
            Some(FaultKind::Fatal | FaultKind::NoReport) => None,
            Some(FaultKind::OddReport) => Some(("text/plain; charset=UTF-8", odd_report(&document))),
            _ => {
                let report = self.processing_report(id, &document, &sender, &tally);
                Some(("application/json; charset=UTF-8", report.to_string()))
            }
        };
        let gzip = self.settings.report.gzip;
        let result = result.map(|(content_type, text)| {
            self.store_document(account, content_type, (Some(compress(text.into_bytes(), gzip)), gzip))
        });
        if let Some(feed) = self.feeds.get_mut(id) {
            feed.result = result;
        }
        self.feeds.end(id, if fatal || broken { Phase::Fatal } else { Phase::Done }, now);
    }

    fn process(&mut self, message: &Message, sender: &Sender, tally: &mut Tally) {
        let listing = self.accounts.get(sender.account).and_then(|owner| owner.listings.get(&message.sku));
        let blocked = listing.and_then(|listing| listing.invalid.as_deref());
        let row = |code: &Value, text: &Value, attribute: &Value| {
            let mut row = Map::new();
            row.insert("messageId".to_owned(), message.id.clone());
            row.insert("sku".to_owned(), json!(message.sku));
            row.insert("code".to_owned(), code.clone());
            row.insert("severity".to_owned(), json!("ERROR"));
            row.insert("message".to_owned(), text.clone());
            if attribute.is_string() {
                row.insert("attributeName".to_owned(), attribute.clone());
            }
            Value::Object(row)
        };
        match (&message.content, blocked) {
            (Content::Invalid(issues), _) => {
                tally.invalid += 1;
                // What a patch calls by a number, a feed calls a bad request.
                let code =
                    |issue: &Value| if issue["code"] == "99022" { json!("BAD_REQUEST") } else { issue["code"].clone() };
                let rows = issues.iter().map(|issue| row(&code(issue), &issue["message"], &issue["attributeNames"][0]));
                tally.issues.extend(rows);
            }
            (Content::Changes { .. }, Some(text)) => {
                tally.invalid += 1;
                tally.issues.push(row(&json!("90000900"), &json!(text), &json!("fulfillment_availability")));
            }
            (Content::Changes { changes, foreign }, None) => {
                tally.accepted += 1;
                for _ in 0..*foreign {
                    self.violated(ViolationKind::ForeignAttribute, &sender.seller, &message.sku);
                }
                let to = Address { account: sender.account, sku: &message.sku, marketplaces: &sender.marketplaces };
                self.accept(to, changes.clone(), &sender.author);
            }
        }
    }

    /// Accepted is still not applied: the items, if asked for, show what is live while that goes on.
    fn processing_report(&self, id: &str, document: &FeedDocument, sender: &Sender, tally: &Tally) -> Value {
        let mut report = json!({
            "header": {"sellerId": sender.seller, "version": "2.0", "feedId": id},
            "summary": {
                "errors": tally.issues.len(),
                "warnings": 0,
                "messagesProcessed": tally.accepted + tally.invalid,
                "messagesAccepted": tally.accepted,
                "messagesInvalid": tally.invalid,
            },
            "issues": tally.issues,
        });
        if let Some(wanted) = &document.report {
            let names = wanted["includedData"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let included: Vec<&str> = names.filter(|name| DATA_SETS.contains(name)).collect();
            let items = self.items(document, sender, &included);
            report["header"]["report"] = wanted.clone();
            report["summary"]["itemSummary"] = json!({"items": items.len(), "errors": 0, "warnings": 0});
            report["items"] = json!(items);
        }
        report
    }

    fn items(&self, document: &FeedDocument, sender: &Sender, included: &[&str]) -> Vec<Value> {
        let Some(owner) = self.accounts.get(sender.account) else { return Vec::new() };
        let found = document.messages.iter().filter_map(|message| owner.listings.get_key_value(&message.sku));
        found.map(|(sku, listing)| item(sku, listing, &sender.marketplaces, included)).collect()
    }
}

/// Such as feeds had before JSON.
fn odd_report(document: &FeedDocument) -> String {
    let count = document.messages.len();
    format!("Feed Processing Summary:\n\tNumber of records processed\t\t{count}\n\tNumber of records successful\t\t0\n")
}
