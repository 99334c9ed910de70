//! `stockItems/{sku}`, `stockItems/lowStock` and `stockStatuses/{sku}`: the old tables' routes.

use axum::http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use super::params::Params;
use super::reply::{List, Reply};
use super::shop::{Product, Shop};
use super::stock::DEFAULT_STOCK;
use super::time_text;
use crate::sim::Quantity;

/// Values are the effective ones, never the raw ones.
#[derive(Debug, Default, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the server's shape")]
pub(super) struct StockItem {
    #[serde(skip_serializing_if = "Option::is_none")]
    item_id: Option<u32>,
    product_id: u32,
    stock_id: u32,
    qty: Option<Quantity>,
    is_in_stock: bool,
    is_qty_decimal: bool,
    show_default_notification_message: bool,
    use_config_min_qty: bool,
    min_qty: Quantity,
    /// A number here, alone among the flags.
    use_config_min_sale_qty: u8,
    min_sale_qty: u8,
    use_config_max_sale_qty: bool,
    max_sale_qty: u32,
    use_config_backorders: bool,
    backorders: u8,
    use_config_notify_stock_qty: bool,
    notify_stock_qty: u8,
    use_config_qty_increments: bool,
    qty_increments: u32,
    use_config_enable_qty_inc: bool,
    enable_qty_increments: bool,
    use_config_manage_stock: bool,
    manage_stock: bool,
    low_stock_date: Option<String>,
    is_decimal_divided: bool,
    stock_status_changed_auto: u8,
}

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the server's names")]
struct StockStatus {
    product_id: Option<u32>,
    stock_id: Option<u32>,
    qty: i64,
    stock_status: u8,
    stock_item: StockItem,
}

pub(super) fn stock_item(shop: &Shop, product: &Product) -> StockItem {
    let rules = shop.rules(product);
    let short = shop.legacy_items(product).any(|item| !item.stock.in_stock || item.stock.quantity < Quantity::ZERO);
    StockItem {
        // Never the product's id, so that nobody can mistake one for the other.
        item_id: Some(product.id * 2 - 1),
        product_id: product.id,
        stock_id: DEFAULT_STOCK,
        qty: legacy_quantity(shop, product),
        is_in_stock: shop.legacy_in_stock(product),
        is_qty_decimal: product.is_qty_decimal,
        show_default_notification_message: false,
        use_config_min_qty: product.min_qty.is_none(),
        min_qty: rules.min_qty(),
        use_config_min_sale_qty: 1,
        min_sale_qty: 1,
        use_config_max_sale_qty: true,
        max_sale_qty: 10_000,
        use_config_backorders: product.backorders.is_none(),
        backorders: rules.backorders,
        use_config_notify_stock_qty: true,
        notify_stock_qty: 1,
        use_config_qty_increments: product.qty_increments.is_none(),
        qty_increments: product.qty_increments.unwrap_or(0),
        use_config_enable_qty_inc: product.qty_increments.is_none(),
        enable_qty_increments: product.qty_increments.is_some(),
        use_config_manage_stock: product.manage_stock.is_none(),
        manage_stock: rules.managed,
        low_stock_date: short.then(|| time_text(product.updated_at)),
        is_decimal_divided: false,
        stock_status_changed_auto: 0,
    }
}

/// Nothing where the product was saved without stock data.
fn legacy_quantity(shop: &Shop, product: &Product) -> Option<Quantity> {
    (!product.without_stock_data).then(|| shop.legacy_items(product).map(|item| item.stock.quantity).sum())
}

/// What stands in for the stock item where the index has no row: it looks like an unmanaged product without settings
/// of the system's, and says nothing about the real one.
fn blank_stock_item() -> StockItem {
    StockItem { stock_id: DEFAULT_STOCK, is_in_stock: true, ..StockItem::default() }
}

fn find<'a>(shop: &'a Shop, sku: &str) -> Result<&'a Product, Reply> {
    shop.find(sku).ok_or_else(|| {
        let message = "The Product with the \"%1\" SKU doesn't exist.";
        Reply::with_parameters(StatusCode::NOT_FOUND, message, json!([sku]))
    })
}

