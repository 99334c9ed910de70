//! The kinds of shop there are: which one it is, what its numbers mean, and what becomes of a shop that changes.

mod detection;

use stocksync::plan::Plan;
use stocksync::reason::Reason::*;
use stocksync::sim::Quantity;
use stocksync::sim::commerce::{MassAction, ProductEdit, Setting};
use stocksync::sim::world::{SourceStock, SystemWorld};

use super::bench::{Bench, PlanExt};
use super::scene::{Scene, SignIn};

/// How the world's file calls an edition, and how the record of a read does.
const EDITIONS: [(&str, &str); 3] = [
    ("multi_source", "multi-source inventory"),
    ("without_export", "multi-source inventory without its export module"),
    ("single_stock", "stock items (multi-source inventory is off)"),
];

fn of(edition: &str, scene: Scene) -> Scene {
    scene.commerce(&format!("edition = \"{edition}\""))
}

/// A product, and what its listing shows in the three editions, in their order.
type Case = (&'static str, &'static str, [u64; 3]);

/// All are listed with 7.
const KINDS: [Case; 23] = [
    ("PLAIN", "sources = { default = 34 }", [34, 34, 34]),
    ("VIRTUAL", "type = \"virtual\", sources = { default = 9 }", [9, 9, 9]),
    ("METRES", "is_qty_decimal = true, sources = { default = 12.75 }", [12, 12, 12]),
    ("EMPTY", "sources = { default = 0 }", [0, 0, 0]),
    ("SHUT", "sources = { default = { quantity = 50, in_stock = false } }", [0, 0, 0]),
    ("UNMANAGED", "manage_stock = false, sources = { default = 3 }", [100, 100, 100]),
    (
        "UNMANAGED-SHUT",
        "manage_stock = false, sources = { default = { quantity = 3, in_stock = false } }",
        [100, 100, 100],
    ),
    ("UNMANAGED-OFF", "manage_stock = false, enabled = false", [0, 0, 0]),
    // Backorders: without end; so many; and without the inventory modules never so many.
    ("ENDLESS", "backorders = 1, sources = { default = 3 }", [100, 100, 100]),
    ("ENDLESS-SOLD", "backorders = 2, sources = { default = -3 }", [100, 100, 100]),
    ("ENDLESS-MORE", "backorders = 2, sources = { default = 300 }", [300, 300, 300]),
    ("ENDLESS-SHUT", "backorders = 1, sources = { default = { quantity = 3, in_stock = false } }", [0, 0, 0]),
    ("ENDLESS-SAFE", "backorders = 1, min_qty = 5, sources = { default = 300 }", [300, 300, 300]),
    ("SO-MANY", "backorders = 1, min_qty = -50, sources = { default = 25 }", [75, 75, 100]),
    // Thresholds without backorders: subtracted above 0, void below.
    ("SAFE", "min_qty = 5, sources = { default = 12 }", [7, 7, 7]),
    ("SAFE-OUT", "min_qty = 5, sources = { default = 5 }", [0, 0, 0]),
    ("VOID", "min_qty = -5, sources = { default = 10 }", [10, 10, 10]),
    ("DISABLED", "enabled = false, sources = { default = 10 }", [0, 0, 0]),
    ("ELSEWHERE", "websites = [\"eu\"], sources = { leipzig = 10 }", [0, 0, 0]),
    ("NO-SOURCE", "websites = [\"base\", \"eu\"], sources = { leipzig = 10 }", [0, 0, 0]),
    ("SHIRT", "type = \"configurable\"", [7, 7, 7]),
    ("SET", "type = \"bundle\"", [7, 7, 7]),
    ("BOX", "type = \"grouped\"", [7, 7, 7]),
];

fn kinds() -> Scene {
    let one = |scene: Scene, (sku, keys, _): &Case| scene.product_with(sku, keys).listing(sku, 7);
    KINDS.iter().fold(Scene::new(), one)
}

