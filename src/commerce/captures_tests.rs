//! What a real server answered, read with our shapes.

use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::fault::{classify, stated_maximum};
use super::recorded_tests::{Exchange, exchanges};
use super::stocks::Export;
use super::{StockConfig, StockRow, wire};
use crate::http::{Answer, Fault, HeaderMap, json};
use crate::model::{Backorders, Decimal};

fn answer(status: u16, body: &str) -> Answer {
    Answer::new(status, HeaderMap::new(), Bytes::copy_from_slice(body.as_bytes()))
}

/// The good answers of the requests whose URL contains a text.
fn good(file: &str, part: &str) -> Vec<Exchange> {
    let mut good = exchanges(file).unwrap_or_default();
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
fn recorded_errors_become_the_right_fault() {
    let files = [
        "errors_auth.json",
        "errors_misc.json",
        "errors_outage.json",
        "errors_unbounded_20k_page.json",
        "config_2fa_enabled.json",
        "config_bearer_jwt.json",
        "config_webapi_limits.json",
    ];
    for exchange in files.iter().filter_map(|file| exchanges(file)).flatten() {
        let kind = match classify(&answer(exchange.status, &exchange.body)) {
            Ok(()) => "good",
            Err(Fault::Transient { .. }) => "transient",
            Err(Fault::Unauthorized { .. }) => "unauthorized",
            Err(Fault::Rejected(_)) => "rejected",
            Err(Fault::Nonsense { .. } | Fault::Exhausted { .. }) => "other",
        };
        let expected = match exchange.status {
            200..300 => "good",
            401 => "unauthorized",
            500.. => "transient",
            _ => "rejected",
        };
        assert_eq!(kind, expected, "{}", exchange.name);
    }
}

#[test]
fn messages_have_their_placeholders_filled() {
    for (status, body, expected) in [
        (
            400,
            r#"{"message":"\"%fieldName\" is required. Enter and try again.","parameters":{"fieldName":"qty"}}"#,
            "HTTP 400: \"qty\" is required. Enter and try again.",
        ),
        (400, r#"{"message":"The \"%1\" is %2","parameters":["name",3]}"#, "HTTP 400: The \"name\" is 3"),
        (404, "<html>", "HTTP 404: a page for people instead of an answer"),
        (418, "plain words\n", "HTTP 418: plain words"),
        (418, "", "HTTP 418: no message"),
        (
            418,
            r#"{"messages":{"error":[{"code":500,"message":"Server internal error."}]}}"#,
            "HTTP 418: Server internal error.",
        ),
    ] {
        assert_eq!(classify(&answer(status, body)).unwrap_err().to_string(), expected);
    }
}

#[test]
fn a_401_tells_both_of_its_meanings_and_the_resource() {
    let body = r#"{"message":"The consumer isn't authorized to access %resources.",
        "parameters":{"resources":"Magento_Catalog::products"}}"#;
    let text = classify(&answer(401, body)).unwrap_err().to_string();
    for part in ["bearer tokens of integrations are off", "lacks the resource Magento_Catalog::products"] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn a_refused_page_size_names_the_largest() {
    let body =
        |max: &str| format!(r#"{{"message":"Maximum SearchCriteria pageSize is %max","parameters":{{"max":{max}}}}}"#);
    for (status, body, expected) in [
        (400, body("300"), Some(300)),
        (400, body("\"20\""), Some(20)),
        (400, body("0"), None),
        (404, r#"{"message":"No linked stock found"}"#.to_owned(), None),
    ] {
        let fault = classify(&answer(status, &body)).unwrap_err();
        assert_eq!(stated_maximum(&fault), expected, "{body}");
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
