//! The service on its schedules, for hours.

use std::time::Duration;

use jiff::Timestamp;
use stocksync::cycle::Progress;
use stocksync::daemon::{Daemon, Done, Request};
use stocksync::sim::amazon::{Edit, Fault, FaultKind, Operation, TokenAction};
use stocksync::sim::commerce;
use stocksync::store::CycleRecord;

use super::bench::Bench;
use super::scene::{Scene, seller, store};

async fn cycles(bench: &Bench, account: &str) -> Vec<CycleRecord> {
    let mut cycles = bench.store().cycles(bench.work(account).name(), 1000).await.unwrap();
    cycles.reverse();
    cycles
}

/// Begun so many seconds after the minute that its tick names.
fn minutes(cycles: &[CycleRecord]) -> Vec<String> {
    cycles.iter().map(|cycle| cycle.started_at.strftime("%H:%M").to_string()).collect()
}

async fn ask(bench: &Bench, daemon: &Daemon, account: &str, skus: &[&str]) -> Result<Done, String> {
    let (reply, answer) = tokio::sync::oneshot::channel();
    let request = Request { order: bench.resync(skus), progress: Progress::to_nobody(), wait: false, reply };
    daemon.desk.accounts[account].send(request).await.unwrap();
    answer.await.unwrap()
}

fn slow_patch(sku: &str, ms: u64) -> Fault {
    let operation = Some(Operation::PatchListingsItem);
    Fault { operation, sku: Some(sku.to_owned()), ms, count: Some(1), ..Fault::new(FaultKind::Slow) }
}

#[tokio::test(start_paused = true)]
async fn each_store_has_the_schedule_of_its_own_zone() {
    let scene = Scene::empty()
        .account("acme")
        .store(store("acme-de").schedule("0 */20 * * * *"))
        .store(store("acme-fr").country("FR").schedule("0 30 11 * * *").with("time_zone = \"Europe/Paris\""))
        .product("MUG", 9)
        .listing("MUG", 9);
    let bench = Bench::start(scene).await;
    let daemon = Daemon::start(&bench.assembly);
    bench.wait("3h").await;
    assert!(daemon.stop().await);
    let cycles = cycles(&bench, "acme").await;
    let paris: Vec<_> = cycles.iter().filter(|cycle| cycle.scope.contains("acme-fr")).cloned().collect();
    let berlin: Vec<_> = cycles.iter().filter(|cycle| cycle.scope.contains("acme-de")).cloned().collect();
    assert_eq!(minutes(&paris), ["08:00", "10:30"]);
    assert_eq!(minutes(&berlin)[..4], ["08:00", "08:20", "08:40", "09:00"]);
    assert!(cycles.iter().all(|cycle| cycle.started_at.strftime("%S").to_string().as_str() < "30"));
}

#[tokio::test(start_paused = true)]
async fn a_cycle_longer_than_the_schedule_is_followed_by_one_and_never_overlapped() {
    let scene =
        Scene::empty().commerce_key("max_load = 1.0").account("acme").store(store("acme-de").schedule("0 * * * * *"));
    let bench = Bench::start(scene.product("MUG", 9).listing("MUG", 9)).await;
    let daemon = Daemon::start(&bench.assembly);
    bench.wait("5m").await;
    bench.pair.commerce.set_fault(commerce::Fault { ms: 60_000, ..commerce::Fault::every(commerce::FaultKind::Slow) });
    bench.wait("30m").await;
    bench.pair.commerce.clear_faults();
    bench.wait("15m").await;
    assert!(daemon.stop().await);
    let cycles = cycles(&bench, "acme").await;
    for pair in cycles.windows(2) {
        assert!(pair[0].planned_at <= pair[1].started_at, "{} overlaps", pair[1].started_at);
    }
    // Each slow one takes minutes; afterwards there is one a minute again, and no burst of those that were missed.
    let started: Vec<Timestamp> = cycles.iter().map(|cycle| cycle.started_at).collect();
    let slow = started.iter().filter(|at| (5..35).contains(&(bench.since_start(**at).as_secs() / 60))).count();
    let after = started.iter().filter(|at| (42..50).contains(&(bench.since_start(**at).as_secs() / 60))).count();
    assert!((3..=8).contains(&slow) && (7..=8).contains(&after), "{slow} slow, {after} after");
}

