//! What the quantity rules hold for every reading and every setting, and the mapping reader for every text.

#![expect(clippy::unwrap_used, reason = "a broken property should panic")]

use std::num::NonZeroU32;

use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use stocksync::model::{
    BackorderPolicy, Backorders, Component, Decimal, MaximumMode, MissingProduct, ProductType, Reading, RuleSettings,
    SellerSku, Source, Stock,
};
use stocksync::reason::Reason;
use stocksync::rules::mapping::MappingTable;
use stocksync::rules::precedence::carries;
use stocksync::rules::quantity::{Decision, Outcome, decide, explain};

fn config() -> ProptestConfig {
    let persistence = FileFailurePersistence::WithSource("regressions");
    ProptestConfig { cases: 512, failure_persistence: Some(Box::new(persistence)), ..ProptestConfig::default() }
}

fn decimal() -> impl Strategy<Value = Decimal> {
    // Mostly around the settings' numbers, with fractions; now and then as far as the column goes.
    prop_oneof![
        8 => (-20_000_i64..400_000).prop_map(|value| Decimal::from_ten_thousandths(value * 10)),
        1 => (-999_999_999_999_i64..=999_999_999_999).prop_map(Decimal::from_ten_thousandths),
    ]
}

fn stock() -> impl Strategy<Value = Stock> {
    let level = |(salable, is_salable)| Stock::Level { salable, is_salable };
    prop_oneof![
        9 => (decimal(), prop::bool::weighted(0.9)).prop_map(level),
        1 => Just(Stock::NoSource),
    ]
}

fn reading() -> impl Strategy<Value = Reading> {
    (
        prop_oneof![9 => Just("simple"), 1 => Just("bundle")],
        prop::bool::weighted(0.95),
        prop::bool::weighted(0.95),
        prop::bool::weighted(0.8),
        any::<bool>(),
        prop_oneof![Just(Decimal::ZERO), decimal().prop_map(|d| Decimal::from_ten_thousandths(-d.ten_thousandths()))],
        stock(),
    )
        .prop_map(|(kind, enabled, in_website, managed, backorders, min_qty, stock)| Reading {
            product_type: ProductType::parse(kind),
            enabled,
            in_website,
            managed,
            backorders: if backorders { Backorders::On } else { Backorders::Off },
            min_qty,
            stock,
        })
}

fn source() -> impl Strategy<Value = Source> {
    prop_oneof![
        16 => reading().prop_map(Source::Known),
        1 => Just(Source::Missing),
        1 => Just(Source::Unknown("no answer".to_owned())),
    ]
}

fn components() -> impl Strategy<Value = Vec<Component>> {
    prop::collection::vec((source(), 1..5_u32), 1..4).prop_map(|parts| {
        let component = |(index, (source, units)): (usize, (Source, u32))| Component {
            sku: format!("part-{index}").into(),
            units: NonZeroU32::new(units).unwrap(),
            source,
        };
        parts.into_iter().enumerate().map(component).collect()
    })
}

fn settings() -> impl Strategy<Value = RuleSettings> {
    (
        prop_oneof![Just(0_i64), 0..30_i64, 0..=1_000_000_i64],
        prop_oneof![1..60_i64, 1..=1_000_000_i64],
        prop_oneof![1..60_i64, 1..=1_000_000_i64],
        prop_oneof![Just(100_i64), 1..=100_i64],
        prop_oneof![Just(0_i64), 0..20_i64, 0..=1_000_000_i64],
        any::<[bool; 3]>(),
    )
        .prop_map(|(threshold, maximum, stand_in, percent, buffer, [fixed, exclude, zero])| RuleSettings {
            out_of_stock_threshold: threshold,
            maximum_listed_quantity: maximum,
            maximum_mode: if fixed { MaximumMode::Fixed } else { MaximumMode::Cap },
            unmanaged_stock_quantity: stand_in,
            backorders: if exclude { BackorderPolicy::Exclude } else { BackorderPolicy::Include },
            allocation_percent: percent,
            safety_buffer: buffer,
            on_missing_product: if zero { MissingProduct::Zero } else { MissingProduct::Keep },
        })
}

fn quantity(components: &[Component], settings: &RuleSettings) -> Option<u32> {
    decide(components, settings).outcome.quantity()
}

