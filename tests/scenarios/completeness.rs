//! When an answer is whole: borders of pages, counts, what comes and goes meanwhile, an index that is rebuilt, websites
//! and their stocks. What is left out is never a zero.

use stocksync::reason::Reason::*;
use stocksync::sim::Quantity;
use stocksync::sim::commerce::{Fault, FaultKind, ProductEdit};
use stocksync::sim::world::ProductWorld;

use super::bench::{Bench, PlanExt};
use super::scene::{Scene, store};

const EDITIONS: [&str; 3] = ["multi_source", "without_export", "single_stock"];

fn sku(number: u32) -> String {
    format!("P-{number:05}")
}

/// Thirty products in pages of seven.
fn thirty() -> Scene {
    Scene::with_store("on_missing_product = \"zero\"").commerce_key("page_size = 7\nconcurrency = 1").many(30, 20, 20)
}

/// Whatever moves is right after it, in a tick, in a read of everything, and asked for by name.
async fn hold_in_all_tiers(scene: Scene, name: &str) {
    let bench = Bench::start(scene).await;
    bench.stock(&sku(9), 4);
    bench.cycle().await;
    bench.wait("1m").await;
    assert_eq!(bench.sent(), [(sku(9), 4)], "{name}");
    bench.stock(&sku(1), 5);
    bench.pair.commerce.order(&sku(14), 1, 4).unwrap();
    bench.pair.commerce.save(&sku(30), &ProductEdit { enabled: Some(false), ..ProductEdit::default() }).unwrap();
    let plan = bench.tick().await;
    assert_eq!((plan.withheld, plan.problem), (vec![], None), "{name}");
    let shown = [1, 14, 30].map(|number| bench.shown(&sku(number)).unwrap());
    assert_eq!(shown, [5, 16, 0], "{name}");
    bench.stock(&sku(2), 6);
    let plan = bench.work_on("acme", &bench.resync(&[])).await.unwrap().plan;
    assert_eq!((plan.withheld, plan.problem), (vec![], None), "{name}");
    bench.stock(&sku(3), 7);
    bench.work_on("acme", &bench.resync(&[&sku(3)])).await.unwrap();
    bench.wait("1m").await;
    let shown = [1, 2, 3, 9, 14, 30].map(|number| bench.shown(&sku(number)).unwrap());
    assert_eq!((shown, bench.events().len()), ([5, 6, 7, 4, 16, 0], 6), "{name}");
}

