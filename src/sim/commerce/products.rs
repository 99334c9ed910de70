//! `GET products`, `products/{sku}` and `products/attributes/{code}`.

use axum::http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

use super::criteria::Criteria;
use super::reply::{List, Reply};
use super::select::{Field, Selected, select};
use super::shop::{Product, Shop};
use super::stock_items::{StockItem, stock_item};
use super::time_text;
use crate::sim::Quantity;
use crate::sim::world::{PastTheEnd, folded};

/// About what an unpaged list loads before PHP is out of memory.
const ROWS_THAT_EXHAUST_MEMORY: usize = 17_000;

/// What everything costs here.
const PRICE: Quantity = Quantity::ten_thousandths(99_500);

/// Columns and attributes that every installation can filter by and that all mean nothing here.
const IGNORED_FIELDS: [&str; 6] =
    ["quantity_and_stock_status", "category_id", "attribute_set_id", "tax_class_id", "url_key", "description"];

#[derive(Serialize)]
struct ProductJson<'a> {
    id: u32,
    sku: &'a str,
    name: &'a str,
    attribute_set_id: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<Quantity>,
    status: u8,
    visibility: u8,
    type_id: &'a str,
    created_at: String,
    updated_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    weight: Option<u32>,
    extension_attributes: Extension,
    product_links: [u8; 0],
    options: [u8; 0],
    media_gallery_entries: [u8; 0],
    tier_prices: [u8; 0],
    custom_attributes: Vec<Value>,
}

#[derive(Serialize)]
struct Extension {
    website_ids: Vec<u32>,
    /// Only the single route has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    stock_item: Option<StockItem>,
}

pub(super) fn list(shop: &Shop, criteria: &Criteria, past_the_end: PastTheEnd) -> Result<Reply, Reply> {
    let selected = page(shop, criteria, past_the_end)?;
    let items: Vec<ProductJson<'_>> = selected.rows.iter().map(|product| product_json(product, None)).collect();
    let rows = items.len();
    let list = List { items, search_criteria: criteria.echo(), total_count: selected.total };
    Ok(Reply::json(&list).costing(rows).skipping(selected.skipped))
}

/// The products of one page, as the product repository finds them.
pub(super) fn page<'a>(
    shop: &'a Shop,
    criteria: &Criteria,
    past_the_end: PastTheEnd,
) -> Result<Selected<&'a Product>, Reply> {
    if let Some(filter) = criteria.filters().find(|filter| !is_known(shop, &filter.field)) {
        let message = "The \"%1\" attribute name is invalid. Reset the name and try again.";
        return Err(Reply::with_parameters(StatusCode::BAD_REQUEST, message, json!([filter.field])));
    }
    let candidates = candidates(shop, criteria);
    let selected = select(candidates.iter().copied(), criteria, past_the_end, "entity_id", |product, name| {
        field(shop, product, name)
    });
    let bad = |product: &&Product| criteria.quirks.bad_sku.as_ref().is_some_and(|bad| folded(&product.sku) == *bad);
    if selected.rows.iter().any(bad) {
        return Err(Reply::internal_error());
    }
    if selected.rows.len() > ROWS_THAT_EXHAUST_MEMORY {
        return Err(Reply::fatal());
    }
    Ok(selected)
}

fn candidates<'a>(shop: &'a Shop, criteria: &Criteria) -> Vec<&'a Product> {
    if let Some(skus) = criteria.equal_to("sku") {
        let mut ids: Vec<u32> = skus.iter().filter_map(|sku| shop.by_sku.get(&folded(sku)).copied()).collect();
        ids.sort_unstable();
        ids.dedup();
        return ids.iter().filter_map(|id| shop.products.get(id)).collect();
    }
    let Some(range) = criteria.id_range("entity_id") else { return Vec::new() };
    shop.products.range(range).map(|(_, product)| product).collect()
}

fn is_known(shop: &Shop, name: &str) -> bool {
    let columns = [
        "entity_id",
        "sku",
        "name",
        "type_id",
        "status",
        "visibility",
        "price",
        "weight",
        "created_at",
        "updated_at",
        "website_id",
        "store_id",
    ];
    columns.contains(&name) || IGNORED_FIELDS.contains(&name) || shop.attribute_codes.contains(name)
}

