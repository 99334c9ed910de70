//! `/_control/commerce/…`: how a person or a script changes the shop while it runs. No sign-in; unknown keys are errors.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::change::ChangeError;
use super::fault::Fault;
use super::shop::Shop;
use super::{Commerce, time_text};
use crate::sim::Quantity;
use crate::sim::world::SystemWorld;

mod catalogue;
mod sales;

type Shared = State<Arc<Commerce>>;

/// An import of every product of a large catalogue.
const LARGEST_BODY: usize = 256_000_000;

pub(super) fn router(commerce: &Arc<Commerce>) -> Router {
    Router::new()
        .merge(catalogue::router())
        .merge(sales::router())
        .route("/_control/commerce/system", post(system))
        .route("/_control/commerce/reindex", post(reindex))
        .route("/_control/commerce/reindex/start", post(start_reindex))
        .route("/_control/commerce/tokens", delete(revoke_tokens))
        .route("/_control/commerce/fault", post(fault).delete(clear_faults))
        .route("/_control/commerce/stats", get(stats).delete(reset_stats))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(Arc::clone(commerce))
}

/// What a control route answers: JSON, also when it refuses.
enum Answer {
    Done(Value),
    Refused(StatusCode, String),
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let (status, body) = match self {
            Self::Done(body) => (StatusCode::OK, body),
            Self::Refused(status, error) => (status, json!({ "error": error })),
        };
        (status, [(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
    }
}

impl From<ChangeError> for Answer {
    fn from(error: ChangeError) -> Self {
        let status = match error {
            ChangeError::UnknownSku(_) => StatusCode::NOT_FOUND,
            ChangeError::NotEnough { .. } | ChangeError::NotShipped { .. } | ChangeError::KnownSku(_) => {
                StatusCode::CONFLICT
            }
            _ => StatusCode::BAD_REQUEST,
        };
        Self::Refused(status, error.to_string())
    }
}

fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Answer> {
    serde_json::from_slice(body).map_err(|error| Answer::Refused(StatusCode::BAD_REQUEST, error.to_string()))
}

fn describe(shop: &Shop, sku: &str) -> Result<Value, ChangeError> {
    let product = shop.find(sku).ok_or_else(|| ChangeError::UnknownSku(sku.to_owned()))?;
    let rules = shop.rules(product);
    let sources: Map<String, Value> = product
        .sources
        .iter()
        .map(|(code, item)| {
            (code.to_string(), json!({ "quantity": item.stock.quantity, "in_stock": item.stock.in_stock }))
        })
        .collect();
    let stocks: Map<String, Value> = shop
        .stocks
        .keys()
        .map(|stock| {
            let view = shop.view(product, *stock);
            let (salable_quantity, is_salable) = if product.is_composite() {
                (Quantity::ZERO, shop.composite_salable(product, *stock))
            } else {
                (view.salable_quantity(), view.is_salable())
            };
            let row = json!({ "reserved": view.reserved, "salable_quantity": salable_quantity, "salable": is_salable });
            (stock.to_string(), row)
        })
        .collect();
    Ok(json!({
        "id": product.id,
        "sku": product.sku,
        "type": product.type_id,
        "enabled": product.enabled,
        "websites": product.websites,
        "manage_stock": rules.managed,
        "backorders": rules.backorders,
        "min_qty": rules.raw_min_qty,
        "sources": sources,
        "stocks": stocks,
        "updated_at": time_text(product.updated_at),
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SystemEdit {
    manage_stock: Option<bool>,
    backorders: Option<u8>,
    min_qty: Option<Quantity>,
}

async fn system(State(commerce): Shared, body: Bytes) -> Result<Answer, Answer> {
    let edit: SystemEdit = read(&body)?;
    let old = commerce.lock().shop.system;
    let system = SystemWorld {
        manage_stock: edit.manage_stock.unwrap_or(old.manage_stock),
        backorders: edit.backorders.unwrap_or(old.backorders),
        min_qty: edit.min_qty.unwrap_or(old.min_qty),
    };
    commerce.set_system(system)?;
    Ok(Answer::Done(json!(system)))
}

async fn reindex(State(commerce): Shared) -> Answer {
    commerce.reindex();
    Answer::Done(json!({ "reindexed": true }))
}

async fn start_reindex(State(commerce): Shared) -> Answer {
    commerce.start_reindex();
    Answer::Done(json!({ "rebuilding": true }))
}

async fn revoke_tokens(State(commerce): Shared) -> Answer {
    commerce.revoke_tokens();
    Answer::Done(json!({ "revoked": true }))
}

async fn fault(State(commerce): Shared, body: Bytes) -> Result<Answer, Answer> {
    let fault: Fault = read(&body)?;
    commerce.set_fault(fault);
    Ok(Answer::Done(json!({ "set": true })))
}

async fn clear_faults(State(commerce): Shared) -> Answer {
    commerce.clear_faults();
    Answer::Done(json!({ "cleared": true }))
}

async fn stats(State(commerce): Shared) -> Answer {
    let stats = commerce.stats();
    Answer::Done(json!({
        "requests": stats.requests(),
        "core_ms": stats.core_ms(),
        "busy_ms": u64::try_from(stats.busy.as_millis()).unwrap_or(u64::MAX),
        "most_in_flight": stats.most_in_flight,
        "gzip_requests": stats.gzip_requests,
        "routes": stats.routes,
    }))
}

async fn reset_stats(State(commerce): Shared) -> Answer {
    commerce.reset_stats();
    Answer::Done(json!({ "reset": true }))
}
