//! Which edition a shop is of, and what becomes of one that changes it or does not tell.

use stocksync::reason::Reason::*;
use stocksync::sim::commerce::{Fault, FaultKind};
use stocksync::sim::world::Edition;

use super::super::bench::Bench;
use super::super::scene::Scene;
use super::{EDITIONS, of};

#[tokio::test(start_paused = true)]
async fn a_shop_that_changes_its_edition_is_right_one_tick_later() {
    use Edition::{MultiSource, SingleStock, WithoutExport};
    let name =
        |edition| EDITIONS[[MultiSource, WithoutExport, SingleStock].iter().position(|e| *e == edition).unwrap()].1;
    let scene =
        Scene::with_store("on_missing_product = \"zero\"").many(4, 20, 20).product("GONE", 0).listing("GONE", 0);
    let bench = Bench::start(scene).await;
    bench.cycle().await;
    let editions = [WithoutExport, MultiSource, SingleStock, WithoutExport, SingleStock, MultiSource];
    for (quantity, edition) in (30_u32..).zip(editions) {
        bench.wait("4m").await;
        bench.pair.commerce.set_edition(edition);
        bench.stock("P-00001", i64::from(quantity));
        bench.tick().await;
        let read = bench.last_read().await;
        assert_eq!((&*read.edition, read.complete, read.problem), (name(edition), true, None));
        let shown: Vec<_> = (1..=4).map(|number| bench.shown(&format!("P-0000{number}")).unwrap()).collect();
        assert_eq!(shown, [u64::from(quantity), 20, 20, 20], "{edition:?}");
        // An order as well, wherever it is kept.
        bench.pair.commerce.order("P-00001", 1, 2).unwrap();
        bench.tick().await;
        assert_eq!(bench.shown("P-00001"), Some(u64::from(quantity) - 2), "{edition:?}");
        bench.pair.commerce.cancel("P-00001", 1, 2).unwrap();
    }
    assert!(bench.sent().iter().all(|(_, quantity)| *quantity > 0), "{:?}", bench.sent());
}

#[tokio::test(start_paused = true)]
async fn an_export_switched_off_in_the_middle_of_a_read_zeroes_nothing() {
    for full in [false, true] {
        let scene = Scene::new().commerce_key("page_size = 10\nconcurrency = 1").many(30, 20, 20);
        let bench = Bench::start(scene).await;
        bench.cycle().await;
        bench.wait("4m").await;
        bench.stock("P-00001", 3);
        bench.stock("P-00030", 3);
        bench.pair.commerce.set_fault(Fault { ms: 20_000, ..Fault::every(FaultKind::Slow).on("export-stock") });
        let switching = async {
            bench.wait("30s").await;
            bench.pair.commerce.set_edition(Edition::WithoutExport);
        };
        let reading = async { if full { bench.full_cycle().await } else { bench.cycle().await } };
        let (plan, ()) = tokio::join!(reading, switching);
        assert!(plan.problem.unwrap().contains("does not match any route"));
        assert!(bench.sent().iter().all(|sent| sent.1 == 3), "{:?}", bench.sent());
        bench.pair.commerce.clear_faults();
        bench.tick().await;
        assert_eq!(bench.last_read().await.edition, EDITIONS[1].1);
        let shown = ["P-00001", "P-00002", "P-00030"].map(|sku| bench.shown(sku).unwrap());
        assert_eq!(shown, [3, 20, 3], "full {full}");
    }
}

#[tokio::test(start_paused = true)]
async fn where_the_modules_are_not_told_the_routes_tell_the_edition() {
    for (edition, name) in EDITIONS {
        let bench = Bench::start(of(edition, Scene::new().many(2, 20, 1))).await;
        bench.pair.commerce.set_fault(Fault::every(FaultKind::Status401).on("V1/modules"));
        bench.cycle().await;
        assert_eq!((bench.last_read().await.edition, bench.sent().len()), (name.to_owned(), 2), "{edition}");
        bench.stock("P-00002", 5);
        bench.tick().await;
        assert_eq!((bench.last_read().await.full, bench.shown("P-00002")), (false, Some(5)), "{edition}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_of_modules_that_is_not_whole_makes_no_other_edition() {
    // Without the inventory modules the stock of the old kind would count, and orders would not.
    for kind in [FaultKind::EmptyItems, FaultKind::HalfRows] {
        let bench = Bench::start(Scene::new().many(2, 20, 20)).await;
        bench.cycle().await;
        bench.pair.commerce.order("P-00001", 1, 4).unwrap();
        bench.tick().await;
        bench.pair.commerce.set_fault(Fault::every(kind).on("V1/modules"));
        bench.tick().await;
        assert_eq!(bench.last_read().await.edition, EDITIONS[0].1, "{kind:?}");
        assert_eq!(bench.sent(), [("P-00001".to_owned(), 16)], "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_proxy_that_hides_the_inventory_routes_makes_no_other_edition() {
    let bench = Bench::start(Scene::new().many(2, 20, 20)).await;
    bench.cycle().await;
    bench.pair.commerce.order("P-00001", 1, 4).unwrap();
    for modules in [true, false] {
        bench.pair.commerce.set_fault(Fault::every(FaultKind::Html404).on("V1/inventory"));
        if !modules {
            bench.pair.commerce.set_fault(Fault::every(FaultKind::Status401).on("V1/modules"));
        }
        let plan = bench.tick().await;
        assert_eq!((bench.sent(), plan.withheld_by_reason().get(&SourceUnknown)), (vec![], Some(&2)));
    }
    bench.pair.commerce.clear_faults();
    bench.tick().await;
    assert_eq!(bench.sent(), [("P-00001".to_owned(), 16)]);
}

#[tokio::test(start_paused = true)]
async fn a_proxy_that_hides_the_stocks_is_not_said_to_be_a_website_without_one() {
    let bench = Bench::start(Scene::new().many(2, 20, 20)).await;
    bench.cycle().await;
    bench.pair.commerce.set_fault(Fault::every(FaultKind::Html404).on("V1/inventory"));
    let problem = bench.tick().await.problem.unwrap();
    assert!(problem.contains("HTTP 404: a page for people"), "{problem}");
}
