//! The service reads back what it sent, whatever its schedules, its feeds and its busy moments are.

use stocksync::cycle::Progress;
use stocksync::daemon::{Daemon, Request};
use stocksync::sim::amazon::{Fault, FaultKind, Operation};

use super::bench::Bench;
use super::heard::Heard;
use super::scene::{Scene, Store, store};

fn lost(quantity: u64, country: &str) -> String {
    format!("quantity = {quantity}, marketplaces = [\"{country}\"], loses = true")
}

fn nightly() -> Store {
    store("acme-de").schedule("0 0 3 * * *")
}

/// In which minutes it was sent.
fn minutes(bench: &Bench, sku: &str) -> Vec<u64> {
    let events = bench.events().into_iter().filter(|event| event.sku == sku);
    events.map(|event| bench.since_start(event.at).as_secs() / 60).collect()
}

#[tokio::test(start_paused = true)]
async fn what_a_feed_did_is_read_back_on_a_nightly_schedule_too() {
    let scene = Scene::empty().account("acme").store(nightly());
    let scene = scene.push("feed_expected_time = \"20s\"").amazon("feed_delay = \"40m\"");
    let scene = (1..=200).fold(scene, |scene, number| {
        let sku = format!("P-{number:05}");
        scene.product(&sku, 4).listing_with(&sku, &lost(9, "DE"))
    });
    let bench = Bench::start(scene).await;
    let daemon = Daemon::start(&bench.assembly);
    bench.wait("65m").await;
    // By patch or by feed, each is sent a second time.
    let once: Vec<u32> = (1..=200).filter(|number| minutes(&bench, &format!("P-{number:05}")).len() < 2).collect();
    assert_eq!(once, Vec::<u32>::new());
    assert!(daemon.stop().await);
}

#[tokio::test(start_paused = true)]
async fn a_drop_that_is_never_applied_does_not_wait_for_a_rare_schedule() {
    let scene = Scene::empty().account("acme").store(store("acme-de").schedule("0 0 */6 * * *"));
    let bench = Bench::start(scene.product("MUG", 0).listing_with("MUG", &lost(9, "DE"))).await;
    let daemon = Daemon::start(&bench.assembly);
    bench.wait("20h").await;
    let sent = minutes(&bench, "MUG");
    // Found 10 minutes after it was accepted, and sent again after 15 more at the latest.
    assert!(sent.windows(2).all(|pair| pair[1] - pair[0] <= 35), "{sent:?}");
    assert!(sent.len() > 30, "{sent:?}");
    assert!(daemon.stop().await);
}

#[tokio::test(start_paused = true)]
async fn a_store_with_a_rare_schedule_is_not_forgotten_beside_one_with_a_frequent_one() {
    let french = "quantity = 100, marketplaces = [\"FR\"]";
    let scene = Scene::empty()
        .account("acme")
        .store(store("acme-de"))
        .store(store("acme-fr").country("FR").schedule("0 0 3 * * *"))
        .product("MUG", 5)
        .listing("MUG", 5)
        .product_with("ENDLESS", "manage_stock = false")
        .listing_with("ENDLESS", french)
        .product("LOST", 0)
        .listing_with("LOST", &lost(9, "FR"));
    let bench = Bench::start(scene).await;
    let daemon = Daemon::start(&bench.assembly);
    bench.wait("5m").await;
    bench.sell("ENDLESS", 30).await;
    bench.wait("1h").await;
    assert_eq!(bench.shown("ENDLESS"), Some(100));
    assert!(minutes(&bench, "LOST").len() >= 2, "{:?}", minutes(&bench, "LOST"));
    assert!(daemon.stop().await);
}

#[tokio::test(start_paused = true)]
async fn what_is_accepted_while_a_cycle_runs_is_read_back() {
    let scene = Scene::empty().account("acme").store(nightly()).many(3000, 9, 9);
    let bench = Bench::start(scene.product("A-MUG", 0).listing_with("A-MUG", &lost(9, "DE"))).await;
    let operation = Some(Operation::PatchListingsItem);
    bench.fault(Fault { operation, ms: 15_000, count: Some(1), ..Fault::new(FaultKind::SlowAnswer) });
    let daemon = Daemon::start(&bench.assembly);
    while bench.patches() == 0 {
        bench.wait("1s").await;
    }
    let (reply, answer) = tokio::sync::oneshot::channel();
    let request = Request { order: bench.resync(&[]), progress: Progress::to_nobody(), wait: false, reply };
    daemon.desk.accounts["acme"].send(request).await.unwrap();
    answer.await.unwrap().unwrap();
    bench.wait("30m").await;
    assert!(minutes(&bench, "A-MUG").len() >= 2, "{:?}", minutes(&bench, "A-MUG"));
    assert!(daemon.stop().await);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_called_sold_after_a_feed_of_which_nobody_knows_the_end() {
    let bench = Bench::start(Scene::new().push("feed_expected_time = \"20s\"").many(400, 9, 4)).await;
    let operation = Some(Operation::CreateFeed);
    bench.fault(Fault { count: Some(1), operation, ..Fault::new(FaultKind::Fatal) });
    let daemon = Daemon::start(&bench.assembly);
    bench.wait("1m").await;
    (101..=400).for_each(|number| bench.stock(&format!("P-{number:05}"), 4));
    bench.wait("40m").await;
    let account = bench.work("acme").name();
    let drifted = bench.store().drifted_since(account, bench.since(0)).await.unwrap();
    assert_eq!(drifted.get("sale"), None, "{drifted:?}");
    assert!(daemon.stop().await);
}

#[tokio::test(start_paused = true)]
async fn an_account_that_does_not_work_is_never_said_to_work_again() {
    let bench = Bench::start(Scene::new().many(5, 9, 4)).await;
    let heard = Heard::default();
    let listening = heard.listen();
    bench.fault(Fault { operation: Some(Operation::PatchListingsItem), ..Fault::new(FaultKind::Status503) });
    let daemon = Daemon::start(&bench.assembly);
    bench.wait("2h").await;
    let said = |what: &str| heard.text().matches(what).count();
    assert_eq!((said("account_parked"), said("account_works_again")), (1, 0), "{}", heard.text());
    bench.pair.amazon.clear_faults();
    bench.wait("40m").await;
    assert_eq!((said("account_parked"), said("account_works_again")), (1, 1), "{}", heard.text());
    assert!((1..=5).all(|number| bench.shown(&format!("P-{number:05}")) == Some(9)));
    drop(listening);
    assert!(daemon.stop().await);
}
