//! The multi-source routes: export and dump, the single questions, and the tables behind them.

use axum::http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::criteria::{Criteria, path_int};
use super::params::{Param, Params};
use super::products;
use super::reply::{List, Reply};
use super::shop::{Product, Shop};
use crate::sim::Quantity;
use crate::sim::world::{PastTheEnd, Version};

#[derive(Serialize)]
struct StockRow<'a> {
    sku: &'a str,
    qty: Quantity,
    is_salable: bool,
}

fn stock_of(shop: &Shop, kind: &str, code: &str) -> Result<u32, Reply> {
    let website = kind.eq_ignore_ascii_case("website").then(|| shop.stock_of(code)).flatten();
    website.ok_or_else(Reply::no_stock_found)
}

/// The page is one of products, of any website and status; those without a source on the stock are then left out, so
/// that `total_count` counts what is left of the page.
pub(super) fn export(
    shop: &Shop,
    criteria: &Criteria,
    past_the_end: PastTheEnd,
    (kind, code): (&str, &str),
) -> Result<Reply, Reply> {
    let stock = stock_of(shop, kind, code)?;
    let selected = products::page(shop, criteria, past_the_end)?;
    let rows: Vec<StockRow<'_>> = selected.rows.iter().filter_map(|product| export_row(shop, product, stock)).collect();
    let total_count = rows.len();
    let list = List { items: rows, search_criteria: criteria.echo(), total_count };
    Ok(Reply::json(&list).costing(selected.rows.len()).skipping(selected.skipped))
}

fn export_row<'a>(shop: &Shop, product: &'a Product, stock: u32) -> Option<StockRow<'a>> {
    let (qty, is_salable) = if product.is_composite() {
        (Quantity::ZERO, shop.composite_salable(product, stock))
    } else {
        shop.view(product, stock).export_row()?
    };
    Some(StockRow { sku: &product.sku, qty, is_salable })
}

/// The index of one website, unmanaged products first; a new product is not in it yet.
pub(super) fn dump(shop: &Shop, now: Timestamp, (kind, code): (&str, &str)) -> Result<Reply, Reply> {
    let stock = stock_of(shop, kind, code)?;
    let website = shop.websites.iter().find(|(_, website)| website.code.eq_ignore_ascii_case(code)).map(|(id, _)| *id);
    let (mut unmanaged, mut rest) = (Vec::new(), Vec::new());
    let known = shop.products.values().filter(|product| product.indexed_at <= now && !shop.index.is_rebuilding());
    for product in known {
        let outdated = shop.index.outdated(product.id, now);
        let row = outdated.map_or_else(
            || shop.row_now(product, website?, stock).map(|row| (row, shop.rules(product).managed)),
            |entry| entry.row(website?, stock).map(|row| (row, entry.managed)),
        );
        let Some(((qty, is_salable), managed)) = row else { continue };
        let rows = if managed { &mut rest } else { &mut unmanaged };
        rows.push(StockRow { sku: &product.sku, qty, is_salable });
    }
    unmanaged.append(&mut rest);
    Ok(Reply::json(&unmanaged).costing(unmanaged.len()))
}

pub(super) fn salable_quantity(shop: &Shop, version: Version, sku: &str, stock: &str) -> Result<Reply, Reply> {
    let stock = path_int(stock)?;
    let product = shop.find_exact(sku).ok_or_else(|| match version {
        Version::V2_4_7 => Reply::uncaught(),
        Version::V2_4_8 => {
            let message = "Following products with requested skus were not found: %1";
            Reply::with_parameters(StatusCode::NOT_FOUND, message, json!([sku]))
        }
    })?;
    if product.is_composite() {
        let message = "Can't check requested quantity for products without Source Items support.";
        return Err(Reply::message(StatusCode::BAD_REQUEST, message));
    }
    if !shop.stocks.contains_key(&stock) {
        return Err(Reply::message(StatusCode::BAD_REQUEST, "Could not receive Stock Item data"));
    }
    Ok(Reply::json(&shop.view(product, stock).salable_quantity()).costing(1))
}

fn is_salable_now(shop: &Shop, sku: &str, stock: u32) -> bool {
    let Some(product) = shop.find_exact(sku).filter(|_| shop.stocks.contains_key(&stock)) else { return false };
    if product.is_composite() {
        return shop.composite_salable(product, stock);
    }
    shop.view(product, stock).is_salable()
}

pub(super) fn is_salable(shop: &Shop, sku: &str, stock: &str) -> Result<Reply, Reply> {
    Ok(Reply::json(&is_salable_now(shop, sku, path_int(stock)?)).costing(1))
}

pub(super) fn are_salable(shop: &Shop, params: &Params) -> Result<Reply, Reply> {
    let Some(Param::Tree(skus)) = params.get("skus") else { return Err(Reply::required("skus")) };
    let stock = path_int(params.text("stockId").ok_or_else(|| Reply::required("stockId"))?)?;
    let answer = |sku: &str| json!({ "sku": sku, "stock_id": stock, "salable": is_salable_now(shop, sku, stock) });
    let rows: Vec<Value> = skus
        .iter()
        .filter_map(|(_, sku)| match sku {
            Param::Text(sku) => Some(answer(sku)),
            Param::Tree(_) => None,
        })
        .collect();
    let cost = rows.len();
    Ok(Reply::json(&rows).costing(cost))
}

pub(super) fn stock_resolver(shop: &Shop, kind: &str, code: &str) -> Result<Reply, Reply> {
    let stock = stock_of(shop, kind, code)?;
    Ok(Reply::json(&stock_json(shop, stock, shop.stocks.get(&stock).map_or("", String::as_str))))
}

pub(super) fn stock_json(shop: &Shop, id: u32, name: &str) -> Value {
    let mut codes: Vec<&str> = shop
        .websites
        .values()
        .filter(|website| website.stock_id == Some(id))
        .map(|website| website.code.as_str())
        .collect();
    codes.sort_unstable();
    let channels: Vec<Value> = codes.iter().map(|code| json!({ "type": "website", "code": code })).collect();
    json!({ "stock_id": id, "name": name, "extension_attributes": { "sales_channels": channels } })
}
