//! `plan` and the other commands that only look.

use std::collections::BTreeSet;

use serde_json::Value;
use stocksync::sim::amazon::Operation;

use crate::bench::{Account, Bench, Store, Texts};

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

/// Two countries that disagree about A; B is right; C is Amazon's; D is not in the shop.
fn bench() -> Bench {
    let listings = "{ sku = 'A', quantity = 1 }, { sku = 'B', quantity = 5 }, \
                    { sku = 'C', channel = 'AMAZON_EU' }, { sku = 'D', quantity = 4 }, { sku = 'Z', quantity = 9 }";
    Bench::with(
        Texts::new("A 12\nB 5\nC 7\nZ 0")
            .account(Account::one(listings))
            .store(Store::live("de", "DE"))
            .store(Store::live("fr", "FR").created("2021-01-01T00:00:00Z").rules("maximum_listed_quantity = 8")),
    )
}

#[test]
fn a_plan_on_a_fresh_state_discovers_by_itself_and_is_exactly_the_documented_object() {
    let bench = bench();
    let ran = bench.run("plan --format json --out plan.json").ended_with(0);
    let plan = ran.json();
    assert_eq!(keys(&plan), BTreeSet::from(["generated_at", "changes", "withheld", "unchanged"]));
    assert_eq!(std::fs::read_to_string(bench.path("plan.json")).unwrap(), ran.out);
    let changes = plan["changes"].as_array().unwrap();
    let expected =
        ["account", "seller_sku", "store", "country", "marketplace_id", "from", "to", "lane", "priority", "reasons"];
    assert!(changes.iter().all(|change| keys(change) == BTreeSet::from(expected)), "{plan:#}");
    let row = |change: &Value| {
        let text = |key: &str| change[key].as_str().unwrap().to_owned();
        (text("seller_sku"), change["from"].as_u64().unwrap(), change["to"].as_u64().unwrap(), text("priority"))
    };
    assert_eq!(
        changes.iter().map(row).collect::<Vec<_>>(),
        [("Z".to_owned(), 9, 0, "zero".to_owned()), ("A".to_owned(), 1, 12, "rest".to_owned())]
    );
    assert_eq!(changes[1]["store"], "de");
    assert_eq!(changes[1]["country"], "DE");
    assert_eq!(changes[1]["marketplace_id"], "A1PA6795UKMFR9");
    assert_eq!(changes[1]["lane"], "patch");
    assert_eq!(changes[1]["reasons"], serde_json::json!(["salable_quantity", "country_conflict"]));
    let withheld = plan["withheld"].as_array().unwrap();
    let expected = ["account", "seller_sku", "store", "reason", "detail"];
    assert!(withheld.iter().all(|withheld| keys(withheld) == BTreeSet::from(expected)), "{plan:#}");
    let reasons: Vec<_> = withheld.iter().map(|withheld| (&withheld["seller_sku"], &withheld["reason"])).collect();
    assert_eq!(
        format!("{reasons:?}"),
        r#"[(String("C"), String("fulfilled_by_amazon")), (String("D"), String("product_missing"))]"#
    );
    assert_eq!(plan["unchanged"], 1);
    assert_eq!(bench.patches(), 0);
}

#[test]
fn the_same_state_gives_the_same_bytes_apart_from_the_time() {
    let bench = bench();
    let mut plans = BTreeSet::new();
    for _ in 0..3 {
        let ran = bench.run("plan --format json").ended_with(0);
        let time = ran.json()["generated_at"].as_str().unwrap().to_owned();
        assert!(time.parse::<jiff::Timestamp>().is_ok(), "{time}");
        plans.insert(ran.out.replace(&time, ""));
    }
    assert_eq!(plans.len(), 1, "{plans:?}");
}

#[test]
fn an_exit_code_tells_whether_there_is_something_to_send() {
    let bench = bench();
    assert_eq!(bench.run("plan --exit-code").code, 3);
    assert_eq!(bench.run("plan").code, 0);
    assert_eq!(bench.run("plan --exit-code --sku B").code, 0);
    assert_eq!(bench.run("plan --exit-code --sku A --sku B").code, 3);
    assert_eq!(bench.run("plan --exit-code --store fr").code, 3);
    assert_eq!(bench.patches(), 0);
    bench.run("resync").ended_with(0);
    bench.wait_live("A", 12);
    assert_eq!(bench.run("plan --exit-code").code, 0);
}

#[test]
fn nothing_is_believed_where_amazon_shows_no_quantity() {
    let bench = Bench::new("A 12", "{ sku = 'A', quantity = 1, marketplaces = ['DE'] }");
    let fault = stocksync::sim::amazon::Fault {
        operation: Some(Operation::SearchListingsItems),
        ..stocksync::sim::amazon::Fault::new(stocksync::sim::amazon::FaultKind::RoleMissing)
    };
    bench.pair.amazon.fault(fault);
    let ran = bench.run("plan --format json").ended_with(1);
    assert!(ran.err.contains("account one:"), "{}", ran.err);
    assert_eq!(ran.json()["changes"], serde_json::json!([]));
}

#[test]
fn looking_works_beside_a_running_service() {
    let bench = bench();
    let service = bench.service();
    bench.wait_live("A", 12);
    bench.stock("A", 20);
    let plan = bench.run("plan --format json").ended_with(0).json();
    assert_eq!(plan["changes"][0]["to"], 20, "{plan:#}");
    let status = bench.run("status").ended_with(0);
    assert!(status.out.contains("in step"), "{}", status.out);
    let status = bench.run("status --format json").ended_with(0).json();
    let stores: Vec<_> = status["stores"].as_array().unwrap().iter().map(|store| &store["name"]).collect();
    assert_eq!(stores, ["de", "fr"]);
    assert_eq!(status["accounts"][0]["name"], "one");
    let explained = bench.run("explain A").ended_with(0);
    for part in ["salable 20", "* store de", "store fr", "desired: 20", "12", "accepted"] {
        assert!(explained.out.contains(part), "{part} is missing in:\n{}", explained.out);
    }
    let explained = bench.run("explain A --format json").ended_with(0).json();
    assert_eq!(explained["listings"][0]["desired"], 20, "{explained:#}");
    assert!(service.is_running());
    assert_eq!(bench.written(), 2, "looking sent something");
}

#[test]
fn explain_says_that_it_knows_no_such_listing() {
    let bench = bench();
    let ran = bench.run("explain NEVER").ended_with(1);
    assert!(ran.err.contains("no account shows a listing \"NEVER\""), "{}", ran.err);
}

#[test]
fn a_plan_file_that_cannot_be_written_is_an_error() {
    let bench = bench();
    let ran = bench.run("plan --out /nowhere/plan.json").ended_with(1);
    assert!(ran.err.contains("/nowhere/plan.json"), "{}", ran.err);
}
