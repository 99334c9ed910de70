//! A shop that answers nonsense, late, or not at all: Amazon keeps what it has, people are told, and it passes.

use stocksync::sim::commerce::{Fault, FaultKind};

use crate::bench::{Account, Bench, Process, Store, Texts, eventually};

const IN_A_SERVICE: [FaultKind; 3] = [FaultKind::Html200, FaultKind::HalfRows, FaultKind::EmptyItems];
const NONSENSE: [FaultKind; 6] = [
    FaultKind::Html200,
    FaultKind::ShortBody,
    FaultKind::EmptyItems,
    FaultKind::HalfRows,
    FaultKind::Redirect,
    FaultKind::WrongTypes,
];

fn bench() -> Bench {
    let skus: Vec<String> = (1..=8).map(|n| format!("P{n}")).collect();
    let products: Vec<String> = skus.iter().map(|sku| format!("{sku} 12")).collect();
    let listings: Vec<String> = skus.iter().map(|sku| format!("{{ sku = '{sku}', quantity = 12 }}")).collect();
    Bench::with(
        Texts::new(&products.join("\n"))
            .account(Account::one(&listings.join(",")))
            .store(Store::live("de", "DE").every_second().rules("on_missing_product = \"zero\"")),
    )
}

fn lowered(bench: &Bench) -> Vec<(String, Option<u64>)> {
    let events = bench.pair.amazon.events();
    events.into_iter().filter(|event| event.quantity < Some(12)).map(|event| (event.sku, event.quantity)).collect()
}

fn cycles(service: &Process) -> usize {
    service.err().matches("cycle_planned").count()
}

#[test]
fn no_kind_of_trouble_makes_a_zero_in_a_service_and_the_next_cycle_recovers() {
    let bench = bench();
    let service = bench.service();
    for (round, kind) in IN_A_SERVICE.into_iter().enumerate() {
        bench.pair.commerce.set_fault(Fault::every(kind));
        let before = cycles(&service);
        // One may have read before the trouble came.
        eventually("a cycle in trouble", || cycles(&service) > before + 1);
        assert_eq!(lowered(&bench), [], "{kind:?}");
        if kind == FaultKind::Html200 {
            let status = bench.run("status --format json").ended_with(0).json();
            assert!(status["accounts"][0]["last_cycle"]["withheld"]["source_unknown"].as_u64() > Some(0), "{status:#}");
            assert_eq!(status["commerces"][0]["complete"], false, "{status:#}");
            let plan = bench.run("plan --format json").ended_with(0);
            assert!(plan.json()["withheld"][0]["reason"] == "source_unknown", "{}", plan.out);
            assert!(plan.err.contains("incomplete: shop:"), "{}", plan.err);
            let table = bench.run("status").ended_with(0).out;
            assert!(table.contains("source_unknown") && table.contains("but not completely"), "{table}");
        }
        bench.pair.commerce.clear_faults();
        let quantity = 20 + u64::try_from(round).unwrap();
        bench.stock("P3", quantity.try_into().unwrap());
        bench.wait_live("P3", quantity);
    }
}

#[test]
fn no_kind_of_trouble_on_one_route_makes_a_zero_in_a_resync() {
    let bench = bench();
    bench.run("resync").ended_with(0);
    for route in ["products", "export-stock-salable-qty", "lowStock", "websites", "inventory/stocks"] {
        for kind in NONSENSE {
            bench.pair.commerce.set_fault(Fault::every(kind).on(route));
            let plan = bench.run("plan --format json").json();
            let zeroes = plan["changes"].as_array().unwrap().iter().filter(|change| change["to"] == 0);
            assert_eq!(zeroes.count(), 0, "{route} {kind:?}: {plan:#}");
            bench.pair.commerce.clear_faults();
        }
    }
}

#[test]
fn a_resync_that_could_read_nothing_fails_and_one_that_read_a_part_does_not() {
    let bench = bench();
    bench.pair.commerce.set_fault(Fault::every(FaultKind::Html200));
    for line in ["resync", "resync --sku P1"] {
        let ran = bench.run(line).ended_with(1);
        assert!(ran.err.contains("incomplete: "), "{line}: {}", ran.err);
    }
    let status = bench.run("status --format json").ended_with(0).json();
    assert_eq!(status["accounts"][0]["state"], "incomplete", "{status:#}");
    assert_eq!(bench.run("plan --exit-code").code, 1, "nothing was read, so nothing is known to be in step");
    let words = bench.run("plan").ended_with(0).out;
    assert_eq!(words.matches("HTML").count(), 2, "once in the table and once below it:\n{words}");
    assert!(words.contains("P8: as for P1"), "{words}");
    bench.pair.commerce.clear_faults();
    bench.stock("P1", 9);
    bench.pair.commerce.set_fault(Fault::every(FaultKind::HalfRows).on("export"));
    let ran = bench.run("resync").ended_with(0);
    assert!(ran.err.contains("incomplete: "), "{}", ran.err);
}

#[test]
fn a_slow_shop_is_waited_for() {
    let bench = bench();
    bench.stock("P1", 3);
    bench.pair.commerce.set_fault(Fault { ms: 300, ..Fault::every(FaultKind::Slow) });
    bench.run("resync").ended_with(0);
    eventually("P1", || bench.live("P1") == 3);
}

#[test]
fn maintenance_and_a_cut_connection_are_tried_again_and_make_no_zero() {
    let bench = bench();
    bench.run("resync").ended_with(0);
    for kind in [FaultKind::Html503, FaultKind::CutBody] {
        bench.pair.commerce.set_fault(Fault::every(kind).on("products"));
        let plan = bench.run("plan --format json").ended_with(0).json();
        assert_eq!(plan["changes"], serde_json::json!([]), "{kind:?}");
        assert_eq!(plan["withheld"].as_array().unwrap().len(), 8, "{kind:?}: {plan:#}");
        bench.pair.commerce.clear_faults();
        bench.pair.commerce.set_fault(Fault { count: Some(1), ..Fault::every(kind) });
        let plan = bench.run("plan --format json").ended_with(0).json();
        assert_eq!(plan["withheld"], serde_json::json!([]), "{kind:?}");
    }
}

#[test]
fn a_product_that_is_really_gone_is_zeroed_where_the_store_wants_it() {
    let bench = bench();
    bench.pair.commerce.delete("P2").unwrap();
    bench.run("resync").ended_with(0);
    bench.wait_live("P2", 0);
    assert_eq!(lowered(&bench), [("P2".to_owned(), Some(0))]);
}