pub(super) fn single(shop: &Shop, sku: &str) -> Result<Reply, Reply> {
    Ok(Reply::json(&stock_item(shop, find(shop, sku)?)).costing(1))
}

/// The number of the stock of the website that is asked for, else of the store view's; but the default stock's id.
pub(super) fn status(shop: &Shop, sku: &str, (params, store): (&Params, u32), now: Timestamp) -> Result<Reply, Reply> {
    let (product, multi_source) = (find(shop, sku)?, !shop.single_stock());
    let scope = params.text("scopeId").and_then(|id| id.parse().ok()).unwrap_or(store);
    let website = shop.websites.get(&scope);
    let stock = match website {
        Some(website) if multi_source => website.stock_id.ok_or_else(Reply::no_stock_found)?,
        _ => DEFAULT_STOCK,
    };
    let (qty, in_stock) = if product.is_composite() {
        (Quantity::ZERO, shop.composite_salable(product, stock))
    } else if multi_source {
        let view = shop.view(product, stock);
        (view.salable_quantity(), view.is_salable())
    } else {
        (legacy_quantity(shop, product).unwrap_or_default(), shop.legacy_in_stock(product))
    };
    let indexed = product.has_legacy_status(now);
    let status = StockStatus {
        product_id: indexed.then_some(product.id),
        stock_id: indexed.then_some(DEFAULT_STOCK),
        qty: qty.truncated(),
        stock_status: u8::from(in_stock),
        stock_item: if indexed { stock_item(shop, product) } else { blank_stock_item() },
    };
    Ok(Reply::json(&status).costing(1))
}

/// All stock items up to a quantity. The rows have no order: here one that the seed decides, the same for every page.
pub(super) fn low_stock(shop: &Shop, params: &Params, overlap: bool, seed: u64) -> Result<Reply, Reply> {
    let scope = params.text("scopeId").ok_or_else(|| Reply::required("scopeId"))?;
    let limit: f64 = params.text("qty").ok_or_else(|| Reply::required("qty"))?.parse().unwrap_or(0.0);
    let page = params.text("currentPage").and_then(|page| page.parse().ok()).unwrap_or(1_usize).max(1);
    let size = params.text("pageSize").and_then(|size| size.parse().ok()).unwrap_or(0_usize);
    let mut rows: Vec<(u64, &Product)> = Vec::new();
    if scope == "0" {
        let low = |product: &&Product| legacy_quantity(shop, product).is_some_and(|held| held.to_f64() <= limit);
        rows.extend(shop.products.values().filter(low).map(|product| (shuffle_key(seed, product.id), product)));
    }
    let total_count = rows.len();
    let step = size.saturating_sub(overlap.into());
    let before = (page - 1).saturating_mul(step);
    let end = before.saturating_add(size.max(1));
    if end < total_count {
        rows.select_nth_unstable_by_key(end, |(key, _)| *key);
        rows.truncate(end);
    }
    rows.sort_unstable_by_key(|(key, _)| *key);
    let window = rows.into_iter().skip(before).map(|(_, product)| product);
    let items: Vec<StockItem> = window.map(|product| stock_item(shop, product)).collect();
    let cost = items.len();
    let search_criteria = json!({
        "mapper_interface_name": "Magento\\CatalogInventory\\Model\\ResourceModel\\Stock\\Item\\StockItemCriteriaMapper",
        "criteria_list": [],
        "filters": [],
        "orders": [],
        "limit": [page.to_string(), size.to_string()],
    });
    Ok(Reply::json(&List { items, search_criteria, total_count }).costing(cost))
}

/// A number that looks random and is the same for the same seed and product (splitmix64).
const fn shuffle_key(seed: u64, id: u32) -> u64 {
    let mut key = seed.wrapping_add((id as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    key = (key ^ (key >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    key = (key ^ (key >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    key ^ (key >> 31)
}
