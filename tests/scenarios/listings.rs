//! Listings that change hands, go away and come back. Whoever ships them, and whether they are there, is Amazon's word.

use std::time::Duration;

use stocksync::reason::Reason;
use stocksync::sim::amazon::{Country, Edit, Fault, FaultKind, Header, Operation, ReportShape, SettingsEdit, Status};

use super::bench::{Bench, PlanExt};
use super::heard::Heard;
use super::scene::{Scene, store};

const MINUTE: Duration = Duration::from_mins(1);

fn channel(code: &str) -> Edit {
    Edit { channel: Some(code.to_owned()), quantity: Some(5), ..Edit::default() }
}

fn countries(codes: &[&str]) -> Edit {
    let countries = codes.iter().map(|code| Country::try_from((*code).to_owned()).unwrap());
    Edit { marketplaces: Some(countries.collect()), ..Edit::default() }
}

#[tokio::test(start_paused = true)]
async fn a_listing_given_to_amazon_since_the_last_look_is_sent_nothing() {
    let bench = Bench::start(Scene::new().product("MUG", 9).listing("MUG", 9)).await;
    bench.cycle().await;
    bench.on_amazon("MUG", channel("AMAZON_EU"));
    bench.stock("MUG", 0);
    bench.wait("5m").await;
    bench.cycle().await;
    // That no write reached it is checked by every bench; that it is said, here.
    bench.wait("5m").await;
    assert_eq!(bench.cycle().await.why_withheld("MUG"), Some(Reason::FulfilledByAmazon));
}

#[tokio::test(start_paused = true)]
async fn a_listing_given_to_amazon_while_its_change_waits_is_sent_nothing_a_minute_later() {
    // The last of the backlog leaves after two minutes.
    let bench = Bench::start(Scene::new().many(600, 9, 5)).await;
    let hand_over = async {
        bench.wait("40s").await;
        for number in 1..=600 {
            bench.on_amazon(&format!("P-{number:05}"), channel("AMAZON_EU"));
        }
        bench.clock.now()
    };
    let (_, at) = tokio::join!(bench.cycle(), hand_over);
    let late = bench.events().into_iter().filter(|event| bench.since_start(event.at) > bench.since_start(at) + MINUTE);
    assert_eq!(late.count(), 0);
    bench.forgive_violations();
}