fn plain(salable: i64) -> Vec<Component> {
    let source = Source::Known(Reading {
        product_type: ProductType::parse("simple"),
        enabled: true,
        in_website: true,
        managed: true,
        backorders: Backorders::Off,
        min_qty: Decimal::ZERO,
        stock: Stock::Level { salable: Decimal::from_ten_thousandths(salable * 10_000), is_salable: true },
    });
    vec![Component { sku: "plain".into(), units: NonZeroU32::MIN, source }]
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_quantity_is_above_the_maximum(parts in components(), settings in settings()) {
        if let Some(quantity) = quantity(&parts, &settings) {
            prop_assert!(i64::from(quantity) <= settings.maximum_listed_quantity);
        }
    }

    #[test]
    fn more_stock_never_shows_less(
        mut parts in components(), settings in settings(), which in any::<prop::sample::Index>(), more in 0_i64..500_000
    ) {
        let before = quantity(&parts, &settings);
        let source = &mut which.get_mut(&mut parts).source;
        if let Source::Known(Reading { stock: Stock::Level { salable, .. }, .. }) = source {
            *salable = salable.saturating_add(Decimal::from_ten_thousandths(more));
        }
        let after = quantity(&parts, &settings);
        prop_assert_eq!(before.is_some(), after.is_some());
        prop_assert!(after >= before, "{:?} became {:?}", before, after);
    }

    #[test]
    fn the_order_of_components_means_nothing(
        (parts, shuffled) in components().prop_flat_map(|parts| (Just(parts.clone()), Just(parts).prop_shuffle())),
        settings in settings()
    ) {
        prop_assert_eq!(decide(&parts, &settings), decide(&shuffled, &settings));
    }

    #[test]
    fn explaining_changes_nothing_and_ends_at_the_number(parts in components(), settings in settings()) {
        let told = explain(&parts, &settings);
        let last = told.steps.last().unwrap().value;
        prop_assert_eq!(last, told.outcome.quantity().map(i64::from));
        prop_assert_eq!(Decision { steps: Vec::new(), ..told }, decide(&parts, &settings));
    }

    #[test]
    fn reasons_come_in_the_order_of_the_steps(parts in components(), settings in settings()) {
        let decision = decide(&parts, &settings);
        prop_assert!(decision.reasons.is_sorted_by(|a, b| a < b), "{:?}", decision.reasons);
        prop_assert!(decision.base_reason().is_some());
    }

    #[test]
    fn cap_shows_at_most_what_fixed_shows_and_less_only_where_the_stock_is_less(
        parts in components(), settings in settings()
    ) {
        let mode = |maximum_mode| RuleSettings { maximum_mode, ..settings.clone() };
        let limitless = RuleSettings { maximum_listed_quantity: 1_000_000, ..mode(MaximumMode::Cap) };
        let (cap, fixed) = (quantity(&parts, &mode(MaximumMode::Cap)), quantity(&parts, &mode(MaximumMode::Fixed)));
        prop_assert!(cap <= fixed);
        prop_assert_eq!(cap == Some(0), fixed == Some(0), "fixed lists nothing that is not there");
        if cap < fixed {
            prop_assert_eq!(cap, quantity(&parts, &limitless));
        }
    }

    #[test]
    fn the_threshold_is_exact(threshold in 1..=1_000_000_i64) {
        let settings = RuleSettings {
            out_of_stock_threshold: threshold,
            maximum_listed_quantity: 1_000_000,
            ..RuleSettings::default()
        };
        let shown = |stock: i64| quantity(&plain(stock), &settings).map(i64::from);
        prop_assert_eq!(shown(threshold - 1), Some(0));
        prop_assert_eq!(shown(threshold), Some(threshold));
        prop_assert_eq!(shown(threshold + 1), Some((threshold + 1).min(1_000_000)));
    }

    #[test]
    fn what_is_unknown_never_becomes_a_number(
        mut parts in components(), settings in settings(), which in any::<prop::sample::Index>()
    ) {
        which.get_mut(&mut parts).source = Source::Unknown("no answer".to_owned());
        prop_assert_eq!(decide(&parts, &settings).outcome, Outcome::Withheld(Reason::SourceUnknown));
    }

    #[test]
    fn a_kit_shows_no_more_than_any_component_that_limits(parts in components(), settings in settings()) {
        let Some(kit) = quantity(&parts, &settings) else { return Ok(()) };
        for part in parts {
            let alone = decide(std::slice::from_ref(&part), &settings);
            let unlimited = [Reason::StockNotManaged, Reason::BackordersInfinite];
            let limits = !alone.reasons.iter().any(|reason| unlimited.contains(reason));
            if limits && let Outcome::Quantity(alone) = alone.outcome {
                prop_assert!(kit <= alone, "{kit} of a kit, {alone} of {part:?}");
            }
        }
    }

    #[test]
    fn no_mapping_file_breaks_the_reader(text in "(\"|,|;|#|\r|\n|x|Y| |2|ü){0,40}") {
        match MappingTable::parse(&text) {
            Ok(table) => prop_assert!(table.iter().all(|(_, components)| !components.is_empty())),
            Err(errors) => prop_assert!(errors.iter().all(|error| (1..=text.lines().count()).contains(&error.line))),
        }
    }

    #[test]
    fn quoted_names_come_back_byte_for_byte(
        names in prop::collection::btree_map("[ -~ü]{1,30}X", "[ -~ü]{1,30}X", 1..6)
    ) {
        let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        let row = |(seller_sku, sku): (&String, &String)| format!("{},{},2\n", quoted(seller_sku), quoted(sku));
        let text: String = names.iter().map(row).collect();
        let table = MappingTable::parse(&text).unwrap();
        prop_assert_eq!(table.len(), names.len());
        for (seller_sku, sku) in &names {
            let components = table.components(&SellerSku::from(seller_sku.as_str())).unwrap();
            prop_assert_eq!(components, [(sku.as_str().into(), NonZeroU32::new(2).unwrap())]);
        }
    }

    #[test]
    fn a_website_carries_what_it_carries_all_of(parts in components()) {
        let each: Vec<Option<bool>> = parts.iter().map(|part| carries(std::slice::from_ref(part))).collect();
        let expected = match carries(&parts) {
            Some(true) => each.iter().all(|part| *part == Some(true)),
            Some(false) => each.contains(&Some(false)),
            None => each.contains(&None) && !each.contains(&Some(false)),
        };
        prop_assert!(expected, "{each:?}");
    }
}