#[tokio::test(start_paused = true)]
async fn pages_past_the_end_may_be_empty_or_the_last_one_again() {
    for edition in EDITIONS {
        for past_the_end in ["empty", "last_page"] {
            let world = format!("edition = \"{edition}\"\npast_the_end = \"{past_the_end}\"");
            hold_in_all_tiers(thirty().commerce(&world), &world).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn pages_of_at_most_300_are_no_trouble() {
    for edition in EDITIONS {
        let world = format!("edition = \"{edition}\"\ninput_limits = true\nmaximum_page_size = 300");
        let scene = Scene::new().commerce_key("page_size = 1000").many(30, 20, 20);
        hold_in_all_tiers(scene.commerce(&world), &world).await;
    }
}

#[tokio::test(start_paused = true)]
async fn pages_of_at_most_20_are_no_trouble_without_the_inventory_modules() {
    let world = "edition = \"single_stock\"\ninput_limits = true\nmaximum_page_size = 20";
    hold_in_all_tiers(Scene::new().many(30, 20, 20).commerce(world), world).await;
}

#[tokio::test(start_paused = true)]
async fn pages_of_at_most_20_are_no_trouble() {
    for edition in &EDITIONS[..2] {
        let world = format!("edition = \"{edition}\"\ninput_limits = true\nmaximum_page_size = 20");
        hold_in_all_tiers(Scene::new().many(30, 20, 20).commerce(&world), &world).await;
    }
}

#[tokio::test(start_paused = true)]
async fn counts_that_are_wrong_for_a_day_hold_nothing_up() {
    for kind in [FaultKind::TotalTooHigh, FaultKind::TotalTooLow] {
        for route in ["V1/products", "lowStock"] {
            let bench = Bench::start(thirty()).await;
            bench.cycle().await;
            bench.pair.commerce.set_fault(Fault::every(kind).on(route));
            let mut expected = Vec::new();
            for hour in 1..=24 {
                let number = u32::try_from(hour).unwrap();
                bench.stock(&sku(number), hour);
                bench.wait("1h").await;
                if hour % 6 == 0 {
                    bench.full_cycle().await
                } else {
                    bench.cycle().await
                };
                if hour != 20 {
                    expected.push((sku(number), u64::from(number)));
                }
            }
            assert_eq!(bench.sent(), expected, "{kind:?} {route}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn settings_on_two_pages_or_on_none_are_asked_for_singly() {
    // Two pages of a thousand; the last row is on none.
    let bench = Bench::start(Scene::new().many(2000, 20, 20)).await;
    bench.pair.commerce.set_fault(Fault::every(FaultKind::DuplicateRows).on("lowStock"));
    let plan = bench.cycle().await;
    assert!(plan.problem.unwrap().contains("stock settings of 1999 products where the server counts 2000"));
    assert_eq!((plan.withheld.len(), plan.withheld[0].reason), (1, SourceUnknown));
    let lost = plan.withheld[0].seller_sku.as_str().to_owned();
    bench.stock(&lost, 3);
    bench.work_on("acme", &bench.resync(&[&lost])).await.unwrap();
    assert_eq!(bench.sent(), [(lost, 3)]);
}

fn new_product(sku: &str) -> ProductWorld {
    toml::from_str(&format!("sku = \"{sku}\"\nsources = {{ default = 9 }}")).unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_is_deleted_or_made_while_everything_is_read_is_never_a_zero_by_absence() {
    for edition in EDITIONS {
        for after in ["10s", "30s", "50s", "70s", "90s", "110s"] {
            let scene = Scene::new().commerce_key("page_size = 7\nconcurrency = 1").many(30, 20, 20).listing("NEW", 1);
            let bench = Bench::start(scene.commerce(&format!("edition = \"{edition}\""))).await;
            bench.cycle().await;
            bench.wait("5m").await;
            bench.pair.commerce.set_fault(Fault { ms: 20_000, ..Fault::every(FaultKind::Slow).on("V1/products") });
            let happening = async {
                bench.wait(after).await;
                for number in [1, 8, 14, 15, 30] {
                    bench.pair.commerce.delete(&sku(number)).unwrap();
                }
                bench.pair.commerce.create(&new_product("NEW")).unwrap();
            };
            tokio::join!(bench.full_cycle(), happening);
            assert!(
                bench.sent().iter().all(|sent| *sent == ("NEW".to_owned(), 9)),
                "{edition} {after}: {:?}",
                bench.sent()
            );
            bench.pair.commerce.clear_faults();
            bench.tick().await;
            let plan = bench.tick().await;
            assert_eq!(bench.sent(), [("NEW".to_owned(), 9)], "{edition} {after}");
            let missing = [1, 8, 14, 15, 30].map(|number| (sku(number), ProductMissing));
            let withheld = plan.withheld_reasons().into_iter().map(|(sku, reason)| (sku.to_owned(), reason));
            assert!(withheld.eq(missing), "{edition} {after}: {:?}", plan.withheld);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_index_that_is_rebuilt_for_a_tick_or_a_day_zeroes_nothing_and_hides_nothing() {
    for (ticks, full) in [(1, false), (1, true), (24, false)] {
        let bench = Bench::start(thirty()).await;
        bench.cycle().await;
        bench.pair.commerce.start_reindex();
        let mut expected = Vec::new();
        for tick in 1..=ticks {
            let stock = 20 + i64::from(tick);
            bench.stock(&sku(tick), stock);
            bench.wait("55m").await;
            let plan = if full { bench.full_cycle().await } else { bench.cycle().await };
            assert_eq!((plan.withheld, plan.problem), (vec![], None));
            expected.push((sku(tick), u64::from(20 + tick)));
        }
        assert_eq!(bench.sent(), expected, "{ticks}");
        bench.pair.commerce.reindex();
        bench.stock(&sku(30), 1);
        bench.tick().await;
        expected.push((sku(30), 1));
        bench.cycles("30m").await;
        assert_eq!(bench.sent(), expected, "{ticks}");
    }
}

/// A shop of more products than every tick reads, with few in another website.
async fn a_small_website_in_a_large_shop() -> Bench {
    let scene = (1..=320).fold(Scene::empty().account("acme"), |scene, number| scene.product(&sku(number), 20));
    let scene = (1..=3).fold(scene, |scene, number| {
        let name = format!("EU-{number}");
        let keys = "websites = [\"eu\"], sources = { leipzig = 20 }";
        scene.product_with(&name, keys).listing(&name, 20)
    });
    let bench = Bench::start(scene.store(store("acme-de").website("eu"))).await;
    bench.cycle().await;
    bench.tick().await;
    bench
}

fn in_leipzig(bench: &Bench, sku: &str, quantity: i64) {
    bench.pair.commerce.set_quantity(sku, "leipzig", Quantity::whole(quantity)).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_small_website_whose_index_is_rebuilt_keeps_its_quantities() {
    let bench = a_small_website_in_a_large_shop().await;
    in_leipzig(&bench, "EU-1", 5);
    bench.tick().await;
    bench.pair.commerce.start_reindex();
    in_leipzig(&bench, "EU-2", 6);
    bench.tick().await;
    bench.pair.commerce.reindex();
    bench.tick().await;
    assert_eq!(bench.sent(), [("EU-1".to_owned(), 5), ("EU-2".to_owned(), 6)]);
}

#[tokio::test(start_paused = true)]
async fn what_moves_while_a_small_index_is_empty_is_seen_when_it_is_back() {
    let bench = a_small_website_in_a_large_shop().await;
    bench.pair.commerce.start_reindex();
    bench.tick().await;
    // After the empty dump, before the next one.
    in_leipzig(&bench, "EU-2", 6);
    bench.pair.commerce.reindex();
    bench.tick().await;
    assert_eq!(bench.sent(), [("EU-2".to_owned(), 6)]);
}

#[tokio::test(start_paused = true)]
async fn a_website_without_a_stock_keeps_what_amazon_has() {
    for edition in &EDITIONS[..2] {
        let bench = Bench::start(thirty().commerce(&format!("edition = \"{edition}\""))).await;
        bench.cycle().await;
        bench.pair.commerce.link_website("base", None).unwrap();
        bench.stock(&sku(1), 3);
        for full in [false, true, false] {
            bench.wait("5m").await;
            let plan = if full { bench.full_cycle().await } else { bench.cycle().await };
            assert_eq!(plan.withheld_by_reason().get(&SourceUnknown), Some(&30), "{edition}");
            assert!(
                plan.withheld[0].detail.contains("no stock is linked to the website base"),
                "{:?}",
                plan.withheld[0]
            );
        }
        let plan = bench.work_on("acme", &bench.resync(&[&sku(1)])).await.unwrap().plan;
        assert_eq!((plan.why_withheld(&sku(1)), bench.sent()), (Some(SourceUnknown), vec![]), "{edition}");
        bench.pair.commerce.link_website("base", Some(1)).unwrap();
        bench.tick().await;
        assert_eq!(bench.sent(), [(sku(1), 3)], "{edition}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_website_that_moves_to_another_stock_sells_what_that_holds() {
    for edition in &EDITIONS[..2] {
        let scene = Scene::new().commerce(&format!("edition = \"{edition}\""));
        let scene = scene.product_with("BOTH", "sources = { default = 20, leipzig = 7 }").listing("BOTH", 20);
        let scene = scene.product_with("HERE", "sources = { default = 20 }").listing("HERE", 20);
        let scene = scene.product_with("LET-GO", "manage_stock = false").listing("LET-GO", 100);
        let bench = Bench::start(scene).await;
        bench.cycle().await;
        bench.wait("5m").await;
        bench.pair.commerce.link_website("base", Some(2)).unwrap();
        bench.tick().await;
        let shown = || ["BOTH", "HERE", "LET-GO"].map(|sku| bench.shown(sku).unwrap());
        assert_eq!(shown(), [7, 0, 100], "{edition}");
        // It is watched from there on.
        bench.pair.commerce.set_quantity("BOTH", "leipzig", Quantity::whole(8)).unwrap();
        bench.tick().await;
        assert_eq!(shown(), [8, 0, 100], "{edition}");
        bench.pair.commerce.link_website("base", Some(1)).unwrap();
        bench.tick().await;
        assert_eq!(shown(), [20, 20, 100], "{edition}");
    }
}
