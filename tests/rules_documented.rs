//! The quantity rules as cases in words: the documented examples by name, and `rules_documented.txt`, which has a row
//! for every rule and its edges and says how components and settings are written.

#![expect(clippy::unwrap_used, reason = "a broken case should panic")]

use std::num::NonZeroU32;

use stocksync::model::{
    BackorderPolicy, Backorders, Component, Decimal, MaximumMode, MissingProduct, ProductType, Reading, RuleSettings,
    Source, Stock,
};
use stocksync::rules::quantity::{Decision, Outcome, decide, explain};

fn component(index: usize, words: &str) -> Component {
    let mut units = NonZeroU32::MIN;
    let mut level = (Decimal::ZERO, true);
    let mut reading = Reading {
        product_type: ProductType::parse("simple"),
        enabled: true,
        in_website: true,
        managed: true,
        backorders: Backorders::Off,
        min_qty: Decimal::ZERO,
        stock: Stock::NoSource,
    };
    let mut sourceless = false;
    let mut other = None;
    for word in words.split_whitespace() {
        match word.split_once(':').unwrap_or((word, "")) {
            ("missing", _) => other = Some(Source::Missing),
            ("unknown", _) => other = Some(Source::Unknown("timed out".to_owned())),
            ("backorders", min) => {
                reading.backorders = Backorders::On;
                reading.min_qty = Decimal::parse(min).unwrap();
            }
            ("min", min) => reading.min_qty = Decimal::parse(min).unwrap(),
            ("unsalable", _) => level.1 = false,
            ("disabled", _) => reading.enabled = false,
            ("elsewhere", _) => reading.in_website = false,
            ("sourceless", _) => sourceless = true,
            ("unmanaged", _) => reading.managed = false,
            (word, _) if Decimal::parse(word).is_ok() => level.0 = Decimal::parse(word).unwrap(),
            (word, _) => match word.strip_prefix('x').and_then(|count| count.parse().ok()) {
                Some(count) => units = count,
                None => reading.product_type = ProductType::parse(word),
            },
        }
    }
    if !sourceless {
        reading.stock = Stock::Level { salable: level.0, is_salable: level.1 };
    }
    Component { sku: format!("part-{index}").into(), units, source: other.unwrap_or(Source::Known(reading)) }
}

fn components(words: &str) -> Vec<Component> {
    words.split('+').enumerate().map(|(index, words)| component(index, words)).collect()
}

fn settings(words: &str) -> RuleSettings {
    let mut settings = RuleSettings::default();
    for word in words.split_whitespace() {
        let (key, value) = word.split_once(':').unwrap_or((word, "0"));
        let value: i64 = value.parse().unwrap();
        match key {
            "threshold" => settings.out_of_stock_threshold = value,
            "cap" => settings.maximum_listed_quantity = value,
            "fixed" => {
                settings.maximum_listed_quantity = value;
                settings.maximum_mode = MaximumMode::Fixed;
            }
            "standin" => settings.unmanaged_stock_quantity = value,
            "percent" => settings.allocation_percent = value,
            "buffer" => settings.safety_buffer = value,
            "exclude" => settings.backorders = BackorderPolicy::Exclude,
            "zero-missing" => settings.on_missing_product = MissingProduct::Zero,
            other => panic!("setting {other}"),
        }
    }
    settings
}

fn decided(parts: &str, rules: &str) -> Decision {
    decide(&components(parts), &settings(rules))
}

fn quantity(parts: &str, rules: &str) -> u32 {
    decided(parts, rules).outcome.quantity().unwrap()
}

// The pages of Adobe's documentation, and what the shipped extension's own tests held.

#[test]
fn eighty_in_stock_maximum_ten_shows_ten() {
    assert_eq!(quantity("80", "cap:10"), 10);
}

#[test]
fn one_hundred_and_fifty_in_stock_may_all_be_shown() {
    assert_eq!(quantity("150", ""), 150);
}

