//! Every trouble that a shop's server makes, on every route that is read: in ticks, and when everything is read.

use std::collections::BTreeMap;

use stocksync::plan::Plan;
use stocksync::reason::Reason;
use stocksync::sim::Quantity;
use stocksync::sim::commerce::FaultKind::{self, *};
use stocksync::sim::commerce::{Fault, ProductEdit, Setting};
use stocksync::sim::world::SourceStock;

use super::bench::{Bench, PlanExt};
use super::scene::Scene;

/// What each product can sell in even and in odd rounds: what falls in one rises in the next, and the other way round.
const TRUTH: [(&str, [u64; 2]); 13] = [
    ("DROP", [20, 3]),
    ("RISE", [5, 9]),
    ("ZERO", [7, 0]),
    ("START", [0, 7]),
    ("ORDERED", [20, 16]),
    ("ITEM", [20, 15]),
    ("SAVED", [20, 0]),
    ("SAVED-TOO", [0, 20]),
    ("MOVED", [20, 0]),
    ("MOVED-TOO", [0, 20]),
    ("STILL", [20, 20]),
    ("UNMANAGED", [100, 100]),
    ("GHOST", [0, 0]),
];

const NONE: &[&str] = &[];
const SAVED: &[&str] = &["SAVED", "SAVED-TOO"];
const MOVED: &[&str] = &["MOVED", "MOVED-TOO"];
/// A source that was taken away is to be confirmed, and what is saved is read with all that there is about it.
const SAVED_OR_MOVED: &[&str] = &["SAVED", "SAVED-TOO", "MOVED", "MOVED-TOO"];

/// Each route, and which products its silence keeps from being sent in a tick and where everything is read. `None`: all.
const ROUTES: [(&str, [Option<&[&str]>; 2]); 10] = [
    ("V1/modules", [None, None]),
    ("V1/store/websites", [None, None]),
    ("V1/inventory/stocks", [None, None]),
    ("dump-stock-index-data", [Some(NONE), Some(NONE)]),
    ("V1/orders", [Some(NONE), Some(NONE)]),
    ("lowStock", [Some(NONE), None]),
    ("V1/products", [Some(SAVED_OR_MOVED), None]),
    ("export-stock-salable-qty", [None, None]),
    ("V1/stockItems/SAVED", [Some(SAVED), Some(NONE)]),
    ("V1/stockStatuses", [Some(MOVED), Some(MOVED)]),
];

/// What is said about it where a product is kept from being sent.
const fn words(kind: FaultKind) -> &'static str {
    match kind {
        Status500 | BadProduct => "HTTP 500: Internal Error",
        Status401 => "isn't authorized",
        Database500 => "HTTP 500: a page for people",
        Html404 => "HTTP 404: a page for people",
        Html503 => "HTTP 503: a page for people",
        Html429 => "HTTP 429: a page for people",
        Html200 => "HTTP 200 with HTML",
        CutBody => "end of file before message length",
        ShortBody => "EOF while parsing",
        Slow | SlowDrip => "no complete answer within 180 s",
        Redirect => "redirected to",
        WrongTypes => "invalid type",
        HugeString => "names products that were not asked for",
        EmptyItems | HalfRows | DuplicateRows | TotalTooHigh | TotalTooLow => "",
    }
}

/// Goes over from one round's truth to the other's.
fn turn(bench: &Bench, odd: bool) {
    let pick = |sku: &str| {
        let (_, values) = TRUTH.iter().find(|(name, _)| *name == sku).unwrap();
        i64::try_from(values[usize::from(odd)]).unwrap()
    };
    for sku in ["DROP", "RISE", "ZERO", "START"] {
        bench.stock(sku, pick(sku));
    }
    let shop = &bench.pair.commerce;
    if odd { shop.order("ORDERED", 1, 4).map(drop) } else { shop.cancel("ORDERED", 1, 4) }.unwrap();
    let min_qty = Some(Setting::Own(Quantity::whole(20 - pick("ITEM"))));
    shop.write_stock_item("ITEM", &ProductEdit { min_qty, ..ProductEdit::default() }).unwrap();
    for sku in SAVED {
        shop.save(sku, &ProductEdit { enabled: Some(pick(sku) > 0), ..ProductEdit::default() }).unwrap();
    }
    for sku in MOVED {
        let held = (pick(sku) > 0).then(|| SourceStock { quantity: Quantity::whole(20), in_stock: true });
        let sources = BTreeMap::from([("default".to_owned(), held)]);
        bench.edit(sku, &ProductEdit { sources, ..ProductEdit::default() });
    }
}

