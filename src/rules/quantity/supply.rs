//! Steps 1 to 9 for one component: how many listing units it can give.

use std::fmt;

use super::trace::Trace;
use crate::model::{
    BackorderPolicy, Backorders, Component, Decimal, MissingProduct, ProductType, Reading, RuleSettings, Source, Stock,
};
use crate::reason::Reason;

/// What one component can give. The order is the rule of kits, the least component decides: what ends the rule comes
/// first, the earlier step before the later (reasons are declared in that order), and what does not limit comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Supply {
    Ended {
        reason: Reason,
        withheld: bool,
    },
    Finite {
        quantity: i64,
        backorders: Option<Reason>,
    },
    /// No finite number exists; the shelf alone would give this many.
    Infinite {
        shelf: i64,
    },
    Unmanaged,
}

impl Supply {
    /// The number so far, where there is one.
    pub(super) const fn quantity(self) -> Option<i64> {
        match self {
            Self::Finite { quantity, .. } | Self::Infinite { shelf: quantity } => Some(quantity),
            Self::Ended { withheld: false, .. } => Some(0),
            Self::Ended { withheld: true, .. } | Self::Unmanaged => None,
        }
    }

    /// The codes of the steps that led here, the first eight.
    pub(super) const fn reasons(self) -> (Reason, Option<Reason>) {
        match self {
            Self::Ended { reason, .. } => (reason, None),
            Self::Finite { backorders, .. } => (Reason::SalableQuantity, backorders),
            Self::Infinite { .. } => (Reason::SalableQuantity, Some(Reason::BackordersInfinite)),
            Self::Unmanaged => (Reason::StockNotManaged, None),
        }
    }
}

pub(super) fn supply(component: &Component, settings: &RuleSettings, trace: &mut impl Trace) -> Supply {
    let (step, reason, withheld) = match &component.source {
        Source::Unknown(_) => (1, Reason::SourceUnknown, true),
        Source::Missing => (2, Reason::ProductMissing, settings.on_missing_product == MissingProduct::Keep),
        Source::Known(Reading { product_type: ProductType::Composite(_), .. }) => (3, Reason::CompositeProduct, true),
        Source::Known(Reading { enabled: false, .. }) => (4, Reason::ProductDisabled, false),
        Source::Known(Reading { in_website: false, .. }) => (4, Reason::NotInWebsite, false),
        Source::Known(Reading { managed: false, .. }) => {
            trace.note(5, None, format_args!("stock is not managed: it does not limit"));
            return Supply::Unmanaged;
        }
        Source::Known(Reading { stock: Stock::NoSource, .. }) => (4, Reason::NotInStock, false),
        Source::Known(Reading { stock: Stock::Level { is_salable: false, .. }, .. }) => (6, Reason::NotSalable, false),
        Source::Known(reading @ Reading { stock: Stock::Level { salable, .. }, .. }) => {
            return managed(component, reading, *salable, settings, trace);
        }
    };
    let supply = Supply::Ended { reason, withheld };
    let consequence = if withheld { "Amazon keeps what it has" } else { "nothing to sell" };
    trace.note(step, supply.quantity(), format_args!("{}: {consequence}", Ending(reason, component)));
    supply
}

/// Steps 7 to 9: a stock that can be sold.
fn managed(
    component: &Component,
    reading: &Reading,
    salable: Decimal,
    settings: &RuleSettings,
    trace: &mut impl Trace,
) -> Supply {
    let base = salable.max(Decimal::ZERO).floor();
    trace.note(7, Some(base), format_args!("salable quantity {salable}: rounded down, at least 0, it is {base}"));
    // With backorders on, Commerce ignores a positive threshold of its own, and 0 allows any number of backorders.
    let allowance = reading.min_qty.min(Decimal::ZERO);
    let shelf = salable.saturating_add(allowance).max(Decimal::ZERO).floor();
    let supply = match (reading.backorders, settings.backorders) {
        (Backorders::Off, _) => Supply::Finite { quantity: base, backorders: None },
        (Backorders::On, BackorderPolicy::Exclude) => {
            let text = format_args!("backorders excluded: {shelf} without the allowance of {allowance}");
            trace.note(8, Some(shelf), text);
            Supply::Finite { quantity: shelf, backorders: Some(Reason::BackordersExcluded) }
        }
        (Backorders::On, BackorderPolicy::Include) if allowance.is_negative() => {
            let text = format_args!("backorders included: the salable quantity contains the allowance of {allowance}");
            trace.note(8, Some(base), text);
            Supply::Finite { quantity: base, backorders: Some(Reason::BackordersIncluded) }
        }
        (Backorders::On, BackorderPolicy::Include) => {
            trace.note(8, Some(shelf), format_args!("infinite backorders: {shelf} on the shelf do not limit"));
            Supply::Infinite { shelf }
        }
    };
    divided(supply, component, trace)
}

fn divided(supply: Supply, component: &Component, trace: &mut impl Trace) -> Supply {
    let units = i64::from(component.units.get());
    let divided = match supply {
        Supply::Finite { quantity, backorders } => Supply::Finite { quantity: quantity / units, backorders },
        Supply::Infinite { shelf } => Supply::Infinite { shelf: shelf / units },
        Supply::Ended { .. } | Supply::Unmanaged => supply,
    };
    if let (Some(before), Some(after)) = (supply.quantity(), divided.quantity())
        && units > 1
    {
        let text = format_args!("a listing unit takes {units}: {before} make {after}");
        trace.note(9, Some(after), text);
    }
    divided
}

/// Why a component ends the rule, in words.
pub(super) struct Ending<'a>(pub(super) Reason, pub(super) &'a Component);

impl fmt::Display for Ending<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(reason, component) = self;
        match (&component.source, reason) {
            (Source::Unknown(why), _) => write!(f, "no complete answer from Commerce: {why}"),
            (Source::Missing, _) => f.write_str("Commerce has no product with exactly this SKU"),
            (Source::Known(reading), Reason::CompositeProduct) => {
                write!(f, "a {} product has no stock of its own", reading.product_type.as_str())
            }
            (_, Reason::ProductDisabled) => f.write_str("the product is disabled"),
            (_, Reason::NotInWebsite) => f.write_str("the product is not assigned to the store's website"),
            (_, Reason::NotInStock) => f.write_str("no source of the product belongs to the website's stock"),
            (Source::Known(Reading { stock: Stock::Level { salable, .. }, .. }), Reason::NotSalable) => {
                write!(f, "Commerce says that it is not salable, whatever its quantity {salable} says")
            }
            (_, other) => f.write_str(other.code()),
        }
    }
}
