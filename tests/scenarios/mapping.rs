//! Seller SKUs that are not the product's own: an attribute or a file says which product they sell.

use std::collections::BTreeMap;

use stocksync::reason::Reason;
use stocksync::sim::commerce::{Fault, FaultKind, ProductEdit};

use super::bench::{Bench, PlanExt};
use super::scene::{Scene, store};

fn by_attribute() -> Scene {
    Scene::with_store("seller_sku = \"attribute:amazon_sku\"")
        .product_with("TENT", "sources = { default = 20 }, attributes = { amazon_sku = \"TENT-4P\" }")
        .product_with("TARP", "sources = { default = 7 }")
        .listing("TENT-4P", 1)
        .listing("TENT", 2)
}

fn sells(seller_sku: Option<&str>) -> ProductEdit {
    let attribute = |seller_sku: &str| ("amazon_sku".to_owned(), seller_sku.to_owned());
    let attributes = seller_sku.into_iter().map(attribute).collect::<BTreeMap<_, _>>();
    ProductEdit { attributes: Some(attributes), ..ProductEdit::default() }
}

#[tokio::test(start_paused = true)]
async fn an_attribute_names_the_seller_sku() {
    let bench = Bench::start(by_attribute()).await;
    let plan = bench.cycle().await;
    assert_eq!(bench.sent(), [("TENT-4P".to_owned(), 20)]);
    // The product's own SKU is nobody's seller SKU here.
    assert_eq!(plan.why_withheld("TENT"), Some(Reason::NotMapped));
}

#[tokio::test(start_paused = true)]
async fn an_attribute_that_moves_to_another_product_takes_the_listing_along() {
    let bench = Bench::start(by_attribute()).await;
    bench.cycle().await;
    bench.edit("TENT", &sells(None));
    bench.edit("TARP", &sells(Some("TENT-4P")));
    assert_eq!(bench.cycles("5m").await, [("TENT-4P".to_owned(), 7)]);
    // Named, it is found wherever it is now.
    bench.edit("TARP", &sells(None));
    bench.edit("TENT", &sells(Some("TENT-4P")));
    bench.wait("1m").await;
    bench.work_on("acme", &bench.resync(&["TENT-4P"])).await.unwrap();
    bench.cycles("5m").await;
    bench.wait("1m").await;
    assert_eq!(bench.shown("TENT-4P"), Some(20));
}

#[tokio::test(start_paused = true)]
async fn while_two_products_claim_a_seller_sku_it_keeps_its_quantity() {
    let bench = Bench::start(by_attribute()).await;
    bench.cycle().await;
    bench.edit("TARP", &sells(Some("TENT-4P")));
    bench.stock("TENT", 3);
    bench.wait("5m").await;
    let plan = bench.cycle().await;
    assert_eq!(plan.why_withheld("TENT-4P"), Some(Reason::MappingAmbiguous));
    let named = bench.work_on("acme", &bench.resync(&["TENT-4P"])).await.unwrap().plan;
    assert_eq!(named.why_withheld("TENT-4P"), Some(Reason::MappingAmbiguous));
    bench.edit("TARP", &sells(None));
    assert_eq!(bench.cycles("5m").await, [("TENT-4P".to_owned(), 3)]);
}

#[tokio::test(start_paused = true)]
async fn nobody_else_decides_while_the_oldest_stores_mapping_is_ambiguous() {
    let scene = Scene::empty()
        .account("acme")
        .store(store("old-de").with("seller_sku = \"attribute:amazon_sku\""))
        .store(store("new-de").website("eu").created("2022-01-01"))
        .product_with("TENT-4P", "websites = [\"eu\"], sources = { leipzig = 50 }")
        .product_with("A", "sources = { default = 3 }, attributes = { amazon_sku = \"TENT-4P\" }")
        .product_with("B", "sources = { default = 4 }, attributes = { amazon_sku = \"TENT-4P\" }")
        .listing("TENT-4P", 1);
    let bench = Bench::start(scene).await;
    let plan = bench.cycle().await;
    assert_eq!((plan.why_withheld("TENT-4P"), bench.sent()), (Some(Reason::MappingAmbiguous), vec![]));
    // Once it names nothing, the younger store's identity holds.
    bench.edit("A", &sells(None));
    bench.edit("B", &sells(None));
    assert_eq!(bench.cycles("5m").await, [("TENT-4P".to_owned(), 50)]);
}

