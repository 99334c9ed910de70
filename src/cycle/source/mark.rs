//! How far a watch has come, by the times that Commerce writes.

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};

/// How Commerce writes times: UTC, without saying so.
const FORM: &str = "%Y-%m-%d %H:%M:%S";
/// Rows become visible when they are committed, some after others that are newer.
const OVERLAP: SignedDuration = SignedDuration::from_mins(10);

/// The newest change that was seen, by the shop's clock, and since when it is that, by ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) text: String,
    pub(super) at: Timestamp,
}

impl Mark {
    /// From when on to look. As long as older rows may still be committed, an overlap before the mark; then only after it:
    /// else everything of one great import would be listed until something else is saved.
    pub(super) fn since(&self, now: Timestamp) -> String {
        if now.duration_since(self.at) < OVERLAP {
            earlier(&self.text)
        } else {
            shifted(&self.text, SignedDuration::from_secs(1))
        }
    }

    /// A row from the future would blind a watch until then: no mark is ahead of our clock by more than an overlap.
    pub(super) fn moved(self, newest: String, now: Timestamp) -> Self {
        let latest = now.saturating_add(OVERLAP).unwrap_or(now).strftime(FORM).to_string();
        let text = newest.min(latest);
        if text == self.text { self } else { Self { text, at: now } }
    }
}

/// A time as Commerce writes it, less the overlap.
pub(super) fn earlier(mark: &str) -> String {
    shifted(mark, -OVERLAP)
}

/// From the beginning where there is no time.
fn shifted(mark: &str, by: SignedDuration) -> String {
    let time = DateTime::strptime(FORM, mark).ok().and_then(|time| time.checked_add(by).ok());
    time.map_or_else(|| "1970-01-01 00:00:00".to_owned(), |time| time.strftime(FORM).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_overlaps_while_rows_may_still_be_committed_late() {
        let now: Timestamp = "2026-11-02T12:00:00Z".parse().unwrap();
        let ago = |minutes| now.checked_sub(SignedDuration::from_mins(minutes)).unwrap();
        for (text, minutes, expected) in [
            ("2026-11-02 11:59:58", 0, "2026-11-02 11:49:58"),
            ("2026-11-02 00:00:00", 9, "2026-11-01 23:50:00"),
            ("2026-11-01 23:59:59", 10, "2026-11-02 00:00:00"),
            ("", 0, "1970-01-01 00:00:00"),
            ("", 60, "1970-01-01 00:00:00"),
            ("soon", 60, "1970-01-01 00:00:00"),
        ] {
            assert_eq!(Mark { text: text.into(), at: ago(minutes) }.since(now), expected, "{text:?}, {minutes} min");
        }
    }

    #[test]
    fn a_mark_moves_with_the_shops_clock_and_never_far_ahead_of_ours() {
        let now: Timestamp = "2026-11-02T12:00:00Z".parse().unwrap();
        let at: Timestamp = "2026-11-02T11:00:00Z".parse().unwrap();
        let mark = Mark { text: "2026-11-02 10:00:00".into(), at };
        assert_eq!(mark.clone().moved("2026-11-02 10:00:00".into(), now), mark);
        for (newest, expected) in [
            ("2026-11-02 10:00:01", "2026-11-02 10:00:01"),
            ("2026-11-02 12:09:00", "2026-11-02 12:09:00"),
            ("2036-01-01 00:00:00", "2026-11-02 12:10:00"),
        ] {
            assert_eq!(mark.clone().moved(newest.into(), now), Mark { text: expected.into(), at: now });
        }
    }
}
