//! SP-API's JSON as it is sent. These shapes do not leave this room. What we do not use is not read: Amazon adds fields.

use serde::{Deserialize, Serialize};

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

impl PatchRequest {
    /// `merge` sets the quantity and leaves its siblings: `replace` would erase the handling time. `PRODUCT` is allowed
    /// for a partial update of a listing that exists.
    pub(super) fn quantity(quantity: u32) -> Self {
        let value = [Quantity { fulfillment_channel_code: "DEFAULT", quantity }];
        let patch = Patch { op: "merge", path: "/attributes/fulfillment_availability", value };
        Self { product_type: "PRODUCT", patches: [patch] }
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

#[derive(Deserialize)]
pub(super) struct ReportDocument {
    pub url: String,
}
