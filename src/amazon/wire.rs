//! SP-API's JSON as it is sent. These shapes do not leave this room. What we do not use is not read: Amazon adds fields.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::MarketplaceId;

#[derive(Deserialize)]
pub(super) struct Grant {
    pub access_token: String,
    pub expires_in: u64,
}

#[derive(Deserialize)]
pub(super) struct GrantError {
    pub error: String,
    pub error_description: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Errors {
    pub errors: Vec<Error>,
}

#[derive(Deserialize)]
pub(super) struct Error {
    pub code: String,
    #[serde(default)]
    pub message: String,
    pub details: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Participations {
    pub payload: Vec<ParticipationRow>,
}

#[derive(Deserialize)]
pub(super) struct ParticipationRow {
    pub marketplace: Marketplace,
    pub participation: Participation,
}

#[derive(Deserialize)]
pub(super) struct Marketplace {
    pub id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Participation {
    pub is_participating: bool,
    #[serde(default)]
    pub has_suspended_listings: bool,
}

#[derive(Deserialize)]
pub(super) struct SearchResults {
    pub items: Vec<Item>,
    pub pagination: Option<Pagination>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Pagination {
    pub next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Item {
    pub sku: String,
    /// What is live. `attributes.fulfillment_availability` is what was submitted last, and is never asked for.
    pub fulfillment_availability: Option<Vec<Availability>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Availability {
    pub fulfillment_channel_code: String,
    pub quantity: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SubmissionResponse {
    pub status: String,
    pub submission_id: String,
    pub issues: Option<Vec<Issue>>,
}

/// Only for the text: an odd issue must not make an accepted quantity look unanswered.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Issue {
    pub code: String,
    pub message: String,
    pub severity: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PatchRequest {
    pub product_type: &'static str,
    pub patches: [Patch; 1],
}

#[derive(Serialize)]
pub(super) struct Patch {
    pub op: &'static str,
    pub path: &'static str,
    pub value: [Quantity; 1],
}

#[derive(Serialize)]
pub(super) struct Quantity {
    pub fulfillment_channel_code: &'static str,
    pub quantity: u32,
}

/// Allowed for a partial update of a listing that exists.
const PRODUCT_TYPE: &str = "PRODUCT";

impl Patch {
    /// `merge` sets the quantity and leaves its siblings: `replace` would erase the handling time.
    fn quantity(quantity: u32) -> Self {
        let value = [Quantity { fulfillment_channel_code: "DEFAULT", quantity }];
        Self { op: "merge", path: "/attributes/fulfillment_availability", value }
    }
}

impl PatchRequest {
    pub(super) fn quantity(quantity: u32) -> Self {
        Self { product_type: PRODUCT_TYPE, patches: [Patch::quantity(quantity)] }
    }
}

impl<'a> FeedMessage<'a> {
    /// `PATCH` is the only operation of a feed that can merge: `PARTIAL_UPDATE` replaces.
    pub(super) fn quantity(message_id: u32, sku: &'a str, quantity: u32) -> Self {
        let patches = [Patch::quantity(quantity)];
        Self { message_id, sku, operation_type: "PATCH", product_type: PRODUCT_TYPE, patches }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreateReport<'a> {
    pub report_type: &'static str,
    pub marketplace_ids: [&'a str; 1],
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReportCreated {
    pub report_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    pub processing_status: String,
    pub report_document_id: Option<String>,
}

/// Of a report, or of a feed's processing report. No `Debug`: the URL is a key.
#[derive(Deserialize)]
pub(super) struct Document {
    pub url: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreateFeedDocument {
    pub content_type: &'static str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FeedDocumentCreated {
    pub feed_document_id: String,
    pub url: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreateFeed<'a> {
    pub feed_type: &'static str,
    pub marketplace_ids: &'a [MarketplaceId],
    pub input_feed_document_id: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FeedCreated {
    pub feed_id: String,
}

/// It does not name the document that went in.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FeedRow {
    pub feed_id: String,
    #[serde(default)]
    pub marketplace_ids: Vec<MarketplaceId>,
    pub created_time: Timestamp,
    pub processing_status: String,
    pub processing_start_time: Option<Timestamp>,
    pub processing_end_time: Option<Timestamp>,
    pub result_feed_document_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FeedPage {
    pub feeds: Vec<FeedRow>,
    pub next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FeedHeader<'a> {
    pub seller_id: &'a str,
    pub version: &'static str,
    pub issue_locale: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FeedMessage<'a> {
    pub message_id: u32,
    pub sku: &'a str,
    pub operation_type: &'static str,
    pub product_type: &'static str,
    pub patches: [Patch; 1],
}

#[derive(Deserialize)]
pub(super) struct ProcessingReport<I> {
    pub header: ProcessingHeader,
    pub issues: I,
    pub summary: Summary,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProcessingHeader {
    pub feed_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Summary {
    pub errors: u64,
    pub warnings: u64,
    pub messages_processed: u64,
    pub messages_accepted: u64,
    pub messages_invalid: u64,
}

/// Only `severity` and `message` are required, and one that lacks them is still about its message.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct FeedIssue {
    pub message_id: Option<u64>,
    pub code: Option<String>,
    pub severity: Option<String>,
    pub message: Option<String>,
}
