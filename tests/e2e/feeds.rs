//! Killed without a warning at every state of a feed: the next process takes it up where it was.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use stocksync::sim::amazon::{Event, Fault, FaultKind, Lane, Operation};

use crate::bench::{Bench, Process, Texts, eventually, eventually_within, pause};

const LISTINGS: u64 = 160;
/// A feed is asked about every 15 seconds; two of those, and a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(75);
/// Longer than any test: it ends with the process that waits.
const FOR_EVER: u64 = 600_000;
/// Of the random moments.
const SEED: u64 = 20_261_122;

/// 160 raises, of which patches do 40 in the time that a feed takes.
fn bench(stuck_after: &str) -> Bench {
    Bench::with(Texts::many(LISTINGS).with(|texts| {
        texts.speed = 20.0;
        "rates = { patchListingsItem = 0.5 }\nfeed_delay = \"2s\"".clone_into(&mut texts.amazon);
        texts.push = format!("feed_expected_time = \"4s\"\nfeed_stuck_after = \"{stuck_after}\"");
        texts.stores.iter_mut().for_each(|store| store.schedule = "*/5 * * * * *");
    }))
}

fn sku(number: u64) -> String {
    format!("P-{number:05}")
}

fn fault(bench: &Bench, kind: FaultKind, operation: Operation) {
    bench.pair.amazon.fault(Fault { count: Some(1), operation: Some(operation), ms: FOR_EVER, ..Fault::new(kind) });
}

fn calls(bench: &Bench, operation: Operation) -> u64 {
    bench.pair.amazon.stats().calls(operation)
}

/// Starts it, kills it as soon as it is there, and lets the stock of three listings move that the feed carries.
fn killed(bench: &Bench, what: &str, there: impl Fn(&Process) -> bool) -> String {
    let process = bench.start("run");
    eventually(what, || there(&process));
    // Counted when it arrives, done a moment later.
    pause(100);
    let said = process.err();
    process.kill();
    bench.stock(&sku(1), 0);
    bench.stock(&sku(2), 3);
    bench.stock(&sku(3), 500);
    said
}

fn wanted(number: u64) -> u64 {
    match number {
        1 => 0,
        2 => 3,
        3 => 500,
        number => 10 + number,
    }
}

fn wrong(bench: &Bench) -> Vec<u64> {
    (1..=LISTINGS).filter(|number| bench.live(&sku(*number)) != wanted(*number)).collect()
}

fn feed_events(bench: &Bench) -> Vec<Event> {
    bench.pair.amazon.events().into_iter().filter(|event| event.lane == Lane::Feed).collect()
}

/// A new process makes everything right, and whatever happened until then was in order.
fn goes_on(bench: &Bench) -> String {
    let service = bench.start("run");
    eventually_within(PATIENCE, "every listing", || wrong(bench).is_empty());
    eventually_within(PATIENCE, "the feed's end", || bench.open_feeds() == 0);
    let said = service.err();
    drop(service);
    in_order(bench, 1);
    said
}

/// Nothing went twice in a feed, no older number after a newer one, and the journal knows all of it.
fn in_order(bench: &Bench, kills: usize) {
    let events = bench.pair.amazon.events();
    let mut fed = BTreeSet::new();
    for event in events.iter().filter(|event| event.lane == Lane::Feed) {
        assert!(fed.insert((event.sku.clone(), event.quantity)), "{} went twice in a feed", event.sku);
    }
    for moved in [2, 3] {
        let sent = bench.sent(&sku(moved));
        let new = sent.iter().position(|quantity| *quantity == wanted(moved)).unwrap();
        assert!(sent[new..].iter().all(|quantity| *quantity == wanted(moved)), "{}: {sent:?}", sku(moved));
    }
    journal_is_whole(bench, kills);
}

/// One row for each thing that was accepted, whatever was killed when.
fn journal_is_whole(bench: &Bench, kills: usize) {
    let events = bench.pair.amazon.events();
    let skus: Vec<String> = (1..=LISTINGS).map(sku).collect();
    let mut kept: BTreeMap<(String, String), usize> = BTreeMap::new();
    for entry in bench.journal(&skus).into_iter().filter(|entry| entry.outcome == "accepted") {
        *kept.entry((entry.seller_sku.to_string(), entry.submission_id.unwrap())).or_default() += 1;
    }
    assert!(kept.values().all(|rows| *rows == 1), "{kept:?}");
    let unknown = |event: &&Event| {
        let id = event.feed_id.as_ref().unwrap_or(&event.submission_id);
        !kept.contains_key(&(event.sku.clone(), id.clone()))
    };
    let unkept: Vec<&Event> = events.iter().filter(unknown).collect();
    let in_feeds: Vec<&str> = unkept.iter().filter(|one| one.lane == Lane::Feed).map(|one| one.sku.as_str()).collect();
    assert_eq!(in_feeds, [""; 0], "no word of what a feed did");
    // Patches whose answers were on their way to the process that was killed.
    assert!(unkept.len() <= 16 * kills, "{} are not in the journal", unkept.len());
}

