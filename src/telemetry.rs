//! Logs go to stderr: text for people, or one JSON object a line with stable event names.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::config::{LogConfig, LogFormat};

/// `quiet`: nothing below a warning, whatever the filter. `writer`: where a progress bar has to step aside for a line.
pub fn start(log: &LogConfig, quiet: bool, writer: impl Fn() -> Box<dyn io::Write + Send> + Send + Sync + 'static) {
    let filter = EnvFilter::try_new(&log.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let talks = filter.max_level_hint().is_none_or(|level| level > LevelFilter::WARN);
    let filter = if quiet && talks { EnvFilter::new("warn") } else { filter };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        .with_target(false)
        .with_span_events(FmtSpan::NONE);
    match log.format {
        LogFormat::Json => {
            builder.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init().ok()
        }
        LogFormat::Pretty => builder.with_ansi(io::stderr().is_terminal()).try_init().ok(),
    };
}