#[tokio::test(start_paused = true)]
async fn a_product_that_is_deleted_takes_its_attribute_along() {
    let bench = Bench::start(by_attribute()).await;
    bench.cycle().await;
    bench.pair.commerce.delete("TENT").unwrap();
    bench.wait("5m").await;
    assert_eq!(bench.cycle().await.why_withheld("TENT-4P"), Some(Reason::NotMapped));
    assert_eq!(bench.sent().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_attribute_that_could_not_be_read_again_moves_nothing() {
    let scene = by_attribute().commerce_key("page_size = 1\nconcurrency = 1");
    let bench = Bench::start(scene).await;
    bench.cycle().await;
    // The first product was read and has lost it; the second one, which has it now, was not.
    bench.edit("TENT", &sells(None));
    bench.edit("TARP", &sells(Some("TENT-4P")));
    bench.wait("5m").await;
    bench.pair.commerce.set_fault(Fault { after: 1, ..Fault::every(FaultKind::Status500).on("V1/products") });
    let plan = bench.cycle().await;
    assert!(plan.why_withheld("TENT-4P").is_some());
    bench.pair.commerce.clear_faults();
    assert_eq!(bench.cycles("5m").await, [("TENT-4P".to_owned(), 7)]);
}

#[tokio::test(start_paused = true)]
async fn a_kit_follows_each_of_its_parts() {
    let scene = Scene::with_store("seller_sku = \"map:kits.csv\"\nmaximum_listed_quantity = 10")
        .file("kits.csv", "CAMP,TORCH,1\nCAMP,CELL,4\n")
        .product("TORCH", 9)
        .product("CELL", 103)
        .listing("CAMP", 1);
    let bench = Bench::start(scene).await;
    bench.cycle().await;
    for (sku, stock, expected) in
        [("CELL", 11, 2), ("TORCH", 1, 1), ("TORCH", 50, 2), ("CELL", 3, 0), ("CELL", 400, 10)]
    {
        bench.stock(sku, stock);
        bench.cycles("5m").await;
        bench.wait("1m").await;
        assert_eq!(bench.shown("CAMP"), Some(expected), "{sku} {stock}");
    }
    // Capped, and one part moves: Amazon is asked, and nothing is sent.
    bench.stock("CELL", 399);
    assert_eq!(bench.cycles("10m").await, []);
    bench.pair.commerce.delete("TORCH").unwrap();
    bench.wait("5m").await;
    assert_eq!(bench.cycle().await.why_withheld("CAMP"), Some(Reason::ProductMissing));
}

#[tokio::test(start_paused = true)]
async fn several_listings_may_sell_one_product() {
    let scene = Scene::with_store("seller_sku = \"map:rows.csv\"")
        .file("rows.csv", "MUG-A,MUG,1\nMUG-B,MUG,1\nMUG-6,MUG,6\n")
        .product("MUG", 20)
        .listing("MUG-A", 1)
        .listing("MUG-B", 1)
        .listing("MUG-6", 1);
    let bench = Bench::start(scene).await;
    bench.cycle().await;
    bench.stock("MUG", 13);
    bench.cycles("5m").await;
    bench.wait("1m").await;
    let shown = ["MUG-A", "MUG-B", "MUG-6"].map(|sku| bench.shown(sku).unwrap());
    assert_eq!(shown, [13, 13, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_mapping_file_that_changed_holds_from_the_next_start() {
    let scene = |rows: &str| {
        Scene::with_store("seller_sku = \"map:rows.csv\"").file("rows.csv", rows).product("MUG", 20).product("JUG", 4)
    };
    let mut bench = Bench::start(scene("CUP,MUG,1\n").listing("CUP", 1)).await;
    bench.cycle().await;
    bench.reconfigure(|_| scene("CUP,JUG,1\n"));
    assert_eq!(bench.cycles("5m").await, [("CUP".to_owned(), 4)]);
    bench.reconfigure(|_| scene("OTHER,JUG,1\n"));
    bench.wait("5m").await;
    let plan = bench.cycle().await;
    assert_eq!(plan.why_withheld("CUP"), Some(Reason::NotMapped));
    assert_eq!(plan.why_withheld("OTHER"), Some(Reason::ListingUnknown));
}
