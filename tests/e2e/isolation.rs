//! One account's trouble stays its own.

use stocksync::sim::amazon::{Fault, FaultKind, Operation, TokenAction};

use crate::bench::{Account, Bench, Process, SELLER, Store, Texts, eventually};

/// Account one sells A in Germany, account two sells B in Germany and France; cycles in every second.
fn bench() -> Bench {
    Bench::with(
        Texts::new("A 12\nB 5")
            .account(Account::one("{ sku = 'A', quantity = 1, marketplaces = ['DE'] }"))
            .account(Account::two("{ sku = 'B', quantity = 1, marketplaces = ['DE'] }"))
            .store(Store::live("de", "DE").every_second())
            .store(Store::live("de-two", "DE").of("two").created("2021-01-01T00:00:00Z").every_second()),
    )
}

fn troubled(kind: FaultKind) -> Fault {
    Fault { seller_id: Some(SELLER.to_owned()), ms: 60_000, ..Fault::new(kind) }
}

/// The other account follows the shop as ever.
#[track_caller]
fn assert_two_is_well(bench: &Bench, service: &Process) {
    let quantity = bench.live_of("A1TWO", "B") + 1;
    bench.stock("B", quantity.try_into().unwrap());
    eventually("the other account", || bench.live_of("A1TWO", "B") == quantity);
    assert!(service.is_running(), "{}", service.err());
}

#[test]
fn an_account_whose_amazon_fails_hangs_or_refuses_does_not_delay_another_one() {
    let bench = bench();
    let service = bench.service();
    bench.wait_live("A", 12);
    for kind in [FaultKind::Status500, FaultKind::Slow, FaultKind::RoleMissing] {
        bench.pair.amazon.fault(troubled(kind));
        bench.stock("A", 77);
        assert_two_is_well(&bench, &service);
        bench.pair.amazon.clear_faults();
    }
    bench.pair.amazon.token(SELLER, TokenAction::Revoke);
    assert_two_is_well(&bench, &service);
}

#[test]
fn an_account_that_never_worked_does_not_delay_another_one_and_recovers() {
    let bench = bench();
    bench.pair.amazon.token(SELLER, TokenAction::Revoke);
    let service = bench.start("run");
    eventually("the other account", || bench.live_of("A1TWO", "B") == 5);
    assert_two_is_well(&bench, &service);
    let status = bench.run("status --format json").ended_with(0).json();
    assert_eq!(status["accounts"][0]["state"], "trouble", "{status:#}");
    let text = status["accounts"][0]["trouble"]["text"].as_str().unwrap();
    assert!(text.contains("authorize the application again"), "{text}");
    assert_eq!(status["accounts"][0]["trouble"]["cause"], "grant_revoked", "{status:#}");
    let table = bench.run("status").ended_with(0).out;
    let words = table.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("grant revoked; next try") && words.contains("authorize the application again"), "{table}");
    assert!(table.lines().all(|line| line.chars().count() <= 100), "{table}");
    bench.pair.amazon.token(SELLER, TokenAction::Restore);
    // It is tried again by itself later; whoever put it right need not wait for that.
    bench.run("resync").ended_with(0);
    bench.wait_live("A", 12);
}

/// Two shops: one that hangs keeps its own stores waiting, no others.
#[test]
fn a_listing_that_is_refused_does_not_delay_its_neighbours() {
    let bench = bench();
    bench.pair.amazon.fault(Fault {
        operation: Some(Operation::PatchListingsItem),
        sku: Some("A".to_owned()),
        ..Fault::new(FaultKind::Slow)
    });
    let service = bench.start("run");
    assert_two_is_well(&bench, &service);
}
