//! Recordings of a shop that changed between two requests.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::{Commerce, Fault, FaultKind, ProductEdit};
use super::recorded::{Recorded, file, recordings};
use super::shop::{LAST_ID, TOKEN, recorded_shop, shop_with, with_bulk};
use super::{Kept, SHAPE, VALUES, Verdict, ask, difference, skipped};
use crate::sim::Quantity;
use crate::sim::world::{AdminUser, CommerceWorld, Integration, ProductWorld, SourceStock};

pub(super) const FILES: [&str; 9] = [
    "experiments_index.json",
    "experiments_updated_at.json",
    "errors_auth.json",
    "errors_outage.json",
    "errors_unbounded_20k_page.json",
    "low_stock_bulk.json",
    "config_webapi_limits.json",
    "config_bearer_jwt.json",
    "config_2fa_enabled.json",
];

const MIN_RIGHTS: [&str; 6] = [
    "Magento_Catalog::products",
    "Magento_InventoryApi::stock",
    "Magento_InventoryApi::source",
    "Magento_InventorySalesApi::stock",
    "Magento_Backend::store",
    "Magento_Catalog::catalog_inventory",
];

/// Plays a file in its own time. `shop` says which shop a request goes to, and does what happened there before.
async fn play(name: &str, kept: Kept, mut shop: impl FnMut(&Recorded) -> Arc<Commerce>) {
    let mut verdict = Verdict::default();
    let mut token = TOKEN.to_owned();
    for recorded in recordings(name).unwrap() {
        let commerce = shop(&recorded);
        advance(&commerce, recorded.at).await;
        if write(&commerce, &recorded) {
            verdict.note(name, &recorded, Some("a write".to_owned()));
            continue;
        }
        let header = recorded.header("Authorization").map(|header| header.replace("JWT-REDACTED", &token));
        // The secrets of these integrations are in no recording.
        let header = if recorded.name.starts_with("acl ") { Some(format!("Bearer {TOKEN}")) } else { header };
        let reply = ask(&commerce, &recorded, header);
        if recorded.path.ends_with("admin/token")
            && let Ok(Value::String(issued)) = serde_json::from_slice(&reply.body)
        {
            token = issued;
        }
        verdict.note(name, &recorded, difference(&reply, &recorded, kept));
    }
    verdict.is_complete_for(&[name]);
}

async fn advance(commerce: &Commerce, to: Timestamp) {
    let left = to.duration_since(commerce.clock.now());
    tokio::time::advance(left.try_into().unwrap_or_default()).await;
}

/// Does a recorded write to the shop's stock.
fn write(commerce: &Commerce, recorded: &Recorded) -> bool {
    let held = |quantity: &Value, in_stock: bool| {
        let quantity: Quantity = serde_json::from_value(quantity.clone()).unwrap();
        Some(SourceStock { quantity, in_stock })
    };
    let item_of = |stock_item: &Value| ProductEdit {
        sources: [("default".to_owned(), held(&stock_item["qty"], stock_item["is_in_stock"] == true))].into(),
        ..ProductEdit::default()
    };
    let sku = recorded.path.split('/').nth_back(2).unwrap_or_default();
    if let Some(items) = recorded.sent["sourceItems"].as_array() {
        for item in items {
            let stock = held(&item["quantity"], item["status"] == 1);
            let sources = [(item["source_code"].as_str().unwrap().to_owned(), stock)].into();
            let edit = ProductEdit { sources, ..ProductEdit::default() };
            commerce.edit(item["sku"].as_str().unwrap(), &edit).unwrap();
        }
    } else if let Some(item) = recorded.sent.get("stockItem") {
        commerce.write_stock_item(sku, &item_of(item)).unwrap();
    } else if let Some(product) = recorded.sent.get("product") {
        let edit = item_of(&product["extension_attributes"]["stock_item"]);
        commerce.save(product["sku"].as_str().unwrap(), &edit).unwrap();
    } else {
        return false;
    }
    true
}

