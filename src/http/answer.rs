//! A complete answer, and what can be read out of it whatever the API.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use serde::de::DeserializeOwned;

use super::body::Packed;
use super::fault::{Fault, Refusal, one_line};

/// Statuses that another attempt may turn into success.
const TRANSIENT: [u16; 5] = [429, 500, 502, 503, 504];

/// An answer whose body arrived in full.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    /// The whole body; of a [`Long`](super::Long) one, its first block.
    pub body: Bytes,
    pub(super) rest: VecDeque<Packed>,
    /// How long the server asked to wait.
    pub(super) told: Option<Duration>,
    /// How long it took, from leaving to the last byte of the body.
    pub took: Duration,
}

impl Answer {
    pub fn new(status: u16, headers: HeaderMap, body: Bytes) -> Self {
        Self { status, headers, body, rest: VecDeque::new(), told: None, took: Duration::ZERO }
    }

    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// A header's value, when there is one of visible ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether the body is a page for people: maintenance, a sign-in form, a proxy's error. Its content type may lie.
    pub fn is_html(&self) -> bool {
        self.body.trim_ascii_start().starts_with(b"<")
    }

    /// For an answer that another attempt may turn into success, whatever its status.
    pub fn transient(&self, message: &str) -> Fault {
        let message = one_line(&format!("HTTP {}: {message}", self.status));
        Fault::Transient { status: Some(self.status), message, after: self.told }
    }

    /// The fault that goes with the status and the server's words.
    pub fn refused(&self, code: Option<&str>, message: &str) -> Fault {
        let status = self.status;
        let message = if message.is_empty() { "no message" } else { message };
        if TRANSIENT.contains(&status) {
            return self.transient(message);
        }
        if status == 401 {
            return Fault::unauthorized(Some(status), message);
        }
        Refusal { status, code: code.map(one_line), message: one_line(message) }.into()
    }
}

/// Reads a JSON body; where it does not fit, the fault says at which path.
pub fn json<T: DeserializeOwned>(answer: &Answer) -> Result<T, Fault> {
    not_html(answer)?;
    let mut deserializer = serde_json::Deserializer::from_slice(&answer.body);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        Fault::nonsense(format!(
            "HTTP {} with a body that does not fit at {}: {}",
            answer.status,
            error.path(),
            error.inner()
        ))
    })?;
    deserializer
        .end()
        .map_err(|error| Fault::nonsense(format!("HTTP {} with more than one value: {error}", answer.status)))?;
    Ok(value)
}

pub(super) fn not_html(answer: &Answer) -> Result<(), Fault> {
    if answer.is_html() {
        let kind = answer.header(CONTENT_TYPE.as_str()).unwrap_or("none");
        return Err(Fault::nonsense(format!("HTTP {} with HTML (content type {kind})", answer.status)));
    }
    Ok(())
}

/// `Retry-After` in seconds or as a date. Nonsense counts as nothing said.
pub(super) fn told_delay(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let when = rfc2822::parse(text).ok()?.timestamp();
    Some(Duration::try_from(when.duration_since(now)).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &'static str) -> Answer {
        Answer::new(status, HeaderMap::new(), Bytes::from_static(body.as_bytes()))
    }

    #[test]
    fn a_told_delay_is_seconds_or_a_date() {
        let now: Timestamp = "1994-11-06T08:49:00Z".parse().unwrap();
        for (text, expected) in [
            ("7", Some(7)),
            (" 0 ", Some(0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(37)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("-3", None),
            ("soon", None),
        ] {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
            assert_eq!(told_delay(&headers, now), expected.map(Duration::from_secs), "{text}");
        }
        assert_eq!(told_delay(&HeaderMap::new(), now), None);
    }

    #[test]
    fn a_body_that_does_not_fit_is_nonsense_with_its_path() {
        type Rows = std::collections::BTreeMap<String, Vec<u32>>;
        for (body, expected) in [
            (r#"{"items":[1,"x"]}"#, "items[1]"),
            ("  <html>", "HTML"),
            (r#"{"items":[1"#, "EOF"),
            ("{}{}", "more than one value"),
            ("", "EOF"),
        ] {
            let Err(Fault::Nonsense { what }) = json::<Rows>(&answer(200, body)) else { panic!("{body} was taken") };
            assert!(what.contains(expected), "{what}");
        }
        assert!(json::<Rows>(&answer(200, r#"{"items":[1]}"#)).is_ok());
    }

    #[test]
    fn a_status_decides_whether_another_attempt_may_help() {
        for (status, expected) in [(429, "t"), (500, "t"), (503, "t"), (401, "u"), (400, "r"), (403, "r"), (302, "r")] {
            let kind = match answer(status, "").refused(None, "") {
                Fault::Transient { .. } => "t",
                Fault::Unauthorized { .. } => "u",
                Fault::Rejected(_) => "r",
                Fault::Nonsense { .. } | Fault::Exhausted { .. } => "other",
            };
            assert_eq!(kind, expected, "{status}");
        }
    }

    #[test]
    fn words_of_a_server_stay_on_one_short_line() {
        let Fault::Rejected(refusal) = answer(400, "").refused(None, &format!("a\nb{}", "x".repeat(1000))) else {
            panic!("400 is a refusal");
        };
        assert!(refusal.message.starts_with("a bx"));
        assert!(refusal.message.chars().count() <= 301);
    }
}