async fn shop() -> Bench {
    let scene = Scene::with_store("on_missing_product = \"zero\"").commerce_key("page_size = 3");
    let scene = TRUTH.iter().fold(scene, |scene, (sku, [even, _])| {
        let scene = scene.listing(sku, *even);
        match *sku {
            "GHOST" => scene,
            "UNMANAGED" => scene.product_with(sku, "manage_stock = false"),
            "SAVED-TOO" => scene.product_with(sku, "enabled = false, sources = { default = 20 }"),
            "MOVED-TOO" => scene.product_with(sku, ""),
            _ => scene.product(sku, i64::try_from(*even).unwrap()),
        }
    });
    let bench = Bench::start(scene).await;
    bench.cycle().await;
    assert_eq!(bench.sent(), []);
    bench
}

fn truth(odd: bool) -> Vec<(&'static str, u64)> {
    TRUTH.iter().map(|(sku, values)| (*sku, values[usize::from(odd)])).collect()
}

fn shown(bench: &Bench) -> Vec<(&'static str, u64)> {
    TRUTH.iter().map(|(sku, _)| (*sku, bench.shown(sku).unwrap())).collect()
}

/// A cycle in trouble after everything has moved, and a good one that makes all right. Gives the plan of the first, and
/// what was not right after it.
async fn trouble(bench: &Bench, odd: bool, fault: &Fault, full: bool) -> (Plan, Vec<&'static str>) {
    let (from, name) = (bench.events().len(), format!("{fault:?} full {full}"));
    bench.wait("4m").await;
    turn(bench, odd);
    bench.wait("1m").await;
    bench.pair.commerce.set_fault(fault.clone());
    let plan = if full { bench.full_cycle().await } else { bench.cycle().await };
    bench.wait("1m").await;
    let right = truth(odd);
    let mut wrong = bench.sent().split_off(from);
    wrong.retain(|(sku, quantity)| !right.contains(&(sku, *quantity)));
    assert_eq!(wrong, [], "{name}: {:?}", plan.problem);
    let late = shown(bench).into_iter().filter(|row| !right.contains(row)).map(|row| row.0).collect();
    bench.pair.commerce.clear_faults();
    bench.tick().await;
    assert_eq!(shown(bench), right, "after {name}");
    (plan, late)
}

/// Who is late says so, and why.
fn assert_said(plan: &Plan, late: &[&str], words: &str, name: &str) {
    for sku in late {
        let withheld = plan.withheld.iter().find(|withheld| withheld.seller_sku.as_str() == *sku);
        let withheld = withheld.unwrap_or_else(|| panic!("{sku} is late without a reason: {name}"));
        assert_eq!(withheld.reason, Reason::SourceUnknown, "{sku} {name}");
        let said = format!("{} {}", withheld.detail, plan.problem.as_deref().unwrap_or_default());
        let known = ["did not say how its stock is configured", "no second request has confirmed"];
        assert!(said.contains(words) || known.iter().any(|known| said.contains(known)), "{sku} {name}: {said}");
    }
}

