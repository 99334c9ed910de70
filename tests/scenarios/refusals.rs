//! Amazon says no, or nothing: about one listing, or about all of them.

use stocksync::reason::Reason;
use stocksync::sim::amazon::{Edit, Fault, FaultKind, Operation, TokenAction};

use super::bench::Bench;
use super::scene::{Scene, seller};

fn one_bad(keys: &str) -> Scene {
    Scene::new()
        .product("BAD", 9)
        .listing_with("BAD", &format!("quantity = 4, marketplaces = [\"DE\"], {keys}"))
        .many(3, 9, 4)
}

fn good() -> Vec<(String, u64)> {
    (1..=3).map(|number| (format!("P-0000{number}"), 9)).collect()
}

fn patch_fault(kind: FaultKind) -> Fault {
    Fault { operation: Some(Operation::PatchListingsItem), ..Fault::new(kind) }
}

/// Minutes since the start at which the listing was tried.
async fn tries(bench: &Bench, sku: &str) -> Vec<u64> {
    let journal = bench.journal(sku).await;
    journal.iter().rev().map(|entry| bench.since_start(entry.at).as_secs() / 60).collect()
}

#[tokio::test(start_paused = true)]
async fn an_invalid_listing_is_set_aside_with_amazons_words_for_longer_and_longer() {
    let bench = Bench::start(one_bad("invalid = \"Quantity is not allowed here.\"")).await;
    bench.cycle().await;
    let mut sent = bench.sent();
    sent.sort();
    assert_eq!(sent, good());
    bench.wait("1m").await;
    let plan = bench.cycle().await;
    let withheld = plan.withheld.iter().find(|withheld| withheld.seller_sku.as_str() == "BAD").unwrap();
    assert_eq!(withheld.reason, Reason::Rejected);
    assert!(withheld.detail.contains("Quantity is not allowed here."), "{}", withheld.detail);
    bench.cycles_every("15m", "30h").await;
    let tries = tries(&bench, "BAD").await;
    let waits: Vec<u64> = tries.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(waits[1..].is_sorted() && (3..=9).contains(&tries.len()), "{tries:?}");
    assert!(waits[0] <= 16 && *waits.last().unwrap() >= 11 * 60, "{waits:?}");
    // Mended, it is accepted at the next try, and the waits begin anew.
    bench.on_amazon("BAD", Edit { invalid: Some(String::new()), ..Edit::default() });
    bench.work_on("acme", &bench.resync(&["BAD"])).await.unwrap();
    bench.wait("1m").await;
    assert_eq!(bench.shown("BAD"), Some(9));
    assert!(bench.listing("BAD").await.refusal.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_refused_zero_is_tried_every_quarter_of_an_hour() {
    let bench = Bench::start(one_bad("invalid = \"no\"")).await;
    bench.cycle().await;
    bench.stock("BAD", 0);
    bench.cycles("4h").await;
    let tries = tries(&bench, "BAD").await;
    let longest = tries.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
    assert!(tries.len() >= 12 && longest <= 20, "{tries:?}");
}

#[tokio::test(start_paused = true)]
async fn one_listing_that_cannot_be_written_stops_nobody_whatever_the_status() {
    for status in [400, 403, 413, 415, 429, 500, 503] {
        let bench = Bench::start(one_bad(&format!("reject_status = {status}"))).await;
        bench.cycle().await;
        bench.cycles("10m").await;
        let mut sent = bench.sent();
        sent.sort();
        assert_eq!(sent, good(), "{status}");
        assert!(bench.listing("BAD").await.refusal.is_some(), "{status}");
        for (stock, sku) in [(7, "P-00001"), (0, "P-00002")] {
            bench.stock(sku, stock);
        }
        bench.cycles("5m").await;
        bench.wait("1m").await;
        assert_eq!((bench.shown("P-00001"), bench.shown("P-00002")), (Some(7), Some(0)), "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn when_amazon_takes_no_patch_at_all_the_account_waits_and_recovers_with_the_next_cycle() {
    for kind in [FaultKind::Status500, FaultKind::Html, FaultKind::RoleMissing, FaultKind::RegionMismatch] {
        let bench = Bench::start(Scene::new().many(30, 9, 4)).await;
        bench.fault(patch_fault(kind));
        let worked = bench.work_on("acme", &bench.order()).await.unwrap();
        assert!(worked.drained.parked.is_some(), "{kind:?}");
        let trouble = bench.store().trouble(bench.work("acme").name()).await.unwrap();
        assert!(trouble.is_some(), "{kind:?}");
        // Not every listing was spent on finding it out.
        assert!(worked.drained.refused <= 20, "{kind:?}: {} refused", worked.drained.refused);
        bench.pair.amazon.clear_faults();
        bench.cycles("20m").await;
        bench.wait("1m").await;
        let shown = |number: u32| bench.shown(&format!("P-{number:05}"));
        assert!((1..=30).all(|number| shown(number) == Some(9)), "{kind:?}");
        assert!(bench.store().trouble(bench.work("acme").name()).await.unwrap().is_none(), "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_revoked_account_does_not_delay_another_one() {
    let scene = Scene::new()
        .many(5, 9, 4)
        .account("beta")
        .store(super::scene::store("beta-fr").of("beta").country("FR"))
        .listing_with("P-00001", "quantity = 4, marketplaces = [\"FR\"]");
    let bench = Bench::start(scene).await;
    bench.pair.amazon.token(&seller("acme"), TokenAction::Revoke);
    assert!(bench.work_on("acme", &bench.order()).await.is_err());
    bench.work_on("beta", &bench.order()).await.unwrap();
    bench.wait("1m").await;
    assert_eq!((bench.shown("P-00001"), bench.shown_by("beta", "P-00001")), (Some(4), Some(9)));
    bench.pair.amazon.token(&seller("acme"), TokenAction::Restore);
    bench.wait("5m").await;
    bench.cycle().await;
    bench.wait("1m").await;
    assert_eq!(bench.shown("P-00001"), Some(9));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_ends_between_two_calls_is_renewed_and_nothing_is_lost() {
    let bench = Bench::start(Scene::new().amazon("token_lifetime = \"1m\"").many(150, 9, 4)).await;
    let expiring = async {
        for _ in 0..4 {
            bench.wait("8s").await;
            bench.pair.amazon.token(&seller("acme"), TokenAction::ExpireAll);
        }
    };
    tokio::join!(bench.cycle(), expiring);
    assert_eq!(bench.sent().len(), 150);
    assert_eq!(bench.sent().iter().collect::<std::collections::BTreeSet<_>>().len(), 150);
    bench.forgive_refusals();
}

#[tokio::test(start_paused = true)]
async fn what_was_about_to_be_sent_when_the_account_was_revoked_is_not_in_doubt() {
    let bench = Bench::start(Scene::new().many(2, 4, 4)).await;
    bench.cycle().await;
    bench.stock("P-00001", 50);
    bench.wait("5m").await;
    bench.fault(patch_fault(FaultKind::RoleMissing));
    bench.cycle().await;
    bench.pair.amazon.clear_faults();
    // Back to what it was: nothing ever reached Amazon, so there is nothing to put right.
    bench.stock("P-00001", 4);
    assert_eq!(bench.cycles("30m").await, []);
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_hours_ends_with_everything_right() {
    let bench = Bench::start(Scene::new().many(12, 9, 4)).await;
    bench.fault(patch_fault(FaultKind::Status503));
    bench.cycles_every("20m", "8h").await;
    assert_eq!(bench.sent(), []);
    bench.stock("P-00007", 0);
    bench.pair.amazon.clear_faults();
    bench.cycles("20m").await;
    bench.wait("1m").await;
    let shown = |number: u32| bench.shown(&format!("P-{number:05}"));
    assert!((1..=12).all(|number| shown(number) == Some(if number == 7 { 0 } else { 9 })));
}

#[tokio::test(start_paused = true)]
async fn a_country_without_a_report_holds_up_no_other_one() {
    for kind in [FaultKind::Cancelled, FaultKind::Fatal, FaultKind::Status500] {
        let scene = Scene::new()
            .many(3, 9, 4)
            .store(super::scene::store("acme-fr").country("FR"))
            .listing_with("P-FR", "quantity = 4, marketplaces = [\"FR\"]")
            .product("P-FR", 9);
        let bench = Bench::start(scene).await;
        // The reports of both countries are asked for side by side, France's first.
        let spoilt = if kind == FaultKind::Status500 { 20 } else { 1 };
        let operation = Some(Operation::CreateReport);
        bench.fault(Fault { operation, count: Some(spoilt), ..Fault::new(kind) });
        let worked = bench.work_on("acme", &bench.order()).await;
        if kind == FaultKind::Status500 {
            assert!(worked.is_err(), "without any list there is nothing to do");
            continue;
        }
        assert_eq!(worked.unwrap().drained.accepted, 3, "{kind:?}: only Germany's list is there");
        bench.cycles("10m").await;
        bench.wait("1m").await;
        assert_eq!((bench.shown("P-FR"), bench.shown("P-00001")), (Some(9), Some(9)), "{kind:?}");
    }
}