/// They wait most of the time, so that all of them run at once.
#[test]
fn killed_at_any_state_of_a_feed_the_next_process_takes_it_up_where_it_was() {
    let states: [(&str, fn()); 9] = [
        ("killed_while_it_takes_a_stuck_feed_out_of_the_queue", killed_while_it_takes_a_stuck_feed_out_of_the_queue),
        ("killed_while_it_builds_a_feed", killed_while_it_builds_a_feed),
        ("killed_when_there_is_a_document", killed_when_there_is_a_document),
        (
            "killed_when_the_document_is_up_and_the_order_of_the_feed_never_arrives",
            killed_when_the_document_is_up_and_the_order_of_the_feed_never_arrives,
        ),
        (
            "killed_when_the_feed_was_created_and_no_answer_had_come",
            killed_when_the_feed_was_created_and_no_answer_had_come,
        ),
        ("killed_while_the_feed_is_in_the_queue", killed_while_the_feed_is_in_the_queue),
        ("killed_while_the_feed_is_in_progress", killed_while_the_feed_is_in_progress),
        ("killed_when_the_feed_is_done_and_nobody_knows", killed_when_the_feed_is_done_and_nobody_knows),
        ("killed_while_it_reads_the_report", killed_while_it_reads_the_report),
    ];
    std::thread::scope(|scope| {
        for (name, state) in states {
            std::thread::Builder::new().name(name.to_owned()).spawn_scoped(scope, state).unwrap();
        }
    });
}

fn killed_while_it_builds_a_feed() {
    let bench = bench("1h");
    fault(&bench, FaultKind::Slow, Operation::CreateFeedDocument);
    killed(&bench, "the order of a document", |_| calls(&bench, Operation::CreateFeedDocument) > 0);
    goes_on(&bench);
}

fn killed_when_there_is_a_document() {
    let bench = bench("1h");
    fault(&bench, FaultKind::SlowAnswer, Operation::CreateFeedDocument);
    killed(&bench, "the document", |_| calls(&bench, Operation::CreateFeedDocument) > 0);
    goes_on(&bench);
}

/// Only the list of feeds can tell, and after three minutes: until then nothing but a zero goes past what may be there.
fn killed_in_doubt(kind: FaultKind, created: bool) {
    let bench = bench("1h");
    fault(&bench, kind, Operation::CreateFeed);
    killed(&bench, "the order of a feed", |_| calls(&bench, Operation::CreateFeed) > 0);
    pause(500);
    let service = bench.start("run");
    bench.wait_live(&sku(1), 0);
    eventually("the look at the list of feeds", || calls(&bench, Operation::GetFeeds) > 0);
    // Two cycles more.
    pause(11_000);
    assert!(service.is_running());
    for moved in [2, 3] {
        let sent: Vec<u64> = if created { vec![10 + moved] } else { vec![] };
        assert_eq!(bench.sent(&sku(moved)), sent, "sent past a feed that may be there");
    }
    drop(service);
    let twice = (2..=LISTINGS).map(|number| bench.sent(&sku(number)).len()).filter(|times| *times > 1).count();
    assert!(twice <= 16, "{twice} were sent again");
}

fn killed_when_the_document_is_up_and_the_order_of_the_feed_never_arrives() {
    killed_in_doubt(FaultKind::Slow, false);
}

fn killed_when_the_feed_was_created_and_no_answer_had_come() {
    killed_in_doubt(FaultKind::SlowAnswer, true);
}

fn killed_while_the_feed_is_in_the_queue() {
    let bench = bench("1h");
    fault(&bench, FaultKind::StuckInQueue, Operation::CreateFeed);
    killed(&bench, "the feed", |process| process.err().contains("feed_created"));
    bench.pair.amazon.clear_faults();
    goes_on(&bench);
}

fn killed_while_the_feed_is_in_progress() {
    let bench = bench("1h");
    fault(&bench, FaultKind::Stuck, Operation::CreateFeed);
    killed(&bench, "the feed", |process| {
        let there = process.err().contains("feed_created");
        pause(if there { 1_000 } else { 0 });
        there
    });
    bench.pair.amazon.clear_faults();
    goes_on(&bench);
}

fn killed_when_the_feed_is_done_and_nobody_knows() {
    let bench = bench("1h");
    let said = killed(&bench, "the feed's work", |_| !feed_events(&bench).is_empty());
    assert!(!said.contains("feed_ended"), "it was killed too late");
    goes_on(&bench);
}

fn killed_while_it_reads_the_report() {
    let bench = bench("1h");
    fault(&bench, FaultKind::Slow, Operation::GetFeedDocument);
    killed(&bench, "the report", |_| calls(&bench, Operation::GetFeedDocument) > 0);
    goes_on(&bench);
}

fn killed_while_it_takes_a_stuck_feed_out_of_the_queue() {
    let bench = bench("1s");
    fault(&bench, FaultKind::StuckInQueue, Operation::CreateFeed);
    fault(&bench, FaultKind::Slow, Operation::CancelFeed);
    let before = killed(&bench, "the cancelling", |_| calls(&bench, Operation::CancelFeed) > 0);
    let after = goes_on(&bench);
    assert_eq!(
        format!("{before}{after}").matches("a feed is stuck at Amazon").count(),
        1,
        "said once, over a restart too"
    );
}

#[test]
fn killed_at_random_moments_of_a_run_with_feeds_patches_and_zeroes() {
    let mut random = StdRng::seed_from_u64(SEED);
    let bench = bench("1h");
    for _ in 0..20 {
        for _ in 0..80 {
            let number = random.random_range(4..=LISTINGS);
            bench.stock(&sku(number), [0, 1, 30, 200][random.random_range(0..4)]);
        }
        let process = bench.start("run");
        pause(random.random_range(300..1_500));
        process.kill();
    }
    (1..=LISTINGS).for_each(|number| bench.stock(&sku(number), i64::try_from(wanted(number)).unwrap()));
    let service = bench.start("run");
    // An order of a feed that was never answered takes three minutes; it hardly ever comes to that.
    eventually_within(PATIENCE * 4, &format!("every listing, seed {SEED}"), || wrong(&bench).is_empty());
    assert!(service.is_running());
    assert!(!feed_events(&bench).is_empty(), "no feed in all of it, seed {SEED}");
    eventually_within(PATIENCE, "the feeds' end", || bench.open_feeds() == 0);
    journal_is_whole(&bench, 20);
}