#[test]
fn one_hundred_and_fifty_in_stock_maximum_one_looks_scarce() {
    assert_eq!(quantity("150", "cap:1"), 1);
}

#[test]
fn a_fixed_maximum_shows_itself_above_and_below_the_stock() {
    assert_eq!(quantity("80", "fixed:10"), 10);
    assert_eq!(quantity("3", "fixed:10"), 10);
}

#[test]
fn do_not_manage_stock_shows_one_hundred_by_default() {
    assert_eq!(quantity("0 unmanaged", ""), 100);
}

#[test]
fn quantity_25_threshold_minus_50_is_75() {
    // Commerce answers 75 = 25 - (-50); its threshold is in there already.
    assert_eq!(quantity("75 backorders:-50", ""), 75);
}

#[test]
fn quantity_25_threshold_minus_50_without_backorders_on_amazon_is_25() {
    assert_eq!(quantity("75 backorders:-50", "exclude"), 25);
}

#[test]
fn quantity_25_threshold_minus_50_after_75_orders_is_0() {
    assert_eq!(quantity("0 unsalable backorders:-50", ""), 0);
}

#[test]
fn threshold_zero_with_backorders_is_infinite() {
    assert_eq!(quantity("-3 backorders:0", ""), 100);
}

#[test]
fn a_positive_commerce_threshold_with_backorders_is_ignored_and_infinite() {
    assert_eq!(quantity("2 backorders:10", ""), 100);
}

#[test]
fn a_negative_commerce_threshold_without_backorders_is_ignored() {
    assert_eq!(quantity("9 min:-50", ""), 9);
}

#[test]
fn threshold_10_shows_100_of_100_and_0_of_9() {
    assert_eq!(quantity("100", "threshold:10"), 100);
    assert_eq!(quantity("9", "threshold:10"), 0);
    assert_eq!(quantity("10", "threshold:10"), 10, "equal stays listed");
}

#[test]
fn maximum_15_shows_14_of_14_and_15_of_20() {
    assert_eq!(quantity("14", "cap:15"), 14);
    assert_eq!(quantity("20", "cap:15"), 15);
}

#[test]
fn threshold_5_maximum_1_stock_10_shows_1() {
    assert_eq!(quantity("10", "threshold:5 cap:1"), 1);
}

#[test]
fn custom_200_maximum_1000_shows_200() {
    assert_eq!(quantity("0 unmanaged", "standin:200 cap:1000"), 200);
}

#[test]
fn custom_200_maximum_50_shows_50() {
    assert_eq!(quantity("0 unmanaged", "standin:200 cap:50"), 50);
}

#[test]
fn two_and_a_half_is_two() {
    assert_eq!(quantity("2.5", ""), 2);
}

#[test]
fn the_table_holds() {
    let table = include_str!("rules_documented.txt");
    for row in table.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let [name, parts, rules, expected, reasons] = row.split(';').collect::<Vec<_>>()[..] else { panic!("{row}") };
        let decision = decided(parts, rules);
        let outcome = match decision.outcome {
            Outcome::Quantity(quantity) => quantity.to_string(),
            Outcome::Withheld(reason) => {
                assert_eq!(reason.code(), reasons.trim(), "{name}");
                assert!(decision.detail.is_some(), "{name}: nothing says what is withheld");
                "keep".to_owned()
            }
        };
        let codes: Vec<&str> = decision.reasons.iter().map(|reason| reason.code()).collect();
        assert_eq!((outcome.as_str(), codes.join(" ").as_str()), (expected.trim(), reasons.trim()), "{name}");
        let told = explain(&components(parts), &settings(rules));
        assert_eq!(Decision { steps: Vec::new(), ..told.clone() }, decision, "{name}: explaining changes nothing");
        let last = told.steps.last().and_then(|step| step.value);
        assert_eq!(last, decision.outcome.quantity().map(i64::from), "{name}: {:#?}", told.steps);
    }
}