#[tokio::test(start_paused = true)]
async fn a_listing_taken_back_from_amazon_is_found_within_a_day() {
    for code in ["AMAZON_EU", "absent"] {
        let scene = Scene::new().product("MUG", 9).listing_with("MUG", &format!("channel = \"{code}\""));
        let bench = Bench::start(scene).await;
        bench.cycle().await;
        bench.on_amazon("MUG", channel("DEFAULT"));
        assert_eq!(bench.cycles_every("1h", "25h").await, [("MUG".to_owned(), 9)], "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_deleted_listing_is_sent_nothing_and_one_that_returns_is_sent_again() {
    let bench =
        Bench::start(Scene::new().product("MUG", 9).listing("MUG", 9).product("JUG", 3).listing("JUG", 3)).await;
    bench.cycle().await;
    bench.on_amazon("MUG", Edit { delete: true, ..Edit::default() });
    bench.stock("MUG", 7);
    assert_eq!(bench.cycles_every("1h", "13h").await, []);
    bench.on_amazon("MUG", Edit { create: true, quantity: Some(1), ..Edit::default() });
    assert_eq!(bench.cycles_every("1h", "7h").await, [("MUG".to_owned(), 7)]);
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_listing_that_was_deleted_never_leaves() {
    let bench =
        Bench::start(Scene::new().product("MUG", 9).listing("MUG", 9).product("JUG", 3).listing("JUG", 3)).await;
    bench.cycle().await;
    // Planned and queued, but the account cannot send.
    bench.stock("MUG", 0);
    bench.wait("5m").await;
    bench.work("acme").cycle.run(&bench.order()).await.unwrap();
    bench.on_amazon("MUG", Edit { delete: true, ..Edit::default() });
    bench.wait("7h").await;
    bench.cycle().await;
    let drained = bench.drain("acme").await;
    assert_eq!((drained.accepted, bench.events().len()), (0, 0));
    assert_eq!(bench.store().backlog(bench.work("acme").name(), None).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_listing_that_left_one_country_is_written_through_the_other() {
    let scene = Scene::empty()
        .account("acme")
        .store(store("acme-de"))
        .store(store("acme-fr").country("FR").created("2021-01-01"))
        .product("MUG", 9)
        .listing_with("MUG", "quantity = 9, marketplaces = [\"DE\", \"FR\"]");
    let bench = Bench::start(scene).await;
    bench.cycle().await;
    bench.on_amazon("MUG", countries(&["FR"]));
    bench.stock("MUG", 0);
    bench.cycles("10m").await;
    assert_eq!(bench.shown("MUG"), Some(0));
    // Only where it is: a write to another marketplace would make a listing there.
    let event = bench.events().remove(0);
    assert_eq!(event.marketplace_ids, ["A13V1IB3VIYZZH"]);
}

#[tokio::test(start_paused = true)]
async fn when_amazon_does_not_say_what_it_shows_nothing_is_sent_and_the_next_cycle_goes_on() {
    let bench = Bench::start(Scene::new().product("MUG", 9).listing("MUG", 9)).await;
    bench.cycle().await;
    bench.fault(Fault { operation: Some(Operation::SearchListingsItems), ..Fault::new(FaultKind::Status500) });
    bench.stock("MUG", 4);
    bench.wait("5m").await;
    bench.work_on("acme", &bench.order()).await.ok();
    assert_eq!(bench.sent(), []);
    bench.pair.amazon.clear_faults();
    assert_eq!(bench.cycles("5m").await, [("MUG".to_owned(), 4)]);
}

#[tokio::test(start_paused = true)]
async fn a_new_listing_is_found_with_the_next_discovery_or_by_name() {
    let bench = Bench::start(Scene::new().product("MUG", 9).product("JUG", 3).listing("JUG", 3)).await;
    bench.cycle().await;
    bench.on_amazon("MUG", Edit { create: true, quantity: Some(1), ..Edit::default() });
    assert_eq!(bench.cycles("1h").await, []);
    bench.work_on("acme", &bench.resync(&["MUG"])).await.unwrap();
    assert_eq!(bench.sent(), [("MUG".to_owned(), 9)]);
    bench.wait("1m").await;
    bench.on_amazon("MUG", Edit { quantity: Some(2), ..Edit::default() });
    assert_eq!(bench.cycles_every("1h", "25h").await, [("MUG".to_owned(), 9)]);
}

fn report(header: Header) -> SettingsEdit {
    SettingsEdit { report: Some(ReportShape { header, ..ReportShape::default() }), ..SettingsEdit::default() }
}

#[tokio::test(start_paused = true)]
async fn a_garbled_seller_sku_is_sent_under_its_own_name_and_never_under_the_garbled_one() {
    let scene = Scene::new().product("??", 3).product("日本", 9).product("MUG", 5).listing("MUG", 5).listing("日本", 4);
    let bench = Bench::start(scene).await;
    bench.cycle().await;
    assert_eq!(bench.sent(), [("日本".to_owned(), 9)]);
    // Without an ASIN to search for, it is not found again: what it shows stays, and nothing is sent to either name.
    bench.pair.amazon.change_settings(report(Header::Short));
    bench.stock("日本", 2);
    bench.stock("??", 1);
    bench.work_on("acme", &bench.resync(&[])).await.unwrap();
    assert_eq!(bench.cycles("1h").await, []);
    assert_eq!(bench.shown("??"), None);
    // With ASINs again, it is followed again.
    bench.pair.amazon.change_settings(report(Header::Usual));
    assert_eq!(bench.cycles_every("1h", "7h").await, [("日本".to_owned(), 2)]);
}

#[tokio::test(start_paused = true)]
async fn an_inactive_listing_is_followed_too() {
    let bench = Bench::start(Scene::new().product("MUG", 9).listing_with("MUG", "quantity = 0, status = []")).await;
    bench.cycle().await;
    bench.on_amazon("MUG", Edit { status: Some(vec![Status::Buyable, Status::Discoverable]), ..Edit::default() });
    bench.stock("MUG", 0);
    assert_eq!(bench.cycles("5m").await, [("MUG".to_owned(), 0)]);
    bench.on_amazon("MUG", Edit { status: Some(vec![Status::Discoverable]), ..Edit::default() });
    bench.stock("MUG", 6);
    assert_eq!(bench.cycles("5m").await, [("MUG".to_owned(), 6)]);
}

#[tokio::test(start_paused = true)]
async fn a_listing_given_to_amazon_and_taken_back_many_times_is_only_sent_to_while_it_is_the_merchants() {
    let bench = Bench::start(Scene::new().product("MUG", 9).listing("MUG", 9)).await;
    bench.cycle().await;
    for round in 1..=3 {
        bench.on_amazon("MUG", channel("AMAZON_EU"));
        bench.stock("MUG", 20 + round);
        assert_eq!(bench.cycles_every("1h", "25h").await, [], "round {round}");
        bench.on_amazon("MUG", channel("DEFAULT"));
        let now = u64::try_from(20 + round).unwrap();
        assert_eq!(bench.cycles_every("1h", "25h").await, [("MUG".to_owned(), now)], "round {round}");
    }
}

#[tokio::test(start_paused = true)]
async fn most_listings_gone_at_once_are_told_with_numbers() {
    for (listings, gone, told) in [(50, 26, true), (50, 25, false), (20, 20, false), (60, 60, true)] {
        let heard = Heard::default();
        let _listening = heard.listen();
        let bench = Bench::start(Scene::new().many(listings, 9, 9)).await;
        bench.cycle().await;
        for number in 1..=gone {
            bench.on_amazon(&format!("P-{number:05}"), Edit { delete: true, ..Edit::default() });
        }
        assert_eq!(bench.cycles_every("1h", "7h").await, [], "{listings} {gone}");
        let text = heard.text();
        let lines: Vec<&str> = text.lines().filter(|line| line.contains("listings_vanished")).collect();
        assert_eq!(lines.len(), usize::from(told), "{listings} {gone}: {text}");
        let numbers = format!("before={listings} gone={gone}");
        assert!(lines.iter().all(|line| line.contains("WARN") && line.contains(&numbers)), "{lines:?}");
    }
}
