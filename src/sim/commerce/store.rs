//! `store/*` and `modules`: what the shop says about itself.

use serde_json::{Value, json};

use super::reply::Reply;
use super::shop::Shop;
use crate::sim::world::Edition;

const MODULES: [&str; 8] = [
    "Magento_Store",
    "Magento_Config",
    "Magento_Backend",
    "Magento_Integration",
    "Magento_Catalog",
    "Magento_CatalogInventory",
    "Magento_Sales",
    "Magento_Webapi",
];
const INVENTORY_MODULES: [&str; 6] = [
    "Magento_Inventory",
    "Magento_InventoryApi",
    "Magento_InventoryCatalog",
    "Magento_InventoryIndexer",
    "Magento_InventorySales",
    "Magento_InventorySalesApi",
];
const EXPORT_MODULES: [&str; 2] = ["Magento_InventoryExportStock", "Magento_InventoryExportStockApi"];

pub(super) fn modules(edition: Edition) -> Reply {
    let mut modules: Vec<&str> = MODULES.to_vec();
    if edition != Edition::SingleStock {
        modules.extend(INVENTORY_MODULES);
    }
    if edition == Edition::MultiSource {
        modules.extend(EXPORT_MODULES);
    }
    Reply::json(&modules)
}

pub(super) fn websites(shop: &Shop) -> Reply {
    let mut rows = vec![json!({ "id": 0, "code": "admin", "name": "Admin", "default_group_id": 0 })];
    rows.extend(
        shop.websites.iter().map(
            |(id, website)| json!({ "id": id, "code": website.code, "name": website.name, "default_group_id": id }),
        ),
    );
    Reply::json(&rows)
}

/// Each website has one store view with the website's id.
pub(super) fn store_views(shop: &Shop) -> Reply {
    let mut rows = vec![view_json(0, "admin", "Admin")];
    rows.extend(shop.websites.iter().map(|(id, website)| view_json(*id, &website.store_view, &website.name)));
    Reply::json(&rows)
}

fn view_json(id: u32, code: &str, name: &str) -> Value {
    json!({ "id": id, "code": code, "name": name, "website_id": id, "store_group_id": id, "is_active": 1 })
}

pub(super) fn store_configs(shop: &Shop, base_url: &str) -> Reply {
    let rows: Vec<Value> =
        shop.websites.iter().map(|(id, website)| config_json(*id, &website.store_view, base_url)).collect();
    Reply::json(&rows)
}

fn config_json(id: u32, code: &str, url: &str) -> Value {
    json!({
        "id": id,
        "code": code,
        "website_id": id,
        "locale": "en_US",
        "base_currency_code": "EUR",
        "default_display_currency_code": "EUR",
        "timezone": "UTC",
        "weight_unit": "kgs",
        "base_url": url,
        "base_link_url": url,
        "base_static_url": format!("{url}static/"),
        "base_media_url": format!("{url}media/"),
        "secure_base_url": url,
        "secure_base_link_url": url,
        "secure_base_static_url": format!("{url}static/"),
        "secure_base_media_url": format!("{url}media/"),
    })
}
