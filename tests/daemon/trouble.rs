use stocksync::sim::amazon::{Fault, FaultKind, Operation, TokenAction};
use stocksync::sim::commerce::{Fault as ShopFault, FaultKind as ShopFaultKind};

use crate::bench::{Bench, Heard, seller};

const EVERY_5_MIN: &str = "0 */5 * * * *";

const HOURLY: &str = "0 0 * * * *";

fn refuses_patches(account: &str) -> Fault {
    Fault {
        operation: Some(Operation::PatchListingsItem),
        seller_id: Some(seller(account)),
        ..Fault::new(FaultKind::RoleMissing)
    }
}

#[tokio::test(start_paused = true)]
async fn an_account_whose_sending_failed_is_tried_again_before_its_next_tick() {
    let bench = Bench::start(3, HOURLY, |pair| pair.amazon.fault(refuses_patches("one"))).await;
    bench.wait(30).await;
    let trouble = bench.trouble("one").await.expect("it cannot be worked");
    assert!(trouble.retry_at > bench.now(), "{trouble:?}");
    assert_eq!((bench.shown("one", "SKU-0"), bench.shown("two", "SKU-0")), (Some(9), Some(7)), "the other goes on");
    bench.pair.amazon.clear_faults();
    bench.wait(61 * 60).await;
    assert_eq!((bench.shown("one", "SKU-0"), bench.trouble("one").await), (Some(7), None));
    assert!(bench.cycles("one").await.iter().any(|cycle| cycle.cause == "retry"));
    assert!(bench.cycles("two").await.iter().all(|cycle| cycle.cause != "retry"));
}

#[tokio::test(start_paused = true)]
async fn an_account_whose_cycle_failed_is_tried_again_before_its_next_tick() {
    let revoke = |pair: &stocksync::sim::Pair| pair.amazon.token(&seller("one"), TokenAction::Revoke);
    let bench = Bench::start(3, HOURLY, revoke).await;
    bench.wait(10 * 60).await;
    assert!(bench.trouble("one").await.is_some() && bench.cycles("one").await.is_empty());
    bench.pair.amazon.token(&seller("one"), TokenAction::Restore);
    bench.wait(16 * 60).await;
    assert_eq!((bench.shown("one", "SKU-0"), bench.trouble("one").await), (Some(7), None));
}

#[tokio::test(start_paused = true)]
async fn a_shop_that_could_not_be_read_is_read_again_before_the_next_tick() {
    let down = |pair: &stocksync::sim::Pair| pair.commerce.set_fault(ShopFault::every(ShopFaultKind::Html503));
    let bench = Bench::start(3, HOURLY, down).await;
    bench.wait(10 * 60).await;
    assert!(bench.trouble("one").await.is_some());
    assert_eq!(bench.shown("one", "SKU-0"), Some(9), "amazon keeps what it has");
    bench.pair.commerce.clear_faults();
    bench.wait(16 * 60).await;
    for account in crate::bench::ACCOUNTS {
        assert_eq!((bench.shown(account, "SKU-0"), bench.trouble(account).await), (Some(7), None), "{account}");
    }
}

fn sign_ins(bench: &Bench, account: &str) -> u64 {
    bench.pair.amazon.stats().calls[&seller(account)][&Operation::Token].calls
}

#[tokio::test(start_paused = true)]
async fn a_grant_that_is_away_for_hours_holds_up_nobody_else_and_is_taken_up_when_it_is_back() {
    for (action, code) in [(TokenAction::Revoke, "grant_revoked"), (TokenAction::ExpireSecret, "secret_refused")] {
        let heard = Heard::default();
        let _listening = heard.listen();
        let bench = Bench::start(3, EVERY_5_MIN, |_| {}).await;
        bench.wait(10 * 60).await;
        bench.pair.amazon.token(&seller("one"), action);
        // So that a secret is asked for at once.
        bench.pair.amazon.token(&seller("one"), TokenAction::ExpireAll);
        let before = sign_ins(&bench, "one");
        for round in 1..=24 {
            bench.stock("SKU-1", 20 + round);
            bench.wait(6 * 60).await;
            assert_eq!(bench.shown("two", "SKU-1"), Some(20 + round.unsigned_abs()), "round {round}");
        }
        let trouble = bench.trouble("one").await.expect("it cannot be worked");
        assert_eq!(trouble.cause.as_deref(), Some(code), "{trouble:?}");
        assert_eq!(bench.shown("one", "SKU-1"), Some(7));
        // At once, in 10 s, and in 1, 6, 21, 51, 81, 111 and 141 minutes.
        let asked = sign_ins(&bench, "one") - before;
        assert!((6..=10).contains(&asked), "{asked} sign-ins in two hours and a half");
        bench.pair.amazon.token(&seller("one"), TokenAction::Restore);
        bench.wait(31 * 60).await;
        assert_eq!((bench.shown("one", "SKU-1"), bench.trouble("one").await), (Some(44), None));
        let text = heard.text();
        let lines = |level: &str, event: &str| {
            let named = |line: &&str| line.contains(level) && line.contains(event);
            text.lines().filter(named).collect::<Vec<_>>()
        };
        assert_eq!(lines("ERROR", "").len(), 1, "{text}");
        let parked = lines("ERROR", "account_parked")[0];
        assert!(parked.contains(code) && parked.contains("Seller Central"), "{parked}");
        let back = lines("INFO", "account_works_again");
        assert!(back.len() == 1 && back[0].contains("lasted_s="), "{back:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_missing_role_is_said_once_tried_again_slowly_and_by_a_resync_at_once() {
    let heard = Heard::default();
    let _listening = heard.listen();
    let bench = Bench::start(30, EVERY_5_MIN, |_| {}).await;
    bench.wait(10 * 60).await;
    let patches = |bench: &Bench| bench.pair.amazon.stats().calls[&seller("one")][&Operation::PatchListingsItem].calls;
    let before = patches(&bench);
    bench.pair.amazon.fault(refuses_patches("one"));
    for number in 0..30 {
        bench.stock(&format!("SKU-{number}"), 3);
    }
    bench.wait(4 * 60 * 60).await;
    let trouble = bench.trouble("one").await.expect("it cannot be worked");
    assert_eq!(trouble.cause.as_deref(), Some("role_missing"), "{trouble:?}");
    assert!((0..30).all(|number| bench.shown("two", &format!("SKU-{number}")) == Some(3)));
    let tried = patches(&bench) - before;
    assert!(tried < 12 * 16, "{tried} patches in four hours");
    assert_eq!(heard.text().lines().filter(|line| line.contains("ERROR")).count(), 1, "{}", heard.text());
    bench.pair.amazon.clear_faults();
    let done = bench.ask("one").await.await.unwrap().unwrap();
    assert_eq!((done.accepted, done.parked), (30, None));
    bench.wait(10).await;
    assert_eq!((bench.shown("one", "SKU-29"), bench.trouble("one").await), (Some(3), None));
    // The schedule counts again.
    bench.stock("SKU-1", 5);
    bench.wait(6 * 60).await;
    assert_eq!(bench.shown("one", "SKU-1"), Some(5));
}
