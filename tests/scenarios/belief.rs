//! When what we believe is no longer what Amazon shows, although nothing of ours moved.

use std::time::Duration;

use stocksync::sim::amazon::{Edit, Operation};

use super::bench::{Bench, PlanExt};
use super::scene::{Scene, store};

/// A product of each kind whose listed number is a constant while its stock moves, and a plain one.
fn constants(scene: Scene) -> Scene {
    scene
        .product_with("UNMANAGED", "manage_stock = false")
        .product_with("ENDLESS", "backorders = 1, sources = { default = 0 }")
        .product("PLENTY", 5000)
        .product("PLAIN", 12)
        .listing("UNMANAGED", 100)
        .listing("ENDLESS", 100)
        .listing("PLENTY", 200)
        .listing("PLAIN", 12)
}

#[tokio::test(start_paused = true)]
async fn a_capped_listing_is_sent_again_after_a_sale() {
    let scene = Scene::with_store("maximum_listed_quantity = 10").product("TENT", 80).listing("TENT", 3);
    let bench = Bench::start(scene).await;
    bench.cycle().await;
    assert_eq!(bench.cycles("15m").await, []);
    bench.sell("TENT", 1).await;
    assert_eq!(bench.shown("TENT"), Some(9));
    bench.wait("5m").await;
    let plan = bench.cycle().await;
    let change = plan.change("TENT").unwrap();
    assert_eq!((change.from, change.to), (Some(9), 10));
    assert_eq!(bench.cycles("1h").await, []);
    assert_eq!((bench.shown("TENT"), bench.sent_of("TENT")), (Some(10), vec![10, 10]));
}

#[tokio::test(start_paused = true)]
async fn every_sale_of_a_capped_listing_is_made_good_however_quickly_they_follow() {
    for apply_delay in ["2s", "4m"] {
        let scene =
            Scene::with_store("maximum_listed_quantity = 10").amazon(&format!("apply_delay = \"{apply_delay}\""));
        let bench = Bench::start(scene.product("TENT", 80).listing("TENT", 10)).await;
        bench.cycle().await;
        // Every one is within `verify_after` of the last thing that was sent.
        for _ in 0..6 {
            bench.sell("TENT", 1).await;
            bench.wait("90s").await;
            bench.cycle().await;
        }
        bench.cycles("30m").await;
        assert_eq!(bench.shown("TENT"), Some(10), "{apply_delay}");
        assert_eq!(bench.cycles("2h").await, [], "{apply_delay}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_imported_sale_of_a_plain_listing_needs_no_write() {
    let bench = Bench::start(Scene::new().product("MUG", 34).listing("MUG", 20)).await;
    bench.cycle().await;
    for quantity in [1, 2, 3] {
        bench.wait("20m").await;
        bench.sell("MUG", quantity).await;
        bench.cycle().await;
    }
    assert_eq!((bench.shown("MUG"), bench.sent_of("MUG")), (Some(28), vec![34]));
}

#[tokio::test(start_paused = true)]
async fn constants_of_the_settings_are_looked_at_every_hour_and_refilled() {
    let keys = "maximum_listed_quantity = 200";
    let bench = Bench::start(constants(Scene::with_store(keys).without_order_import())).await;
    bench.cycle().await;
    assert_eq!(bench.sent(), []);
    for sku in ["UNMANAGED", "ENDLESS", "PLENTY", "PLAIN"] {
        bench.sell(sku, 5).await;
    }
    let mut sent = bench.cycles("60m").await;
    sent.sort_unstable();
    let refilled = [("ENDLESS", 100), ("PLENTY", 200), ("UNMANAGED", 100)];
    assert_eq!(sent, refilled.map(|(sku, quantity)| (sku.to_owned(), quantity)));
    // The plain one is found with the daily look.
    assert_eq!(bench.cycles_every("1h", "24h").await, [("PLAIN".to_owned(), 12)]);
}

#[tokio::test(start_paused = true)]
async fn a_fixed_listing_is_refilled_whether_or_not_the_shop_learns_of_sales() {
    let scene = Scene::with_store("maximum_mode = \"fixed\"\nmaximum_listed_quantity = 10");
    for scene in [scene.clone(), scene.without_order_import()] {
        let bench = Bench::start(scene.product("MUG", 80).listing("MUG", 10)).await;
        bench.cycle().await;
        bench.sell("MUG", 4).await;
        assert_eq!(bench.cycles("60m").await, [("MUG".to_owned(), 10)]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_unchanged_catalogue_costs_no_write_in_a_day() {
    let keys = "maximum_listed_quantity = 200";
    let scene =
        constants(Scene::with_store(keys)).product("NONE", 0).listing("NONE", 4).product("LOW", 1).listing("LOW", 9);
    let bench = Bench::start(scene).await;
    bench.cycle().await;
    assert_eq!(bench.sent().len(), 2);
    let searches = bench.stats().calls(Operation::SearchListingsItems);
    assert_eq!(bench.cycles("24h").await, []);
    let looks = bench.stats().calls(Operation::SearchListingsItems) - searches;
    // Three constants every 45 to 55 minutes, the rest once, and two confirmations.
    assert!((24..=110).contains(&looks), "{looks} searches");
}

#[tokio::test(start_paused = true)]
async fn a_strangers_edit_is_found_within_verify_every_and_undone() {
    let scene = Scene::new().push("verify_every = \"3h\"").product("MUG", 12).listing("MUG", 12);
    let bench = Bench::start(scene).await;
    bench.cycle().await;
    bench.on_amazon("MUG", Edit { quantity: Some(99), ..Edit::default() });
    assert_eq!(bench.cycles("2h").await, []);
    assert_eq!(bench.cycles("65m").await, [("MUG".to_owned(), 12)]);
    let late = bench.since_start(bench.events()[0].at);
    assert!(late <= Duration::from_mins(190), "{late:?}");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_may_only_lower_leaves_what_decayed() {
    let scene = Scene::empty()
        .account("acme")
        .store(store("acme-de").with("allow_increase = false\nmaximum_listed_quantity = 10"))
        .product("TENT", 80)
        .listing("TENT", 40)
        .product("MUG", 9)
        .listing("MUG", 4);
    let bench = Bench::start(scene).await;
    let plan = bench.cycle().await;
    assert_eq!(bench.sent(), [("TENT".to_owned(), 10)]);
    assert_eq!(plan.why_withheld("MUG").unwrap().code(), "increase_not_allowed");
    bench.sell("TENT", 1).await;
    assert_eq!(bench.cycles("3h").await, []);
}
