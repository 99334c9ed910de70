//! What every implementation of the store keeps, forgets and refuses, held against the public API alone.

#![expect(clippy::unwrap_used, reason = "a broken fact should panic")]

mod bench;
mod beside;
mod drifts;
mod feeds;
mod file;
mod listings;
mod outbox;
mod outcomes;
mod products;
mod records;