/// Everything shows what it should in this edition, and nothing but the composites is withheld.
fn hold(bench: &Bench, plan: &Plan, edition: usize, when: &str) {
    let shown = |sku: &'static str, expected: [u64; 3]| (sku, bench.shown(sku).unwrap(), expected[edition]);
    let shown = KINDS.iter().map(|(sku, _, expected)| shown(sku, *expected));
    let wrong: Vec<_> = shown.filter(|(_, shown, expected)| shown != expected).collect();
    assert_eq!(wrong, [], "{} {when}: {:?}", EDITIONS[edition].0, plan.withheld);
    let withheld = plan.withheld_reasons();
    let expected = ["BOX", "SET", "SHIRT"].map(|sku| (sku, CompositeProduct));
    assert!(withheld.into_iter().eq(expected), "{} {when}: {:?}", EDITIONS[edition].0, plan.withheld);
}

#[tokio::test(start_paused = true)]
async fn each_kind_of_product_ends_at_its_step_in_each_edition() {
    for (index, (edition, name)) in EDITIONS.into_iter().enumerate() {
        let bench = Bench::start(of(edition, kinds())).await;
        let plan = bench.cycle().await;
        bench.wait("1m").await;
        hold(&bench, &plan, index, "at first");
        let read = bench.last_read().await;
        assert_eq!((&*read.edition, read.full, read.complete, read.problem), (name, true, true, None));
        let sent = bench.events().len();
        hold(&bench, &bench.tick().await, index, "in a tick");
        let read = bench.last_read().await;
        assert_eq!((&*read.edition, read.full, read.problem), (name, false, None));
        let plan = bench.work_on("acme", &bench.resync(&[])).await.unwrap().plan;
        hold(&bench, &plan, index, "in a resync");
        assert_eq!(bench.events().len(), sent, "{edition}");
        for (sku, _, expected) in KINDS {
            let plan = bench.work_on("acme", &bench.resync(&[sku])).await.unwrap().plan;
            assert_eq!((plan.changes, bench.shown(sku)), (vec![], Some(expected[index])), "{edition} {sku}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_shop_that_manages_no_stock_at_all_lists_the_stand_in() {
    for (edition, _) in EDITIONS {
        let scene = Scene::new().commerce("system = { manage_stock = false }").many(3, 20, 1);
        let scene = scene.product_with("OWN", "manage_stock = true, sources = { default = 9 }").listing("OWN", 1);
        let bench = Bench::start(of(edition, scene)).await;
        bench.cycle().await;
        bench.wait("1m").await;
        let shown = |sku: &str| bench.shown(sku).unwrap();
        assert_eq!([shown("P-00001"), shown("P-00003"), shown("OWN")], [100, 100, 9], "{edition}");
        // Somebody switches it on.
        bench.pair.commerce.set_system(SystemWorld::default()).unwrap();
        bench.tick().await;
        assert_eq!([shown("P-00001"), shown("P-00003"), shown("OWN")], [20, 20, 9], "{edition}");
        // And off again.
        bench.pair.commerce.set_system(SystemWorld { manage_stock: false, ..SystemWorld::default() }).unwrap();
        bench.tick().await;
        assert_eq!([shown("P-00001"), shown("P-00003"), shown("OWN")], [100, 100, 9], "{edition}");
    }
}

/// What happens to a product that has 20 and shows 20, and what it shows then in the three editions.
type Event = (&'static str, fn(&Bench, &str), [u64; 3]);

fn item(bench: &Bench, sku: &str, edit: &ProductEdit) {
    bench.pair.commerce.write_stock_item(sku, edit).unwrap();
}

fn order(bench: &Bench, sku: &str, quantity: u32) {
    bench.pair.commerce.order(sku, 1, quantity).unwrap();
}

fn backorders(threshold: i64) -> ProductEdit {
    let min_qty = Some(Setting::Own(Quantity::whole(threshold)));
    ProductEdit { backorders: Some(Setting::Own(1)), min_qty, ..ProductEdit::default() }
}

fn threshold(threshold: i64) -> ProductEdit {
    ProductEdit { min_qty: Some(Setting::Own(Quantity::whole(threshold))), ..ProductEdit::default() }
}

const EVENTS: [Event; 15] = [
    ("ORDERED", |bench, sku| order(bench, sku, 4), [16, 16, 16]),
    ("SOLD-OUT", |bench, sku| order(bench, sku, 20), [0, 0, 0]),
    ("COUNTED", |bench, sku| bench.stock(sku, 5), [5, 5, 5]),
    ("EMPTIED", |bench, sku| bench.stock(sku, 0), [0, 0, 0]),
    ("BACKORDERS", |bench, sku| item(bench, sku, &backorders(0)), [100, 100, 100]),
    ("ALLOWANCE", |bench, sku| item(bench, sku, &backorders(-10)), [30, 30, 100]),
    ("SAFETY", |bench, sku| item(bench, sku, &threshold(5)), [15, 15, 15]),
    ("VOID", |bench, sku| item(bench, sku, &threshold(-5)), [20, 20, 20]),
    (
        "LET-GO",
        |bench, sku| {
            item(bench, sku, &ProductEdit { manage_stock: Some(Setting::Own(false)), ..ProductEdit::default() });
        },
        [100, 100, 100],
    ),
    (
        "FLAGGED",
        |bench, sku| {
            let sources =
                [("default".to_owned(), Some(SourceStock { quantity: Quantity::whole(20), in_stock: false }))].into();
            item(bench, sku, &ProductEdit { sources, ..ProductEdit::default() });
        },
        [0, 0, 0],
    ),
    (
        "DISABLED",
        |bench, sku| bench.edit(sku, &ProductEdit { enabled: Some(false), ..ProductEdit::default() }),
        [0, 0, 0],
    ),
    (
        "TAKEN-OUT",
        |bench, sku| bench.edit(sku, &ProductEdit { websites: Some(vec!["eu".to_owned()]), ..ProductEdit::default() }),
        [0, 0, 0],
    ),
    (
        "BECAME-A-SET",
        |bench, sku| bench.edit(sku, &ProductEdit { type_id: Some("bundle".to_owned()), ..ProductEdit::default() }),
        [20, 20, 20],
    ),
    ("DELETED", |bench, sku| bench.pair.commerce.delete(sku).unwrap(), [20, 20, 20]),
    ("MADE-ANEW", |bench, sku| assert!(bench.pair.commerce.recreate(sku).is_ok()), [20, 20, 20]),
];

fn listed_twenty() -> Scene {
    EVENTS.iter().fold(Scene::new(), |scene, (sku, ..)| scene.product(sku, 20).listing(sku, 20)).many(2, 20, 20)
}

/// Each event's product shows what it should, by its reason where it is withheld, and the bystanders what they did.
fn hold_after(bench: &Bench, plan: &Plan, edition: usize, when: &str) {
    let shown = |sku: &'static str, expected: [u64; 3]| (sku, bench.shown(sku).unwrap(), expected[edition]);
    let shown = EVENTS.iter().map(|(sku, _, expected)| shown(sku, *expected));
    let wrong: Vec<_> = shown.filter(|(_, shown, expected)| shown != expected).collect();
    assert_eq!(wrong, [], "{} {when}: {:?}", EDITIONS[edition].0, plan.withheld);
    let expected = [("BECAME-A-SET", CompositeProduct), ("DELETED", ProductMissing)];
    assert!(plan.withheld_reasons().into_iter().eq(expected), "{} {when}: {:?}", EDITIONS[edition].0, plan.withheld);
    assert_eq!((bench.sent_of("P-00001"), bench.sent_of("P-00002")), (vec![], vec![]));
}

#[tokio::test(start_paused = true)]
async fn a_tick_finds_whatever_happened_in_each_edition() {
    for (index, (edition, _)) in EDITIONS.into_iter().enumerate() {
        let bench = Bench::start(of(edition, listed_twenty())).await;
        bench.cycle().await;
        bench.tick().await;
        assert_eq!(bench.sent(), [], "{edition}");
        bench.wait("4m").await;
        for (sku, happen, _) in EVENTS {
            happen(&bench, sku);
        }
        let plan = bench.tick().await;
        assert!(!bench.last_read().await.full, "{edition}");
        hold_after(&bench, &plan, index, "in a tick");
        // And it stays so, whoever asks.
        let sent = bench.events().len();
        hold_after(&bench, &bench.tick().await, index, "in the next tick");
        let plan = bench.work_on("acme", &bench.resync(&[])).await.unwrap().plan;
        hold_after(&bench, &plan, index, "in a resync");
        assert_eq!(bench.events().len(), sent, "{edition}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_resync_finds_whatever_happened_in_each_edition() {
    for (index, (edition, _)) in EDITIONS.into_iter().enumerate() {
        let bench = Bench::start(of(edition, listed_twenty())).await;
        bench.cycle().await;
        bench.wait("4m").await;
        for (sku, happen, _) in EVENTS {
            happen(&bench, sku);
        }
        let plan = bench.work_on("acme", &bench.resync(&[])).await.unwrap().plan;
        assert!(bench.last_read().await.full, "{edition}");
        bench.wait("1m").await;
        hold_after(&bench, &plan, index, "in a resync");
    }
}

#[tokio::test(start_paused = true)]
async fn a_resync_of_one_listing_finds_what_happened_to_it_in_each_edition() {
    for (index, (edition, _)) in EDITIONS.into_iter().enumerate() {
        let bench = Bench::start(of(edition, listed_twenty())).await;
        bench.cycle().await;
        bench.wait("4m").await;
        for (sku, happen, expected) in EVENTS {
            happen(&bench, sku);
            bench.work_on("acme", &bench.resync(&[sku])).await.unwrap();
            bench.wait("1m").await;
            assert_eq!(bench.shown(sku), Some(expected[index]), "{edition} {sku}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn products_disabled_in_the_product_list_are_found_although_nothing_says_so() {
    // The list's action leaves `updated_at` alone.
    for (edition, _) in EDITIONS {
        let scene = Scene::new().commerce_key("full_sweep_every = \"1h\"").many(4, 20, 20);
        let bench = Bench::start(of(edition, scene)).await;
        bench.cycle().await;
        let skus = vec!["P-00002".to_owned()];
        bench.wait("20m").await;
        bench.pair.commerce.mass_action(&MassAction { skus, enabled: Some(false), ..MassAction::default() }).unwrap();
        let action = MassAction {
            skus: vec!["P-00003".to_owned()],
            remove_websites: vec!["base".to_owned()],
            ..MassAction::default()
        };
        bench.pair.commerce.mass_action(&action).unwrap();
        bench.cycles("70m").await;
        bench.wait("1m").await;
        let shown: Vec<_> = (1..=4).map(|number| bench.shown(&format!("P-0000{number}")).unwrap()).collect();
        assert_eq!(shown, [20, 0, 0, 20], "{edition}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_product_without_stock_data_is_asked_for_singly() {
    // The bulk of the settings leaves it out, as it has no quantity of the old kind.
    for (edition, _) in &EDITIONS[..2] {
        let keys = "without_stock_data = true, sources = { default = 9 }";
        let bench = Bench::start(of(edition, Scene::new().product_with("BARE", keys).listing("BARE", 7))).await;
        bench.cycle().await;
        bench.tick().await;
        assert_eq!(bench.shown("BARE"), Some(9), "{edition}");
    }
    // Where stock items hold the stock, there is nothing to sell by.
    let keys = "without_stock_data = true, sources = { default = 9 }";
    let bench = Bench::start(of("single_stock", Scene::new().product_with("BARE", keys).listing("BARE", 7))).await;
    bench.cycle().await;
    let plan = bench.tick().await;
    let withheld = &plan.withheld[0];
    assert_eq!((withheld.reason, bench.shown("BARE")), (SourceUnknown, Some(7)));
    assert!(withheld.detail.contains("no quantity"), "{}", withheld.detail);
}

#[tokio::test(start_paused = true)]
async fn a_shop_of_the_cloud_service_is_read_with_its_own_sign_in() {
    let bench = Bench::start(listed_twenty().sign_in(SignIn::Cloud)).await;
    bench.cycle().await;
    assert_eq!(bench.last_read().await.edition, "cloud service, multi-source inventory");
    bench.wait("4m").await;
    for (sku, happen, _) in EVENTS {
        happen(&bench, sku);
    }
    hold_after(&bench, &bench.tick().await, 0, "in a tick");
    // Its tokens last a day.
    bench.stock("P-00001", 3);
    bench.wait("25h").await;
    bench.cycle().await;
    bench.wait("1m").await;
    assert_eq!(bench.shown("P-00001"), Some(3));
    bench.pair.commerce.revoke_tokens();
    bench.stock("P-00001", 4);
    bench.tick().await;
    assert_eq!(bench.shown("P-00001"), Some(4));
}
