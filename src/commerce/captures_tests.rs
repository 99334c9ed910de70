//! What a real server answered, read with our shapes.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::recorded_tests::{Exchange, WITHOUT_EXCHANGES, exchanges, exchanges_of, files};
use super::stocks::Export;
use super::{StockConfig, StockRow, wire};
use crate::http::{Answer, HeaderMap, json};
use crate::model::{Backorders, Decimal};

fn answer(status: u16, body: &str) -> Answer {
    Answer::new(status, HeaderMap::new(), Bytes::copy_from_slice(body.as_bytes()))
}

/// The good answers of the requests whose URL contains a text.
fn good(file: &str, part: &str) -> Vec<Exchange> {
    let mut good = exchanges_of(file);
    good.retain(|exchange| !exchange.cut);
    good.retain(|exchange| exchange.status == 200 && exchange.method == "GET" && exchange.url.contains(part));
    good
}

fn parse<T: DeserializeOwned>(exchange: &Exchange) -> T {
    json(&answer(200, &exchange.body)).unwrap_or_else(|fault| panic!("{}: {fault}", exchange.name))
}

fn all_rows<T: DeserializeOwned>(list: &wire::List, name: &str) -> Vec<T> {
    let (rows, flaw) = list.rows();
    assert_eq!(flaw, None, "{name}");
    rows
}

/// What the client makes of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Shape {
    Products,
    Export,
    LowStock,
    StockItem,
    StockStatus,
    Websites,
    Stocks,
    Modules,
    Count,
    /// Not for the client, and why.
    Skipped(&'static str),
}

/// By the path below `V1/`: the start of it, and what the client makes of it.
const ROUTES: [(&str, Shape); 28] = [
    ("products?", Shape::Products),
    ("products/?", Shape::Products),
    ("stockItems/lowStock/", Shape::LowStock),
    ("stockItems/", Shape::StockItem),
    ("stockStatuses/", Shape::StockStatus),
    ("store/websites", Shape::Websites),
    ("inventory/stocks?", Shape::Stocks),
    ("inventory/export-stock-salable-qty/", Shape::Export),
    ("modules", Shape::Modules),
    ("inventory/stocks/", Shape::Skipped("asked for no single stock")),
    ("inventory/sources", Shape::Skipped(NOT_ASKED)),
    ("inventory/source-items", Shape::Skipped(NOT_ASKED)),
    ("inventory/stock-source-links", Shape::Skipped(NOT_ASKED)),
    ("inventory/stock-resolver/", Shape::Skipped(NOT_ASKED)),
    ("inventory/get-sources-assigned-to-stock-", Shape::Skipped(NOT_ASKED)),
    ("inventory/dump-stock-index-data/", Shape::Skipped("its numbers know no reservations")),
    ("inventory/get-product-salable-quantity/", Shape::Skipped("no SKU goes into its path")),
    ("inventory/is-product-salable", Shape::Skipped("no SKU goes into its path")),
    ("inventory/are-products-salable", Shape::Skipped("the export says the same, with numbers")),
    ("inventory/low-quantity-notification/", Shape::Skipped(NOT_ASKED)),
    ("store/store", Shape::Skipped(NOT_ASKED)),
    ("directory/currency", Shape::Skipped(NOT_ASKED)),
    ("products/types", Shape::Skipped(NOT_ASKED)),
    ("products/attribute", Shape::Skipped(NOT_ASKED)),
    ("products/", Shape::Skipped("no SKU goes into its path")),
    ("orders", Shape::Skipped(NOT_ASKED)),
    ("integration/admin/token", Shape::Skipped("the tests of the sign-in")),
    ("tfa/", Shape::Skipped("a service has no second factor")),
];
const NOT_ASKED: &str = "the client does not ask for it";

