//! Readings: what Commerce said of each product, and for which products an answer speaks.

use std::collections::BTreeMap;
use std::time::Duration;

use stocksync::model::{Backorders, CommerceName, Decimal, SellerSku, Sku, Tier, WebsiteCode};
use stocksync::store::{Cause, Settings, StoredProduct, StoredStock, SweepRecord};

use crate::bench::{Bench, at, on_every_store, shop, skus};

on_every_store![
    a_product_comes_back_as_it_was_read,
    a_newer_reading_replaces_the_older_one_whole,
    the_newest_reading_holds_unless_the_clock_was_put_back,
    what_a_whole_sweep_did_not_name_is_forgotten,
    a_product_keeps_its_id_when_its_sku_changes,
    an_answer_forgets_nothing,
    products_come_in_the_order_of_their_ids,
    another_commerce_is_another_world,
    a_forgotten_product_leaves_nothing_behind,
    a_confirmed_absence_replaces_the_doubt,
    an_attribute_finds_its_products_and_moves_with_its_value,
    websites_are_replaced_as_a_whole,
    a_sweep_remembers_the_last_complete_one,
    stock_alone_ends_no_suspicion_that_asks_for_everything,
];

fn level(whole: i64, is_salable: bool) -> StoredStock {
    StoredStock::Level { salable: Decimal::from_ten_thousandths(whole * 10_000), is_salable }
}

fn product(id: u64, sku: &str) -> StoredProduct {
    StoredProduct {
        product_id: id,
        sku: sku.into(),
        type_id: "simple".into(),
        enabled: true,
        website_ids: vec![1],
        config: Some((true, Backorders::Off, Decimal::ZERO)),
        attributes: Vec::new(),
        updated_at: Some("2026-05-04 10:00:00".into()),
        stocks: BTreeMap::from([("base".into(), level(7, true))]),
        read_at: at(0),
        tier: Tier::Full,
        suspect: None,
    }
}

impl Bench {
    async fn read(&self, products: Vec<StoredProduct>) {
        self.store.save_products(&shop(), products).await.unwrap();
    }

    async fn products(&self, names: &[&str]) -> BTreeMap<Sku, StoredProduct> {
        let names: Vec<Sku> = names.iter().copied().map(Sku::from).collect();
        self.store.products(&shop(), &names).await.unwrap()
    }

    async fn there(&self, names: &[&str]) -> Vec<String> {
        self.products(names).await.into_keys().map(|sku| sku.to_string()).collect()
    }

    async fn by_ean(&self, seller_sku: &str) -> Vec<Sku> {
        let found = self.store.skus_by_attribute(&shop(), "ean", &skus([seller_sku])).await.unwrap();
        found.into_values().flatten().collect()
    }
}

async fn a_product_comes_back_as_it_was_read(bench: Bench) {
    let odd = StoredProduct {
        product_id: 4_000_000_000,
        sku: "Größe ' XL\u{1f600}".into(),
        type_id: "downloadable".into(),
        enabled: false,
        website_ids: vec![1, 12],
        config: Some((false, Backorders::On, Decimal::from_ten_thousandths(-505_000))),
        stocks: BTreeMap::from([
            ("a".into(), StoredStock::Level { salable: Decimal::from_ten_thousandths(-12_345), is_salable: false }),
            ("b".into(), StoredStock::Absent),
            ("c".into(), StoredStock::NoSource),
            ("d".into(), StoredStock::Unknown("HTTP 503".into())),
        ]),
        ..product(1, "")
    };
    let bare = StoredProduct {
        website_ids: Vec::new(),
        config: None,
        stocks: BTreeMap::new(),
        type_id: "bundle".into(),
        ..product(2, "BARE")
    };
    bench.read(vec![odd.clone(), bare.clone()]).await;
    let found = bench.products(&[odd.sku.as_str(), "BARE", "größe ' xl\u{1f600}", "bare"]).await;
    assert_eq!(found.into_values().collect::<Vec<_>>(), [bare, odd]);
}

async fn a_newer_reading_replaces_the_older_one_whole(bench: Bench) {
    bench.read(vec![product(1, "MUG")]).await;
    let newer = StoredProduct {
        type_id: "virtual".into(),
        enabled: false,
        website_ids: vec![2],
        config: None,
        stocks: BTreeMap::from([("base".into(), StoredStock::Absent)]),
        read_at: at(1),
        ..product(9, "MUG")
    };
    bench.read(vec![newer.clone()]).await;
    assert_eq!(bench.products(&["MUG"]).await.into_values().collect::<Vec<_>>(), [newer]);
}

