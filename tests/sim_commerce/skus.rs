//! Which product a SKU finds, by route and release.

use serde_json::json;

use super::shop::Shop;
use super::signed::{self, encode};

/// Legal SKUs, and the path that up to 2.4.7 signs where it is not the one that was sent.
const ODD: [(&str, Option<&str>); 24] = [
    ("A B", None),
    ("A  B", None),
    ("A/B", Some("A/B")),
    ("A+B", Some("A+B")),
    ("A%B", None),
    ("A%2FB", Some("A%2FB")),
    ("Ö-Ü-日本", None),
    ("A\"B", None),
    ("A'B", None),
    ("A&B", Some("A&B")),
    ("A?B", None),
    ("A#B", None),
    ("A,B", Some("A,B")),
    ("A;B", Some("A;B")),
    ("A\\B", None),
    ("A<B>", None),
    ("A:B|C", Some("A:B%7CC")),
    ("A{B}[C]", None),
    ("A=B@C$D", Some("A=B@C$D")),
    ("A\u{a0}B", None),
    ("e\u{301}", None),
    ("00123", None),
    ("1e3", None),
    ("sixty-four-characters-sixty-four-characters-sixty-four-character", None),
];

fn world(version: &str, skus: &[&str]) -> String {
    let product = |sku: &&str| format!("[[commerce.product]]\nsku = {}\nsources = {{ default = 3 }}\n", json!(sku));
    let products: Vec<String> = skus.iter().map(product).collect();
    format!("version = \"{version}\"\n{}{}", signed::OAUTH, products.join(""))
}

fn all() -> Vec<&'static str> {
    ODD.iter().map(|(sku, _)| *sku).collect()
}

fn filter(condition: &str, value: &str) -> String {
    let filter = "searchCriteria[filter_groups][0][filters][0]";
    format!("{filter}[field]=sku&{filter}[condition_type]={condition}&{filter}[value]={}", encode(value))
}

/// The SKUs that a list route finds.
async fn found(shop: &Shop, route: &str, condition: &str, value: &str) -> Vec<String> {
    let list = shop.get(&format!("{route}?{}", filter(condition, value))).await.json();
    list["items"].as_array().unwrap().iter().map(|row| row["sku"].as_str().unwrap().to_owned()).collect()
}

const PRODUCTS: &str = "products";
const EXPORT: &str = "inventory/export-stock-salable-qty/website/base";
const SOURCE_ITEMS: &str = "inventory/source-items";

#[tokio::test(start_paused = true)]
async fn every_legal_sku_is_found_by_every_route() {
    let shop = Shop::open(&world("2.4.8", &all())).await;
    for sku in all() {
        let path = encode(sku);
        assert_eq!(shop.get(&format!("products/{path}")).await.json()["sku"], sku);
        assert_eq!(shop.get(&format!("stockItems/{path}")).await.json()["qty"], 3, "{sku}");
        assert_eq!(shop.get(&format!("stockStatuses/{path}")).await.json()["qty"], 3, "{sku}");
        assert_eq!(shop.get(&format!("inventory/get-product-salable-quantity/{path}/1")).await.json(), 3, "{sku}");
        assert_eq!(shop.get(&format!("inventory/is-product-salable/{path}/1")).await.json(), true, "{sku}");
        let many = format!("inventory/are-products-salable?skus[0]={path}&stockId=1");
        assert_eq!(shop.get(&many).await.json(), json!([{ "sku": sku, "stock_id": 1, "salable": true }]));
        for route in [PRODUCTS, EXPORT, SOURCE_ITEMS] {
            assert_eq!(found(&shop, route, "eq", sku).await, [sku], "{route}");
            // A comma parts two SKUs in a list of them, and there is no way around it.
            let listed: &[&str] = if sku.contains(',') { &[] } else { &[sku] };
            assert_eq!(found(&shop, route, "in", sku).await, listed, "{route}");
        }
    }
    shop.close().await;
}

#[tokio::test(start_paused = true)]
async fn the_old_routes_and_filters_fold_a_sku_and_the_inventory_routes_do_not() {
    for (version, unknown) in [("2.4.7", 500), ("2.4.8", 404)] {
        let shop = Shop::open(&world(version, &["Tröt-7", "00123"])).await;
        for (asked, sku) in [
            ("tröt-7", Some("Tröt-7")),
            ("TRÖT-7", Some("Tröt-7")),
            ("Tröt-7 ", Some("Tröt-7")),
            ("Trot-7", Some("Tröt-7")),
            (" Tröt-7", None),
            ("Tröt-07", None),
            ("123", None),
            ("00123.0", None),
        ] {
            let (path, status) = (encode(asked), if sku.is_some() { 200 } else { 404 });
            for route in ["products", "stockItems", "stockStatuses"] {
                assert_eq!(shop.get(&format!("{route}/{path}")).await.status, status, "{route} {asked:?}");
            }
            for route in [PRODUCTS, EXPORT, SOURCE_ITEMS] {
                for condition in ["eq", "in"] {
                    let found = found(&shop, route, condition, asked).await;
                    assert_eq!(found, sku.into_iter().collect::<Vec<_>>(), "{route} {condition} {asked:?}");
                }
            }
            let quantity = shop.get(&format!("inventory/get-product-salable-quantity/{path}/1")).await;
            assert_eq!(quantity.status, unknown, "{version} {asked:?}");
            assert_eq!(shop.get(&format!("inventory/is-product-salable/{path}/1")).await.json(), false, "{asked:?}");
            let many = shop.get(&format!("inventory/are-products-salable?skus[0]={path}&stockId=1")).await.json();
            assert_eq!(many, json!([{ "sku": asked, "stock_id": 1, "salable": false }]));
        }
        shop.close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_encoded_is_read_as_a_form_is() {
    let shop = Shop::open(&world("2.4.7", &["A B", "A+B", "A/B"])).await;
    for (path, status, sku) in
        [("A+B", 200, "A B"), ("A%2BB", 200, "A+B"), ("A%2FB", 200, "A/B"), ("A/B", 404, ""), ("A%252FB", 404, "")]
    {
        let answer = shop.get(&format!("products/{path}")).await;
        assert_eq!(answer.status, status, "{path}");
        assert!(status != 200 || answer.json()["sku"] == sku, "{path}");
    }
    shop.close().await;
}

#[tokio::test(start_paused = true)]
async fn no_one_signature_suits_both_releases() {
    for version in ["2.4.7", "2.4.8"] {
        let shop = Shop::open(&world(version, &all())).await;
        for (place, (sku, rebuilt)) in ODD.into_iter().enumerate() {
            let sent = format!("/rest/V1/products/{}", encode(sku));
            let rebuilt = rebuilt.map_or_else(|| sent.clone(), |path| format!("/rest/V1/products/{path}"));
            let expected =
                |own: &str| if (version == "2.4.8") == (own == "sent") || sent == rebuilt { 200 } else { 401 };
            let fields = [("storeless".to_owned(), "1".to_owned())];
            for (own, signed_path) in [("sent", &sent), ("rebuilt", &rebuilt)] {
                let nonce = format!("{own}-{place}");
                let status = signed::get(&shop, &sent, signed_path, &fields, &nonce).await;
                assert_eq!(status, expected(own), "{version} {sku} signed as {own}");
            }
        }
        shop.close().await;
    }
}
