//! What the rule answers.

use crate::reason::Reason;

/// A number or the reason for none, with the way that led there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub outcome: Outcome,
    /// The codes of the steps that set, replaced or limited the number, in the order of the steps.
    pub reasons: Vec<Reason>,
    /// Of a withheld outcome: which product, and what about it.
    pub detail: Option<String>,
    pub limited_by: Limit,
    /// Empty unless [`explain`](super::explain) was asked.
    pub steps: Vec<Step>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Quantity(u32),
    /// Amazon keeps what it has.
    Withheld(Reason),
}

/// Whose number it is in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// What Commerce holds: it moves when Amazon sells.
    Stock,
    /// `unmanaged_stock_quantity`, where no finite stock exists.
    StandIn,
    /// `maximum_listed_quantity`.
    Maximum,
    /// A person's override.
    Override,
}

/// One step of the rule, told for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The number of the step in the product's rules.
    pub number: u8,
    pub text: String,
    /// The quantity after the step; none where there is no number (any more).
    pub value: Option<i64>,
}

impl Outcome {
    pub const fn quantity(self) -> Option<u32> {
        match self {
            Self::Quantity(quantity) => Some(quantity),
            Self::Withheld(_) => None,
        }
    }
}

impl Decision {
    pub fn withheld(reason: Reason, detail: String) -> Self {
        Self {
            outcome: Outcome::Withheld(reason),
            reasons: vec![reason],
            detail: Some(detail),
            limited_by: Limit::Stock,
            steps: Vec::new(),
        }
    }

    /// The reason of the step that set the number before maximum and threshold, or that ended it.
    pub fn base_reason(&self) -> Option<Reason> {
        if self.reasons.contains(&Reason::BelowThreshold) {
            return Some(Reason::BelowThreshold);
        }
        // Reasons are declared in the order of the steps; up to step 8 each sets or ends the base.
        self.reasons.iter().copied().rev().find(|reason| *reason <= Reason::BackordersExcluded)
    }

    /// Whether the number is a constant of the settings, which stays put in Commerce while Amazon sells it down.
    pub const fn is_static(&self) -> bool {
        matches!(self.outcome, Outcome::Quantity(1..)) && !matches!(self.limited_by, Limit::Stock)
    }
}
