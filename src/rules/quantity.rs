//! From what Commerce said and a store's settings to one number, or to the reason for sending none.
//!
//! A kit is the minimum over its components: `supply` orders what a component can give, and everything after that
//! works on the scarcest one. So a kit ends at the earliest step at which any of its components ends: one unknown
//! component withholds it even where another is certainly sold out.

mod decision;
mod manual;
mod supply;
mod trace;

#[cfg(test)]
mod tests;

pub use decision::{Decision, Limit, Outcome, Step};
pub use manual::{Manual, with_manual};

use crate::model::{Component, MaximumMode, RuleSettings};
use crate::reason::Reason;
use supply::{Ending, Supply, supply};
use trace::{Silent, Told, Trace};

/// Decides, and spends nothing on telling how.
pub fn decide(components: &[Component], settings: &RuleSettings) -> Decision {
    apply(components, settings, &mut Silent)
}

/// Decides the same, and tells every step on the way.
pub fn explain(components: &[Component], settings: &RuleSettings) -> Decision {
    let mut told = Told::default();
    let decision = apply(components, settings, &mut told);
    Decision { steps: told.into_steps(), ..decision }
}

fn apply<T: Trace>(components: &[Component], settings: &RuleSettings, trace: &mut T) -> Decision {
    let kit = components.len() > 1;
    let scarcest = components
        .iter()
        .map(|component| {
            trace.about(kit.then_some(&component.sku));
            (supply(component, settings, trace), component)
        })
        .min_by(|(a, x), (b, y)| a.cmp(b).then_with(|| x.sku.cmp(&y.sku)));
    trace.about(None);
    let Some((supply, component)) = scarcest else {
        return Decision::withheld(Reason::NotMapped, "the listing is made of no product".to_owned());
    };
    if kit {
        trace.note(9, supply.quantity(), format_args!("kit of {}: {} decides", components.len(), component.sku));
    }
    if let Supply::Ended { reason, withheld: true } = supply {
        return Decision::withheld(reason, format!("{}: {}", component.sku, Ending(reason, component)));
    }
    let shape = match supply {
        _ if kit => Some(Reason::Kit),
        Supply::Finite { .. } | Supply::Infinite { .. } if component.units.get() > 1 => Some(Reason::Pack),
        _ => None,
    };
    Running::start(supply, shape, trace).finish(supply, settings)
}

/// The number on its way through steps 9 to 12, with the reasons that it met.
struct Running<'a, T> {
    quantity: i64,
    reasons: Vec<Reason>,
    limited_by: Limit,
    trace: &'a mut T,
}

impl<'a, T: Trace> Running<'a, T> {
    fn start(supply: Supply, shape: Option<Reason>, trace: &'a mut T) -> Self {
        let (base, backorders) = supply.reasons();
        let mut reasons = Vec::with_capacity(4);
        reasons.push(base);
        reasons.extend(backorders);
        reasons.extend(shape);
        Self { quantity: supply.quantity().unwrap_or(0), reasons, limited_by: Limit::Stock, trace }
    }

    fn finish(mut self, supply: Supply, settings: &RuleSettings) -> Decision {
        match supply {
            Supply::Ended { .. } => return self.decision(),
            Supply::Finite { .. } => self.keep_back(settings),
            Supply::Infinite { .. } => {
                self.keep_back(settings);
                self.prefer_stand_in(settings);
            }
            Supply::Unmanaged => self.stand_in(5, settings),
        }
        self.threshold(settings);
        self.maximum(settings);
        self.decision()
    }

    /// Step 10: what stays off Amazon.
    fn keep_back(&mut self, settings: &RuleSettings) {
        let percent = settings.allocation_percent;
        if percent < 100 {
            // A stock has at most 15 digits (`Decimal`), so that this cannot overflow.
            let allocated = self.quantity * percent / 100;
            self.become_because(10, Reason::Allocated, allocated, format_args!("allocation {percent} %"));
        }
        let buffer = settings.safety_buffer;
        if buffer > 0 {
            let left = (self.quantity - buffer).max(0);
            self.become_because(10, Reason::Buffered, left, format_args!("safety buffer {buffer}"));
        }
    }

    /// Step 8, its end: with infinite backorders the shelf counts only where it gives more than the stand-in.
    fn prefer_stand_in(&mut self, settings: &RuleSettings) {
        let (on_hand, least) = (self.quantity, settings.unmanaged_stock_quantity);
        if on_hand > least {
            let text = format_args!("infinite backorders: {on_hand} is more than `unmanaged_stock_quantity` {least}");
            self.trace.note(8, Some(on_hand), text);
        } else {
            self.reasons.retain(|reason| !matches!(reason, Reason::Pack | Reason::Allocated | Reason::Buffered));
            self.stand_in(8, settings);
        }
    }

    /// Steps 5 and 8 where nothing limits: the number that the settings give.
    fn stand_in(&mut self, step: u8, settings: &RuleSettings) {
        self.quantity = settings.unmanaged_stock_quantity;
        self.limited_by = Limit::StandIn;
        let text = format_args!("nothing limits it: `unmanaged_stock_quantity` stands in");
        self.trace.note(step, Some(self.quantity), text);
    }

    /// Step 11: strictly below the threshold nothing is for sale.
    fn threshold(&mut self, settings: &RuleSettings) {
        let (quantity, threshold) = (self.quantity, settings.out_of_stock_threshold);
        if quantity < threshold {
            self.become_because(11, Reason::BelowThreshold, 0, format_args!("below the threshold {threshold}"));
        } else {
            self.trace.note(11, Some(quantity), format_args!("threshold {threshold}: {quantity} is not below it"));
        }
    }

    /// Step 12.
    fn maximum(&mut self, settings: &RuleSettings) {
        let (quantity, maximum) = (self.quantity, settings.maximum_listed_quantity);
        match settings.maximum_mode {
            MaximumMode::Fixed if quantity > 0 => {
                self.limited_by = Limit::Maximum;
                self.become_because(12, Reason::Fixed, maximum, format_args!("maximum {maximum} (fixed)"));
            }
            MaximumMode::Cap if quantity > maximum => {
                self.limited_by = Limit::Maximum;
                self.become_because(12, Reason::Capped, maximum, format_args!("maximum {maximum} (cap)"));
            }
            MaximumMode::Fixed => {
                let text = format_args!("maximum {maximum} (fixed): there is nothing to sell");
                self.trace.note(12, Some(quantity), text);
            }
            MaximumMode::Cap => {
                let text = format_args!("maximum {maximum} (cap): {quantity} is not above it");
                self.trace.note(12, Some(quantity), text);
            }
        }
    }

    /// A step gives its reason only where it changed the number.
    fn become_because(&mut self, step: u8, reason: Reason, quantity: i64, what: std::fmt::Arguments<'_>) {
        let before = std::mem::replace(&mut self.quantity, quantity);
        if before == quantity {
            self.trace.note(step, Some(quantity), format_args!("{what}: {quantity} stays"));
        } else {
            self.reasons.push(reason);
            self.trace.note(step, Some(quantity), format_args!("{what}: {before} becomes {quantity}"));
        }
    }

    fn decision(self) -> Decision {
        // The maximum is at most a million; were it not, 0 would be the number that cannot oversell.
        let quantity = u32::try_from(self.quantity).unwrap_or(0);
        let Self { reasons, limited_by, .. } = self;
        Decision { outcome: Outcome::Quantity(quantity), reasons, detail: None, limited_by, steps: Vec::new() }
    }
}
