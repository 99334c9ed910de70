//! Amazon's client on the wire: what it sends, byte for byte, and what it makes of what comes back.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail like tests")]

mod bench;
mod feed_documents;
mod feed_rates;
mod feed_reports;
mod feeds;
mod golden;
mod listings;
mod models;
mod network;
mod rates;
mod refusals;
mod reports;
#[path = "../sim_amazon/schema.rs"]
mod schema;
mod sign_in;
mod stub;