fn shape_of(exchange: &Exchange) -> Shape {
    if exchange.status != 200 {
        return Shape::Skipped("an error: the tests of `fault`");
    }
    if exchange.method != "GET" {
        return Shape::Skipped("the client changes nothing");
    }
    if exchange.cut {
        return Shape::Skipped("only the start of the body was kept");
    }
    if matches!(exchange.name.as_str(), "accept xml" | "gzip") {
        return Shape::Skipped("another encoding than the client's");
    }
    let Some((_, path)) = exchange.url.split_once("/V1/") else {
        return Shape::Skipped("no route of the API");
    };
    let found = ROUTES.iter().find(|(start, _)| path.starts_with(start));
    let shape = found.unwrap_or_else(|| panic!("{} is no known route", exchange.url)).1;
    match path.split_once("fields=") {
        Some((_, "total_count")) => Shape::Count,
        Some((_, fields)) if shape == Shape::Products && !fields.contains("website_ids") => {
            Shape::Skipped("other fields than the client's")
        }
        Some((_, fields)) if fields.contains("nope") || !fields.contains(']') && fields.contains('[') => {
            Shape::Skipped("fields that nobody knows")
        }
        _ => shape,
    }
}

/// Why the client cannot read an answer as that shape.
fn misfit(shape: Shape, answer: &Answer) -> Option<String> {
    fn whole<T: DeserializeOwned>(answer: &Answer) -> Option<String> {
        json::<T>(answer).err().map(|fault| fault.to_string())
    }
    fn rows<T: DeserializeOwned>(answer: &Answer) -> Option<String> {
        json::<wire::List>(answer).map_or_else(|fault| Some(fault.to_string()), |list| list.rows::<T>().1)
    }
    match shape {
        Shape::Products => rows::<wire::Product>(answer),
        Shape::Export => rows::<wire::ExportRow>(answer),
        Shape::LowStock => rows::<wire::StockItem>(answer),
        Shape::StockItem => whole::<wire::StockItem>(answer),
        Shape::StockStatus => whole::<wire::StockStatus>(answer),
        Shape::Websites => whole::<Vec<wire::Website>>(answer),
        Shape::Stocks => rows::<wire::Stock>(answer),
        Shape::Modules => whole::<Vec<String>>(answer),
        Shape::Count => whole::<wire::Count>(answer),
        Shape::Skipped(_) => None,
    }
}

#[test]
fn every_recorded_answer_fits_or_is_left_out_for_a_reason() {
    let mut counts: BTreeMap<Shape, usize> = BTreeMap::new();
    let recorded = exchanges();
    for (file, exchange) in &recorded {
        let shape = shape_of(exchange);
        assert_eq!(misfit(shape, &answer(exchange.status, &exchange.body)), None, "{file}: {}", exchange.name);
        *counts.entry(shape).or_default() += 1;
    }
    for (shape, count) in &counts {
        eprintln!("{count:5} {shape:?}");
    }
    for (name, why) in WITHOUT_EXCHANGES {
        assert!(recorded.is_empty() || files().iter().any(|file| file == name), "{name} is gone");
        eprintln!("left out: {name}: {why}");
    }
    assert!(recorded.is_empty() || recorded.len() >= 1_600, "only {} exchanges", recorded.len());
    let read: usize =
        counts.iter().filter(|(shape, _)| !matches!(shape, Shape::Skipped(_))).map(|(_, count)| count).sum();
    assert!(recorded.is_empty() || read >= 500, "only {read} of {} are read", recorded.len());
}

/// Whatever answer comes to whatever question: a fault, never a panic and never a number out of nothing.
#[test]
fn an_answer_to_another_question_is_a_fault() {
    use Shape::{Count, Export, LowStock, Modules, Products, StockItem, StockStatus, Stocks, Websites};
    for (file, exchange) in exchanges() {
        let answer = answer(exchange.status, &exchange.body);
        let own = shape_of(&exchange);
        for shape in [Count, Export, LowStock, Modules, Products, StockItem, StockStatus, Stocks, Websites] {
            let misfit = misfit(shape, &answer);
            let empty = json::<wire::List>(&answer).is_ok_and(|list| list.len() == 0) || exchange.body == "[]";
            // A quantity is read from the export and from the stock status alone.
            if matches!(shape, Export | StockStatus) && own != shape && !empty {
                assert!(misfit.is_some(), "{file}: {} reads as {shape:?}", exchange.name);
            }
        }
    }
}

