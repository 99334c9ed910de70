use std::num::NonZeroU32;

use super::{Decision, Limit, Manual, Outcome, decide, explain, with_manual};
use crate::model::{Backorders, Component, Decimal, MaximumMode, ProductType, Reading, RuleSettings, Source, Stock};
use crate::reason::Reason;

fn component(sku: &str, salable: i32, units: u32, change: impl FnOnce(&mut Reading)) -> Component {
    let mut reading = Reading {
        product_type: ProductType::parse("simple"),
        enabled: true,
        in_website: true,
        managed: true,
        backorders: Backorders::Off,
        min_qty: Decimal::ZERO,
        stock: Stock::Level { salable: Decimal::from_whole(salable), is_salable: true },
    };
    change(&mut reading);
    Component { sku: sku.into(), units: NonZeroU32::new(units).unwrap(), source: Source::Known(reading) }
}

fn unmanaged(reading: &mut Reading) {
    reading.managed = false;
}

fn infinite(reading: &mut Reading) {
    reading.backorders = Backorders::On;
}

fn told(components: &[Component], settings: &RuleSettings) -> String {
    let line = |step: super::Step| {
        let value = step.value.map_or_else(|| "-".to_owned(), |value| value.to_string());
        format!("{:>2} {:>5}  {}", step.number, value, step.text)
    };
    explain(components, settings).steps.into_iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_support_person_can_answer_from_the_steps() {
    let settings = RuleSettings {
        allocation_percent: 90,
        safety_buffer: 2,
        out_of_stock_threshold: 10,
        maximum_listed_quantity: 10,
        ..RuleSettings::default()
    };
    assert_eq!(
        told(&[component("A", 80, 1, |_| ())], &settings),
        " 7    80  salable quantity 80: rounded down, at least 0, it is 80\n\
         10    72  allocation 90 %: 80 becomes 72\n\
         10    70  safety buffer 2: 72 becomes 70\n\
         11    70  threshold 10: 70 is not below it\n\
         12    10  maximum 10 (cap): 70 becomes 10"
    );
}

#[test]
fn infinite_backorders_tell_what_the_shelf_would_give() {
    assert_eq!(
        told(&[component("A", 7, 2, infinite)], &RuleSettings::default()),
        " 7     7  salable quantity 7: rounded down, at least 0, it is 7\n \
         8     7  infinite backorders: 7 on the shelf do not limit\n \
         9     3  a listing unit takes 2: 7 make 3\n \
         8   100  nothing limits it: `unmanaged_stock_quantity` stands in\n\
         11   100  threshold 0: 100 is not below it\n\
         12   100  maximum 10000 (cap): 100 is not above it"
    );
}

#[test]
fn a_step_that_ends_the_rule_is_the_last_one_told() {
    let settings = RuleSettings { out_of_stock_threshold: 5, ..RuleSettings::default() };
    let disabled = component("A", 80, 1, |reading| reading.enabled = false);
    let missing = Component { source: Source::Missing, ..disabled.clone() };
    assert_eq!(told(&[disabled], &settings), " 4     0  the product is disabled: nothing to sell");
    assert_eq!(
        told(&[missing], &settings),
        " 2     -  Commerce has no product with exactly this SKU: Amazon keeps what it has"
    );
}

#[test]
fn a_kit_tells_of_each_component_and_which_one_decides() {
    let kit = [component("A", 80, 1, unmanaged), component("B", 9, 2, |_| ()), component("C", 40, 1, infinite)];
    assert_eq!(
        told(&kit, &RuleSettings { out_of_stock_threshold: 5, ..RuleSettings::default() }),
        " 5     -  A: stock is not managed: it does not limit\n \
         7     9  B: salable quantity 9: rounded down, at least 0, it is 9\n \
         9     4  B: a listing unit takes 2: 9 make 4\n \
         7    40  C: salable quantity 40: rounded down, at least 0, it is 40\n \
         8    40  C: infinite backorders: 40 on the shelf do not limit\n \
         9     4  kit of 3: B decides\n\
         11     0  below the threshold 5: 4 becomes 0\n\
         12     0  maximum 10000 (cap): 0 is not above it"
    );
}

#[test]
fn a_withheld_kit_names_the_component_whatever_its_order() {
    let unknown =
        |sku: &str| Component { source: Source::Unknown("HTTP 503".to_owned()), ..component(sku, 0, 1, |_| ()) };
    for kit in [[unknown("A"), unknown("B")], [unknown("B"), unknown("A")]] {
        let decision = decide(&kit, &RuleSettings::default());
        let expected =
            Decision::withheld(Reason::SourceUnknown, "A: no complete answer from Commerce: HTTP 503".to_owned());
        assert_eq!(decision, expected);
    }
}

#[test]
fn a_listing_of_nothing_is_withheld() {
    assert_eq!(decide(&[], &RuleSettings::default()).outcome, Outcome::Withheld(Reason::NotMapped));
}

#[test]
fn only_constants_of_the_settings_are_static() {
    let default = RuleSettings::default();
    let cap = |maximum| RuleSettings { maximum_listed_quantity: maximum, ..RuleSettings::default() };
    let fixed = |maximum| RuleSettings { maximum_mode: MaximumMode::Fixed, ..cap(maximum) };
    for (what, part, settings, expected) in [
        ("stock", component("A", 80, 1, |_| ()), &default, false),
        ("sold out", component("A", 0, 1, |_| ()), &default, false),
        ("not managed", component("A", 80, 1, unmanaged), &default, true),
        (
            "not managed, below the threshold",
            component("A", 80, 1, unmanaged),
            &RuleSettings { out_of_stock_threshold: 101, ..RuleSettings::default() },
            false,
        ),
        ("capped", component("A", 80, 1, |_| ()), &cap(10), true),
        ("exactly the cap: the next sale shows", component("A", 10, 1, |_| ()), &cap(10), false),
        ("fixed", component("A", 80, 1, |_| ()), &fixed(10), true),
        ("exactly the fixed number", component("A", 10, 1, |_| ()), &fixed(10), true),
        ("fixed, sold out", component("A", 0, 1, |_| ()), &fixed(10), false),
        ("infinite, the stand-in", component("A", 3, 1, infinite), &default, true),
        ("infinite, the stand-in on a tie", component("A", 100, 1, infinite), &default, true),
        ("infinite, the shelf", component("A", 101, 1, infinite), &default, false),
    ] {
        assert_eq!(decide(&[part], settings).is_static(), expected, "{what}");
    }
}

#[test]
fn a_hold_keeps_what_amazon_has_and_an_override_is_the_number_itself() {
    let stock = decide(&[component("A", 80, 1, |_| ())], &RuleSettings::default());
    let unknown = Decision::withheld(Reason::SourceUnknown, "no answer".to_owned());
    let composite = Decision::withheld(Reason::CompositeProduct, "a bundle".to_owned());
    for (decision, manual, outcome, last_reason, is_static) in [
        (&stock, Manual::None, Outcome::Quantity(80), Reason::SalableQuantity, false),
        (&stock, Manual::Held, Outcome::Withheld(Reason::Held), Reason::Held, false),
        (&stock, Manual::Override(7), Outcome::Quantity(7), Reason::Overridden, true),
        (&stock, Manual::Override(0), Outcome::Quantity(0), Reason::Overridden, false),
        (&unknown, Manual::Held, Outcome::Withheld(Reason::Held), Reason::Held, false),
        (&unknown, Manual::Override(7), Outcome::Quantity(7), Reason::Overridden, true),
        (&composite, Manual::Override(7), Outcome::Withheld(Reason::CompositeProduct), Reason::CompositeProduct, false),
    ] {
        let manually = with_manual(decision.clone(), manual);
        assert_eq!(manually.outcome, outcome, "{decision:?} {manual:?}");
        assert_eq!(manually.reasons.last(), Some(&last_reason), "{decision:?} {manual:?}");
        assert_eq!(manually.is_static(), is_static, "{decision:?} {manual:?}");
        assert_eq!(manually.reasons[0], decision.reasons[0], "what the rules said is kept");
        assert_eq!(manually.steps.len(), usize::from(manual != Manual::None), "{manual:?} is told");
    }
    assert_eq!(with_manual(stock, Manual::Override(7)).limited_by, Limit::Override);
}

#[test]
fn no_stock_overflows() {
    let settings =
        RuleSettings { maximum_listed_quantity: 1_000_000, safety_buffer: 1_000_000, ..RuleSettings::default() };
    for (scaled, expected) in [(i64::MAX, 1_000_000), (i64::MIN, 0)] {
        let part = component("A", 0, 1, |reading| {
            reading.backorders = Backorders::On;
            reading.min_qty = Decimal::from_ten_thousandths(i64::MIN);
            reading.stock = Stock::Level { salable: Decimal::from_ten_thousandths(scaled), is_salable: true };
        });
        let settings = RuleSettings { allocation_percent: 99, ..settings.clone() };
        assert_eq!(decide(&[part], &settings).outcome, Outcome::Quantity(expected));
    }
}
