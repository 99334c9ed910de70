//! A shop that does not answer, or not the whole truth: what is not known keeps its quantity, and nothing else is held up.

use std::time::Duration;

use stocksync::reason::Reason;
use stocksync::sim::commerce::{Fault, FaultKind};

use super::bench::{Bench, PlanExt};
use super::scene::Scene;

const EXPORT: &str = "export-stock-salable-qty";
const SETTINGS: &str = "lowStock";

/// So that one kind of trouble hits one page of several.
const PAGES: &str = "page_size = 10\nconcurrency = 1";

fn on(kind: FaultKind, route: &str, after: u32, count: Option<u32>) -> Fault {
    Fault { after, count, ..Fault::every(kind).on(route) }
}

/// Thirty products in three pages, and a listing without a product.
async fn three_pages() -> Bench {
    let scene = Scene::with_store("on_missing_product = \"zero\"").commerce_key(PAGES).many(30, 20, 20);
    let bench = Bench::start(scene.listing("GHOST", 7)).await;
    bench.cycle().await;
    bench.wait("1m").await;
    assert_eq!((bench.sent(), bench.shown("GHOST")), (vec![("GHOST".to_owned(), 0)], Some(0)));
    for number in 1..=30 {
        bench.stock(&format!("P-{number:05}"), 3);
    }
    bench.wait("4m").await;
    bench
}

