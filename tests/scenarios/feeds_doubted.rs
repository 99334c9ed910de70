//! What nobody can know of a feed: whose it is, what it did, and whether it comes back.

use std::collections::BTreeSet;
use std::sync::Arc;

use stocksync::amazon::{Client, Creation, FeedStatus};
use stocksync::assembly::amazon_access;
use stocksync::daemon::Daemon;
use stocksync::http::Http;
use stocksync::sim::amazon::{Event, Fault, FaultKind, Lane, Operation};

use crate::bench::Bench;
use crate::scene::{Scene, store};

const DE: &str = "A1PA6795UKMFR9";

fn sku(number: u32) -> String {
    format!("P-{number:05}")
}

fn raises(count: u32) -> Scene {
    Scene::new().push("feed_expected_time = \"20s\"\nfeed_stuck_after = \"30m\"").many(count, 9, 4)
}

fn wrong(bench: &Bench, count: u32, right: u64) -> Vec<String> {
    (1..=count).map(sku).filter(|sku| bench.shown(sku) != Some(right)).collect()
}

fn ours(bench: &Bench) -> Vec<Event> {
    bench.events().into_iter().filter(|event| event.sku.starts_with("P-")).collect()
}

fn order(kind: FaultKind) -> Fault {
    Fault { count: Some(1), operation: Some(Operation::CreateFeed), ..Fault::new(kind) }
}

/// Another program of the account's.
fn stranger(bench: &Bench) -> Client {
    let access = amazon_access(&bench.assembly.config.accounts[0]);
    Client::new(access, Arc::new(Http::new(bench.clock, 5).unwrap()), bench.clock)
}

/// It sends a feed of a listing of its own.
async fn submit(stranger: &Client) -> String {
    let mut draft = stranger.feed_draft();
    draft.push(&"FOREIGN".into(), 7).unwrap();
    let document = stranger.upload_feed(&draft.finish().unwrap()).await.unwrap();
    let permit = stranger.feed_permit().await;
    match stranger.create_feed(permit, &document, &[DE.into()]).await.unwrap() {
        Creation::Created { feed_id } => feed_id,
        Creation::InDoubt(fault) => panic!("{fault}"),
    }
}

/// The stranger's one message is refused, as the first of ours would be if its report were taken for ours.
fn beside_a_stranger() -> Scene {
    raises(200).listing_with("FOREIGN", "quantity = 3, marketplaces = [\"DE\"], invalid = \"it is blocked\"")
}

#[tokio::test(start_paused = true)]
async fn another_programs_feed_is_not_taken_for_ours() {
    for kind in [FaultKind::Status503, FaultKind::AcceptThenDrop] {
        let bench = Bench::start(beside_a_stranger()).await;
        let stranger = stranger(&bench);
        submit(&stranger).await;
        bench.fault(order(kind));
        let daemon = Daemon::start(&bench.assembly);
        bench.wait("30m").await;
        assert_eq!(wrong(&bench, 200, 9), [""; 0], "{kind:?}");
        assert_eq!(ours(&bench).len(), 200, "{kind:?}: none is sent twice");
        for number in 1..=200 {
            let listing = bench.listing(&sku(number)).await;
            assert_eq!((listing.refusal, listing.belief.in_doubt), (None, None), "{kind:?}");
        }
        assert_eq!(bench.store().open_feeds(&"acme".into()).await.unwrap(), []);
        assert!(daemon.stop().await);
    }
}

