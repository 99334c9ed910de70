//! The Commerce reader against a small shop on loopback, in virtual time.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail like tests")]

mod auth;
mod faults;
mod permissions;
mod polite;
mod shop;
mod signed;
mod skus;
mod sweep;