#[tokio::test(start_paused = true)]
async fn what_a_write_and_a_reindex_move_was_recorded() {
    let Some(commerce) = shop_with(LAST_ID - 1, |_| {}) else { return skipped() };
    let before = [
        ("A02-oos", json!({ "sources": { "default": 0 } })),
        ("A03-qty0-instock", json!({ "legacy_in_stock": true })),
        ("A04-qty50-oos", json!({ "legacy_in_stock": false })),
    ];
    for (sku, edit) in before {
        commerce.edit(sku, &serde_json::from_value(edit).unwrap()).unwrap();
    }
    let new: ProductWorld =
        serde_json::from_value(json!({ "sku": "A50-new-unindexed", "sources": { "default": 9 } })).unwrap();
    play("experiments_index.json", VALUES, |recorded| {
        match recorded.name.as_str() {
            "after reindex cataloginventory_stock salable_qty A11-bo1-qty-3-min-10"
            | "new product, reindexed salable_qty A50-new-unindexed" => commerce.reindex(),
            "new product, no reindex salable_qty A50-new-unindexed" => commerce.create(&new).unwrap(),
            _ => {}
        }
        Arc::clone(&commerce)
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_moves_the_time_of_a_product_was_recorded() {
    let Some(commerce) = recorded_shop() else { return skipped() };
    play("experiments_updated_at.json", SHAPE, |_| Arc::clone(&commerce)).await;
}

fn integrations(world: &mut CommerceWorld) {
    let recorded = file("oauth_vectors.json").unwrap();
    let secret = |name: &str| recorded["credentials"][name].as_str().unwrap().to_owned();
    let first = Integration {
        consumer_key: secret("consumer_key"),
        consumer_secret: secret("consumer_secret"),
        access_token: secret("access_token"),
        access_token_secret: secret("access_secret"),
    };
    let auth = recordings("errors_auth.json").unwrap();
    let mixed = auth.iter().find(|recorded| recorded.name == "oauth consumer/token mismatch").unwrap();
    let (_, token) = mixed.header("Authorization").unwrap().split_once("oauth_token=\"").unwrap();
    let mut other = first.clone();
    other.consumer_key = "another-consumer-of-the-same-one".to_owned();
    other.access_token = token[..32].to_owned();
    world.oauth = Some(first);
    world.other_oauth.push(other);
    world.admin = Some(admin());
}

fn admin() -> AdminUser {
    let user = json!({ "username": "admin", "password": "Admin123456", "token_life": "1m" });
    serde_json::from_value(user).unwrap()
}

#[tokio::test(start_paused = true)]
async fn every_refusal_to_sign_in_was_recorded() {
    let Some(all) = shop_with(LAST_ID, integrations) else { return skipped() };
    let with_rights = |rights: &[&str]| {
        shop_with(LAST_ID, |world| world.resources = Some(rights.iter().map(|right| (*right).to_owned()).collect()))
    };
    let (min, none) = (with_rights(&MIN_RIGHTS).unwrap(), with_rights(&[]).unwrap());
    play("errors_auth.json", SHAPE, |recorded| {
        Arc::clone(match recorded.name.get(..7) {
            Some("acl min") => &min,
            Some("acl noa") => &none,
            _ => &all,
        })
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn how_the_shop_goes_down_was_recorded() {
    let Some(commerce) = recorded_shop() else { return skipped() };
    play("errors_outage.json", SHAPE, |recorded| {
        commerce.clear_faults();
        match recorded.name.as_str() {
            "maintenance mode" => commerce.set_fault(Fault::every(FaultKind::Html503)),
            "database refuses" => commerce.set_fault(Fault::every(FaultKind::Database500)),
            _ => {}
        }
        Arc::clone(&commerce)
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_large_catalogue_was_recorded_with_and_without_limits() {
    let Some(commerce) = shop_with(LAST_ID, with_bulk) else { return skipped() };
    play("errors_unbounded_20k_page.json", SHAPE, |_| Arc::clone(&commerce)).await;
    play("low_stock_bulk.json", SHAPE, |_| Arc::clone(&commerce)).await;
    let limit = |world: &mut CommerceWorld| {
        with_bulk(world);
        world.input_limits = true;
    };
    let limited = shop_with(LAST_ID, limit).unwrap();
    play("config_webapi_limits.json", SHAPE, |_| Arc::clone(&limited)).await;
}

#[tokio::test(start_paused = true)]
async fn tokens_and_their_ends_were_recorded() {
    let with = |change: &dyn Fn(&mut CommerceWorld)| shop_with(LAST_ID, change);
    let Some(closed) = with(&|world| world.admin = Some(admin())) else { return skipped() };
    let open = with(&|world| world.integration_bearer_token = Some("5lh0xtzhiyd3oez7zogwt9ymjvyc7q6l".to_owned()));
    let open = open.unwrap();
    play("config_bearer_jwt.json", SHAPE, |recorded| {
        Arc::clone(if recorded.name.ends_with("as_bearer=1") { &open } else { &closed })
    })
    .await;
    let two_factor = with(&|world| {
        integrations(world);
        world.admin = Some(AdminUser { two_factor: true, ..admin() });
    });
    let two_factor = two_factor.unwrap();
    play("config_2fa_enabled.json", SHAPE, |_| Arc::clone(&two_factor)).await;
}
