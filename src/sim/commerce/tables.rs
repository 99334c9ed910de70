//! The plain lists: source items, sources, stocks, their links, and orders.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

use super::criteria::Criteria;
use super::inventory::stock_json;
use super::reply::{List, Reply};
use super::select::{Field, Selected, select};
use super::shop::{Order, Shop, Source};
use super::time_text;
use crate::sim::Quantity;
use crate::sim::world::PastTheEnd;

#[derive(Serialize)]
struct SourceItemRow<'a> {
    sku: &'a str,
    source_code: &'a str,
    quantity: Quantity,
    status: u8,
}

/// A row that is looked up only when it is asked for something: most are only counted.
#[derive(Clone, Copy)]
struct SourceItemRef<'a> {
    shop: &'a Shop,
    id: u32,
    product: u32,
    code: &'a str,
}

impl<'a> SourceItemRef<'a> {
    fn row(self) -> Option<SourceItemRow<'a>> {
        let product = self.shop.products.get(&self.product)?;
        let stock = product.sources.get(self.code)?.stock;
        let status = u8::from(stock.in_stock);
        Some(SourceItemRow { sku: &product.sku, source_code: self.code, quantity: stock.quantity, status })
    }

    /// The rows carry no id, yet it can be filtered and sorted by.
    fn field(self, name: &str) -> Option<Field<'a>> {
        Some(match name {
            "source_item_id" => Field::Number(f64::from(self.id)),
            "source_code" => Field::Text(self.code.into()),
            "sku" => Field::Text(self.row()?.sku.into()),
            "quantity" => Field::Number(self.row()?.quantity.to_f64()),
            "status" => Field::Number(f64::from(self.row()?.status)),
            _ => return None,
        })
    }
}

pub(super) fn source_items(shop: &Shop, criteria: &Criteria, past_the_end: PastTheEnd) -> Result<Reply, Reply> {
    let columns = ["source_item_id", "sku", "source_code", "quantity", "status"];
    refuse_unknown_columns(criteria, &columns)?;
    let selected = if let Some(skus) = criteria.equal_to("sku") {
        let products = skus.iter().filter_map(|sku| shop.find(sku));
        let items = products.flat_map(|product| product.sources.iter().map(|(_, item)| item.id));
        let ids: BTreeSet<u32> = items.collect();
        let rows = ids.iter().filter_map(|id| Some((id, shop.source_items.get(id)?)));
        select(rows.map(|row| source_item(shop, row)), criteria, past_the_end, "source_item_id", SourceItemRef::field)
    } else if let Some(range) = criteria.id_range("source_item_id") {
        let rows = shop.source_items.range(range).map(|row| source_item(shop, row));
        select(rows, criteria, past_the_end, "source_item_id", SourceItemRef::field)
    } else {
        Selected { rows: Vec::new(), total: 0, skipped: 0 }
    };
    let items: Vec<SourceItemRow<'_>> = selected.rows.iter().filter_map(|item| item.row()).collect();
    let cost = items.len();
    let list = List { items, search_criteria: criteria.echo(), total_count: selected.total };
    Ok(Reply::json(&list).costing(cost))
}

