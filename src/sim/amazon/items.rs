//! Listings Items: one item's patch and read.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::api::Call;
use super::events::Lane;
use super::listing::Listing;
use super::patch::{self, Refusal};
use super::state::State;
use super::stats::ViolationKind;
use super::submission::{Address, Author};
use crate::model::Marketplace;

pub(super) const DATA_SETS: [&str; 8] = [
    "summaries",
    "attributes",
    "issues",
    "offers",
    "fulfillmentAvailability",
    "procurement",
    "relationships",
    "productTypes",
];

impl State {
    pub(super) fn patch_item(&mut self, call: &Call) -> Result<Answer, Answer> {
        call.query.allow(&["marketplaceIds", "includedData", "mode", "issueLocale"])?;
        let marketplaces = call.query.marketplaces(&self.account_of(call)?.marketplaces)?;
        let preview = call.query.choice("mode", &["VALIDATION_PREVIEW"])?.is_some();
        let included = call.query.choices("includedData", &["issues", "identifiers"])?;
        if !preview && included.is_some_and(|included| included.contains(&"identifiers")) {
            return Err(Answer::invalid_input("'identifiers' can only be included in a validation preview."));
        }
        let body = call.json_object()?;
        if let Some(name) = body.keys().find(|name| !["productType", "patches"].contains(&name.as_str())) {
            return Err(Answer::invalid_input(&format!("'{name}' is not a member of the request.")));
        }
        let listing = self.account_of(call)?.listings.get(&call.id);
        if let Some(status) = listing.and_then(|listing| listing.reject_status) {
            return Err(Answer::of_status(StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST)));
        }
        let refused = listing
            .and_then(|listing| listing.invalid.as_deref())
            .map(|text| vec![patch::issue("90000900", text, "INVALID_ATTRIBUTE", "fulfillment_availability")]);
        let patch = match patch::read(&body) {
            Ok(patch) if refused.is_none() => patch,
            Ok(_) => return Ok(self.submission(&call.id, "INVALID", &refused.unwrap_or_default())),
            Err(Refusal::Invalid(issues)) => return Ok(self.submission(&call.id, "INVALID", &issues)),
            Err(Refusal::Malformed(message)) => return Err(Answer::invalid_input(&message)),
        };
        if preview {
            return Ok(self.submission(&call.id, "VALID", &[]));
        }
        for _ in &patch.foreign {
            self.violated(ViolationKind::ForeignAttribute, &call.seller, &call.id);
        }
        let raises = patch.changes.iter().any(|change| change.entry.quantity != Some(0));
        if raises && self.feeds.carries(call.account, &call.id) {
            self.violated(ViolationKind::PatchedInsideFeed, &call.seller, &call.id);
        }
        let to = Address { account: call.account, sku: &call.id, marketplaces: &marketplaces };
        let author = Author {
            lane: Lane::Patch,
            feed_id: None,
            user_agent: call.user_agent.clone(),
            request_id: call.request_id.clone(),
        };
        let submission_id = self.accept(to, patch.changes, &author);
        Ok(Answer::ok(json!({"sku": call.id, "status": "ACCEPTED", "submissionId": submission_id, "issues": []})))
    }

    fn submission(&mut self, sku: &str, status: &str, issues: &[Value]) -> Answer {
        let submission_id = self.random_id();
        Answer::ok(json!({"sku": sku, "status": status, "submissionId": submission_id, "issues": issues}))
    }

    pub(super) fn get_item(&self, call: &Call) -> Result<Answer, Answer> {
        call.query.allow(&["marketplaceIds", "includedData", "issueLocale"])?;
        let account = self.account_of(call)?;
        let marketplaces = call.query.marketplaces(&account.marketplaces)?;
        let included = included(call)?;
        if let Some(listing) = account.listings.get(&call.id).filter(|listing| listing.is_in(&marketplaces)) {
            return Ok(Answer::ok(item(&call.id, listing, &marketplaces, &included)));
        }
        let ids: Vec<&str> = marketplaces.iter().map(|marketplace| marketplace.id).collect();
        Err(Answer::not_found(&format!("SKU '{}' not found in marketplace {}", call.id, ids.join(","))))
    }
}

pub(super) fn included(call: &Call) -> Result<Vec<&str>, Answer> {
    let asked = call.query.choices("includedData", &DATA_SETS)?;
    Ok(asked.unwrap_or_else(|| vec!["summaries"]))
}

/// An item with the data sets asked for, as far as the asked marketplaces have it.
pub(super) fn item(sku: &str, listing: &Listing, asked: &[&'static Marketplace], included: &[&str]) -> Value {
    let here: Vec<&Marketplace> = asked.iter().copied().filter(|one| listing.marketplaces.contains(one)).collect();
    let each =
        |make: &dyn Fn(&Marketplace) -> Value| here.iter().map(|marketplace| make(marketplace)).collect::<Value>();
    let mut item = Map::new();
    item.insert("sku".to_owned(), json!(sku));
    for set in included {
        let data = match *set {
            "summaries" => each(&|marketplace| summary(listing, marketplace)),
            "fulfillmentAvailability" => listing.availability(),
            "attributes" => here.first().map_or(Value::Null, |marketplace| listing.attributes(marketplace)),
            "issues" => listing
                .invalid
                .iter()
                .map(|text| patch::issue("90000900", text, "INVALID_ATTRIBUTE", "fulfillment_availability"))
                .collect(),
            "offers" => each(&|marketplace| {
                json!({
                    "marketplaceId": marketplace.id,
                    "offerType": "B2C",
                    "price": {"currencyCode": super::sellers::currency(marketplace), "amount": "19.99"},
                })
            }),
            "productTypes" => each(&|marketplace| json!({"marketplaceId": marketplace.id, "productType": "PRODUCT"})),
            _ => json!([]),
        };
        item.insert((*set).to_owned(), data);
    }
    Value::Object(item)
}

fn summary(listing: &Listing, marketplace: &Marketplace) -> Value {
    json!({
        "marketplaceId": marketplace.id,
        "asin": listing.asin,
        "productType": "PRODUCT",
        "conditionType": "new_new",
        "status": listing.statuses(),
        "itemName": listing.name,
        "createdDate": listing.created.to_string(),
        "lastUpdatedDate": listing.updated.to_string(),
    })
}
