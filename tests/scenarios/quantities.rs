//! The quantity rules through both real APIs: what the product is in the shop, and what Amazon shows in the end.

use stocksync::reason::Reason::{self, *};

use super::bench::{Bench, PlanExt};
use super::scene::{Scene, store};

/// A product, what its listing shows at first, and what it shows after one cycle and why.
type Case = (&'static str, &'static str, u64, u64, &'static [Reason]);

async fn hold(scene: Scene, cases: &[Case]) {
    let scene = cases
        .iter()
        .fold(scene, |scene, (sku, product, listed, ..)| scene.product_with(sku, product).listing(sku, *listed));
    let bench = Bench::start(scene).await;
    let plan = bench.cycle().await;
    bench.wait("1m").await;
    for (sku, _, listed, expected, reasons) in cases {
        assert_eq!(bench.shown(sku), Some(*expected), "{sku}");
        if listed != expected {
            assert_eq!(plan.reasons(sku), *reasons, "{sku}");
        } else if let [reason] = *reasons {
            assert_eq!(plan.why_withheld(sku), Some(*reason), "{sku}");
        } else {
            assert!(plan.change(sku).is_none() && plan.why_withheld(sku).is_none(), "{sku}");
        }
    }
    // What is right stays untouched, and what is withheld stays withheld.
    let sent = bench.events().len();
    bench.wait("5m").await;
    let second = bench.cycle().await;
    assert_eq!(second.changes, []);
    assert_eq!(second.withheld_reasons(), plan.withheld_reasons());
    assert_eq!(bench.events().len(), sent);
}

#[tokio::test(start_paused = true)]
async fn each_kind_of_product_ends_at_its_step() {
    hold(
        Scene::new(),
        &[
            ("PLAIN", "sources = { default = 34 }", 20, 34, &[SalableQuantity]),
            ("RIGHT", "sources = { default = 34 }", 34, 34, &[]),
            ("ORDERED", "sources = { default = 25 }, reserved = { 1 = 4 }", 25, 21, &[SalableQuantity]),
            ("OVERSOLD", "sources = { default = 2 }, reserved = { 1 = 5 }", 1, 0, &[NotSalable]),
            ("EMPTY", "sources = { default = 0 }", 3, 0, &[NotSalable]),
            ("LOCKED", "sources = { default = { quantity = 50, in_stock = false } }", 3, 0, &[NotSalable]),
            ("DISABLED", "enabled = false, sources = { default = 10 }", 7, 0, &[ProductDisabled]),
            ("ELSEWHERE", "websites = [\"eu\"], sources = { leipzig = 10 }", 7, 0, &[NotInWebsite]),
            ("NOWHERE", "websites = [], sources = { default = 10 }", 7, 0, &[NotInWebsite]),
            ("NO-SOURCE", "websites = [\"base\", \"eu\"], sources = { leipzig = 10 }", 7, 0, &[NotInStock]),
            ("SHIRT", "type = \"configurable\"", 7, 7, &[CompositeProduct]),
            ("SET", "type = \"bundle\"", 7, 7, &[CompositeProduct]),
            ("BOX", "type = \"grouped\"", 7, 7, &[CompositeProduct]),
            ("VIRTUAL", "type = \"virtual\", sources = { default = 9 }", 7, 9, &[SalableQuantity]),
            ("UNMANAGED", "manage_stock = false, sources = { default = 0 }", 7, 100, &[StockNotManaged]),
            ("UNMANAGED-OFF", "manage_stock = false, enabled = false", 7, 0, &[ProductDisabled]),
        ],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn backorders_of_each_kind() {
    // Adobe's own example: quantity 25 and threshold -50 make 75.
    let products = |limited, infinite, on_hand, reasons: [&'static [Reason]; 2]| -> [Case; 4] {
        [
            ("LIMITED", "backorders = 1, min_qty = -50, sources = { default = 25 }", 1, limited, reasons[0]),
            ("INFINITE", "backorders = 2, sources = { default = 3 }", 1, infinite, reasons[1]),
            ("INFINITE-MORE", "backorders = 2, sources = { default = 300 }", 1, on_hand, reasons[1]),
            ("SAFETY", "min_qty = 5, sources = { default = 12 }", 1, 7, &[SalableQuantity]),
        ]
    };
    let included = [&[SalableQuantity, BackordersIncluded][..], &[SalableQuantity, BackordersInfinite]];
    hold(Scene::new(), &products(75, 100, 300, included)).await;
    let excluded = [&[SalableQuantity, BackordersExcluded][..]; 2];
    hold(Scene::with_store("backorders = \"exclude\""), &products(25, 3, 300, excluded)).await;
}

#[tokio::test(start_paused = true)]
async fn infinite_backorders_list_the_stand_in_however_far_the_stock_fell() {
    let sold = "backorders = 1, sources = { default = 3 }, reserved = { 1 = 40 }";
    let shut = "backorders = 1, sources = { default = { quantity = 3, in_stock = false } }";
    hold(
        Scene::new(),
        &[
            ("BELOW-ZERO", sold, 1, 100, &[SalableQuantity, BackordersInfinite]),
            ("SHUT", shut, 1, 0, &[NotSalable]),
            // Limited and used up: nothing is left of the allowance.
            (
                "USED-UP",
                "backorders = 1, min_qty = -4, sources = { default = 0 }, reserved = { 1 = 4 }",
                1,
                0,
                &[NotSalable],
            ),
            (
                "ONE-LEFT",
                "backorders = 1, min_qty = -4, sources = { default = 1 }, reserved = { 1 = 4 }",
                9,
                1,
                &[SalableQuantity, BackordersIncluded],
            ),
        ],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn decimals_are_rounded_down_after_four_places() {
    hold(
        Scene::new(),
        &[
            ("METRES", "is_qty_decimal = true, sources = { default = 12.75 }", 1, 12, &[SalableQuantity]),
            ("ALMOST", "is_qty_decimal = true, sources = { default = 2.9999 }", 1, 2, &[SalableQuantity]),
            ("CRUMB", "is_qty_decimal = true, sources = { default = 0.5 }", 1, 0, &[SalableQuantity]),
            (
                "SUM",
                "is_qty_decimal = true, sources = { default = 3.3 }, reserved = { 1 = 0.3 }",
                1,
                3,
                &[SalableQuantity],
            ),
        ],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn threshold_and_maximum_frame_the_number() {
    let keys = "out_of_stock_threshold = 3\nmaximum_listed_quantity = 10\nunmanaged_stock_quantity = 50";
    hold(
        Scene::with_store(keys),
        &[
            ("TWO", "sources = { default = 2 }", 9, 0, &[SalableQuantity, BelowThreshold]),
            ("THREE", "sources = { default = 3 }", 9, 3, &[SalableQuantity]),
            ("EIGHTY", "sources = { default = 80 }", 9, 10, &[SalableQuantity, Capped]),
            ("TEN", "sources = { default = 10 }", 9, 10, &[SalableQuantity]),
            ("UNMANAGED", "manage_stock = false", 9, 10, &[StockNotManaged, Capped]),
        ],
    )
    .await;
    let keys = "out_of_stock_threshold = 60\nunmanaged_stock_quantity = 50";
    let unmanaged = [("UNMANAGED", "manage_stock = false", 9, 0, &[StockNotManaged, BelowThreshold][..])];
    hold(Scene::with_store(keys), &unmanaged).await;
}

#[tokio::test(start_paused = true)]
async fn fixed_lists_the_maximum_for_whatever_can_be_sold() {
    hold(
        Scene::with_store("maximum_mode = \"fixed\"\nmaximum_listed_quantity = 10\nout_of_stock_threshold = 2"),
        &[
            ("EIGHTY", "sources = { default = 80 }", 9, 10, &[SalableQuantity, Fixed]),
            ("FOUR", "sources = { default = 4 }", 9, 10, &[SalableQuantity, Fixed]),
            ("ONE", "sources = { default = 1 }", 9, 0, &[SalableQuantity, BelowThreshold]),
            ("NONE", "sources = { default = 0 }", 9, 0, &[NotSalable]),
        ],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn allocation_and_buffer_keep_some_back() {
    hold(
        Scene::with_store("allocation_percent = 50\nsafety_buffer = 2"),
        &[
            ("NINE", "sources = { default = 9 }", 9, 2, &[SalableQuantity, Allocated, Buffered]),
            ("FOUR", "sources = { default = 4 }", 9, 0, &[SalableQuantity, Allocated, Buffered]),
            ("UNMANAGED", "manage_stock = false", 9, 100, &[StockNotManaged]),
            ("INFINITE", "backorders = 1, sources = { default = 5 }", 9, 100, &[SalableQuantity, BackordersInfinite]),
        ],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn packs_and_kits_divide_what_they_are_made_of() {
    let rows = "seller_sku,sku,units\nCELLS-4,CELL,4\nCAMP,TORCH,1\nCAMP,CELL,2\nEBOOK+CELL,EBOOK,1\nEBOOK+CELL,CELL,1\n\
                EBOOKS,EBOOK,3\nCAMP-OLD,TORCH,1\nCAMP-OLD,RETIRED,1\nCAMP-ODD,TORCH,1\nCAMP-ODD,GHOST,1\n";
    let scene = Scene::with_store("seller_sku = \"map:units.csv\"")
        .file("units.csv", rows)
        .product("CELL", 103)
        .product("TORCH", 60)
        .product_with("EBOOK", "manage_stock = false")
        .product_with("RETIRED", "enabled = false, sources = { default = 4 }");
    let listed = ["CELLS-4", "CAMP", "EBOOK+CELL", "EBOOKS", "CAMP-OLD", "CAMP-ODD", "CELL"];
    let bench = Bench::start(listed.iter().fold(scene, |scene, sku| scene.listing(sku, 5))).await;
    let plan = bench.cycle().await;
    bench.wait("1m").await;
    for (sku, expected, reasons) in [
        ("CELLS-4", 25, &[SalableQuantity, Pack][..]),
        ("CAMP", 51, &[SalableQuantity, Kit]),
        ("EBOOK+CELL", 103, &[SalableQuantity, Kit]),
        ("EBOOKS", 100, &[StockNotManaged]),
        ("CAMP-OLD", 0, &[ProductDisabled, Kit]),
        ("CAMP-ODD", 5, &[]),
        ("CELL", 5, &[]),
    ] {
        assert_eq!((bench.shown(sku), &*plan.reasons(sku)), (Some(expected), reasons), "{sku}");
    }
    assert_eq!(plan.why_withheld("CAMP-ODD"), Some(ProductMissing));
    assert_eq!(plan.why_withheld("CELL"), Some(NotMapped));
}

#[tokio::test(start_paused = true)]
async fn a_product_that_does_not_exist_keeps_its_quantity_unless_zero_was_chosen() {
    for (keys, expected) in [("", 7), ("on_missing_product = \"zero\"", 0)] {
        let scene = Scene::with_store(keys).product("OTHER", 1).listing("OTHER", 1).listing("GHOST", 7);
        let bench = Bench::start(scene).await;
        let plan = bench.cycle().await;
        bench.wait("1m").await;
        assert_eq!(bench.shown("GHOST"), Some(expected));
        assert_eq!(plan.why_withheld("GHOST").is_some(), expected == 7);
        assert_eq!(plan.reasons("GHOST"), [ProductMissing].repeat(usize::from(expected == 0)));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_a_merchants_listing_is_never_written() {
    let scene = Scene::new()
        .product("FBA", 9)
        .product("BOTH", 9)
        .product("SILENT", 9)
        .product("UNLISTED", 9)
        .listing_with("FBA", "channel = \"AMAZON_EU\"")
        .listing_with("SILENT", "channel = \"absent\"");
    let bench = Bench::start(scene).await;
    let plan = bench.cycle().await;
    assert_eq!(plan.why_withheld("FBA"), Some(FulfilledByAmazon));
    assert_eq!(plan.why_withheld("SILENT"), Some(ChannelUnknown));
    // Somebody who names them gets the same answer.
    let named = bench.work_on("acme", &bench.resync(&["FBA", "SILENT", "UNLISTED"])).await.unwrap().plan;
    assert_eq!(named.why_withheld("FBA"), Some(FulfilledByAmazon));
    assert_eq!(named.why_withheld("SILENT"), Some(ChannelUnknown));
    assert_eq!(named.why_withheld("UNLISTED"), Some(ListingUnknown));
    assert_eq!(bench.patches(), 0);
}

#[tokio::test(start_paused = true)]
async fn rows_of_a_mapping_file_that_amazon_never_listed_are_said_and_not_sent() {
    let scene = Scene::empty()
        .account("acme")
        .store(store("acme-de").with("seller_sku = \"map:rows.csv\""))
        .file("rows.csv", "KNOWN,MUG,1\nDREAMT,MUG,1\n")
        .product("MUG", 9)
        .listing("KNOWN", 1);
    let bench = Bench::start(scene).await;
    let plan = bench.cycle().await;
    assert_eq!(plan.why_withheld("DREAMT"), Some(ListingUnknown));
    assert_eq!(bench.sent(), [("KNOWN".to_owned(), 9)]);
}