async fn the_newest_reading_holds_unless_the_clock_was_put_back(bench: Bench) {
    let with = |value: &str, quantity, minutes| StoredProduct {
        attributes: vec![("ean".into(), value.into())],
        stocks: BTreeMap::from([("base".into(), level(quantity, true))]),
        read_at: at(minutes),
        ..product(1, "MUG")
    };
    bench.read(vec![with("newest", 9, 100)]).await;
    bench.read(vec![with("older", 3, 99)]).await;
    let found = bench.products(&["MUG"]).await.remove("MUG").unwrap();
    assert_eq!((&found.stocks["base"], found.read_at), (&level(9, true), at(100)));
    assert_eq!(bench.by_ean("older").await, Vec::<Sku>::new());
    // More than an hour newer: no other process reads that slowly.
    bench.read(vec![with("after", 3, 30)]).await;
    let found = bench.products(&["MUG"]).await.remove("MUG").unwrap();
    assert_eq!((&found.stocks["base"], found.read_at), (&level(3, true), at(30)));
    assert_eq!(bench.by_ean("after").await, [Sku::from("MUG")]);
}

async fn what_a_whole_sweep_did_not_name_is_forgotten(bench: Bench) {
    let all = ["A1", "B2", "C3", "D4"];
    bench.read((1..).zip(all).map(|(id, sku)| product(id, sku)).collect()).await;
    bench.read(vec![StoredProduct { read_at: at(5), ..product(2, "B2") }]).await;
    bench.read(vec![StoredProduct { read_at: at(9), ..product(4, "D4") }]).await;
    bench.store.forget_unnamed(&shop(), at(5), vec![]).await.unwrap();
    assert_eq!(bench.there(&all).await, ["B2", "D4"], "read at the sweep's start or later");
    bench.store.forget_unnamed(&"other".into(), at(100), vec![]).await.unwrap();
    assert_eq!(bench.there(&all).await, ["B2", "D4"]);
}

async fn a_product_keeps_its_id_when_its_sku_changes(bench: Bench) {
    bench.read(vec![product(1, "A1"), product(2, "B2")]).await;
    bench.read(vec![StoredProduct { read_at: at(1), ..product(1, "renamed") }]).await;
    assert_eq!(bench.there(&["A1", "renamed", "B2"]).await, ["B2", "renamed"]);
}

async fn an_answer_forgets_nothing(bench: Bench) {
    bench.read(vec![product(1, "A"), product(2, "B")]).await;
    bench.read(vec![product(2, "B")]).await;
    bench.read(Vec::new()).await;
    assert_eq!(bench.there(&["A", "B"]).await, ["A", "B"]);
}

