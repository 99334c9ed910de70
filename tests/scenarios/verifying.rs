//! Accepted is not applied, and an answer that never came may have been a yes.

use std::time::Duration;

use stocksync::sim::amazon::{Edit, Fault, FaultKind, Operation};

use super::bench::{Bench, PlanExt};
use super::scene::Scene;

fn mug(scene: Scene, in_stock: i64, listed: u64) -> Scene {
    scene.product("MUG", in_stock).listing("MUG", listed)
}

/// Amazon takes patches in and does not say so.
fn silent(count: Option<u64>) -> Fault {
    let operation = Some(Operation::PatchListingsItem);
    Fault { operation, count, ..Fault::new(FaultKind::AcceptThenDrop) }
}

#[tokio::test(start_paused = true)]
async fn what_is_applied_late_is_sent_once() {
    for delay in ["30s", "5m", "9m 30s"] {
        let bench = Bench::start(mug(Scene::new().amazon(&format!("apply_delay = \"{delay}\"")), 9, 4)).await;
        bench.cycle().await;
        assert_eq!(bench.cycles_every("1m", "40m").await, [], "{delay}");
        assert_eq!((bench.shown("MUG"), bench.sent().len()), (Some(9), 1), "{delay}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_sale_while_the_submission_is_under_way_does_not_hide_it() {
    // Live goes 5, 4 and then 12: the 4 was never news about the 12.
    let bench = Bench::start(mug(Scene::new().amazon("apply_delay = \"5m\"").without_order_import(), 12, 5)).await;
    bench.cycle().await;
    bench.wait("1m").await;
    bench.sell("MUG", 1).await;
    bench.stock("MUG", 4);
    bench.cycle().await;
    bench.wait("1m").await;
    bench.cycle().await;
    bench.cycles("20m").await;
    assert_eq!(bench.shown("MUG"), Some(4));
}

#[tokio::test(start_paused = true)]
async fn what_is_never_applied_is_found_after_verify_after_and_sent_again() {
    let bench = Bench::start(mug(
        Scene::new().listing_with("LOST", "quantity = 4, marketplaces = [\"DE\"], loses = true").product("LOST", 9),
        9,
        4,
    ))
    .await;
    bench.cycle().await;
    assert_eq!(bench.cycles_every("1m", "9m").await, []);
    assert_eq!(bench.cycles_every("1m", "3m").await, [("LOST".to_owned(), 9)]);
    bench.on_amazon("LOST", Edit { loses: Some(false), ..Edit::default() });
    assert_eq!(bench.cycles("25m").await, [("LOST".to_owned(), 9)]);
    assert_eq!(bench.cycles("1h").await, []);
    assert_eq!((bench.shown("LOST"), bench.listing("LOST").await.unapplied), (Some(9), None));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_was_lost_is_made_good_when_the_number_went_back() {
    // Amazon shows 9 and we heard nothing; 4 is what we believe and what is wanted again.
    let bench = Bench::start(mug(Scene::new(), 4, 4)).await;
    bench.cycle().await;
    bench.fault(silent(None));
    bench.stock("MUG", 9);
    bench.wait("5m").await;
    bench.cycle().await;
    bench.pair.amazon.clear_faults();
    bench.wait("1m").await;
    assert_eq!(bench.shown("MUG"), Some(9));
    bench.stock("MUG", 4);
    bench.cycles("15m").await;
    assert_eq!(bench.shown("MUG"), Some(4));
    assert_eq!(bench.cycles("1h").await, []);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_still_in_doubt_after_a_later_refusal() {
    let bench = Bench::start(mug(Scene::new(), 4, 4)).await;
    bench.cycle().await;
    bench.fault(silent(None));
    bench.stock("MUG", 9);
    bench.wait("5m").await;
    bench.cycle().await;
    bench.pair.amazon.clear_faults();
    bench.wait("1m").await;
    bench.on_amazon("MUG", Edit { invalid: Some("no".to_owned()), ..Edit::default() });
    bench.stock("MUG", 7);
    bench.cycles("15m").await;
    bench.on_amazon("MUG", Edit { invalid: Some(String::new()), ..Edit::default() });
    bench.stock("MUG", 4);
    bench.cycles("30m").await;
    assert_eq!(bench.shown("MUG"), Some(4));
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_to_a_zero_is_asked_for_again_at_once() {
    let bench = Bench::start(mug(Scene::new(), 4, 4)).await;
    bench.cycle().await;
    bench.fault(silent(Some(1)));
    bench.stock("MUG", 0);
    bench.wait("5m").await;
    bench.cycle().await;
    bench.wait("10s").await;
    assert_eq!((bench.shown("MUG"), bench.sent_of("MUG")), (Some(0), vec![0, 0]));
    assert!(bench.listing("MUG").await.refusal.is_none());
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_cut_slow_or_html_end_well() {
    for (kind, ms) in
        [(FaultKind::CutBody, 0), (FaultKind::Html, 0), (FaultKind::Slow, 40_000), (FaultKind::Status503, 0)]
    {
        let bench = Bench::start(mug(Scene::new(), 9, 4)).await;
        let operation = Some(Operation::PatchListingsItem);
        bench.fault(Fault { operation, ms, count: Some(2), ..Fault::new(kind) });
        let plan = bench.cycle().await;
        assert!(plan.change("MUG").is_some());
        bench.wait("1m").await;
        assert_eq!(bench.shown("MUG"), Some(9), "{kind:?}");
        assert_eq!(bench.cycles("30m").await, [], "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_process_that_dies_anywhere_leaves_nothing_wrong_behind() {
    let mut bench = Bench::start(Scene::new().amazon("apply_delay = \"20s\"").many(40, 50, 50)).await;
    bench.cycle().await;
    // Between the first look and the last answer, at 23 moments; what is wanted changes all the time.
    for round in 0..23_u64 {
        for number in 1..=40 {
            let stock = (round * 7 + number * 5) % 13;
            bench.stock(&format!("P-{number:05}"), i64::try_from(stock).unwrap());
        }
        let death = Duration::from_millis(round * 400 + 3);
        tokio::time::timeout(death, bench.cycle()).await.ok();
        bench.restart();
        bench.wait("7s").await;
    }
    bench.cycle().await;
    bench.wait("1m").await;
    for number in 1..=40 {
        let stock = (22 * 7 + number * 5) % 13;
        assert_eq!(bench.shown(&format!("P-{number:05}")), Some(stock), "P-{number:05}");
    }
    assert_eq!(bench.cycles("30m").await, []);
}
