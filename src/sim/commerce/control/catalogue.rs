//! Control routes for products and sources.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::super::Commerce;
use super::super::change::{ChangeError, MassAction, ProductEdit, SourceEdit};
use super::{Answer, Shared, describe, read};
use crate::sim::world::ProductWorld;

type Edit = fn(&Commerce, &str, &ProductEdit) -> Result<(), ChangeError>;

pub(super) fn router() -> Router<Arc<Commerce>> {
    let product = get(show_product).post(edit_product).put(create_product).delete(delete_product);
    Router::new()
        .route("/_control/commerce/product", product)
        .route("/_control/commerce/product/save", post(save_product))
        .route("/_control/commerce/product/stock-item", post(write_stock_item))
        .route("/_control/commerce/product/rename", post(rename_product))
        .route("/_control/commerce/product/recreate", post(recreate_product))
        .route("/_control/commerce/products/action", post(mass_action))
        .route("/_control/commerce/products/import", post(import))
        .route("/_control/commerce/source", post(edit_source))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BySku {
    sku: String,
}

async fn show_product(State(commerce): Shared, Query(by): Query<BySku>) -> Result<Answer, Answer> {
    describe(&commerce.lock().shop, &by.sku).map(Answer::Done).map_err(Answer::from)
}

/// The name beside the fields to set.
fn named_edit<T: DeserializeOwned>(mut fields: Map<String, Value>, name: &str) -> Result<(String, T), Answer> {
    let Some(Value::String(named)) = fields.remove(name) else {
        return Err(Answer::Refused(StatusCode::BAD_REQUEST, format!("missing field `{name}`")));
    };
    let edit = serde_json::from_value(Value::Object(fields))
        .map_err(|error| Answer::Refused(StatusCode::BAD_REQUEST, error.to_string()))?;
    Ok((named, edit))
}

fn edited(commerce: &Commerce, body: &Bytes, edit: Edit) -> Result<Answer, Answer> {
    let (sku, fields) = named_edit(read(body)?, "sku")?;
    edit(commerce, &sku, &fields)?;
    Ok(Answer::Done(describe(&commerce.lock().shop, &sku)?))
}

async fn edit_product(State(commerce): Shared, body: Bytes) -> Result<Answer, Answer> {
    edited(&commerce, &body, Commerce::edit)
}

async fn save_product(State(commerce): Shared, body: Bytes) -> Result<Answer, Answer> {
    edited(&commerce, &body, Commerce::save)
}

async fn write_stock_item(State(commerce): Shared, body: Bytes) -> Result<Answer, Answer> {
    edited(&commerce, &body, Commerce::write_stock_item)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Renaming {
    sku: String,
    to: String,
}

async fn rename_product(State(commerce): Shared, body: Bytes) -> Result<Answer, Answer> {
    let Renaming { sku, to } = read(&body)?;
    commerce.rename(&sku, &to)?;
    Ok(Answer::Done(describe(&commerce.lock().shop, &to)?))
}

async fn recreate_product(State(commerce): Shared, body: Bytes) -> Result<Answer, Answer> {
    let BySku { sku } = read(&body)?;
    commerce.recreate(&sku)?;
    Ok(Answer::Done(describe(&commerce.lock().shop, &sku)?))
}

async fn mass_action(State(commerce): Shared, body: Bytes) -> Result<Answer, Answer> {
    let action: MassAction = read(&body)?;
    commerce.mass_action(&action)?;
    Ok(Answer::Done(json!({ "changed": action.skus.len() })))
}

/// A list of products, each as for an edit.
async fn import(State(commerce): Shared, body: Bytes) -> Result<Answer, Answer> {
    let rows: Vec<Map<String, Value>> = read(&body)?;
    let rows: Vec<(String, ProductEdit)> =
        rows.into_iter().map(|row| named_edit(row, "sku")).collect::<Result<_, _>>()?;
    commerce.import(&rows)?;
    Ok(Answer::Done(json!({ "imported": rows.len() })))
}

async fn edit_source(State(commerce): Shared, body: Bytes) -> Result<Answer, Answer> {
    let (code, edit): (String, SourceEdit) = named_edit(read(&body)?, "code")?;
    commerce.edit_source(&code, &edit)?;
    Ok(Answer::Done(json!({ "edited": code })))
}

/// A whole product, in the world file's shape.
async fn create_product(State(commerce): Shared, body: Bytes) -> Result<Answer, Answer> {
    let product: ProductWorld = read(&body)?;
    commerce.create(&product)?;
    Ok(Answer::Done(describe(&commerce.lock().shop, &product.sku)?))
}

async fn delete_product(State(commerce): Shared, Query(by): Query<BySku>) -> Result<Answer, Answer> {
    commerce.delete(&by.sku)?;
    Ok(Answer::Done(json!({ "deleted": by.sku })))
}
