//! Products whose names are hard to ask for, through every tier, every sign-in and every edition: their own quantity, or
//! a reason why not; never a neighbour's.

use std::fmt::Write as _;

use stocksync::plan::Plan;
use stocksync::reason::Reason::*;
use stocksync::sim::Quantity;
use stocksync::sim::commerce::{ProductEdit, Setting};

use super::bench::{Bench, PlanExt};
use super::scene::{Scene, SignIn, store};

const EDITIONS: [&str; 3] = ["multi_source", "without_export", "single_stock"];

/// Neighbours stand side by side: what one of them is asked for must not be the other's.
const ODD: [&str; 34] = [
    "TEA 250 G",
    "TEA250G",
    "TEA  250 G",
    "A/B",
    "A%2FB",
    "A+B",
    "A B",
    "A%20B",
    "100%",
    "100%25",
    "5\" NAIL",
    "O'NEILL",
    "SALT, PEPPER",
    "A,B",
    "A",
    "#1",
    "WHERE?",
    "A&B=C",
    "B=C",
    "A;B:C@D",
    "BACK\\SLASH",
    "[BOX]{1}",
    "GRÖSSE-É",
    "日本-茶",
    "A\u{a0}B",
    "00123",
    "0123",
    "123",
    "1e3",
    "1000",
    "..",
    "...",
    "%",
    "_",
];

fn longest() -> [String; 3] {
    ["X".repeat(64), format!("{}Y", "X".repeat(63)), "茶".repeat(64)]
}

fn all() -> Vec<String> {
    ODD.iter().map(|sku| (*sku).to_owned()).chain(longest()).collect()
}

/// Amazon's names are plain here: it has scenes of its own.
fn listed(index: usize) -> String {
    format!("S-{index:02}")
}