fn source_item<'a>(shop: &'a Shop, (id, (product, code)): (&u32, &'a (u32, Arc<str>))) -> SourceItemRef<'a> {
    SourceItemRef { shop, id: *id, product: *product, code }
}

/// These tables are queried without a check: the database fails on a column it does not have.
fn refuse_unknown_columns(criteria: &Criteria, columns: &[&str]) -> Result<(), Reply> {
    let known = criteria.filters().all(|filter| columns.contains(&filter.field.as_str()));
    if known { Ok(()) } else { Err(Reply::internal_error()) }
}

pub(super) fn stocks(shop: &Shop, criteria: &Criteria, past_the_end: PastTheEnd) -> Result<Reply, Reply> {
    refuse_unknown_columns(criteria, &["stock_id", "name"])?;
    let rows = shop.stocks.iter();
    let selected = select(rows, criteria, past_the_end, "stock_id", |(id, name), field| match field {
        "stock_id" => Some(Field::Number(f64::from(*id))),
        "name" => Some(Field::Text(name.as_str().into())),
        _ => None,
    });
    let items: Vec<Value> = selected.rows.iter().map(|(id, name)| stock_json(shop, **id, name)).collect();
    Ok(Reply::json(&List { items, search_criteria: criteria.echo(), total_count: selected.total }))
}

pub(super) fn stock(shop: &Shop, id: u32) -> Result<Reply, Reply> {
    let name = shop.stocks.get(&id).ok_or_else(|| {
        let message = "Stock with id \"%value\" does not exist.";
        Reply::with_parameters(StatusCode::NOT_FOUND, message, json!({ "value": id }))
    })?;
    Ok(Reply::json(&stock_json(shop, id, name)))
}

pub(super) fn sources(shop: &Shop, criteria: &Criteria, past_the_end: PastTheEnd) -> Result<Reply, Reply> {
    refuse_unknown_columns(criteria, &["source_code", "name", "enabled"])?;
    let rows = shop.sources.iter();
    let selected = select(rows, criteria, past_the_end, "source_code", |(code, source), field| match field {
        "source_code" => Some(Field::Text(code.as_str().into())),
        "name" => Some(Field::Text(source.name.as_str().into())),
        "enabled" => Some(Field::Number(f64::from(u8::from(source.enabled)))),
        _ => None,
    });
    let items: Vec<Value> = selected.rows.iter().map(|(code, source)| source_json(code, source)).collect();
    Ok(Reply::json(&List { items, search_criteria: criteria.echo(), total_count: selected.total }))
}

pub(super) fn source(shop: &Shop, code: &str) -> Result<Reply, Reply> {
    let source = shop.sources.get(code).ok_or_else(|| {
        let message = "Source with code \"%value\" does not exist.";
        Reply::with_parameters(StatusCode::NOT_FOUND, message, json!({ "value": code }))
    })?;
    Ok(Reply::json(&source_json(code, source)))
}

fn source_json(code: &str, source: &Source) -> Value {
    let mut row = json!({
        "source_code": code,
        "name": source.name,
        "enabled": source.enabled,
        "country_id": "DE",
        "postcode": "00000",
        "use_default_carrier_config": true,
        "carrier_links": [],
        "extension_attributes": { "is_pickup_location_active": false, "frontend_name": source.name },
    });
    // The source that comes with an installation knows where it is: nowhere.
    if let Some(map) = row.as_object_mut().filter(|_| code == "default") {
        map.insert("description".to_owned(), json!("Default Source"));
        map.insert("latitude".to_owned(), json!(0));
        map.insert("longitude".to_owned(), json!(0));
    }
    row
}

pub(super) fn links(shop: &Shop, criteria: &Criteria, past_the_end: PastTheEnd) -> Result<Reply, Reply> {
    refuse_unknown_columns(criteria, &["stock_id", "source_code", "priority"])?;
    let mut links: Vec<(u32, &str, u32)> = Vec::new();
    for stock in shop.stocks.keys() {
        let linked = shop.sources.iter().filter(|(_, source)| source.stocks.contains(stock));
        links.extend(linked.zip(1..).map(|((code, _), priority)| (*stock, code.as_str(), priority)));
    }
    let selected = select(links.into_iter(), criteria, past_the_end, "stock_id", |(stock, code, priority), field| {
        Some(match field {
            "stock_id" => Field::Number(f64::from(stock)),
            "source_code" => Field::Text(code.into()),
            "priority" => Field::Number(f64::from(priority)),
            _ => return None,
        })
    });
    let row = |(stock, code, priority): &(u32, &str, u32)| json!({ "stock_id": stock, "source_code": code, "priority": priority });
    let items: Vec<Value> = selected.rows.iter().map(row).collect();
    Ok(Reply::json(&List { items, search_criteria: criteria.echo(), total_count: selected.total }))
}

pub(super) fn orders(shop: &Shop, criteria: &Criteria, past_the_end: PastTheEnd) -> Result<Reply, Reply> {
    refuse_unknown_columns(criteria, &["entity_id", "created_at", "updated_at", "status", "state", "store_id"])?;
    let Some(range) = criteria.id_range("entity_id") else {
        return Ok(Reply::json(&List::<Value> { items: Vec::new(), search_criteria: criteria.echo(), total_count: 0 }));
    };
    let rows = shop.orders.range(range).map(|(_, order)| order);
    let selected = select(rows, criteria, past_the_end, "entity_id", |order, field| {
        Some(match field {
            "entity_id" => Field::Number(f64::from(order.id)),
            "created_at" => Field::Time(order.created_at),
            "updated_at" => Field::Time(order.updated_at),
            "status" | "state" => Field::Text(state_of(order).into()),
            _ => Field::Ignored,
        })
    });
    let items: Vec<Value> = selected.rows.iter().map(|order| order_json(order)).collect();
    let cost = items.len();
    let list = List { items, search_criteria: criteria.echo(), total_count: selected.total };
    Ok(Reply::json(&list).costing(cost))
}

fn state_of(order: &Order) -> &'static str {
    match order.open() {
        0 if order.shipped > 0 && order.refunded == order.shipped => "closed",
        0 if order.shipped > 0 => "complete",
        0 => "canceled",
        _ if order.shipped > 0 => "processing",
        _ => "new",
    }
}

fn order_json(order: &Order) -> Value {
    json!({
        "entity_id": order.id,
        "increment_id": format!("{:09}", order.id),
        "state": state_of(order),
        "status": state_of(order),
        "store_id": 1,
        "created_at": time_text(order.created_at),
        "updated_at": time_text(order.updated_at),
        "total_qty_ordered": order.ordered,
        "items": [{
            "item_id": order.id,
            "order_id": order.id,
            "sku": order.sku,
            "product_type": order.product_type,
            "qty_ordered": order.ordered,
            "qty_shipped": order.shipped,
            "qty_canceled": order.canceled,
            "qty_refunded": order.refunded,
        }],
    })
}
