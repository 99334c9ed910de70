//! Two lanes, and a fence between them: what stands far behind goes in a feed, and nothing is in both.

use std::collections::BTreeMap;

use stocksync::daemon::Daemon;
use stocksync::sim::amazon::{Fault, FaultKind, Lane, Operation};

use crate::bench::{Bench, PlanExt as _};
use crate::scene::Scene;

fn sku(number: u32) -> String {
    format!("P-{number:05}")
}

/// So many raises; patches do a hundred of them in the time that a feed is said to take.
fn raises(count: u32) -> Scene {
    Scene::new().push("feed_expected_time = \"20s\"\nfeed_stuck_after = \"30m\"").many(count, 9, 4)
}

fn lanes(bench: &Bench) -> BTreeMap<&'static str, u32> {
    let mut lanes = BTreeMap::new();
    for event in bench.events() {
        *lanes.entry(if event.lane == Lane::Feed { "feed" } else { "patch" }).or_default() += 1;
    }
    lanes
}

fn late(bench: &Bench, count: u32, right: u64) -> Vec<String> {
    (1..=count).map(sku).filter(|sku| bench.shown(sku) != Some(right)).collect()
}

fn only(lane: Lane, bench: &Bench) -> Vec<String> {
    bench.events().into_iter().filter(|event| event.lane == lane).map(|event| event.sku).collect()
}

#[tokio::test(start_paused = true)]
async fn what_patches_reach_late_goes_in_a_feed_and_nothing_in_both() {
    let bench = Bench::start(raises(400).product("GONE", 0).listing("GONE", 3)).await;
    let plan = bench.assembly.accounts[0].cycle.plan(&bench.order()).await.unwrap();
    let by_feed = plan.changes.iter().filter(|change| change.lane.as_str() == "feed").count();
    assert_eq!((plan.changes.len(), by_feed), (401, 301));
    assert_eq!(plan.change("GONE").unwrap().lane.as_str(), "patch");
    let daemon = Daemon::start(&bench.assembly);
    bench.wait("4m").await;
    assert_eq!((late(&bench, 400, 9), bench.shown("GONE")), (vec![], Some(0)));
    let lanes = lanes(&bench);
    assert!((100..160).contains(&lanes["patch"]), "{lanes:?}");
    assert_eq!(lanes["patch"] + lanes["feed"], 401, "none twice");
    let journal = bench.journal(&sku(400)).await;
    assert_eq!(
        journal.iter().map(|entry| (entry.lane.as_str(), entry.outcome.as_str())).collect::<Vec<_>>(),
        [("feed", "accepted")]
    );
    // Nothing is left to do, and nothing is done.
    bench.wait("1h").await;
    assert_eq!(bench.events().len(), 401);
    assert!(daemon.stop().await);
}

#[tokio::test(start_paused = true)]
async fn a_small_backlog_needs_no_feed() {
    let bench = Bench::start(raises(90)).await;
    bench.cycle().await;
    assert_eq!(lanes(&bench), BTreeMap::from([("patch", 90)]));
}

#[tokio::test(start_paused = true)]
async fn a_zero_overtakes_a_feed_and_stands_in_the_end() {
    let bench = Bench::start(raises(200).amazon("feed_delay = \"20m\"")).await;
    let daemon = Daemon::start(&bench.assembly);
    bench.wait("2m").await;
    // Those of the lowest order went into the feed.
    bench.stock(&sku(200), 0);
    bench.stock(&sku(199), 3);
    bench.wait("6m").await;
    let patched = only(Lane::Patch, &bench);
    assert_eq!((bench.shown(&sku(200)), patched.contains(&sku(199))), (Some(0), false), "only a zero goes beside it");
    assert_eq!(bench.sent_of(&sku(200)), [0], "once");
    bench.wait("22m").await;
    assert_eq!((bench.shown(&sku(200)), bench.shown(&sku(199)), bench.shown(&sku(198))), (Some(0), Some(3), Some(9)));
    assert!(daemon.stop().await);
}

#[tokio::test(start_paused = true)]
async fn a_feed_that_is_stuck_in_the_queue_is_taken_out_of_it() {
    let bench = Bench::start(raises(200)).await;
    bench.fault(Fault {
        count: Some(1),
        operation: Some(Operation::CreateFeed),
        ..Fault::new(FaultKind::StuckInQueue)
    });
    let daemon = Daemon::start(&bench.assembly);
    bench.wait("10m").await;
    assert!((50..=100).contains(&late(&bench, 200, 9).len()));
    bench.wait("30m").await;
    assert_eq!((late(&bench, 200, 9), bench.events().len()), (vec![], 200));
    assert!(daemon.stop().await);
}

#[tokio::test(start_paused = true)]
async fn zeroes_go_past_a_feed_that_is_stuck_and_what_it_does_late_is_mended() {
    let bench = Bench::start(raises(200)).await;
    bench.fault(Fault { count: Some(1), operation: Some(Operation::CreateFeed), ..Fault::new(FaultKind::Stuck) });
    let daemon = Daemon::start(&bench.assembly);
    bench.wait("10m").await;
    bench.stock(&sku(200), 0);
    bench.stock(&sku(199), 3);
    bench.wait("2h").await;
    assert_eq!((bench.shown(&sku(200)), bench.shown(&sku(199))), (Some(0), Some(4)));
    assert_eq!(bench.sent_of(&sku(200)), [0], "once");
    // It comes back after all, and overwrites the zero.
    bench.pair.amazon.clear_faults();
    bench.wait("20m").await;
    assert_eq!((late(&bench, 198, 9), bench.shown(&sku(200)), bench.shown(&sku(199))), (vec![], Some(0), Some(3)));
    assert!(daemon.stop().await);
}

