//! Control routes for orders and what becomes of them.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use serde::Deserialize;
use serde_json::json;

use super::super::Commerce;
use super::super::stock::DEFAULT_STOCK;
use super::{Answer, Shared, describe, read};
use crate::sim::Quantity;

pub(super) fn router() -> Router<Arc<Commerce>> {
    Router::new()
        .route("/_control/commerce/order", post(order))
        .route("/_control/commerce/ship", post(ship))
        .route("/_control/commerce/cancel", post(cancel))
        .route("/_control/commerce/refund", post(refund))
        .route("/_control/commerce/reserve", post(reserve))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Movement {
    sku: String,
    #[serde(default = "default_stock")]
    stock_id: u32,
    quantity: u32,
}

fn default_stock() -> u32 {
    DEFAULT_STOCK
}

async fn order(State(commerce): Shared, body: Bytes) -> Result<Answer, Answer> {
    let Movement { sku, stock_id, quantity } = read(&body)?;
    let id = commerce.order(&sku, stock_id, quantity)?;
    Ok(Answer::Done(json!({ "order_id": id })))
}

async fn ship(State(commerce): Shared, body: Bytes) -> Result<Answer, Answer> {
    let Movement { sku, stock_id, quantity } = read(&body)?;
    commerce.ship(&sku, stock_id, quantity)?;
    Ok(Answer::Done(describe(&commerce.lock().shop, &sku)?))
}

async fn cancel(State(commerce): Shared, body: Bytes) -> Result<Answer, Answer> {
    let Movement { sku, stock_id, quantity } = read(&body)?;
    commerce.cancel(&sku, stock_id, quantity)?;
    Ok(Answer::Done(describe(&commerce.lock().shop, &sku)?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refund {
    sku: String,
    #[serde(default = "default_stock")]
    stock_id: u32,
    quantity: u32,
    #[serde(default)]
    back_to_stock: bool,
}

async fn refund(State(commerce): Shared, body: Bytes) -> Result<Answer, Answer> {
    let Refund { sku, stock_id, quantity, back_to_stock } = read(&body)?;
    commerce.refund(&sku, stock_id, quantity, back_to_stock)?;
    Ok(Answer::Done(describe(&commerce.lock().shop, &sku)?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reservation {
    sku: String,
    #[serde(default = "default_stock")]
    stock_id: u32,
    quantity: Quantity,
}

async fn reserve(State(commerce): Shared, body: Bytes) -> Result<Answer, Answer> {
    let Reservation { sku, stock_id, quantity } = read(&body)?;
    commerce.reserve(&sku, stock_id, quantity)?;
    Ok(Answer::Done(describe(&commerce.lock().shop, &sku)?))
}
