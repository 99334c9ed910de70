//! `resync`: what its options narrow, silence or refuse, and how it gets on with a service.

use crate::bench::{Account, Bench, Store, Texts, eventually};

fn two_accounts() -> Bench {
    Bench::with(
        Texts::new("A 12\nB 5\nC 7")
            .account(Account::one("{ sku = 'A', quantity = 1, marketplaces = ['DE'] }, { sku = 'B', quantity = 1, marketplaces = ['FR'] }"))
            .account(Account::two("{ sku = 'C', quantity = 1, marketplaces = ['IT'] }"))
            .store(Store::live("de", "DE"))
            .store(Store::live("fr", "FR").created("2021-01-01T00:00:00Z"))
            .store(Store::live("it", "IT").of("two")),
    )
}

fn quantities(bench: &Bench) -> [u64; 3] {
    [bench.live("A"), bench.live("B"), bench.live_of("A1TWO", "C")]
}

#[test]
fn a_scope_touches_nothing_else() {
    let bench = two_accounts();
    bench.run("resync --sku B").ended_with(0);
    eventually("B", || quantities(&bench) == [1, 5, 1]);
    bench.run("resync --store de").ended_with(0);
    eventually("A", || quantities(&bench) == [12, 5, 1]);
    bench.run("resync --account two").ended_with(0);
    eventually("C", || quantities(&bench) == [12, 5, 7]);
    bench.edit_listing("A", 2);
    bench.edit_listing("B", 2);
    bench.run("resync --sku A --sku B").ended_with(0);
    eventually("A and B", || quantities(&bench) == [12, 5, 7]);
    assert_eq!(bench.written(), 5);
}

#[test]
fn a_name_that_is_not_configured_and_a_bad_flag_are_usage_errors() {
    let bench = two_accounts();
    for (line, hint) in [
        ("resync --store nowhere", "there are: de, fr, it"),
        ("resync --account nobody", "there are: one, two"),
        ("resync --store it --account one", "belongs to account two"),
        ("plan --store nowhere", "there are: de, fr, it"),
        ("explain A --store nowhere", "there are: de, fr, it"),
        ("resync --all --sku A", "cannot be used with"),
        ("resync --format yaml", "possible values"),
        ("resync --frobnicate", "unexpected argument"),
        ("resync A", "unexpected argument"),
        ("frobnicate", "unrecognized subcommand"),
        ("demo --cycles 0", "0 is not in"),
        ("explain", "SELLER_SKU"),
        ("resync --sku ", "a seller SKU is not empty"),
        ("plan --sku ", "a seller SKU is not empty"),
        ("explain ", "a seller SKU is not empty"),
    ] {
        let ran = bench.run(line);
        assert_eq!(ran.code, 2, "{line}: {}", ran.all());
        assert!(ran.err.contains(hint) && ran.out.is_empty(), "{line}: {}", ran.all());
    }
    assert_eq!(bench.patches(), 0);
}

#[test]
fn a_seller_sku_that_amazon_does_not_show_is_said_and_never_sent() {
    let bench = two_accounts();
    let ran = bench.run("resync --sku NEVER").ended_with(0);
    assert!(ran.out.contains("1 listing_unknown"), "{}", ran.all());
    assert_eq!(bench.patches(), 0);
}

#[test]
fn a_dry_run_shows_what_would_be_sent_and_sends_nothing() {
    let bench = two_accounts();
    let ran = bench.run("resync --dry-run").ended_with(0);
    assert!(ran.out.contains("3 to send"), "{}", ran.out);
    let json = bench.run("resync --dry-run --format json").ended_with(0).json();
    assert_eq!(json["changes"].as_array().unwrap().len(), 3, "{json:#}");
    assert_eq!(bench.run("resync --dry-run --quiet").ended_with(0).all(), "");
    assert_eq!(bench.patches(), 0);
}

#[test]
fn quiet_prints_nothing_when_all_is_well_and_only_problems_when_not() {
    let bench = two_accounts();
    assert_eq!(bench.run("resync --quiet").ended_with(0).all(), "");
    bench.pair.commerce.set_fault(stocksync::sim::commerce::Fault::every(stocksync::sim::commerce::FaultKind::Html200));
    for line in ["resync --quiet", "resync --dry-run --quiet"] {
        let ran = bench.run(line);
        assert!(ran.out.is_empty() && ran.err.contains("shop"), "{line}: {}", ran.all());
    }
}

#[test]
fn json_tells_what_became_of_each_account() {
    let bench = two_accounts();
    let json = bench.run("resync --format json").ended_with(0).json();
    let accounts = json["accounts"].as_array().unwrap();
    assert_eq!(accounts.len(), 2);
    assert_eq!(accounts[0]["account"], "one");
    assert_eq!(accounts[0]["done"]["accepted"], 2, "{json:#}");
    assert_eq!(accounts[1]["done"]["listings"], 1, "{json:#}");
}

#[test]
fn an_observing_store_sends_nothing_and_says_so() {
    let bench = Bench::with(
        Texts::new("A 12")
            .account(Account::one("{ sku = 'A', quantity = 1 }"))
            .store(Store::live("de", "DE").observing()),
    );
    let ran = bench.run("resync").ended_with(0);
    assert!(ran.out.contains("1 changes not sent: their store observes"), "{}", ran.out);
    let plan = bench.run("plan").ended_with(0);
    assert!(plan.out.contains("de observe"), "{}", plan.out);
    assert_eq!(bench.run("plan --exit-code").code, 3);
    assert_eq!(bench.patches(), 0);
}

#[test]
fn a_resync_beside_a_service_is_done_by_the_service_which_tells_its_progress() {
    let bench = two_accounts();
    let service = bench.service();
    eventually("the first cycles", || quantities(&bench) == [12, 5, 7]);
    bench.edit_listing("A", 3);
    let ran = bench.run("resync").ended_with(0);
    assert!(ran.out.contains("account one: 2 listings, 1 sent and accepted"), "{}", ran.out);
    assert!(!ran.err.contains("cycle_planned"), "it worked here: {}", ran.err);
    assert!(service.err().contains("cause=\"resync\""), "{}", service.err());
    bench.wait_live("A", 12);
    let lines = bench.ask_service(r#"{"accounts":[["one",[]]],"skus":[]}"#);
    let events: Vec<&str> = lines.iter().filter_map(|line| line["progress"]["event"].as_str()).collect();
    assert_eq!(events, ["discovering", "reading", "read", "looked", "planned"], "{lines:?}");
    assert_eq!(lines.last().unwrap()["done"]["done"]["unchanged"], 2, "{lines:?}");
}

#[test]
fn a_store_that_the_service_does_not_know_yet_is_not_passed_over_in_silence() {
    let bench = two_accounts();
    let _service = bench.service();
    bench.configure(|texts| texts.stores.push(Store::live("new", "NL")));
    let ran = bench.run("resync --store new").ended_with(1);
    assert!(ran.err.contains("the service knows no store new"), "{}", ran.all());
}

#[test]
fn a_lock_whose_holder_does_not_answer_ends_with_4_and_its_name() {
    let bench = two_accounts();
    let state = bench.path("state.db");
    let lease = stocksync::lease::Lease::take(&state, "other").unwrap();
    for line in ["resync", "run"] {
        let ran = bench.run(line).ended_with(4);
        assert!(ran.err.contains("`stocksync other`, process "), "{line}: {}", ran.err);
    }
    for line in ["plan", "status", "explain A"] {
        bench.run(line).ended_with(0);
    }
    drop(lease);
    bench.run("resync").ended_with(0);
}