async fn every_route_in(kinds: &[FaultKind]) {
    for kind in kinds {
        let bench = shop().await;
        let mut odd = false;
        for (route, reach) in ROUTES {
            for (full, reach) in [false, true].into_iter().zip(reach) {
                // A right that is missing is missing for all of them.
                let reach = if (*kind, full) == (Status401, false) && reach == Some(SAVED) {
                    Some(SAVED_OR_MOVED)
                } else {
                    reach
                };
                odd = !odd;
                let ms = if *kind == Html429 { 30_000 } else { 200_000 };
                let fault = Fault { ms, sku: Some("STILL".to_owned()), ..Fault::every(*kind).on(route) };
                let name = format!("{kind:?} on {route}, full {full}");
                let (plan, late) = trouble(&bench, odd, &fault, full).await;
                let held_up = late.iter().all(|sku| reach.is_none_or(|reach| reach.contains(sku)));
                assert!(held_up, "{name}: {late:?} {:?} {:?}", plan.problem, plan.withheld);
                // Of a hidden list of stocks something else is said: see the editions.
                let words = if (*kind, route) == (Html404, "V1/inventory/stocks") { "" } else { words(*kind) };
                assert_said(&plan, &late, words, &name);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn refusals_and_crashes_send_nothing_wrong_on_any_route() {
    every_route_in(&[Status500, Status401, Database500, Html404, Html503, Html429]).await;
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_none_send_nothing_wrong_on_any_route() {
    every_route_in(&[Html200, CutBody, ShortBody, WrongTypes]).await;
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_not_whole_send_nothing_wrong_on_any_route() {
    every_route_in(&[EmptyItems, HalfRows, DuplicateRows, TotalTooHigh, TotalTooLow, BadProduct]).await;
}

#[tokio::test(start_paused = true)]
async fn answers_that_never_come_send_nothing_wrong_on_any_route() {
    every_route_in(&[Slow, SlowDrip, Redirect]).await;
}

#[tokio::test(start_paused = true)]
async fn bad_luck_is_tried_again_and_nobody_is_late() {
    for kind in [Status500, Database500, Html503, Html429, CutBody, SlowDrip] {
        let bench = shop().await;
        let mut odd = false;
        for (route, _) in ROUTES {
            odd = !odd;
            let ms = if kind == Html429 { 30_000 } else { 200_000 };
            let fault = Fault { ms, count: Some(2), ..Fault::every(kind).on(route) };
            let (plan, late) = trouble(&bench, odd, &fault, !odd).await;
            assert_eq!((late, plan.problem), (vec![], None), "{kind:?} on {route}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_in_the_middle_that_fails_leaves_the_pages_before_alone() {
    let bench = shop().await;
    let mut odd = false;
    for kind in [Status500, Status401, Html503, CutBody, ShortBody, WrongTypes, Redirect] {
        for (route, full) in
            [("export-stock-salable-qty", false), ("export-stock-salable-qty", true), ("V1/products", true)]
        {
            odd = !odd;
            // A tick begins with what was saved.
            let after = if full { 1 } else { 2 };
            let (plan, late) = trouble(&bench, odd, &Fault { after, ..Fault::every(kind).on(route) }, full).await;
            let name = format!("{kind:?} on {route}, full {full}");
            assert!(!late.is_empty() && late.len() < 8, "{name}: {late:?}");
            assert_said(&plan, &late, words(kind), &name);
        }
    }
}

/// Twelve products in pages of six; the one that crashes whatever it is in is on the first page.
async fn with_a_bad_one() -> (Bench, Fault) {
    let bench = Bench::start(Scene::new().commerce_key("page_size = 6").many(12, 20, 20)).await;
    bench.cycle().await;
    let fault = Fault { sku: Some("P-00003".to_owned()), ..Fault::every(BadProduct) };
    (bench, fault)
}

fn late_of_twelve(bench: &Bench, right: u64) -> Vec<u32> {
    (1..=12).filter(|number| bench.shown(&format!("P-{number:05}")) != Some(right)).collect()
}

fn set_all(bench: &Bench, quantity: i64) {
    (1..=12).for_each(|number| bench.stock(&format!("P-{number:05}"), quantity));
}

#[tokio::test(start_paused = true)]
async fn a_product_that_crashes_the_export_holds_up_no_other() {
    for full in [false, true] {
        let (bench, fault) = with_a_bad_one().await;
        set_all(&bench, 5);
        bench.wait("5m").await;
        bench.pair.commerce.set_fault(fault.on("export-stock"));
        let plan = if full { bench.full_cycle().await } else { bench.cycle().await };
        bench.wait("1m").await;
        assert_eq!(late_of_twelve(&bench, 5), [3], "full {full}: {:?}", plan.problem);
        assert_said(&plan, &["P-00003"], words(BadProduct), "");
        bench.pair.commerce.clear_faults();
        bench.tick().await;
        assert_eq!(late_of_twelve(&bench, 5), [0; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_product_that_crashes_its_list_holds_up_no_other_that_is_asked_for_by_name() {
    // A source is taken away: the levels say nothing, and each is asked about whole.
    let (bench, fault) = with_a_bad_one().await;
    for number in 1..=12 {
        let sources = BTreeMap::from([("default".to_owned(), None)]);
        bench.edit(&format!("P-{number:05}"), &ProductEdit { sources, ..ProductEdit::default() });
    }
    bench.wait("5m").await;
    bench.pair.commerce.set_fault(fault.on("V1/products"));
    let plan = bench.cycle().await;
    bench.wait("1m").await;
    assert_eq!(late_of_twelve(&bench, 0), [3]);
    assert!(plan.why_withheld("P-00003").is_some());
}

#[tokio::test(start_paused = true)]
async fn a_product_whose_stock_item_cannot_be_told_holds_up_no_other() {
    let (bench, _) = with_a_bad_one().await;
    for number in 1..=12 {
        let sku = format!("P-{number:05}");
        bench.stock(&sku, 5);
        bench.pair.commerce.save(&sku, &ProductEdit::default()).unwrap();
    }
    bench.wait("5m").await;
    bench.pair.commerce.set_fault(Fault::every(Status500).on("V1/stockItems/P-00003"));
    let plan = bench.cycle().await;
    bench.wait("1m").await;
    // Its settings are those that are known.
    assert_eq!((late_of_twelve(&bench, 5), plan.problem), (Vec::<u32>::new(), None));
}

#[tokio::test(start_paused = true)]
async fn a_product_that_crashes_its_page_holds_up_no_other() {
    let (bench, fault) = with_a_bad_one().await;
    set_all(&bench, 5);
    bench.wait("5m").await;
    bench.pair.commerce.set_fault(fault.on("V1/products"));
    let plan = bench.full_cycle().await;
    bench.wait("1m").await;
    assert_eq!(late_of_twelve(&bench, 5), [3], "{:?}", plan.problem);
}

#[tokio::test(start_paused = true)]
async fn a_saved_product_that_crashes_its_page_does_not_end_the_watch() {
    let bench = Bench::start(Scene::new().many(400, 20, 20)).await;
    bench.cycle().await;
    bench.pair.commerce.save("P-00003", &ProductEdit::default()).unwrap();
    bench
        .pair
        .commerce
        .set_fault(Fault { sku: Some("P-00003".to_owned()), ..Fault::every(BadProduct).on("V1/products") });
    let plan = bench.tick().await;
    assert_eq!(plan.withheld_reasons().into_keys().collect::<Vec<_>>(), ["P-00003"]);
    // It is asked for by name meanwhile, and listed again as soon as the server answers.
    bench.pair.commerce.clear_faults();
    let plan = bench.tick().await;
    assert_eq!((plan.withheld, plan.problem), (vec![], None));
    let disabled = ProductEdit { enabled: Some(false), ..ProductEdit::default() };
    bench.pair.commerce.save("P-00003", &disabled).unwrap();
    bench.tick().await;
    assert_eq!(bench.sent(), [("P-00003".to_owned(), 0)]);
}

/// Four products of which one was saved, and lists with names of ten megabytes: few, as they take their time.
async fn with_huge_names(route: &str, full: bool) -> Bench {
    let scene = Scene::with_store("on_missing_product = \"zero\"").commerce_key("page_size = 2").many(4, 20, 20);
    let bench = Bench::start(scene.product("P-00005", 0).listing("P-00005", 0)).await;
    bench.cycle().await;
    bench.stock("P-00001", 5);
    bench.stock("P-00005", 7);
    bench.pair.commerce.save("P-00002", &ProductEdit::default()).unwrap();
    bench.wait("5m").await;
    bench.pair.commerce.set_fault(Fault::every(HugeString).on(route));
    let plan = if full { bench.full_cycle().await } else { bench.cycle().await };
    let wrong: Vec<_> = bench.sent().into_iter().filter(|sent| ![5, 7].contains(&sent.1)).collect();
    assert_eq!(wrong, [], "{route}, full {full}: {:?}", plan.problem);
    bench.pair.commerce.clear_faults();
    bench
}

#[tokio::test(start_paused = true)]
async fn names_of_ten_megabytes_zero_nothing() {
    for (route, full) in [("dump-stock", false), ("export-stock", true), ("V1/products", false)] {
        let bench = with_huge_names(route, full).await;
        bench.tick().await;
        let shown = [1, 2, 3, 4].map(|number| bench.shown(&format!("P-{number:05}")).unwrap());
        assert_eq!(shown, [5, 20, 20, 20], "{route}, full {full}");
    }
}
