//! What was written, by whom and what became of it.

use std::fmt::Display;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    Patch,
    Feed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Pending,
    Applied,
    /// Accepted and silently never applied.
    Lost,
    /// Accepted for a SKU that does not exist.
    UnknownSku,
}

/// One accepted write of one entry.
#[derive(Clone, Debug, Serialize)]
pub struct Event {
    #[serde(serialize_with = "shown")]
    pub at: Timestamp,
    pub seller_id: String,
    pub sku: String,
    pub op: &'static str,
    pub channel: String,
    pub quantity: Option<u64>,
    pub marketplace_ids: Vec<&'static str>,
    pub lane: Lane,
    pub feed_id: Option<String>,
    pub user_agent: String,
    pub request_id: String,
    pub submission_id: String,
    pub outcome: Outcome,
    #[serde(serialize_with = "shown_if_any")]
    pub applied_at: Option<Timestamp>,
}

/// What some buyer got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sale {
    #[serde(serialize_with = "shown")]
    pub at: Timestamp,
    pub order_id: String,
    pub seller_id: String,
    pub sku: String,
    pub quantity: u64,
}

pub(super) fn shown<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

#[expect(clippy::ref_option, reason = "the shape that serde calls")]
pub(super) fn shown_if_any<T: Display, S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.collect_str(value),
        None => serializer.serialize_none(),
    }
}
