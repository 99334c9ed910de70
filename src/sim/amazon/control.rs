//! The world's levers, for tests and for people: no sign-in, JSON, an unknown key is an error.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Query, State as Shared};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Amazon;
use super::account::{Edit, EditError, ListingView};
use super::events::{Event, Sale};
use super::fault::Fault;
use super::operation::Operation;
use super::report_text::ReportShape;
use super::stats::Stats;
use super::world::{Country, Delay, Rate, Status, duration_if_any, factor_if_any};

type Refusal = (StatusCode, Json<Value>);

pub(super) fn router() -> Router<Arc<Amazon>> {
    Router::new()
        .route("/listing", get(read_listing).post(edit_listing))
        .route("/sale", post(sale))
        .route("/fault", get(list_faults).post(add_fault).delete(clear_faults))
        .route("/token", post(token))
        .route("/settings", post(settings))
        .route("/stats", get(stats))
        .route("/events", get(events))
}

fn refuse(error: EditError) -> Refusal {
    let status = match error {
        EditError::NoAccount | EditError::Unknown => StatusCode::NOT_FOUND,
        EditError::Exists => StatusCode::CONFLICT,
        EditError::NotSoldThere => StatusCode::UNPROCESSABLE_ENTITY,
    };
    (status, Json(json!({"error": error.to_string()})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    seller_id: Option<String>,
    sku: Option<String>,
}

/// One listing, or all of the account's.
async fn read_listing(Shared(amazon): Shared<Arc<Amazon>>, Query(which): Query<Which>) -> Result<Json<Value>, Refusal> {
    let seller_id = amazon.seller(which.seller_id.as_deref()).map_err(refuse)?;
    match &which.sku {
        Some(sku) => {
            amazon.listing(&seller_id, sku).map(|view| Json(json!(view))).ok_or_else(|| refuse(EditError::Unknown))
        }
        None => Ok(Json(json!(amazon.read_listings(&seller_id)))),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListingEdit {
    seller_id: Option<String>,
    sku: String,
    #[serde(default)]
    create: bool,
    #[serde(default)]
    delete: bool,
    quantity: Option<u64>,
    channel: Option<String>,
    lead_time: Option<u8>,
    marketplaces: Option<Vec<Country>>,
    product_name: Option<String>,
    status: Option<Vec<Status>>,
    invalid: Option<String>,
    reject_status: Option<u16>,
    loses: Option<bool>,
}

async fn edit_listing(
    Shared(amazon): Shared<Arc<Amazon>>,
    Json(asked): Json<ListingEdit>,
) -> Result<Json<Option<ListingView>>, Refusal> {
    let edit = Edit {
        create: asked.create,
        delete: asked.delete,
        quantity: asked.quantity,
        channel: asked.channel,
        lead_time: asked.lead_time,
        marketplaces: asked.marketplaces,
        product_name: asked.product_name,
        status: asked.status,
        invalid: asked.invalid,
        reject_status: asked.reject_status,
        loses: asked.loses,
    };
    let seller_id = amazon.seller(asked.seller_id.as_deref()).map_err(refuse)?;
    amazon.set_listing(&seller_id, &asked.sku, edit).map_err(refuse)?;
    Ok(Json(amazon.listing(&seller_id, &asked.sku)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SaleOrder {
    seller_id: Option<String>,
    sku: String,
    quantity: u64,
}

async fn sale(
    Shared(amazon): Shared<Arc<Amazon>>,
    Json(order): Json<SaleOrder>,
) -> Result<Json<Option<Sale>>, Refusal> {
    let seller_id = amazon.seller(order.seller_id.as_deref()).map_err(refuse)?;
    Ok(Json(amazon.sell(&seller_id, &order.sku, order.quantity)))
}

async fn list_faults(Shared(amazon): Shared<Arc<Amazon>>) -> Json<Vec<Fault>> {
    Json(amazon.lock().faults.list().to_vec())
}

async fn add_fault(Shared(amazon): Shared<Arc<Amazon>>, Json(fault): Json<Fault>) -> StatusCode {
    amazon.fault(fault);
    StatusCode::NO_CONTENT
}

async fn clear_faults(Shared(amazon): Shared<Arc<Amazon>>) -> StatusCode {
    amazon.clear_faults();
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenOrder {
    seller_id: Option<String>,
    action: TokenAction,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenAction {
    /// The seller takes the authorization back.
    Revoke,
    /// Access tokens end now; new ones are given.
    ExpireAll,
    /// The application's secret is past its 180 days.
    ExpireSecret,
    Restore,
}

async fn token(Shared(amazon): Shared<Arc<Amazon>>, Json(order): Json<TokenOrder>) -> Result<StatusCode, Refusal> {
    let seller_id = amazon.seller(order.seller_id.as_deref()).map_err(refuse)?;
    amazon.token(&seller_id, order.action);
    Ok(StatusCode::NO_CONTENT)
}

/// What is given changes; the rest stays.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SettingsEdit {
    #[serde(deserialize_with = "factor_if_any")]
    pub speed: Option<f64>,
    /// The whole table; an empty one grants the documented rates again.
    pub rates: Option<BTreeMap<Operation, Rate>>,
    pub application_rates: Option<BTreeMap<Operation, Rate>>,
    pub apply_delay: Option<Delay>,
    pub report_delay: Option<Delay>,
    pub feed_delay: Option<Delay>,
    pub feed_apply_delay: Option<Delay>,
    #[serde(deserialize_with = "duration_if_any")]
    pub token_lifetime: Option<Duration>,
    pub lose_percent: Option<f64>,
    pub report: Option<ReportShape>,
    /// Of every account, as the two below.
    pub foreign_share: Option<f64>,
    #[serde(deserialize_with = "duration_if_any")]
    pub foreign_on: Option<Duration>,
    #[serde(deserialize_with = "duration_if_any")]
    pub foreign_off: Option<Duration>,
}

async fn settings(Shared(amazon): Shared<Arc<Amazon>>, Json(edit): Json<SettingsEdit>) -> StatusCode {
    amazon.change_settings(edit);
    StatusCode::NO_CONTENT
}

async fn stats(Shared(amazon): Shared<Arc<Amazon>>) -> Json<Stats> {
    Json(amazon.stats())
}

async fn events(Shared(amazon): Shared<Arc<Amazon>>) -> Json<Vec<Event>> {
    Json(amazon.events())
}
