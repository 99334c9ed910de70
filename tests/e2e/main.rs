//! The real binary, driven from outside as a stranger would, against simulators that the test serves and changes.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as they do")]

mod bench;
mod check_config;
mod commerce_trouble;
mod decisions;
mod feeds;
mod isolation;
mod kill;
mod logs;
mod not_applied;
mod plan;
mod precedence;
mod resync;
mod resync_scope;
mod secrets;
mod service;
mod signals;
mod simulate;
mod terminal;
