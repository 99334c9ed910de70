//! The newest value wins, and the best goes first.

use stocksync::sim::amazon::{Fault, FaultKind, Operation};

use super::bench::{Bench, PlanExt};
use super::scene::Scene;

fn slow(ms: u64, sku: &str) -> Fault {
    let (operation, sku) = (Some(Operation::PatchListingsItem), Some(sku.to_owned()));
    Fault { operation, sku, ms, count: Some(1), ..Fault::new(FaultKind::Slow) }
}

fn skus(prefix: &str, count: u32) -> impl Iterator<Item = String> {
    (1..=count).map(move |number| format!("{prefix}{number:05}"))
}

/// Plans without sending, as a cycle of the service does while its sender is busy.
async fn plan(bench: &Bench) {
    bench.work("acme").cycle.run(&bench.order()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn of_several_values_that_wait_only_the_newest_leaves() {
    let bench = Bench::start(Scene::new().many(1, 5, 5)).await;
    bench.cycle().await;
    for stock in [9, 3, 7] {
        bench.stock("P-00001", stock);
        bench.wait("5m").await;
        plan(&bench).await;
    }
    bench.drain("acme").await;
    assert_eq!(bench.sent_of("P-00001"), [7]);
}

#[tokio::test(start_paused = true)]
async fn a_value_that_went_back_while_it_waited_does_not_leave() {
    let bench = Bench::start(Scene::new().many(2, 5, 5)).await;
    bench.cycle().await;
    bench.stock("P-00001", 9);
    bench.stock("P-00002", 8);
    bench.wait("5m").await;
    plan(&bench).await;
    bench.stock("P-00001", 5);
    bench.wait("5m").await;
    plan(&bench).await;
    bench.drain("acme").await;
    assert_eq!(bench.sent(), [("P-00002".to_owned(), 8)]);
}

#[tokio::test(start_paused = true)]
async fn an_older_value_never_leaves_after_a_newer_one() {
    // A backlog of twelve seconds, planned anew every three, with new numbers each time.
    let bench = Bench::start(Scene::new().many(60, 100, 100)).await;
    bench.cycle().await;
    let planning = async {
        for round in 1..=8 {
            for sku in skus("P-", 60) {
                bench.stock(&sku, 100 - round);
            }
            plan(&bench).await;
            bench.wait("3s").await;
        }
    };
    let sending = async {
        for _ in 0..30 {
            bench.drain("acme").await;
            bench.wait("2s").await;
        }
    };
    tokio::join!(planning, sending);
    for sku in skus("P-", 60) {
        let sent = bench.sent_of(&sku);
        assert!(sent.is_sorted_by(|older, newer| older > newer), "{sku}: {sent:?}");
        assert_eq!(sent.last(), Some(&92), "{sku}: {sent:?}");
    }
    assert!(bench.events().len() > 100, "{} writes", bench.events().len());
}

#[tokio::test(start_paused = true)]
async fn a_value_that_changes_while_the_older_one_is_under_way_follows_it() {
    let bench = Bench::start(Scene::new().many(1, 5, 5)).await;
    bench.cycle().await;
    bench.wait("5m").await;
    bench.fault(slow(20_000, "P-00001"));
    bench.stock("P-00001", 9);
    let changing = async {
        bench.wait("5s").await;
        bench.stock("P-00001", 4);
        plan(&bench).await;
    };
    tokio::join!(bench.cycle(), changing);
    bench.drain("acme").await;
    bench.wait("1m").await;
    assert_eq!((bench.sent_of("P-00001"), bench.shown("P-00001")), (vec![9, 4], Some(4)));
}

#[tokio::test(start_paused = true)]
async fn a_value_that_goes_back_while_the_other_one_is_under_way_is_sent_again() {
    let bench = Bench::start(Scene::new().many(1, 5, 5)).await;
    bench.cycle().await;
    bench.wait("5m").await;
    bench.fault(slow(20_000, "P-00001"));
    bench.stock("P-00001", 9);
    let changing = async {
        bench.wait("5s").await;
        bench.stock("P-00001", 5);
        plan(&bench).await;
    };
    tokio::join!(bench.cycle(), changing);
    bench.wait("1m").await;
    bench.cycles("5m").await;
    bench.wait("1m").await;
    assert_eq!((bench.sent_of("P-00001"), bench.shown("P-00001")), (vec![9, 5], Some(5)));
}

#[tokio::test(start_paused = true)]
async fn zeroes_leave_before_drops_before_restarts_before_the_rest_and_larger_gaps_first() {
    let expected = [
        ("ZERO-90", 90, 0),
        ("ZERO-3", 3, 0),
        ("DROP-50", 60, 10),
        ("DROP-1", 9, 8),
        ("DROP-1B", 9, 8),
        ("START-70", 0, 70),
        ("START-2", 0, 2),
        ("RAISE-40", 10, 50),
        ("RAISE-1", 7, 8),
    ];
    let mut shuffled = expected;
    shuffled.sort_by_key(|(sku, ..)| sku.chars().rev().collect::<String>());
    let scene = shuffled
        .iter()
        .fold(Scene::new(), |scene, (sku, listed, stock)| scene.product(sku, *stock).listing(sku, *listed));
    let bench = Bench::start(scene).await;
    let plan = bench.cycle().await;
    let order = expected.map(|(sku, ..)| sku);
    assert_eq!(plan.order(), order);
    let sent = bench.sent();
    assert_eq!(sent.iter().map(|(sku, _)| &**sku).collect::<Vec<_>>(), order);
}

#[tokio::test(start_paused = true)]
async fn a_fresh_zero_leaves_within_a_token_or_two_behind_a_backlog() {
    let bench = Bench::start(Scene::new().many(500, 900, 5).product("HOT", 5).listing("HOT", 5)).await;
    plan(&bench).await;
    let selling_out = async {
        bench.wait("3s").await;
        bench.stock("HOT", 0);
        plan(&bench).await;
        let planned_at = bench.clock.now();
        bench.wait("600ms").await;
        assert_eq!(bench.sent_of("HOT"), [0], "after {:?}", bench.clock.now().duration_since(planned_at));
    };
    tokio::select! {
        _ = bench.drain("acme") => panic!("500 changes take longer"),
        () = selling_out => {}
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_waited_long_goes_before_newer_changes_of_a_better_kind() {
    let bench = Bench::start(Scene::new().product("RAISE", 9).listing("RAISE", 5).many(200, 5, 5)).await;
    plan(&bench).await;
    bench.wait("13h").await;
    for sku in skus("P-", 200) {
        bench.stock(&sku, 3);
    }
    bench.cycle().await;
    bench.drain("acme").await;
    assert_eq!(bench.sent()[0], ("RAISE".to_owned(), 9));
}

#[tokio::test(start_paused = true)]
async fn the_same_world_gives_the_same_plan() {
    let scene = Scene::new().many(60, 7, 5).product("A", 0).listing("A", 9).listing("GHOST", 1);
    let mut plans = Vec::new();
    for _ in 0..2 {
        let bench = Bench::start(scene.clone()).await;
        let plan = bench.cycle().await;
        plans.push((plan.changes, plan.withheld, plan.unchanged));
    }
    assert_eq!(plans[0], plans[1]);
}
