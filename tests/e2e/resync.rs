//! `resync`: afterwards Amazon is what the rules say, and nothing was sent that did not have to be.

use stocksync::sim::amazon::TokenAction;

use crate::bench::{Account, Bench, SELLER, Store, Texts, UNGUARDED, eventually};

/// What the shop has, what Amazon shows, and what the rules make of it: threshold 3, cap 40, the rest as documented.
const PRODUCTS: &str = r#"
PLAIN 12
RIGHT 7
BIG 500
LOW 2
EDGE 3
GONE 0
"A B/2" 9
[[commerce.product]]
sku = "RESERVED"
sources = { default = 25 }
reserved = { 1 = 4 }
[[commerce.product]]
sku = "OFF"
enabled = false
sources = { default = 10 }
[[commerce.product]]
sku = "ELSEWHERE"
websites = []
sources = { default = 10 }
[[commerce.product]]
sku = "UNMANAGED"
manage_stock = false
sources = { default = 0 }
[[commerce.product]]
sku = "BACKORDERS"
backorders = 1
min_qty = -50
sources = { default = 25 }
[[commerce.product]]
sku = "ENDLESS"
backorders = 2
sources = { default = 1 }
[[commerce.product]]
sku = "METRES"
is_qty_decimal = true
sources = { default = 12.75 }
[[commerce.product]]
sku = "SHIRT"
type = "configurable"
children = { PLAIN = 1 }
[[commerce.product]]
sku = "FBA"
sources = { default = 10 }
[[commerce.product]]
sku = "a b/c#d+e%20,f"
sources = { default = 6 }
"#;

const EXPECTED: [(&str, u64); 18] = [
    ("PLAIN", 12),
    ("RIGHT", 7),
    ("BIG", 40),
    ("LOW", 0),
    ("EDGE", 3),
    ("GONE", 0),
    ("RESERVED", 21),
    ("OFF", 0),
    ("ELSEWHERE", 0),
    // 100, and the cap.
    ("UNMANAGED", 40),
    // 25 + 50, and the cap.
    ("BACKORDERS", 40),
    // The unmanaged quantity, and the cap.
    ("ENDLESS", 40),
    ("METRES", 12),
    ("a b/c#d+e%20,f", 6),
    // Nothing of the following is ours to send, or known well enough.
    ("SHIRT", 99),
    ("NOT-IN-SHOP", 99),
    ("NO-CHANNEL", 0),
    ("FBA", 0),
];

fn small_world() -> Texts {
    let products = PRODUCTS.replace("\"A B/2\" 9\n", "");
    let listings: Vec<String> = EXPECTED
        .iter()
        .map(|(sku, expected)| match *sku {
            "RIGHT" => format!("{{ sku = \"{sku}\", quantity = {expected} }}"),
            "FBA" => format!("{{ sku = \"{sku}\", channel = \"AMAZON_EU\" }}"),
            "NO-CHANNEL" => format!("{{ sku = \"{sku}\", channel = \"absent\" }}"),
            _ => format!("{{ sku = \"{sku}\", quantity = 99 }}"),
        })
        .collect();
    let store = Store::live("de", "DE").rules("out_of_stock_threshold = 3\nmaximum_listed_quantity = 40");
    let world = Texts::new(&products).account(Account::one(&listings.join(",\n"))).store(store);
    world.with(|texts| UNGUARDED.clone_into(&mut texts.sections))
}

#[track_caller]
fn assert_right(bench: &Bench) {
    for (sku, expected) in EXPECTED {
        let listing = bench.pair.amazon.listing(SELLER, sku).unwrap();
        assert_eq!(listing.quantity.unwrap_or_default(), expected, "{sku}");
    }
}

#[test]
fn resync_makes_every_merchant_listing_equal_to_the_rules_and_a_second_one_writes_nothing() {
    let bench = Bench::with(small_world());
    let first = bench.run("resync").ended_with(0);
    assert!(first.out.contains("13 sent and accepted"), "{}", first.out);
    eventually("the accepted to be live", || {
        EXPECTED
            .iter()
            .filter(|(sku, _)| *sku != "FBA" && *sku != "NO-CHANNEL")
            .all(|(sku, expected)| bench.live(sku) == *expected)
    });
    assert_right(&bench);
    assert_eq!(bench.written(), 13);
    bench.run("resync").ended_with(0);
    assert_eq!(bench.written(), 13, "a second resync wrote");
}

#[test]
fn a_second_resync_writes_nothing_while_amazon_still_shows_the_old_quantities() {
    let bench = Bench::with(small_world().with(|texts| texts.apply_delay = "6s"));
    bench.run("resync").ended_with(0);
    assert_eq!(bench.live("PLAIN"), 99, "the delay is too short for this test");
    bench.run("resync").ended_with(0);
    assert_eq!(bench.live("PLAIN"), 99, "the delay is too short for this test");
    assert_eq!(bench.written(), 13);
}

