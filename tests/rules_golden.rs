//! The shared vectors of the quantity rules, where they are at hand.

#![expect(clippy::unwrap_used, reason = "a broken vector should panic")]

use std::num::NonZeroU32;
use std::path::Path;

use serde::Deserialize;
use serde_json::value::RawValue;
use stocksync::model::{
    BackorderPolicy, Backorders, Component, Decimal, MaximumMode, ProductType, Reading, RuleSettings, Source, Stock,
};
use stocksync::rules::quantity::{Outcome, decide, explain};

#[derive(Deserialize)]
struct Golden {
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    components: Vec<RawComponent>,
    settings: RawSettings,
    quantity: Option<u32>,
    reason: String,
}

#[derive(Deserialize)]
struct RawComponent {
    reading: RawReading,
    units: NonZeroU32,
}

/// Numbers stay text until `Decimal` reads them.
#[derive(Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "the shape of the file")]
struct RawReading {
    r#type: String,
    enabled: bool,
    in_website: bool,
    manage_stock: bool,
    is_salable: bool,
    backorders: u8,
    min_qty: Box<RawValue>,
    salable_qty: Box<RawValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSettings {
    out_of_stock_threshold: Option<i64>,
    maximum_listed_quantity: Option<i64>,
    maximum_mode: Option<String>,
    unmanaged_stock_quantity: Option<i64>,
    backorders: Option<String>,
    allocation_percent: Option<i64>,
    safety_buffer: Option<i64>,
}

fn component(index: usize, raw: &RawComponent) -> Component {
    let RawComponent { reading, units } = raw;
    let decimal = |text: &RawValue| Decimal::parse(text.get()).unwrap();
    Component {
        sku: format!("component-{index}").into(),
        units: *units,
        source: Source::Known(Reading {
            product_type: ProductType::parse(&reading.r#type),
            enabled: reading.enabled,
            in_website: reading.in_website,
            managed: reading.manage_stock,
            backorders: if reading.backorders == 0 { Backorders::Off } else { Backorders::On },
            min_qty: decimal(&reading.min_qty),
            stock: Stock::Level { salable: decimal(&reading.salable_qty), is_salable: reading.is_salable },
        }),
    }
}

fn settings(raw: &RawSettings) -> RuleSettings {
    let default = RuleSettings::default();
    RuleSettings {
        out_of_stock_threshold: raw.out_of_stock_threshold.unwrap_or(default.out_of_stock_threshold),
        maximum_listed_quantity: raw.maximum_listed_quantity.unwrap_or(default.maximum_listed_quantity),
        maximum_mode: match raw.maximum_mode.as_deref() {
            None | Some("cap") => MaximumMode::Cap,
            Some("fixed") => MaximumMode::Fixed,
            Some(other) => panic!("maximum_mode {other}"),
        },
        unmanaged_stock_quantity: raw.unmanaged_stock_quantity.unwrap_or(default.unmanaged_stock_quantity),
        backorders: match raw.backorders.as_deref() {
            None | Some("include") => BackorderPolicy::Include,
            Some("exclude") => BackorderPolicy::Exclude,
            Some(other) => panic!("backorders {other}"),
        },
        allocation_percent: raw.allocation_percent.unwrap_or(default.allocation_percent),
        safety_buffer: raw.safety_buffer.unwrap_or(default.safety_buffer),
        on_missing_product: default.on_missing_product,
    }
}

#[test]
fn the_shared_vectors_hold() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/rules-golden.json");
    let Ok(text) = std::fs::read_to_string(&file) else {
        eprintln!("skipped: ../shared/data is absent");
        return;
    };
    let golden: Golden = serde_json::from_str(&text).unwrap();
    assert!(golden.vectors.len() >= 49, "only {} vectors", golden.vectors.len());
    for vector in &golden.vectors {
        let components: Vec<Component> =
            vector.components.iter().enumerate().map(|(index, raw)| component(index, raw)).collect();
        let settings = settings(&vector.settings);
        let decision = decide(&components, &settings);
        let name = &vector.name;
        match decision.outcome {
            Outcome::Quantity(quantity) => assert_eq!(Some(quantity), vector.quantity, "{name}: {decision:?}"),
            Outcome::Withheld(_) => assert_eq!(None, vector.quantity, "{name}: {decision:?}"),
        }
        let reason = decision.base_reason().map(stocksync::reason::Reason::code);
        assert_eq!(reason, Some(vector.reason.as_str()), "{name}: {decision:?}");
        assert_eq!(explain(&components, &settings).reasons, decision.reasons, "{name}");
    }
}