#[tokio::test(start_paused = true)]
async fn one_accounts_trouble_is_its_own() {
    let scene = Scene::new()
        .many(50, 9, 4)
        .account("beta")
        .store(store("beta-fr").of("beta").country("FR"))
        .listing_with("P-00001", "quantity = 4, marketplaces = [\"FR\"]");
    let bench = Bench::start(scene).await;
    bench.pair.amazon.token(&seller("acme"), TokenAction::Revoke);
    let daemon = Daemon::start(&bench.assembly);
    bench.wait("1m").await;
    assert_eq!((bench.shown_by("beta", "P-00001"), bench.sent().len()), (Some(9), 1));
    // Every answer to acme takes twenty seconds from now on.
    bench.pair.amazon.token(&seller("acme"), TokenAction::Restore);
    let slow = Fault { seller_id: Some(seller("acme")), ms: 20_000, ..Fault::new(FaultKind::Slow) };
    bench.fault(slow);
    bench.stock("P-00001", 2);
    bench.wait("6m").await;
    assert_eq!(bench.shown_by("beta", "P-00001"), Some(2));
    bench.pair.amazon.clear_faults();
    bench.wait("10m").await;
    assert_eq!((bench.shown("P-00001"), bench.shown("P-00050")), (Some(2), Some(9)));
    assert!(daemon.stop().await);
}

#[tokio::test(start_paused = true)]
async fn a_zero_leaves_although_another_patch_hangs() {
    let bench = Bench::start(Scene::new().many(2, 9, 9)).await;
    let daemon = Daemon::start(&bench.assembly);
    bench.wait("4m").await;
    // The first attempt ends after half a minute, the second one succeeds.
    bench.fault(slow_patch("P-00001", 1_000_000));
    bench.stock("P-00001", 7);
    bench.wait("1m 30s").await;
    bench.stock("P-00002", 0);
    ask(&bench, &daemon, "acme", &["P-00002"]).await.unwrap();
    let zero = bench.events().into_iter().find(|event| event.sku == "P-00002").unwrap();
    bench.wait("3m").await;
    let hung = bench.events().into_iter().find(|event| event.sku == "P-00001").unwrap();
    assert!(zero.at < hung.at, "the zero waited until {} for {}", zero.at, hung.at);
    assert!(daemon.stop().await);
}

#[tokio::test(start_paused = true)]
async fn a_resync_of_everything_holds_up_no_tick() {
    let scene = Scene::new().amazon("rates = { patchListingsItem = 0.5 }").many(300, 9, 4);
    let mut bench = Bench::start(scene.product("HOT", 5).listing("HOT", 5)).await;
    // Before the first answer told the rate.
    bench.may_be_throttled();
    let daemon = Daemon::start(&bench.assembly);
    bench.wait("30s").await;
    let selling_out = async {
        bench.wait("1m").await;
        bench.stock("HOT", 0);
        bench.wait("4m 30s").await;
        assert_eq!(bench.shown("HOT"), Some(0));
    };
    tokio::select! {
        answer = ask(&bench, &daemon, "acme", &[]) => panic!("300 changes take longer: {answer:?}"),
        () = selling_out => {}
    }
    assert!(daemon.stop().await);
}

#[tokio::test(start_paused = true)]
async fn who_asks_does_not_wait_for_a_tick_that_spares_the_shop() {
    let bench = Bench::start(Scene::new().commerce_key("max_load = 0.02").many(2, 9, 9)).await;
    let daemon = Daemon::start(&bench.assembly);
    bench.wait("4m").await;
    bench.pair.commerce.set_fault(commerce::Fault { ms: 20_000, ..commerce::Fault::every(commerce::FaultKind::Slow) });
    // The tick of five past has used up its share of the time by now, and waits.
    bench.wait("4m").await;
    let before = cycles(&bench, "acme").await.len();
    let asked = bench.clock.instant();
    ask(&bench, &daemon, "acme", &["P-00001"]).await.unwrap();
    let waited = bench.clock.instant() - asked;
    assert_eq!(cycles(&bench, "acme").await.len(), before + 2, "the tick's and its own");
    // A dozen answers of twenty seconds each.
    assert!(waited < Duration::from_mins(6), "{waited:?}");
    assert!(daemon.stop().await);
}

