//! Lengths of time as people write them: `90s`, `10m`, `1h30m`, `400d`, `500ms`.

use std::fmt::Write;
use std::time::Duration;

use super::finding::Wrong;

/// Largest first: parts must come in this order, each unit at most once.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// A length of time outside of a configuration.
pub fn read(text: &str) -> Option<Duration> {
    parse(text).ok()
}

pub(super) fn parse(text: &str) -> Result<Duration, Wrong> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(refusal("has no unit"));
    }
    let milliseconds = parse_milliseconds(text).ok_or_else(|| refusal("is not a length of time"))?;
    if milliseconds == 0 { Err(refusal("is no time at all")) } else { Ok(Duration::from_millis(milliseconds)) }
}

fn refusal(what: &str) -> Wrong {
    Wrong::new(format!("{what}, write whole numbers with a unit (d, h, m, s, ms) such as \"90s\" or \"1h30m\""))
}

fn parse_milliseconds(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut units = UNITS.iter();
    let mut total = 0u64;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, tail) = rest.split_at(digits);
        let letters = tail.len() - tail.trim_start_matches(|c: char| c.is_ascii_lowercase()).len();
        let (unit, tail) = tail.split_at(letters);
        let (_, milliseconds) = units.find(|(name, _)| *name == unit)?;
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(*milliseconds)?)?;
        rest = tail;
    }
    (!text.is_empty()).then_some(total)
}

/// The shortest way to write a length of time; [`parse`] reads it back.
pub(super) fn show(duration: Duration) -> String {
    let mut rest = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let whole = UNITS.iter().find(|(_, milliseconds)| rest > 0 && rest.is_multiple_of(*milliseconds));
    if let Some((name, milliseconds)) = whole {
        return format!("{}{name}", rest / milliseconds);
    }
    let mut text = String::new();
    for (name, milliseconds) in UNITS {
        if rest >= milliseconds {
            let _ = write!(text, "{}{name}", rest / milliseconds);
            rest %= milliseconds;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::{parse, show};

    #[test]
    fn lengths_of_time_are_read_as_written() {
        for (text, milliseconds) in [
            ("90s", 90_000),
            ("10m", 600_000),
            ("24h", 86_400_000),
            ("400d", 34_560_000_000),
            ("1h30m", 5_400_000),
            ("500ms", 500),
            ("1d1h1m1s1ms", 90_061_001),
        ] {
            assert_eq!(parse(text).ok(), Some(Duration::from_millis(milliseconds)), "{text}");
        }
    }

    #[test]
    fn what_is_no_length_of_time_is_refused() {
        for text in [
            "",
            "0s",
            "0h0m",
            "10",
            "m",
            "10 m",
            " 10m",
            "10m ",
            "-5m",
            "+5m",
            "1.5h",
            "5min",
            "10M",
            "1m1h",
            "1h1h",
            "1h30",
            "99999999999999999999s",
            "999999999999999d",
            "1w",
            "٣s",
            "µs",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(milliseconds in 1u64..100_000_000_000) {
            let duration = Duration::from_millis(milliseconds);
            prop_assert_eq!(parse(&show(duration)).ok(), Some(duration));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,20}|[0-9dhms]{0,30}") {
            let _ = parse(&text);
        }
    }
}