#[tokio::test(start_paused = true)]
async fn as_long_as_any_feed_that_may_be_ours_is_under_way_only_zeroes_go_past_it() {
    let bench = Bench::start(beside_a_stranger()).await;
    let stranger = stranger(&bench);
    bench.fault(order(FaultKind::Stuck));
    let foreign = submit(&stranger).await;
    // Ours is created behind it, and nobody says so.
    bench.fault(order(FaultKind::AcceptThenDrop));
    let daemon = Daemon::start(&bench.assembly);
    bench.wait("4m").await;
    bench.stock(&sku(200), 0);
    bench.stock(&sku(199), 3);
    bench.wait("2h").await;
    assert_eq!((bench.shown(&sku(200)), bench.shown(&sku(199))), (Some(0), Some(4)));
    assert_eq!(stranger.feed(&foreign).await.unwrap().status, FeedStatus::InProgress, "nobody cancelled it");
    bench.pair.amazon.clear_faults();
    bench.wait("25m").await;
    assert_eq!(wrong(&bench, 198, 9), [""; 0]);
    assert_eq!((bench.shown(&sku(200)), bench.shown(&sku(199))), (Some(0), Some(3)));
    assert!(daemon.stop().await);
}

#[tokio::test(start_paused = true)]
async fn a_feed_that_another_program_sends_much_later_is_not_waited_for() {
    let bench = Bench::start(beside_a_stranger()).await;
    bench.fault(order(FaultKind::Status503));
    let daemon = Daemon::start(&bench.assembly);
    bench.wait("2m 30s").await;
    let stranger = stranger(&bench);
    bench.fault(order(FaultKind::Stuck));
    submit(&stranger).await;
    bench.wait("10m").await;
    assert_eq!((wrong(&bench, 200, 9), ours(&bench).len()), (vec![], 200));
    assert!(daemon.stop().await);
}

#[tokio::test(start_paused = true)]
async fn after_a_fatal_feed_only_what_it_did_not_do_is_sent() {
    let bench = Bench::start(raises(400)).await;
    bench.fault(order(FaultKind::Fatal));
    let daemon = Daemon::start(&bench.assembly);
    bench.wait("20m").await;
    assert_eq!(wrong(&bench, 400, 9), [""; 0]);
    let fed = bench.events().iter().filter(|event| event.lane == Lane::Feed).count();
    assert!((50..300).contains(&fed), "the feed did {fed}");
    assert_eq!(bench.events().len(), 400, "what was done is not sent again");
    assert!(daemon.stop().await);
}

#[tokio::test(start_paused = true)]
async fn what_a_fatal_feed_does_later_than_it_was_looked_at_is_found() {
    let bench = Bench::start(raises(200).amazon("feed_apply_delay = \"4m\"")).await;
    bench.fault(order(FaultKind::Fatal));
    let daemon = Daemon::start(&bench.assembly);
    bench.wait("1m").await;
    // Back to what Amazon shows: nothing is to be sent, unless the feed comes to do something after all.
    (1..=200).for_each(|number| bench.stock(&sku(number), 4));
    bench.wait("24m").await;
    assert_eq!(wrong(&bench, 200, 4), [""; 0]);
    assert!(daemon.stop().await);
}

#[tokio::test(start_paused = true)]
async fn feeds_of_two_accounts_and_three_countries_go_where_each_listing_is() {
    let mut scene = Scene::empty().push("feed_expected_time = \"10s\"");
    for account in ["acme", "bert"] {
        scene = scene.account(account);
        for (name, country) in [("de", "DE"), ("fr", "FR"), ("it", "IT")] {
            scene = scene.store(store(&format!("{account}-{name}")).of(account).country(country));
        }
        for (country, count) in [("DE", 90), ("FR", 80), ("IT", 70)] {
            for number in 1..=count {
                let sku = format!("{country}-{number:05}");
                let listed = format!("quantity = 4, marketplaces = [\"{country}\"]");
                scene = if account == "acme" { scene.product(&sku, 9) } else { scene };
                scene = scene.listing_with(&sku, &listed);
            }
        }
    }
    let bench = Bench::start(scene).await;
    let daemon = Daemon::start(&bench.assembly);
    bench.wait("25m").await;
    let events = bench.events();
    assert_eq!(events.len(), 480, "each once");
    let mut lanes = BTreeSet::new();
    for event in &events {
        let place = match event.sku.get(..2) {
            Some("DE") => DE,
            Some("FR") => "A13V1IB3VIYZZH",
            _ => "APJ6JRA9NG5V4",
        };
        assert_eq!((event.marketplace_ids.as_slice(), event.quantity), (&[place][..], Some(9)), "{}", event.sku);
        if event.lane == Lane::Feed {
            lanes.insert((event.seller_id.clone(), place));
        }
    }
    assert!(lanes.len() >= 4, "feeds of both accounts, and of more than one country: {lanes:?}");
    for account in ["acme", "bert"] {
        assert_eq!(bench.shown_by(account, "FR-00080"), Some(9));
        assert_eq!(bench.store().open_feeds(&account.into()).await.unwrap(), []);
    }
    assert!(daemon.stop().await);
}