async fn products_come_in_the_order_of_their_ids(bench: Bench) {
    let bundle = StoredProduct { type_id: "bundle".into(), ..product(20, "A") };
    bench.read(vec![product(30, "B"), bundle, product(10, "C")]).await;
    let names = async |after, limit| {
        let products = bench.store.products_after(&shop(), after, limit).await.unwrap();
        products.into_iter().map(|product| product.sku.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names(0, 9).await, ["C", "A", "B"]);
    assert_eq!(names(10, 1).await, ["A"]);
    assert_eq!(names(30, 9).await, [""; 0]);
    assert_eq!(bench.store.product_count(&shop()).await.unwrap(), 3);
    let stocked = bench.store.stocked_after(&shop(), 0, 9).await.unwrap();
    assert_eq!(stocked, [(10, Sku::from("C")), (30, "B".into())], "composites hold no stock");
}

async fn another_commerce_is_another_world(bench: Bench) {
    let other: CommerceName = "other".into();
    bench.read(vec![product(1, "MUG")]).await;
    bench.store.forget_unnamed(&other, at(100), vec![]).await.unwrap();
    bench.store.forget_product(&other, &"MUG".into()).await.unwrap();
    assert_eq!(bench.there(&["MUG"]).await, ["MUG"]);
    assert!(bench.store.products(&other, &["MUG".into()]).await.unwrap().is_empty());
}

async fn a_forgotten_product_leaves_nothing_behind(bench: Bench) {
    let coded = StoredProduct { attributes: vec![("ean".into(), "123".into())], ..product(1, "MUG") };
    bench.read(vec![coded]).await;
    bench.store.forget_product(&shop(), &"MUG".into()).await.unwrap();
    assert_eq!(bench.there(&["MUG"]).await, [""; 0]);
    assert_eq!(bench.by_ean("123").await, Vec::<Sku>::new());
    let bare = StoredProduct { stocks: BTreeMap::new(), ..product(1, "MUG") };
    bench.read(vec![bare.clone()]).await;
    assert_eq!(bench.products(&["MUG"]).await["MUG"], bare, "its old stock does not come back");
}

async fn a_confirmed_absence_replaces_the_doubt(bench: Bench) {
    let doubtful = StoredProduct {
        stocks: BTreeMap::from([("base".into(), StoredStock::Absent), ("b2b".into(), level(4, true))]),
        ..product(1, "MUG")
    };
    bench.read(vec![doubtful]).await;
    for stock in [StoredStock::NoSource, level(3, false), StoredStock::Unknown("HTTP 500".into())] {
        bench.store.save_stock(&shop(), &"MUG".into(), &"base".into(), stock.clone()).await.unwrap();
        let stocks = &bench.products(&["MUG"]).await["MUG"].stocks;
        assert_eq!((&stocks["base"], &stocks["b2b"]), (&stock, &level(4, true)));
    }
}

async fn an_attribute_finds_its_products_and_moves_with_its_value(bench: Bench) {
    let coded = |id, sku: &str, minutes, pairs: &[(&str, &str)]| StoredProduct {
        attributes: pairs.iter().map(|(code, value)| ((*code).to_owned(), (*value).to_owned())).collect(),
        read_at: at(minutes),
        ..product(id, sku)
    };
    let products = [
        coded(1, "MUG", 0, &[("ean", "123"), ("asin", "B0")]),
        coded(2, "CUP", 0, &[("ean", "123")]),
        coded(3, "PAN", 0, &[("ean", "abc")]),
    ];
    bench.read(products.to_vec()).await;
    assert_eq!(bench.by_ean("123").await, [Sku::from("CUP"), "MUG".into()]);
    assert_eq!(bench.by_ean("abc").await, [Sku::from("PAN")]);
    assert_eq!(bench.by_ean("ABC").await, Vec::<Sku>::new(), "byte for byte");
    assert_eq!(bench.by_ean("B0").await, Vec::<Sku>::new(), "another attribute's value");
    bench.read(vec![coded(1, "MUG", 1, &[("ean", "456")]), coded(2, "CUP", 1, &[])]).await;
    assert_eq!(bench.by_ean("123").await, Vec::<Sku>::new());
    let found = bench.store.skus_by_attribute(&shop(), "ean", &skus(["456", "abc", "123"])).await.unwrap();
    let expected: [(SellerSku, Vec<Sku>); 2] = [("456".into(), vec!["MUG".into()]), ("abc".into(), vec!["PAN".into()])];
    assert_eq!(found.into_iter().collect::<Vec<_>>(), expected);
}

async fn websites_are_replaced_as_a_whole(bench: Bench) {
    let save = async |rows: &[(u32, &str)]| {
        let rows = rows.iter().map(|(id, code)| (*id, WebsiteCode::from(*code))).collect();
        bench.store.save_websites(&shop(), rows).await.unwrap();
        bench.store.websites(&shop()).await.unwrap().into_iter().collect::<Vec<_>>()
    };
    assert_eq!(bench.store.websites(&shop()).await.unwrap(), BTreeMap::new());
    assert_eq!(save(&[(1, "base"), (2, "b2b")]).await, [("b2b".into(), 2), ("base".into(), 1)]);
    assert_eq!(save(&[(3, "base")]).await, [("base".into(), 3)]);
}

async fn a_sweep_remembers_the_last_complete_one(bench: Bench) {
    let sweep = |minutes: i64, complete, products| SweepRecord {
        full: complete,
        edition: "multi-source inventory".to_owned(),
        fresh_since: at(minutes - 60),
        requests: 12,
        busy: Duration::from_millis(3456),
        started_at: at(minutes),
        finished_at: at(minutes + 1),
        complete,
        products,
        problem: (!complete).then(|| "HTTP 503".to_owned()),
        last_complete_at: None,
        last_complete_products: None,
    };
    assert_eq!(bench.store.sweep(&shop()).await.unwrap(), None);
    let last = |minutes: i64, products| (Some(at(minutes)), Some(products));
    for (read, remembered) in [
        (sweep(0, false, 3), (None, None)),
        (sweep(10, true, 100), last(11, 100)),
        (sweep(20, false, 40), last(11, 100)),
        (sweep(30, true, 98), last(31, 98)),
    ] {
        bench.store.save_sweep(&shop(), read.clone()).await.unwrap();
        let expected = SweepRecord { last_complete_at: remembered.0, last_complete_products: remembered.1, ..read };
        assert_eq!(bench.store.sweep(&shop()).await.unwrap(), Some(expected));
    }
}

async fn stock_alone_ends_no_suspicion_that_asks_for_everything(bench: Bench) {
    let (a, base) = (Sku::from("A"), WebsiteCode::from("base"));
    for (cause, still) in [(Cause::Index, false), (Cause::Whole, true)] {
        bench.read(vec![product(1, "A")]).await;
        let suspected = async || bench.products(&["A"]).await[&a].suspect.is_some();
        let by_levels = vec![(a.clone(), BTreeMap::from([(base.clone(), level(6, true))]))];
        bench.store.suspect(&shop(), vec![a.clone()], cause, at(1)).await.unwrap();
        bench.store.save_levels(&shop(), Tier::Exact, at(2), by_levels).await.unwrap();
        assert_eq!(suspected().await, still, "{cause:?}, levels");

        let (managed, backorders, min_qty) = (true, Backorders::Off, Decimal::ZERO);
        let settings = Settings { product_id: 1, managed, backorders, min_qty, stock: Some(level(6, true)) };
        bench.store.suspect(&shop(), vec![a.clone()], cause, at(3)).await.unwrap();
        bench.store.check_settings(&shop(), vec![base.clone()], vec![settings], at(4)).await.unwrap();
        assert_eq!(suspected().await, still, "{cause:?}, stock items");

        bench.read(vec![StoredProduct { read_at: at(5), tier: Tier::Exact, ..product(1, "A") }]).await;
        assert!(!suspected().await, "{cause:?}");
        bench.store.forget_product(&shop(), &a).await.unwrap();
    }
}