#[tokio::test(start_paused = true)]
async fn a_stop_finishes_what_is_under_way_and_the_next_start_goes_on() {
    let mut bench = Bench::start(Scene::new().many(200, 9, 4)).await;
    let daemon = Daemon::start(&bench.assembly);
    bench.wait("15s").await;
    let stopping = bench.clock.instant();
    assert!(daemon.stop().await);
    assert!(bench.clock.instant() - stopping < Duration::from_secs(8));
    let sent = bench.sent().len();
    assert!((10..190).contains(&sent), "{sent}");
    bench.wait("1h").await;
    assert_eq!(bench.sent().len(), sent);
    bench.restart();
    let daemon = Daemon::start(&bench.assembly);
    bench.wait("1m").await;
    assert_eq!(bench.sent().len(), 200, "nothing is lost and nothing is sent twice");
    assert!(daemon.stop().await);
}

#[tokio::test(start_paused = true)]
async fn what_is_to_be_looked_at_does_not_wait_for_a_nightly_schedule() {
    let night = store("acme-de").schedule("0 0 3 * * *");
    let lost = "quantity = 4, marketplaces = [\"DE\"], loses = true";
    let scene = Scene::empty()
        .account("acme")
        .store(night)
        .product_with("ENDLESS", "manage_stock = false")
        .listing("ENDLESS", 100)
        .product("LOST", 9)
        .listing_with("LOST", lost)
        .many(50, 9, 9);
    let bench = Bench::start(scene).await;
    let daemon = Daemon::start(&bench.assembly);
    bench.wait("5m").await;
    bench.sell("ENDLESS", 30).await;
    bench.wait("6m").await;
    assert_eq!(bench.sent_of("LOST"), [9, 9]);
    bench.wait("50m").await;
    assert_eq!(bench.shown("ENDLESS"), Some(100));
    bench.wait("10h").await;
    assert!(daemon.stop().await);
    assert_eq!(bench.sent_of("ENDLESS"), [100]);
    // A constant about every 50 minutes; of what is lost each try and each look at it, at last every six hours.
    let cycles = cycles(&bench, "acme").await;
    assert!((12..=28).contains(&cycles.len()), "{:?}", minutes(&cycles));
}

/// Buyers on Amazon, customers in the shop, deliveries, strangers, faults and restarts; then peace.
#[tokio::test(start_paused = true)]
async fn after_six_hours_of_life_amazon_shows_what_the_rules_say() {
    let scene = Scene::with_store("maximum_listed_quantity = 30\nout_of_stock_threshold = 2")
        .push("verify_every = \"1h\"")
        .amazon("apply_delay = \"1m\"")
        .amazon("buyer = [{ every = \"20s\" }, { every = \"3m\", quantity = 4 }]")
        .many(30, 60, 30);
    let mut bench = Bench::start(scene).await;
    let mut daemon = Daemon::start(&bench.assembly);
    let sku = |number: u64| format!("P-{:05}", number % 30 + 1);
    for round in 0..72_u64 {
        bench.pair.commerce.order(&sku(round * 7), 1, u32::try_from(round % 4).unwrap() + 1).unwrap();
        bench.stock(&sku(round * 11 + 3), i64::try_from(round * 13 % 90).unwrap());
        match round % 9 {
            2 => bench.fault(Fault { percent: Some(20.0), count: Some(6), ..Fault::new(FaultKind::Status503) }),
            4 => bench.fault(Fault {
                operation: Some(Operation::PatchListingsItem),
                count: Some(2),
                ..Fault::new(FaultKind::AcceptThenDrop)
            }),
            6 => bench.on_amazon(&sku(round), Edit { quantity: Some(99), ..Edit::default() }),
            7 => {
                // As if killed.
                drop(daemon);
                bench.restart();
                daemon = Daemon::start(&bench.assembly);
            }
            _ => {}
        }
        bench.wait("5m").await;
    }
    // Buyers cannot be told to stop; with nothing for sale they buy nothing.
    bench.pair.amazon.clear_faults();
    for number in 0..30 {
        bench.edit(&sku(number), &commerce::ProductEdit { enabled: Some(false), ..Default::default() });
    }
    bench.wait("70m").await;
    for number in 0..30 {
        assert_eq!(bench.shown(&sku(number)), Some(0), "{}", sku(number));
    }
    let sold = bench.stats().units_sold;
    assert!(sold > 500, "{sold} units sold");
    assert!(daemon.stop().await);
}