#[tokio::test(start_paused = true)]
async fn a_feed_that_comes_to_nothing_is_planned_anew_as_it_is_then() {
    for kind in [FaultKind::Fatal, FaultKind::OddReport, FaultKind::Cancelled] {
        let bench = Bench::start(raises(200).amazon("feed_delay = \"8m\"")).await;
        bench.fault(Fault { count: Some(1), operation: Some(Operation::CreateFeed), ..Fault::new(kind) });
        let daemon = Daemon::start(&bench.assembly);
        bench.wait("2m").await;
        bench.stock(&sku(200), 7);
        bench.wait("15m").await;
        assert_eq!((late(&bench, 199, 9), bench.shown(&sku(200))), (vec![], Some(7)), "{kind:?}");
        let after = only(Lane::Patch, &bench);
        assert!(after.contains(&sku(200)), "{kind:?}");
        assert!(daemon.stop().await);
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_feed_refuses_is_set_aside_with_amazons_words_and_the_rest_is_done() {
    let scene = raises(200).product("BAD", 9).listing_with("BAD", "quantity = 8, invalid = \"the listing is blocked\"");
    let bench = Bench::start(scene).await;
    let daemon = Daemon::start(&bench.assembly);
    bench.wait("6m").await;
    assert_eq!(late(&bench, 200, 9), [""; 0]);
    assert_eq!(bench.shown("BAD"), Some(8));
    let refusal = bench.listing("BAD").await.refusal.unwrap();
    assert!(refusal.text.contains("the listing is blocked"), "{}", refusal.text);
    let journal = bench.journal("BAD").await;
    assert!(journal.iter().any(|entry| entry.outcome == "rejected"), "{journal:?}");
    assert!(daemon.stop().await);
}

#[tokio::test(start_paused = true)]
async fn a_feed_without_a_report_is_believed_and_looked_at() {
    for kind in [FaultKind::NoReport] {
        let bench = Bench::start(raises(200)).await;
        bench.fault(Fault { count: Some(1), operation: Some(Operation::CreateFeed), ..Fault::new(kind) });
        let daemon = Daemon::start(&bench.assembly);
        bench.wait("1h 30m").await;
        assert_eq!(late(&bench, 200, 9), [""; 0], "{kind:?}");
        assert_eq!(bench.events().len(), 200, "{kind:?}: none is sent again");
        let believed = bench.listing(&sku(200)).await.belief;
        assert_eq!((believed.in_doubt, believed.believed().map(|known| known.quantity)), (None, Some(9)), "{kind:?}");
        assert!(daemon.stop().await);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_to_a_creation_that_is_lost_makes_neither_two_feeds_nor_none() {
    for kind in [FaultKind::AcceptThenDrop, FaultKind::Status503] {
        let bench = Bench::start(raises(200)).await;
        bench.fault(Fault { count: Some(1), operation: Some(Operation::CreateFeed), ..Fault::new(kind) });
        let daemon = Daemon::start(&bench.assembly);
        bench.wait("20m").await;
        assert_eq!(late(&bench, 200, 9), [""; 0], "{kind:?}");
        assert_eq!(bench.events().len(), 200, "{kind:?}: none is sent twice");
        assert!(daemon.stop().await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_restart_at_any_moment_of_a_feed_loses_nothing_and_sends_nothing_twice() {
    for seconds in [1, 2, 3, 5, 10, 30, 60, 110, 125, 140, 150, 160, 180] {
        let mut bench = Bench::start(raises(200)).await;
        let daemon = Daemon::start(&bench.assembly);
        bench.wait(&format!("{seconds}s 137ms")).await;
        // As if killed.
        drop(daemon);
        bench.wait("10s").await;
        bench.restart();
        let daemon = Daemon::start(&bench.assembly);
        bench.wait("20m").await;
        assert_eq!(late(&bench, 200, 9), [""; 0], "killed after {seconds} s");
        let sent = bench.events().len();
        // What was under way when it was killed is in doubt, and sent again.
        assert!((200..=216).contains(&sent), "killed after {seconds} s: {sent}");
        assert_eq!(bench.store().open_feeds(&"acme".into()).await.unwrap(), []);
        assert!(daemon.stop().await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_is_throttled_for_minutes_is_not_taken_for_lost() {
    let mut bench = Bench::start(raises(200)).await;
    bench.may_be_throttled();
    bench.fault(Fault { count: Some(1), operation: Some(Operation::CreateFeed), ..Fault::new(FaultKind::Status429) });
    let daemon = Daemon::start(&bench.assembly);
    bench.wait("20m").await;
    assert_eq!(late(&bench, 200, 9), [""; 0]);
    assert_eq!((bench.events().len(), lanes(&bench)["feed"] >= 50), (200, true), "once, and by feed");
    assert!(daemon.stop().await);
}

#[tokio::test(start_paused = true)]
async fn what_waited_over_a_restart_is_not_sent_before_the_shop_was_read_again() {
    let mut bench = Bench::start(raises(400).amazon("feed_delay = \"1m\"")).await;
    let daemon = Daemon::start(&bench.assembly);
    bench.wait("8s").await;
    drop(daemon);
    let before = bench.events().len();
    assert!((10..60).contains(&before), "{before}");
    // Meanwhile the feed ends, and everything is sold but for one piece each.
    bench.wait("10m").await;
    (1..=400).for_each(|number| bench.stock(&sku(number), 1));
    bench.restart();
    let daemon = Daemon::start(&bench.assembly);
    bench.wait("20m").await;
    assert_eq!(late(&bench, 400, 1), [""; 0]);
    let old = bench.events().split_off(before);
    let old = old.iter().filter(|event| event.lane == Lane::Patch && event.quantity == Some(9)).count();
    assert_eq!(old, 0, "old numbers sent after the restart");
    assert!(daemon.stop().await);
}
