//! Names with everything in them that URLs, lists, reports and databases trip over.

use stocksync::reason::Reason;

use super::bench::{Bench, PlanExt};
use super::scene::Scene;

const ODD: [&str; 22] = [
    "TEA 250 G",
    "A/B",
    "JAM+BUTTER",
    "100%",
    "100%25",
    "5\" NAIL",
    "O'NEILL",
    "SALT, PEPPER",
    "A,B",
    "A&B=C",
    "WHERE?",
    "#1",
    "BACK\\SLASH",
    "[BOX]{1}",
    "SEMI;COLON:AT@",
    "GRÖSSE-É-£",
    "00123",
    "0123",
    "123",
    "1e5",
    "...",
    "1234567890123456789012345678901234567890",
];

#[tokio::test(start_paused = true)]
async fn odd_seller_skus_travel_through_both_apis_unharmed() {
    let scene =
        ODD.iter().zip(3..).fold(Scene::new(), |scene, (sku, quantity)| scene.product(sku, quantity).listing(sku, 1));
    let bench = Bench::start(scene).await;
    let plan = bench.cycle().await;
    assert_eq!(plan.withheld, []);
    bench.wait("1m").await;
    for (sku, quantity) in ODD.iter().zip(3..) {
        assert_eq!((bench.shown(sku), bench.sent_of(sku)), (Some(quantity), vec![quantity]), "{sku}");
    }
    // Verified, they are found to be right; one by one they are found too.
    assert_eq!(bench.cycles_every("5h", "25h").await, []);
    for sku in ODD {
        bench.stock(sku, 77);
        let named = bench.work_on("acme", &bench.resync(&[sku])).await.unwrap();
        assert_eq!((named.plan.listings, named.drained.accepted), (1, 1), "{sku}");
        bench.wait("1m").await;
        assert_eq!(bench.shown(sku), Some(77), "{sku}");
    }
}

#[tokio::test(start_paused = true)]
async fn names_that_differ_in_case_or_blanks_are_different_listings() {
    // Commerce folds case and knows one of them only; Amazon sells three.
    let scene = Scene::new().product("Mug", 8).listing("Mug", 1).listing("MUG", 2).listing("mug", 3).listing(" Mug", 4);
    let bench = Bench::start(scene).await;
    let plan = bench.cycle().await;
    assert_eq!(bench.sent(), [("Mug".to_owned(), 8)]);
    for sku in ["MUG", "mug", " Mug"] {
        assert_eq!(plan.why_withheld(sku), Some(Reason::ProductMissing), "{sku}");
    }
    for sku in ["MUG", "mug"] {
        let named = bench.work_on("acme", &bench.resync(&[sku])).await.unwrap().plan;
        assert_eq!((named.changes, named.withheld.len()), (vec![], 1), "{sku}");
    }
}

#[tokio::test(start_paused = true)]
async fn with_zero_for_missing_products_a_look_alike_is_still_not_the_product() {
    let scene =
        Scene::with_store("on_missing_product = \"zero\"").product("Mug", 8).listing("Mug", 1).listing("MUG", 2);
    let bench = Bench::start(scene).await;
    bench.cycle().await;
    bench.wait("1m").await;
    assert_eq!((bench.shown("Mug"), bench.shown("MUG")), (Some(8), Some(0)));
}

#[tokio::test(start_paused = true)]
async fn what_the_report_cannot_spell_is_found_by_its_asin_or_left_alone() {
    // Reports in Cp1252 have question marks where the name had letters; a short one has no ASINs either.
    let scene = Scene::new().product("ЧАЙ", 8).product("TEA", 8).listing("ЧАЙ", 1).listing("TEA", 1);
    let sold = |name: &str| (name.to_owned(), 8);
    let bench = Bench::start(scene.clone()).await;
    bench.cycle().await;
    let mut sent = bench.sent();
    sent.sort();
    assert_eq!(sent, [sold("TEA"), sold("ЧАЙ")]);

    let bench = Bench::start(scene.amazon("report = { header = \"short\" }")).await;
    let plan = bench.cycle().await;
    assert_eq!((bench.sent(), plan.listings), (vec![sold("TEA")], 1));
    // Named by a person it is found.
    bench.work_on("acme", &bench.resync(&["ЧАЙ"])).await.unwrap();
    bench.wait("1m").await;
    assert_eq!(bench.shown("ЧАЙ"), Some(8));
}

#[tokio::test(start_paused = true)]
async fn reports_in_any_dress_are_understood() {
    for shape in [
        "{ charset = \"UTF-8\" }",
        "{ charset = \"UTF-8\", byte_order_mark = true, header = \"short\" }",
        "{ header = \"german\", gzip = true }",
        "{ header = \"long\" }",
    ] {
        let scene = Scene::new().amazon(&format!("report = {shape}")).product("GRÖSSE", 8).listing("GRÖSSE", 1);
        let bench = Bench::start(scene).await;
        bench.cycle().await;
        assert_eq!(bench.sent(), [("GRÖSSE".to_owned(), 8)], "{shape}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_that_no_url_can_hold_stops_nobody_else() {
    let scene = [".", "..", "MUG"].iter().fold(Scene::new(), |scene, sku| scene.product(sku, 0).listing(sku, 9));
    let bench = Bench::start(scene).await;
    bench.cycle().await;
    assert_eq!(bench.sent(), [("MUG".to_owned(), 0)]);
    let refusal = bench.listing("..").await.refusal.unwrap();
    assert!(refusal.text.contains("URL"), "{}", refusal.text);
}
