//! The log as JSON lines, for machines.

use std::collections::BTreeSet;

use serde_json::Value;
use stocksync::sim::amazon::TokenAction;

use crate::bench::{Account, Bench, SELLER, Store, Texts, eventually};

const JSON: (&str, &str) = ("STOCKSYNC__LOG__FORMAT", "json");

#[track_caller]
fn lines(err: &str) -> Vec<Value> {
    err.lines()
        .map(|line| {
            let value: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            assert!(value.is_object(), "{line}");
            assert!(value["timestamp"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok(), "{line}");
            assert!(["ERROR", "WARN", "INFO", "DEBUG", "TRACE"].contains(&value["level"].as_str().unwrap()), "{line}");
            value
        })
        .collect()
}

fn events<'a>(lines: &'a [Value], name: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["event"] == name).collect()
}

fn bench() -> Bench {
    Bench::with(
        Texts::new("A 12\nB 5\nC 3")
            .account(Account::one(
                "{ sku = 'A', quantity = 1 }, { sku = 'B', quantity = 5 }, { sku = 'C', channel = 'AMAZON_EU' }, \
                 { sku = 'BAD', quantity = 1 }",
            ))
            .store(Store::live("de", "DE")),
    )
}

#[test]
fn every_line_is_an_object_and_a_cycle_is_summed_up_in_one() {
    let bench = bench();
    let filter = ("STOCKSYNC__LOG__FILTER", "info,stocksync::push=debug");
    let service = bench.start_with("run", &[JSON, filter]);
    eventually("the push", || service.err().contains("change_accepted"));
    service.signal("HUP");
    eventually("the reload", || service.err().contains("config_reloaded"));
    eventually("the second cycle", || service.err().matches("cycle_planned").count() == 2);
    bench.pair.amazon.token(SELLER, TokenAction::Revoke);
    bench.run("resync").ended_with(1);
    service.signal("TERM");
    let ran = service.end().ended_with(0);
    let lines = lines(&ran.err);
    for name in [
        "service_started",
        "listings_discovered",
        "commerce_read",
        "change_accepted",
        "cycle_failed",
        "service_stopped",
    ] {
        assert!(!events(&lines, name).is_empty(), "no {name} in\n{}", ran.err);
    }
    assert!(lines.iter().all(|line| line["event"].is_string()), "an event without a name in\n{}", ran.err);
    let cycle = events(&lines, "cycle_planned")[0];
    let expected = [
        ("account", Value::from("one")),
        ("stores", "de".into()),
        ("cause", "start".into()),
        ("products", 3.into()),
        ("listings", 4.into()),
        ("changes", 1.into()),
        ("queued", 1.into()),
        ("unchanged", 1.into()),
        ("withheld", 2.into()),
        ("withheld_by_reason", "product_missing=1 fulfilled_by_amazon=1".into()),
        ("conflicts", 0.into()),
        ("problem", "".into()),
    ];
    for (key, value) in expected {
        assert_eq!(cycle[key], value, "{key} in {cycle:#}");
    }
    assert!(cycle["duration_ms"].is_u64() && cycle["plan_id"].is_string(), "{cycle:#}");
    let change = events(&lines, "change_accepted")[0];
    assert_eq!((&change["seller_sku"], &change["from"], &change["to"]), (&"A".into(), &1.into(), &12.into()));
    assert_eq!(change["reasons"], "salable_quantity");
    assert!(change["submission_id"].is_string() && change["waited_ms"].is_u64(), "{change:#}");
}

#[test]
fn every_request_is_named_with_its_status_and_amazons_request_id() {
    let bench = bench();
    let ran = bench.start_with("resync", &[JSON, ("STOCKSYNC__LOG__FILTER", "stocksync=debug")]).end().ended_with(0);
    let lines = lines(&ran.err);
    assert!(lines.iter().all(|line| line["event"].is_string()), "an event without a name in\n{}", ran.err);
    let requests = events(&lines, "request_answered");
    let operations: BTreeSet<_> = requests.iter().filter_map(|line| line["span"]["operation"].as_str()).collect();
    for operation in
        ["lwaToken", "createReport", "searchListingsItems", "patchListingsItem", "export-stock-salable-qty"]
    {
        assert!(operations.contains(operation), "{operation} is not among {operations:?}");
    }
    let patch = requests.iter().find(|line| line["span"]["operation"] == "patchListingsItem").unwrap();
    assert_eq!(patch["span"]["status"], 200, "{patch:#}");
    assert!(patch["span"]["request_id"].is_string() && patch["span"]["duration_ms"].is_u64(), "{patch:#}");
}

#[test]
fn a_failure_of_a_command_is_a_line_like_any_other() {
    let bench = bench();
    bench.pair.amazon.token(SELLER, TokenAction::Revoke);
    let ran = bench.start_with("resync", &[JSON]).end().ended_with(1);
    assert!(lines(&ran.err).iter().any(|line| line["message"].as_str().unwrap().contains("authorize")), "{}", ran.err);
    let lease = stocksync::lease::Lease::take(&bench.path("state.db"), "other").unwrap();
    let ran = bench.start_with("run", &[JSON]).end().ended_with(4);
    let failed = lines(&ran.err).pop().unwrap();
    assert!(failed["message"].as_str().unwrap().contains("stocksync other"), "{failed:#}");
    drop(lease);
}