#[test]
fn an_edit_by_a_stranger_is_healed_within_seconds_of_the_resync_before() {
    let bench = Bench::new("A 12\nB 5", "{ sku = 'A', quantity = 1 }, { sku = 'B', quantity = 5 }");
    bench.run("resync").ended_with(0);
    bench.wait_live("A", 12);
    bench.edit_listing("A", 77);
    bench.edit_listing("B", 0);
    bench.run("resync").ended_with(0);
    bench.wait_live("A", 12);
    bench.wait_live("B", 5);
    bench.edit_listing("A", 0);
    bench.run("resync").ended_with(0);
    bench.wait_live("A", 12);
    assert_eq!(bench.sent("A"), [12, 12, 12]);
}

#[test]
fn a_sale_that_the_shop_saw_is_followed_and_a_capped_listing_is_filled_up_again() {
    let bench = Bench::with(
        Texts::new("CAPPED 80\nPLAIN 20")
            .account(Account::one("{ sku = 'CAPPED', quantity = 10 }, { sku = 'PLAIN', quantity = 20 }"))
            .store(Store::live("de", "DE").rules("maximum_listed_quantity = 10")),
    );
    bench.run("resync").ended_with(0);
    bench.wait_live("PLAIN", 10);
    assert_eq!(bench.sent("CAPPED"), [0_u64; 0]);
    bench.pair.amazon.sell(SELLER, "CAPPED", 1).unwrap();
    eventually("the order to be imported", || {
        bench
            .pair
            .commerce
            .salable("CAPPED", 1)
            .is_some_and(|(salable, _)| salable == stocksync::sim::Quantity::whole(79))
    });
    assert_eq!(bench.live("CAPPED"), 9);
    bench.run("resync").ended_with(0);
    bench.wait_live("CAPPED", 10);
}

#[test]
fn an_account_whose_grant_was_revoked_fails_the_resync_and_the_other_is_done() {
    let bench = Bench::with(
        Texts::new("A 12\nB 5")
            .account(Account::one("{ sku = 'A', quantity = 1 }"))
            .account(Account::two("{ sku = 'B', quantity = 1 }"))
            .store(Store::live("de", "DE"))
            .store(Store::live("fr", "FR").of("two")),
    );
    bench.pair.amazon.token(SELLER, TokenAction::Revoke);
    let ran = bench.run("resync").ended_with(1);
    assert!(ran.err.contains("account one:") && ran.err.contains("authorize the application again"), "{}", ran.err);
    assert!(ran.out.contains("account two: 1 listings, 1 sent and accepted"), "{}", ran.out);
    eventually("the other account", || bench.live_of("A1TWO", "B") == 5);
    let status = bench.run("status --format json").ended_with(0).json();
    assert_eq!(status["accounts"][0]["name"], "one");
    assert_eq!(status["accounts"][0]["state"], "trouble", "{status:#}");
    assert_eq!(status["accounts"][1]["state"], "in_step");
    bench.pair.amazon.token(SELLER, TokenAction::Restore);
    bench.run("resync").ended_with(0);
    bench.wait_live("A", 12);
    let status = bench.run("status --format json").ended_with(0).json();
    assert_eq!(status["accounts"][0]["state"], "in_step", "{status:#}");
}

#[test]
fn an_account_revoked_in_the_middle_of_the_push_fails_the_resync_and_loses_nothing() {
    let bench = Bench::with(Texts::many(60).with(|texts| texts.speed = 4.0));
    let resync = bench.start("resync");
    eventually("the push to begin", || bench.patches() > 5);
    bench.pair.amazon.token(SELLER, TokenAction::Revoke);
    let ran = resync.end().ended_with(1);
    assert!(ran.err.contains("not worked to the end"), "{}", ran.err);
    bench.pair.amazon.token(SELLER, TokenAction::Restore);
    bench.run("resync").ended_with(0);
    eventually("every listing", || (1..=60).all(|n| bench.live(&format!("P-{n:05}")) == 10 + n));
}

#[test]
fn a_listing_that_amazon_refuses_is_set_aside_and_the_others_are_done() {
    let bench = Bench::new(
        "A 12\nB 5\nC 3",
        "{ sku = 'A', quantity = 1, invalid = 'Qualification needed' }, { sku = 'B', quantity = 1 }, \
         { sku = 'C', quantity = 1, reject_status = 400 }",
    );
    let ran = bench.run("resync").ended_with(0);
    assert!(ran.out.contains("1 sent and accepted, 2 set aside"), "{}", ran.out);
    bench.wait_live("B", 5);
    let plan = bench.run("plan --format json").ended_with(0).json();
    let withheld = plan["withheld"].as_array().unwrap();
    assert_eq!(withheld.len(), 2, "{plan:#}");
    assert_eq!(withheld[0]["reason"], "rejected");
    assert!(withheld[0]["detail"].as_str().unwrap().contains("Qualification needed"), "{plan:#}");
}
