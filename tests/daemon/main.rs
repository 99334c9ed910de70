//! The service's account tasks against the simulators, in virtual time: when they read, when they try again, and who
//! waits for whom.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails as they do")]

mod bench;
mod requests;
mod schedules;
mod trouble;
