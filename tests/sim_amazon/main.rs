//! The simulated Amazon against the facts, over a real socket and in virtual time.
#![expect(clippy::unwrap_used, reason = "a helper of tests fails as they do")]

mod controls;
mod feed_troubles;
mod feeds;
mod gateway;
mod harness;
mod models;
mod patches;
mod report_downloads;
mod schema;
mod searches;
mod worlds;
