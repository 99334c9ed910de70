//! Stores of different accounts that share a SKU: who decides must not hang on who answers first.

use stocksync::sim::amazon::{Fault, FaultKind, TokenAction};

use crate::bench::{Account, Bench, SELLER, Store, Texts, eventually};

/// Two accounts list A in Germany. The older store caps at 10, and its account is slow to tell what it lists.
fn sharing() -> Bench {
    let listing = "{ sku = 'A', quantity = 1, marketplaces = ['DE'] }";
    let bench = Bench::with(
        Texts::new("A 50")
            .account(Account::one(listing))
            .account(Account::two(listing))
            .store(Store::live("old", "DE").rules("maximum_listed_quantity = 10"))
            .store(Store::live("young", "DE").of("two").created("2023-01-01T00:00:00Z")),
    );
    bench.pair.amazon.fault(Fault {
        seller_id: Some(SELLER.to_owned()),
        ms: 700,
        count: Some(2),
        ..Fault::new(FaultKind::Slow)
    });
    bench
}

#[test]
fn the_oldest_store_decides_on_a_fresh_state_although_its_account_answers_last() {
    let lines = ["resync", "resync --account two", "resync --store young", "resync --sku A", "run"];
    let started = lines.map(|line| {
        let bench = sharing();
        let process = bench.start(line);
        (line, bench, process)
    });
    for (line, bench, process) in started {
        eventually(line, || bench.live_of("A1TWO", "A") != 1);
        let sent: Vec<_> = bench.pair.amazon.events().into_iter().map(|event| event.quantity).collect();
        assert!(sent.iter().all(|quantity| *quantity == Some(10)), "{line} sent {sent:?}\n{}", process.err());
    }
}

#[test]
fn a_plan_on_a_fresh_state_knows_the_oldest_store() {
    let bench = sharing();
    let plan = bench.run("plan --format json").ended_with(0).json();
    let changes = plan["changes"].as_array().unwrap();
    let to: Vec<_> = changes.iter().map(|change| (&change["store"], change["to"].as_u64().unwrap())).collect();
    assert_eq!(format!("{to:?}"), r#"[(String("old"), 10), (String("old"), 10)]"#);
}

#[test]
fn an_older_store_whose_account_never_worked_does_not_hold_up_the_younger_one() {
    let bench = sharing();
    bench.pair.amazon.clear_faults();
    bench.pair.amazon.token(SELLER, TokenAction::Revoke);
    let service = bench.start("run");
    eventually("the younger store's own quantity", || bench.live_of("A1TWO", "A") == 50);
    assert!(service.is_running());
}
