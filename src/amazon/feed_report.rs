//! The processing report of a feed: what Amazon refused, message by message. Of an accepted message it says nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{BufRead, BufReader, Read};

use flate2::read::MultiGzDecoder;
use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};

use super::documents::GZIP;
use super::wire;
use crate::http::{Answer, Fault};

/// 25,000 messages with four issues of 300 bytes each, packed or not.
pub(super) const MOST_BYTES: usize = 32 << 20;
/// More of what is wrong with one message helps nobody.
const LONGEST_TEXT: usize = 500;
/// Issues of the feed as a whole are few; a report full of them is read to its end and not kept.
const MOST_WHOLE: usize = 100;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Amazon's own example does not add up: the counts and the issues are two accounts of the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedReport {
    /// Of the feed that it says it is about.
    pub feed_id: String,
    /// Amazon's words on each message that it refused.
    pub rejected: BTreeMap<u32, String>,
    /// Its words on messages that it did not refuse for them.
    pub remarks: BTreeMap<u32, String>,
    /// What is wrong with the feed as a whole.
    pub whole: Vec<String>,
    pub whole_remarks: Vec<String>,
    /// Of issues.
    pub errors: u64,
    pub warnings: u64,
    pub messages: Messages,
}

/// How many there were, in Amazon's count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Messages {
    pub processed: u64,
    /// Taken in. Not the same as live.
    pub accepted: u64,
    pub invalid: u64,
}

impl FeedReport {
    pub(super) fn read(answer: &Answer) -> Result<Self, Fault> {
        let body = &answer.body[..];
        // The storage may have named the compression as its encoding: then it is unpacked already.
        if !body.starts_with(&GZIP) {
            return Self::parse(body);
        }
        let mut text = BufReader::new(MultiGzDecoder::new(body).take(MOST_BYTES as u64));
        let report = Self::parse(&mut text);
        if text.get_ref().limit() == 0 {
            return Err(Fault::nonsense(format!("a processing report of more than {MOST_BYTES} bytes")));
        }
        report
    }

    /// Row by row: what is kept of it can be much less than the text.
    fn parse(mut text: impl BufRead) -> Result<Self, Fault> {
        let unreadable = |error| Fault::nonsense(format!("a processing report that cannot be unpacked: {error}"));
        let start = text.fill_buf().map_err(unreadable)?;
        let mark = if start.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        if start.get(mark..).unwrap_or_default().trim_ascii_start().first().is_some_and(|first| *first != b'{') {
            return Err(Fault::nonsense("a processing report in another format than JSON"));
        }
        text.consume(mark);
        let mut deserializer = serde_json::Deserializer::from_reader(text);
        let report: wire::ProcessingReport<Issues> = serde_path_to_error::deserialize(&mut deserializer)
            .map_err(|error| misfit(&format!("at {}: {}", error.path(), error.inner())))?;
        deserializer.end().map_err(|error| misfit(&error.to_string()))?;
        let Issues(issues) = report.issues;
        let summary = report.summary;
        Ok(Self {
            feed_id: report.header.feed_id,
            errors: summary.errors,
            warnings: summary.warnings,
            messages: Messages {
                processed: summary.messages_processed,
                accepted: summary.messages_accepted,
                invalid: summary.messages_invalid,
            },
            ..issues
        })
    }

    /// A severity that is not known counts as an error: to call a refused message accepted would be worse.
    fn note(&mut self, issue: &wire::FeedIssue) {
        let harmless = matches!(issue.severity.as_deref(), Some("WARNING" | "INFO"));
        let said = [issue.code.as_deref(), issue.message.as_deref()];
        let words: Vec<&str> = said.into_iter().flatten().filter(|text| !text.is_empty()).collect();
        let words = if words.is_empty() { "an issue without a text".to_owned() } else { words.join(" ") };
        let (of_messages, of_whole) =
            if harmless { (&mut self.remarks, &mut self.whole_remarks) } else { (&mut self.rejected, &mut self.whole) };
        match issue.message_id.and_then(|id| u32::try_from(id).ok()) {
            Some(id) => append(of_messages.entry(id).or_default(), &words),
            None if of_whole.len() < MOST_WHOLE => {
                let mut text = String::new();
                append(&mut text, &words);
                of_whole.push(text);
            }
            None => {}
        }
    }
}

fn misfit(why: &str) -> Fault {
    Fault::nonsense(format!("a processing report that does not fit {why}"))
}

/// Control characters could forge a line where the text is shown.
fn append(text: &mut String, words: &str) {
    let separator = if text.is_empty() { "" } else { "; " };
    let left = LONGEST_TEXT.saturating_sub(text.chars().count());
    let words = separator.chars().chain(words.chars().map(|c| if c.is_control() { ' ' } else { c }));
    text.extend(words.take(left));
}

/// The list of issues, of which only what is said of each message is kept.
struct Issues(FeedReport);

impl<'de> Deserialize<'de> for Issues {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(IssuesVisitor)
    }
}

struct IssuesVisitor;

impl<'de> Visitor<'de> for IssuesVisitor {
    type Value = Issues;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of issues")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Issues, A::Error> {
        let mut report = FeedReport::default();
        while let Some(issue) = list.next_element::<wire::FeedIssue>()? {
            report.note(&issue);
        }
        Ok(Issues(report))
    }
}