fn field<'a>(shop: &Shop, product: &'a Product, name: &str) -> Option<Field<'a>> {
    Some(match name {
        "entity_id" => Field::Number(f64::from(product.id)),
        "sku" => Field::Text(product.sku.as_str().into()),
        "name" => Field::Text(product.name.as_str().into()),
        "type_id" => Field::Text(product.type_id.as_str().into()),
        "status" => Field::Number(if product.enabled { 1.0 } else { 2.0 }),
        "visibility" => Field::Number(4.0),
        "price" => Field::Number(PRICE.to_f64()),
        "weight" => Field::Number(1.0),
        "created_at" => Field::Time(product.created_at),
        "updated_at" => Field::Time(product.updated_at),
        // A website here has one store view, with its own id.
        "website_id" | "store_id" => Field::AnyOf(product.websites.iter().copied().collect()),
        other if IGNORED_FIELDS.contains(&other) => Field::Ignored,
        other if shop.attribute_codes.contains(other) => {
            product.attributes.get(other).map_or(Field::Null, |value| Field::Text(value.as_str().into()))
        }
        _ => return None,
    })
}

pub(super) fn single(shop: &Shop, sku: &str) -> Result<Reply, Reply> {
    let product = shop.find(sku).ok_or_else(|| {
        let message = "The product that was requested doesn't exist. Verify the product and try again.";
        Reply::message(StatusCode::NOT_FOUND, message)
    })?;
    Ok(Reply::json(&product_json(product, Some(stock_item(shop, product)))).costing(1))
}

fn product_json(product: &Product, stock_item: Option<StockItem>) -> ProductJson<'_> {
    let grouped = product.type_id == "grouped";
    let priceless = product.is_composite();
    let weightless = grouped || matches!(product.type_id.as_str(), "virtual" | "downloadable" | "configurable");
    let mut custom_attributes: Vec<Value> = [
        ("options_container", json!("container2")),
        ("url_key", json!(format!("u-{}", product.id))),
        ("required_options", json!("0")),
        ("has_options", json!("0")),
        ("tax_class_id", json!("2")),
        ("category_ids", json!([])),
    ]
    .into_iter()
    .map(|(code, value)| json!({ "attribute_code": code, "value": value }))
    .collect();
    let own = product.attributes.iter().map(|(code, value)| json!({ "attribute_code": code, "value": value }));
    custom_attributes.extend(own);
    ProductJson {
        id: product.id,
        sku: &product.sku,
        name: &product.name,
        attribute_set_id: 4,
        price: (!grouped).then_some(if priceless { Quantity::ZERO } else { PRICE }),
        status: if product.enabled { 1 } else { 2 },
        visibility: 4,
        type_id: &product.type_id,
        created_at: time_text(product.created_at),
        updated_at: time_text(product.updated_at),
        weight: (!weightless).then_some(1),
        extension_attributes: Extension { website_ids: product.websites.iter().copied().collect(), stock_item },
        product_links: [],
        options: [],
        media_gallery_entries: [],
        tier_prices: [],
        custom_attributes,
    }
}

pub(super) fn attribute(shop: &Shop, code: &str) -> Result<Reply, Reply> {
    if !is_known(shop, code) || matches!(code, "entity_id" | "website_id" | "store_id" | "type_id") {
        let message = "The attribute with a \"%1\" attributeCode doesn't exist. Verify the attribute and try again.";
        return Err(Reply::with_parameters(StatusCode::NOT_FOUND, message, json!([code])));
    }
    Ok(Reply::json(&attribute_json(code)))
}

pub(super) fn attributes(shop: &Shop, criteria: &Criteria) -> Reply {
    let codes = ["sku", "name", "status"].into_iter().chain(shop.attribute_codes.iter().map(String::as_str));
    let items: Vec<Value> = codes.map(attribute_json).collect();
    let total_count = items.len();
    Reply::json(&List { items, search_criteria: criteria.echo(), total_count })
}

fn attribute_json(code: &str) -> Value {
    json!({ "attribute_code": code, "frontend_input": "text", "entity_type_id": "4", "is_required": false,
        "backend_type": if code == "sku" { "static" } else { "varchar" }, "is_user_defined": true })
}
