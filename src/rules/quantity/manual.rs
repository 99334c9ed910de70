//! Step 13: what a person said about the listing.

use super::{Decision, Limit, Outcome, Step};
use crate::reason::Reason;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Manual {
    #[default]
    None,
    /// Amazon keeps what it has.
    Held,
    /// This number, whatever Commerce and the settings say.
    Override(u32),
}

/// Applies a hold or an override. A person's number needs no reading, so that it also stands where the rules withhold;
/// only a composite product stays withheld, because its listing on Amazon holds no quantity either.
#[must_use]
pub fn with_manual(mut decision: Decision, manual: Manual) -> Decision {
    let text = match manual {
        Manual::None => return decision,
        Manual::Held => {
            decision.outcome = Outcome::Withheld(Reason::Held);
            decision.reasons.push(Reason::Held);
            decision.detail = None;
            "held: Amazon keeps what it has".to_owned()
        }
        Manual::Override(quantity) if decision.outcome == Outcome::Withheld(Reason::CompositeProduct) => {
            format!("override of {quantity} not used: the product has no stock of its own")
        }
        Manual::Override(quantity) => {
            decision.outcome = Outcome::Quantity(quantity);
            decision.reasons.push(Reason::Overridden);
            decision.detail = None;
            decision.limited_by = Limit::Override;
            format!("overridden: {quantity}")
        }
    };
    // Manual numbers are few: their step is told also where nobody asked for the others.
    decision.steps.push(Step { number: 13, text, value: decision.outcome.quantity().map(i64::from) });
    decision
}