fn csv(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// Each has a quantity of its own, from 101 on.
fn scene() -> Scene {
    let mut rows = "seller_sku,sku,units\n".to_owned();
    let mut scene = Scene::empty().account("acme");
    for (index, sku) in all().iter().enumerate() {
        writeln!(rows, "{},{},1", listed(index), csv(sku)).unwrap();
        scene = scene.product(sku, 101 + i64::try_from(index).unwrap()).listing(&listed(index), 1);
    }
    // The shop calls it otherwise.
    rows += "S-CASE,tea 250 g,1\nS-ACCENT,GROSSE-E,1\nS-BLANK,\"A \",1\n";
    for name in ["S-CASE", "S-ACCENT", "S-BLANK"] {
        scene = scene.listing(name, 1);
    }
    scene.file("odd.csv", &rows).store(store("acme-de").with("seller_sku = \"map:odd.csv\"")).without_order_import()
}

fn is_plain(sku: &str) -> bool {
    sku != ".." && sku.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

/// Every listing shows its product's own quantity; where the shop has no route to tell it, it is withheld and says so.
fn hold(bench: &Bench, plan: &Plan, edition: &str, when: &str) {
    for (index, sku) in all().iter().enumerate() {
        let (salable, _) = bench.pair.commerce.salable(sku, 1).unwrap();
        let right = u64::try_from(salable.truncated()).unwrap();
        let name = listed(index);
        let withheld = plan.withheld.iter().find(|withheld| withheld.seller_sku.as_str() == name);
        if edition == "without_export" && !is_plain(sku) {
            assert_eq!(bench.shown(&name), Some(1), "{sku} {edition} {when}");
            let detail = &withheld.unwrap().detail;
            assert!(detail.contains("Commerce tells no quantity of a SKU with special characters"), "{sku}: {detail}");
        } else {
            assert_eq!((bench.shown(&name), withheld), (Some(right), None), "{sku} {edition} {when}");
        }
    }
    for name in ["S-CASE", "S-ACCENT", "S-BLANK"] {
        assert_eq!((plan.why_withheld(name), bench.shown(name)), (Some(ProductMissing), Some(1)), "{name} {when}");
        let withheld = plan.withheld.iter().find(|withheld| withheld.seller_sku.as_str() == name);
        assert!(withheld.unwrap().detail.ends_with("no product with exactly this SKU"), "{withheld:?}");
    }
}

async fn every_tier(sign_in: SignIn, version: &str) {
    for edition in EDITIONS {
        let world = format!("edition = \"{edition}\"\nversion = \"{version}\"");
        let bench = Bench::start(scene().sign_in(sign_in).commerce(&world)).await;
        let name = |tier: &str| format!("{tier} with {sign_in:?} on {version}");
        let plan = bench.cycle().await;
        bench.wait("1m").await;
        hold(&bench, &plan, edition, &name("at first"));
        let shop = &bench.pair.commerce;
        all().iter().zip(2..).for_each(|(sku, quantity)| drop(shop.order(sku, 1, quantity)));
        hold(&bench, &bench.tick().await, edition, &name("after orders"));
        for (sku, quantity) in all().iter().zip(201..) {
            bench.stock(sku, quantity);
        }
        hold(&bench, &bench.tick().await, edition, &name("after new stock"));
        for (sku, threshold) in all().iter().zip(3..) {
            let min_qty = Some(Setting::Own(Quantity::whole(threshold)));
            shop.write_stock_item(sku, &ProductEdit { min_qty, ..ProductEdit::default() }).unwrap();
        }
        hold(&bench, &bench.tick().await, edition, &name("after new settings"));
        for (sku, quantity) in all().iter().zip(301..) {
            bench.stock(sku, quantity);
            shop.save(sku, &ProductEdit::default()).unwrap();
        }
        hold(&bench, &bench.tick().await, edition, &name("after saves"));
        for (sku, quantity) in all().iter().zip(401..) {
            bench.stock(sku, quantity);
        }
        let plan = bench.work_on("acme", &bench.resync(&[])).await.unwrap().plan;
        bench.wait("1m").await;
        hold(&bench, &plan, edition, &name("in a resync"));
    }
}

#[tokio::test(start_paused = true)]
async fn every_tier_tells_them_apart_with_signed_requests_to_2_4_7() {
    every_tier(SignIn::Signed, "2.4.7").await;
}

#[tokio::test(start_paused = true)]
async fn every_tier_tells_them_apart_with_signed_requests_to_2_4_8() {
    every_tier(SignIn::Signed, "2.4.8").await;
}

#[tokio::test(start_paused = true)]
async fn every_tier_tells_them_apart_with_a_bearer_token() {
    every_tier(SignIn::Bearer, "2.4.8").await;
}

#[tokio::test(start_paused = true)]
async fn every_tier_tells_them_apart_in_the_cloud() {
    every_tier(SignIn::Cloud, "2.4.8").await;
}

#[tokio::test(start_paused = true)]
async fn asked_for_by_name_each_is_told_alone() {
    for (sign_in, version) in [(SignIn::Signed, "2.4.7"), (SignIn::Signed, "2.4.8"), (SignIn::Bearer, "2.4.8")] {
        for edition in EDITIONS {
            let world = format!("edition = \"{edition}\"\nversion = \"{version}\"");
            let bench = Bench::start(scene().sign_in(sign_in).commerce(&world)).await;
            for (index, sku) in all().iter().enumerate() {
                let name = listed(index);
                let plan = bench.work_on("acme", &bench.resync(&[&name])).await.unwrap().plan;
                let told = edition != "without_export" || is_plain(sku);
                let (to, withheld) = (plan.change(&name).map(|change| u64::from(change.to)), plan.why_withheld(&name));
                let right = 101 + u64::try_from(index).unwrap();
                let expected = if told { (Some(right), None) } else { (None, Some(SourceUnknown)) };
                assert_eq!((to, withheld), expected, "{sku} {edition} {sign_in:?} {version}");
            }
            for name in ["S-CASE", "S-ACCENT", "S-BLANK"] {
                let plan = bench.work_on("acme", &bench.resync(&[name])).await.unwrap().plan;
                assert_eq!((plan.why_withheld(name), plan.changes), (Some(ProductMissing), vec![]), "{name} {edition}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn without_the_export_one_that_is_sold_out_is_still_a_zero_whatever_its_name() {
    // Whether they can be sold is told for many at once, and names no SKU in a path.
    for version in ["2.4.7", "2.4.8"] {
        let world = format!("edition = \"without_export\"\nversion = \"{version}\"");
        let bench = Bench::start(scene().sign_in(SignIn::Signed).commerce(&world)).await;
        for sku in all() {
            bench.stock(&sku, 0);
        }
        bench.cycle().await;
        bench.wait("1m").await;
        for (index, sku) in all().iter().enumerate() {
            assert_eq!(bench.shown(&listed(index)), Some(0), "{sku} {version}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn forty_of_the_longest_fit_the_urls_that_they_are_asked_for_in() {
    // Each takes 576 bytes of a URL, and 8 kB are the most.
    for edition in EDITIONS {
        let name = |number: u32| format!("{}{number:02}", "茶".repeat(62));
        let mut rows = String::new();
        let mut scene = Scene::empty().account("acme");
        for number in 1..=40 {
            writeln!(rows, "L-{number},{},1", name(number)).unwrap();
            scene = scene.product(&name(number), 0).listing(&format!("L-{number}"), 1);
        }
        let scene = scene.file("long.csv", &rows).store(store("acme-de").with("seller_sku = \"map:long.csv\""));
        let bench = Bench::start(scene.commerce(&format!("edition = \"{edition}\""))).await;
        let plan = bench.cycle().await;
        assert_eq!((plan.withheld, bench.events().len()), (vec![], 40), "{edition}");
        (1..=40).for_each(|number| bench.pair.commerce.save(&name(number), &ProductEdit::default()).unwrap());
        let plan = bench.tick().await;
        assert_eq!((plan.withheld, plan.problem), (vec![], None), "{edition}");
    }
}
