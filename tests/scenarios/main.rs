//! The whole program in virtual time: a shop and an Amazon on loopback, and what was sent, withheld and shown.
#![expect(clippy::unwrap_used, reason = "a helper of tests fails as they do")]

mod belief;
mod bench;
mod completeness;
mod deciding;
mod editions;
mod feeds;
mod feeds_doubted;
mod guards;
mod heard;
mod listings;
mod mapping;
mod misbehaviour;
mod names;
mod newest;
mod not_applied;
mod odd_skus;
mod outages;
mod pacing;
mod quantities;
mod rates;
mod reading_back;
mod refusals;
mod scene;
mod service;
mod unanswered;
mod urgent;
mod verifying;
