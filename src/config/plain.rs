//! The sections that exist once: `state`, `log`, `control`, `http`, `guards`, `push`, `journal`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tracing_subscriber::EnvFilter;

use super::finding::Wrong;
use super::nearest::nearest;
use super::section::Section;
use super::{GuardConfig, LogConfig, LogFormat, PushConfig, StateUrl};
use crate::model::GuardLimits;

/// Below, a cycle would do nothing else; simulators run fast, so the bound is low.
const SHORTEST: Duration = Duration::from_millis(100);

pub(super) fn state(section: &mut Section<'_>) -> Option<StateUrl> {
    section.or("url", "sqlite:///var/lib/stocksync/state.db", state_url)
}

fn state_url(text: &str) -> Result<StateUrl, Wrong> {
    const RIGHT: &str = "expected sqlite:///ABSOLUTE/PATH or sqlite:RELATIVE/PATH";
    let (scheme, rest) = text.split_once(':').unwrap_or(("", text));
    match scheme {
        "sqlite" => {
            let path = rest.strip_prefix("//").unwrap_or(rest);
            if path.is_empty() || path.ends_with('/') || path.starts_with(':') || path.contains(['?', '#']) {
                return Err(Wrong::new(format!("names no database file, {RIGHT}")));
            }
            Ok(StateUrl::Sqlite(PathBuf::from(path)))
        }
        "postgres" | "postgresql" => Err(Wrong::new("is not supported: this version keeps its state in SQLite")
            .hint("write sqlite:///PATH/TO/state.db")),
        _ => Err(Wrong::new(format!("is not a state URL, {RIGHT}"))),
    }
}

pub(super) fn log(section: &mut Section<'_>) -> LogConfig {
    LogConfig {
        format: section.choice("format", &[("pretty", LogFormat::Pretty), ("json", LogFormat::Json)]),
        filter: section.or("filter", "info", filter).unwrap_or_default(),
    }
}

fn filter(text: &str) -> Result<String, Wrong> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let refusal =
        |what: String| Wrong::new(format!("{what}, expected for example \"info\" or \"info,stocksync=debug\""));
    if text.trim().is_empty() {
        return Err(refusal("is no log filter".to_owned()));
    }
    EnvFilter::builder().parse(text).map_err(|error| refusal(format!("is no log filter: {error}")))?;
    // A word alone counts as a module's name, so the filter would take a misspelt level and log nothing else.
    for word in text.split(',').map(str::trim).filter(|word| word.chars().all(char::is_alphanumeric)) {
        let known = LEVELS.iter().any(|level| level.eq_ignore_ascii_case(word));
        if let Some(level) = nearest(word, LEVELS).filter(|_| !known) {
            return Err(refusal(format!("holds {word:?}, which is no level")).nearest(Some(level)));
        }
    }
    Ok(text.to_owned())
}

pub(super) fn control(section: &mut Section<'_>) -> PathBuf {
    section.or("socket", "/run/stocksync/control.sock", socket).unwrap_or_default()
}

fn socket(text: &str) -> Result<PathBuf, Wrong> {
    // The kernel's `sun_path` has 108 bytes and a NUL at the end.
    const LONGEST: usize = 107;
    match text.len() {
        0 => Err(Wrong::new("is no path of a socket")),
        length if length > LONGEST => {
            Err(Wrong::new(format!("is {length} bytes long, a socket's path may have {LONGEST}")))
        }
        _ => Ok(PathBuf::from(text)),
    }
}

pub(super) fn http(section: &mut Section<'_>) -> Option<SocketAddr> {
    section.or("listen", "127.0.0.1:9464", |text| {
        text.parse().map_err(|_| {
            Wrong::new("is not an address with a port, expected for example 127.0.0.1:9464 or [::1]:9464")
                .hint("a host name is not enough: write the address to listen on")
        })
    })
}

pub(super) fn guards(section: &mut Section<'_>) -> GuardConfig {
    GuardConfig {
        limits: limits(section, GuardLimits::default()),
        min_source_ratio_thousandths: section.ratio("min_source_ratio", 800, 0..=1000),
    }
}

/// Of all stores, or of one.
pub(super) fn limits(section: &mut Section<'_>, default: GuardLimits) -> GuardLimits {
    const MOST: u32 = 100_000_000;
    let max_changes = section.whole("max_changes", default.max_changes.unwrap_or(0), 0..=MOST);
    GuardLimits {
        max_zeroed_percent: section.whole("max_zeroed_percent", default.max_zeroed_percent, 0..=100),
        max_zeroed_count: section.whole("max_zeroed_count", default.max_zeroed_count, 0..=MOST),
        max_units_drop_percent: section.whole("max_units_drop_percent", default.max_units_drop_percent, 0..=100),
        max_changes: (max_changes > 0).then_some(max_changes),
    }
}

pub(super) fn push(section: &mut Section<'_>) -> PushConfig {
    let push = PushConfig {
        verify_after: section.duration("verify_after", "10m", SHORTEST..=Duration::from_hours(24)),
        verify_every: section.duration("verify_every", "24h", SHORTEST..=Duration::from_hours(90 * 24)),
        verify_static_every: section.duration("verify_static_every", "1h", SHORTEST..=Duration::from_hours(90 * 24)),
        feed_expected_time: section.duration("feed_expected_time", "15m", SHORTEST..=Duration::from_hours(24)),
        feed_stuck_after: section.duration("feed_stuck_after", "2h", SHORTEST..=Duration::from_hours(7 * 24)),
    };
    if push.verify_static_every > push.verify_every {
        section.warn("verify_static_every", "longer than verify_every, which then decides");
    }
    if push.feed_stuck_after <= push.feed_expected_time {
        section.warn("feed_stuck_after", "not longer than feed_expected_time: ordinary feeds count as stuck");
    }
    push
}

pub(super) fn journal(section: &mut Section<'_>) -> Duration {
    section.duration("keep", "400d", Duration::from_mins(1)..=Duration::from_hours(3650 * 24))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::StateUrl;
    use super::{filter, state_url};

    #[test]
    fn state_urls_name_a_file() {
        for (text, expected) in [
            ("sqlite:///var/lib/stocksync/state.db", Some("/var/lib/stocksync/state.db")),
            ("sqlite:/tmp/state.db", Some("/tmp/state.db")),
            ("sqlite:state.db", Some("state.db")),
            ("sqlite:var/state.db", Some("var/state.db")),
            ("sqlite://var/state.db", Some("var/state.db")),
            ("sqlite:./state.db", Some("./state.db")),
            ("sqlite:", None),
            ("sqlite://", None),
            ("sqlite:///var/", None),
            ("sqlite::memory:", None),
            ("sqlite:state.db?mode=rwc", None),
            ("state.db", None),
            ("postgres://user@host/db", None),
        ] {
            let path = state_url(text).ok().map(|StateUrl::Sqlite(path)| path);
            assert_eq!(path.as_deref(), expected.map(Path::new), "{text}");
        }
    }

    #[test]
    fn a_misspelt_level_is_not_taken_for_a_module() {
        for (text, fits) in [
            ("info", true),
            ("INFO", true),
            ("warn,stocksync=debug", true),
            ("off,stocksync::push=trace", true),
            ("info,hyper", true),
            ("infoo", false),
            ("warning", false),
            ("stocksync=loud", false),
            ("", false),
        ] {
            assert_eq!(filter(text).is_ok(), fits, "{text}");
        }
    }
}
