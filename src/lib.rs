//! Keeps Amazon listing quantities equal to what an Adobe Commerce store can really sell.
//!
//! stocksync is a reconciler. What Commerce can sell and the rules give the desired quantity of every listing; what
//! Amazon took in and what it shows give the believed one; a cycle makes the second equal the first. A cycle carries no
//! input but its scope: tick, resync, plan and the start after a crash are one code path.
//!
//! ```text
//! Commerce --read--> readings --rules--> desired --judge--> plan --queue--> outbox --push--> Amazon
//!                                                   ^                                          |
//!                                                believed <-------- look, accepted ------------+
//! ```
//!
//! | room | what is in it |
//! |---|---|
//! | [`model`], [`reason`], [`clock`] | the nouns; why a number is what it is; the one place that asks for the time |
//! | [`rules`] | pure: quantity, precedence between stores, mapping of seller SKUs |
//! | [`plan`] | pure: whether a listing is due, to be looked at, or not ours; what goes first |
//! | [`http`] | the one HTTP client, the one retry loop, pacing |
//! | [`commerce`] | the source: sign-in, sweep, reading a few SKUs |
//! | [`amazon`] | the target: sign-in, listings report, search, patch, feeds |
//! | [`store`] | what survives a restart |
//! | [`cycle`] | the shell that knows them all: discover, read, decide, ask again, keep the plan |
//! | [`push`] | sends what waits, best first, and keeps every outcome as it lands |
//! | [`schedule`] | when the next tick is, in a store's own time zone |
//! | [`assembly`], [`daemon`], [`control`], [`health`], [`lease`] | built inert; running; asked; watched; alone |
//! | [`config`], [`telemetry`], [`cli`] | what it is told, what it logs, its commands |
//! | [`sim`] | a simulated shop and a simulated Amazon on real sockets; they share no type with the clients |
//!
//! Dependencies flow one way, and `tests/tidy.rs` holds it: the pure rooms see no clock, no store and no network;
//! `commerce` and `amazon` never see each other.

pub mod amazon;
pub mod assembly;
pub mod cli;
pub mod clock;
pub mod commerce;
pub mod config;
pub mod control;
pub mod cycle;
pub mod daemon;
pub mod health;
pub mod http;
pub mod lease;
pub mod model;
pub mod plan;
pub mod push;
pub mod reason;
pub mod rules;
pub mod schedule;
pub mod sim;
pub mod store;
pub mod telemetry;