#[tokio::test(start_paused = true)]
async fn one_page_that_fails_touches_only_its_products() {
    for (route, kind) in [
        (EXPORT, FaultKind::Html503),
        (EXPORT, FaultKind::ShortBody),
        (EXPORT, FaultKind::CutBody),
        (EXPORT, FaultKind::WrongTypes),
        (EXPORT, FaultKind::EmptyItems),
        (EXPORT, FaultKind::HalfRows),
        (EXPORT, FaultKind::HugeString),
    ] {
        let bench = three_pages().await;
        // The second page; what may be bad luck is tried three times.
        let retried = matches!(kind, FaultKind::Html503 | FaultKind::CutBody);
        let count = if retried { 3 } else { 1 };
        bench.pair.commerce.set_fault(on(kind, route, 1, Some(count)));
        let plan = bench.full_cycle().await;
        bench.wait("1m").await;
        let shown: Vec<u64> = (1..=30).map(|number| bench.shown(&format!("P-{number:05}")).unwrap()).collect();
        let kept = shown.iter().filter(|quantity| **quantity == 20).count();
        // What moved in the meantime is asked about once more, and may be read then.
        assert!(kept <= 10, "{route} {kind:?}: {shown:?}");
        assert!(shown.iter().all(|quantity| [3, 20].contains(quantity)), "{route} {kind:?}: {shown:?}");
        // With the ghost: of a reading with holes nobody knows what is missing.
        let unknown = plan.withheld.iter().filter(|withheld| withheld.reason == Reason::SourceUnknown);
        assert_eq!(unknown.count(), kept + 1, "{route} {kind:?}");
        // The next cycle makes good.
        bench.pair.commerce.clear_faults();
        bench.wait("4m").await;
        bench.cycle().await;
        bench.wait("1m").await;
        assert!((1..=30).all(|number| bench.shown(&format!("P-{number:05}")) == Some(3)), "{route} {kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_of_products_that_fails_hides_products_and_zeroes_none() {
    for (route, kind) in [
        ("V1/products", FaultKind::Status500),
        ("V1/products", FaultKind::Html200),
        ("V1/products", FaultKind::EmptyItems),
        ("V1/products", FaultKind::WrongTypes),
        (SETTINGS, FaultKind::Status500),
        (SETTINGS, FaultKind::HalfRows),
        (SETTINGS, FaultKind::EmptyItems),
        (SETTINGS, FaultKind::ShortBody),
    ] {
        let bench = three_pages().await;
        bench.pair.commerce.set_fault(on(kind, route, 1, None));
        for _ in 0..2 {
            bench.cycle().await;
            bench.wait("5m").await;
        }
        let shown: Vec<u64> = (1..=30).map(|number| bench.shown(&format!("P-{number:05}")).unwrap()).collect();
        assert!(shown.iter().all(|quantity| [3, 20].contains(quantity)), "{route} {kind:?}: {shown:?}");
        assert_eq!(bench.shown("GHOST"), Some(0));
        bench.pair.commerce.clear_faults();
        bench.cycle().await;
        bench.wait("1m").await;
        assert!((1..=30).all(|number| bench.shown(&format!("P-{number:05}")) == Some(3)), "{route} {kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_product_is_missing_only_when_everything_was_read() {
    let scene =
        Scene::with_store("on_missing_product = \"zero\"").commerce_key(PAGES).many(30, 20, 20).listing("GHOST", 7);
    let bench = Bench::start(scene).await;
    bench.pair.commerce.set_fault(on(FaultKind::Status500, "V1/products", 2, None));
    let plan = bench.cycle().await;
    assert_eq!(plan.why_withheld("GHOST"), Some(Reason::SourceUnknown));
    bench.pair.commerce.clear_faults();
    // Nobody's word alone: the second question has to be answered too.
    bench.wait("5m").await;
    bench.pair.commerce.set_fault(on(FaultKind::Status500, "V1/products", 5, None));
    let plan = bench.cycle().await;
    assert_eq!(plan.why_withheld("GHOST"), Some(Reason::SourceUnknown), "{:?}", plan.problem);
    bench.pair.commerce.clear_faults();
    assert_eq!(bench.cycles("5m").await, [("GHOST".to_owned(), 0)]);
}

#[tokio::test(start_paused = true)]
async fn a_product_without_a_source_is_zeroed_only_when_that_is_confirmed() {
    let scene = Scene::new().many(3, 20, 20).product_with("BENCH", "sources = { leipzig = 21 }").listing("BENCH", 6);
    let bench = Bench::start(scene).await;
    // The export answers once for everything; asked about one product, it does not.
    bench.pair.commerce.set_fault(on(FaultKind::Status500, EXPORT, 1, None));
    bench.pair.commerce.set_fault(Fault::every(FaultKind::Status500).on("stockStatuses"));
    let plan = bench.cycle().await;
    assert_eq!((plan.why_withheld("BENCH"), bench.shown("BENCH")), (Some(Reason::SourceUnknown), Some(6)));
    bench.pair.commerce.clear_faults();
    bench.wait("5m").await;
    let plan = bench.cycle().await;
    assert_eq!(plan.reasons("BENCH"), [Reason::NotInStock]);
}

#[tokio::test(start_paused = true)]
async fn an_export_that_leaves_rows_out_zeroes_nothing() {
    // Cut to half without a word: what is left out is asked for singly, and found.
    let bench = Bench::start(Scene::new().many(10, 20, 20)).await;
    bench.cycle().await;
    bench.wait("5m").await;
    bench.pair.commerce.set_fault(on(FaultKind::HalfRows, EXPORT, 0, Some(1)));
    bench.cycle().await;
    bench.wait("5m").await;
    bench.pair.commerce.set_fault(on(FaultKind::EmptyItems, EXPORT, 0, Some(1)));
    bench.cycle().await;
    assert_eq!(bench.sent(), []);
}

#[tokio::test(start_paused = true)]
async fn a_shop_that_is_down_for_a_day_changes_nothing_and_is_caught_up_with_at_once() {
    for kind in [FaultKind::Html503, FaultKind::Html200, FaultKind::Redirect] {
        let bench =
            Bench::start(Scene::with_store("on_missing_product = \"zero\"").many(5, 20, 20).listing("GHOST", 7)).await;
        bench.pair.commerce.set_fault(Fault::every(kind));
        let plan = bench.cycle().await;
        assert_eq!(plan.withheld_by_reason().get(&Reason::SourceUnknown), Some(&6), "{kind:?}");
        assert!(plan.problem.is_some(), "{kind:?}");
        bench.stock("P-00002", 0);
        assert_eq!(bench.cycles_every("1h", "24h").await, [], "{kind:?}");
        bench.pair.commerce.clear_faults();
        bench.wait("5m").await;
        bench.cycle().await;
        let mut sent = bench.sent();
        sent.sort();
        assert_eq!(sent, [("GHOST".to_owned(), 0), ("P-00002".to_owned(), 0)], "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_not_sent_once_its_reading_is_in_doubt() {
    let bench = Bench::start(Scene::new().many(2, 20, 20)).await;
    bench.cycle().await;
    bench.stock("P-00001", 500);
    bench.wait("5m").await;
    bench.work("acme").cycle.run(&bench.order()).await.unwrap();
    bench.pair.commerce.set_fault(Fault::every(FaultKind::Html503));
    bench.wait("5m").await;
    bench.work("acme").cycle.run(&bench.order()).await.unwrap();
    bench.drain("acme").await;
    assert_eq!(bench.sent(), []);
}

#[tokio::test(start_paused = true)]
async fn one_website_whose_export_fails_leaves_the_other_one_alone() {
    let scene = Scene::empty()
        .account("acme")
        .store(super::scene::store("acme-de"))
        .store(super::scene::store("acme-fr").country("FR").website("eu"))
        .product_with("MUG", "sources = { default = 9 }")
        .listing("MUG", 1)
        .product_with("JUG", "websites = [\"eu\"], sources = { leipzig = 9 }")
        .listing_with("JUG", "quantity = 1, marketplaces = [\"FR\"]");
    let bench = Bench::start(scene).await;
    bench.pair.commerce.set_fault(Fault::every(FaultKind::Status500).on("website/eu"));
    let plan = bench.cycle().await;
    assert_eq!(bench.sent(), [("MUG".to_owned(), 9)]);
    assert_eq!(plan.why_withheld("JUG"), Some(Reason::SourceUnknown));
}

#[tokio::test(start_paused = true)]
async fn a_slow_shop_is_waited_for() {
    let bench = Bench::start(Scene::new().commerce_key(PAGES).many(30, 20, 9)).await;
    bench.pair.commerce.set_fault(Fault { ms: 70_000, ..Fault::every(FaultKind::Slow) });
    bench.cycle().await;
    assert_eq!(bench.sent().len(), 30);
    let took = bench.since_start(bench.events()[0].at);
    assert!(took > Duration::from_mins(5), "{took:?}");
}