#[test]
fn recorded_product_pages_fit() {
    let whole = good("products_list.json", "V1/products?searchCriteria");
    for exchange in whole.iter().filter(|exchange| !exchange.url.contains("&fields=")) {
        let list: wire::List = parse(exchange);
        let rows: Vec<wire::Product> = all_rows(&list, &exchange.name);
        assert!(rows.len() as u64 <= list.total_count, "{}", exchange.name);
        for row in rows.iter().filter(|row| row.sku == "A29-nowebsite") {
            assert!(row.extension_attributes.website_ids.is_empty());
        }
    }
    for exchange in
        whole.iter().filter(|exchange| exchange.name.contains("past end") || exchange.name.contains("nope x"))
    {
        assert_eq!(parse::<wire::List>(exchange).len(), 0, "{}", exchange.name);
    }
}

#[test]
fn answers_to_wrong_fields_are_no_products() {
    for exchange in good("products_list.json", "fields=") {
        match exchange.name.as_str() {
            "fields unknown" => assert!(parse::<wire::List>(&exchange).rows::<wire::Product>().1.is_some()),
            "fields malformed" => assert!(json::<wire::List>(&answer(200, &exchange.body)).is_err()),
            _ => {}
        }
    }
}

#[test]
fn recorded_exports_fit_and_hold_their_numbers() {
    let exports = good("export.json", "export-stock-salable-qty");
    for exchange in &exports {
        let list: wire::List = parse(exchange);
        all_rows::<wire::ExportRow>(&list, &exchange.name);
        let export = Export::read(&list);
        assert_eq!((export.doubt, export.rows.len()), (None, list.len()), "{}", exchange.name);
    }
    let Some(all) = exports.iter().find(|exchange| exchange.name == "export base empty criteria") else { return };
    let export = Export::read(&parse(all));
    for (sku, ten_thousandths, is_salable) in [
        ("A01-plain", 960_000, true),
        ("A02-oos", 0, false),
        ("A13-bo1-qty-10-min-10", 100_000, false),
        ("A06-nomanage-0", 0, true),
        ("A15-min5-qty6", 10_000, true),
    ] {
        let salable = Decimal::from_ten_thousandths(ten_thousandths);
        assert_eq!(export.rows[sku], StockRow::Level { salable, is_salable }, "{sku}");
    }
}

#[test]
fn recorded_stock_settings_fit() {
    for exchange in good("low_stock_bulk.json", "lowStock") {
        all_rows::<wire::StockItem>(&parse(&exchange), &exchange.name);
    }
    for exchange in good("stockItems.json", "stockItems/") {
        let item: wire::StockItem = parse(&exchange);
        let config = StockConfig::from(&item);
        match exchange.name.as_str() {
            "A01-plain" => assert!(config.managed && config.backorders == Backorders::Off),
            "A06-nomanage-0" => assert!(!config.managed),
            "A11-bo1-qty-3-min-10" => {
                assert_eq!((config.backorders, config.min_qty), (Backorders::On, Decimal::from_whole(-10)));
            }
            _ => {}
        }
    }
    for exchange in good("stockStatuses.json", "stockStatuses/") {
        parse::<wire::StockStatus>(&exchange);
    }
}

#[test]
fn recorded_websites_and_stocks_fit() {
    for exchange in good("store.json", "store/websites") {
        let sites: Vec<wire::Website> = parse(&exchange);
        assert!(sites.iter().any(|site| site.code == "base" && site.id == 1));
    }
    for exchange in good("inventory.json", "inventory/stocks?") {
        all_rows::<wire::Stock>(&parse(&exchange), &exchange.name);
    }
}

#[test]
fn numbers_are_read_from_their_text() {
    let row = |qty: &str| format!(r#"{{"sku":"A","qty":{qty},"is_salable":true}}"#);
    for (text, expected) in [
        ("96", Some(960_000)),
        ("12.3456", Some(123_456)),
        ("-3", Some(-30_000)),
        ("10.0", Some(100_000)),
        ("2.9999999999999996", Some(30_000)),
        ("\"7.0000\"", Some(70_000)),
        ("null", None),
        ("true", None),
        ("\"\"", None),
        ("[1]", None),
    ] {
        let parsed = serde_json::from_str::<wire::ExportRow>(&row(text)).ok();
        assert_eq!(parsed.map(|row| row.qty.ten_thousandths()), expected, "{text}");
    }
}
