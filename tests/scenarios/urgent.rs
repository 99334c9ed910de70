//! What stops overselling does not stand behind ten thousand others.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use stocksync::daemon::Daemon;
use stocksync::sim::amazon::{Event, Fault, FaultKind, Operation};

use super::bench::Bench;
use super::scene::{Scene, store};

const HOT: u32 = 100;

fn hot(number: u32) -> String {
    format!("HOT-{number:03}")
}

/// Ten thousand raises, and a hundred listings that show what the shop has.
fn backlog() -> Scene {
    let store = store("acme-de").schedule("0 * * * * *");
    let scene = Scene::empty().account("acme").store(store).many(10_000, 9, 5);
    (1..=HOT).fold(scene, |scene, number| scene.product(&hot(number), 5).listing(&hot(number), 5))
}

/// When the zeroes stood in the outbox, and when each left, in order.
struct Zeroes {
    read_at: Timestamp,
    queued_at: Timestamp,
    sent: Vec<Event>,
    /// From leaving to being taken in.
    way: f64,
}

impl Zeroes {
    fn after(&self, from: Timestamp, nth: usize) -> f64 {
        Duration::try_from(self.sent[nth].at.duration_since(from)).unwrap().as_secs_f64() - self.way
    }
}

/// Sells out all of them between two ticks.
async fn sell_out(bench: &Bench) -> Zeroes {
    let account = bench.assembly.accounts[0].name();
    (1..=HOT).for_each(|number| bench.stock(&hot(number), 0));
    let slot = loop {
        let slot = bench.store().slot(account, &hot(1).as_str().into()).await.unwrap();
        match slot.filter(|slot| slot.quantity == 0) {
            Some(slot) => break slot,
            None => bench.wait("20ms").await,
        }
    };
    let queued_at = bench.clock.now();
    bench.wait("40s").await;
    let is_zero = |event: &Event| event.sku.starts_with("HOT") && event.quantity == Some(0);
    let sent: Vec<Event> = bench.events().into_iter().filter(is_zero).collect();
    assert_eq!(sent.len(), HOT as usize, "each once");
    Zeroes { read_at: slot.planned_at, queued_at, sent, way: 0.0 }
}

/// Gives the figures in words.
fn assert_at_once(zeroes: &Zeroes, look: f64) -> String {
    let last = HOT as usize - 1;
    let (first, last) = (zeroes.after(zeroes.queued_at, 0), zeroes.after(zeroes.queued_at, last));
    let (first_read, last_read) = (zeroes.after(zeroes.read_at, 0), zeroes.after(zeroes.read_at, HOT as usize - 1));
    assert!(first <= 0.2 + look + 0.02, "the first after {first} s");
    assert!(last <= 1.1 * f64::from(HOT) / 5.0, "the last after {last} s");
    assert!(last_read <= 1.1 * f64::from(HOT) / 5.0 + look, "the last after {last_read} s from the tick");
    format!("queued: {first:.3} s, {last:.3} s; read: {first_read:.3} s, {last_read:.3} s")
}

async fn sending(bench: &Bench) {
    while bench.patches() < 100 {
        bench.wait("1s").await;
    }
    // Right before a tick.
    let now = bench.clock.now();
    let tick = Timestamp::from_second((now.as_second() / 60 + 1) * 60).unwrap();
    let left = tick.duration_since(now) - SignedDuration::from_secs(1);
    bench.clock.sleep(Duration::try_from(left).unwrap_or(Duration::ZERO)).await;
}

#[tokio::test(start_paused = true)]
async fn a_hundred_zeroes_behind_ten_thousand_changes_leave_at_the_granted_rate() {
    let bench = Bench::start(backlog().push("feed_expected_time = \"12h\"")).await;
    let daemon = Daemon::start(&bench.assembly);
    sending(&bench).await;
    assert!(bench.store().backlog(bench.assembly.accounts[0].name(), None).await.unwrap() > 9500);
    let (patches, searches) = (bench.patches(), bench.stats().calls(Operation::SearchListingsItems));
    let zeroes = sell_out(&bench).await;
    println!("{}", assert_at_once(&zeroes, 0.0));
    let (patches, searches) =
        (bench.patches() - patches, bench.stats().calls(Operation::SearchListingsItems) - searches);
    println!("{searches} searches for {patches} patches");
    assert!(searches * 10 <= patches, "{searches} searches for {patches} patches");
    assert!(daemon.stop().await);
}

#[tokio::test(start_paused = true)]
async fn answers_that_take_their_time_hold_up_no_zero_by_more_than_a_look() {
    let bench = Bench::start(backlog().push("feed_expected_time = \"12h\"")).await;
    for operation in [Operation::PatchListingsItem, Operation::SearchListingsItems] {
        bench.fault(Fault { operation: Some(operation), ms: 400, ..Fault::new(FaultKind::Slow) });
    }
    let daemon = Daemon::start(&bench.assembly);
    sending(&bench).await;
    let zeroes = Zeroes { way: 0.4, ..sell_out(&bench).await };
    println!("{}", assert_at_once(&zeroes, 0.4));
    assert!(daemon.stop().await);
}

#[tokio::test(start_paused = true)]
async fn zeroes_of_listings_in_an_open_feed_leave_with_the_others() {
    // Half of them wait in a feed for a larger number when they are sold out.
    let bench = Bench::start(backlog().push("feed_expected_time = \"5m\"").amazon("feed_delay = \"30m\"")).await;
    (1..=HOT / 2).for_each(|number| bench.stock(&hot(number), 6));
    let daemon = Daemon::start(&bench.assembly);
    sending(&bench).await;
    let account = bench.assembly.accounts[0].name();
    assert_eq!(bench.store().open_feeds(account).await.unwrap().len(), 1);
    let zeroes = sell_out(&bench).await;
    println!("{}", assert_at_once(&zeroes, 0.0));
    assert!(daemon.stop().await);
}