#[tokio::test(start_paused = true)]
async fn a_zero_under_way_while_its_feed_ends_stands_in_the_end() {
    for delay in ["4m 40s", "4m 50s", "4m 55s", "5m", "5m 10s"] {
        let scene = raises(200).amazon(&format!("feed_delay = \"{delay}\"\nfeed_apply_delay = \"3m\""));
        let bench = Bench::start(scene).await;
        let daemon = Daemon::start(&bench.assembly);
        bench.wait("2m").await;
        bench.stock(&sku(200), 0);
        let operation = Some(Operation::PatchListingsItem);
        let slow = Fault { count: Some(1), ms: 25_000, sku: Some(sku(200)), operation, ..Fault::new(FaultKind::Slow) };
        bench.fault(slow);
        bench.wait("30m").await;
        assert_eq!(bench.shown(&sku(200)), Some(0), "{delay}");
        let sent = bench.sent_of(&sku(200));
        let zeroes = sent.iter().filter(|quantity| **quantity == 0).count();
        assert!((1..=3).contains(&zeroes) && sent.len() == zeroes + 1, "{delay}: {sent:?}");
        let journal = bench.journal(&sku(200)).await;
        assert_eq!(journal.len(), sent.len(), "{delay}: {journal:?}");
        assert!(daemon.stop().await);
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_feed_overwrites_hours_late_is_healed_within_a_quarter_of_an_hour() {
    let bench = Bench::start(raises(200).amazon("feed_apply_delay = \"4m\"")).await;
    bench.fault(order(FaultKind::Stuck));
    let daemon = Daemon::start(&bench.assembly);
    bench.wait("10m").await;
    bench.stock(&sku(200), 0);
    bench.wait("9h").await;
    assert_eq!((bench.shown(&sku(200)), bench.sent_of(&sku(200))), (Some(0), vec![0]));
    bench.pair.amazon.clear_faults();
    let mut minutes_wrong = 0;
    for _ in 0..60 {
        bench.wait("1m").await;
        minutes_wrong += u32::from(bench.shown(&sku(200)) != Some(0));
    }
    assert!((1..=15).contains(&minutes_wrong), "{minutes_wrong} minutes");
    assert_eq!((bench.shown(&sku(200)), wrong(&bench, 199, 9)), (Some(0), vec![]));
    assert!(daemon.stop().await);
}

#[tokio::test(start_paused = true)]
async fn starting_over_and_over_sends_no_more_feeds_than_amazon_takes() {
    let scene = Scene::new().push("feed_expected_time = \"4s\"").many(60, 9, 4).amazon("feed_delay = \"4s\"");
    let mut bench = Bench::start(scene).await;
    let mut orders = 0;
    for round in 0..16 {
        (1..=60).for_each(|number| bench.stock(&sku(number), 20 + round));
        let daemon = Daemon::start(&bench.assembly);
        bench.wait("25s").await;
        // As if killed.
        drop(daemon);
        bench.wait("5s").await;
        bench.restart();
        orders = bench.stats().calls(Operation::CreateFeed);
    }
    // Five in five minutes, and never a 429: the bench looks at that in the end.
    assert!((6..=10).contains(&orders), "{orders} feeds in 8 minutes");
}
