//! Which store's number a listing gets, among the stores in whose marketplace Amazon shows its seller SKU.
//!
//! Twice the same order decides, first inside each country and then among the winners of the account's countries:
//! stores whose website carries the product stand before those whose does not, and of these the oldest is first. A
//! store of which that is not known stands with those that carry: where it comes first nobody else may decide in its
//! place, and where it does not it could not have won.

mod roles;
#[cfg(test)]
mod tests;

use std::fmt;

pub use roles::Role;

use super::quantity::{Decision, Outcome};
use crate::model::{CommerceName, Component, CountryConflict, Source, StoreKey, StoreName};
use crate::reason::Reason;

/// A store in whose marketplace Amazon shows the seller SKU, of any account, and what it would show.
#[derive(Clone, Debug)]
pub struct Candidate<'a> {
    pub key: &'a StoreKey,
    pub commerce: &'a CommerceName,
    pub country: &'static str,
    /// The store belongs to the account of the listing.
    pub own_account: bool,
    /// Whether its website carries the product; `None` where that is not known.
    pub carries: Option<bool>,
    pub decision: Decision,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The candidate whose decision holds.
    pub winner: usize,
    /// The winner's decision, after what the other countries have to say.
    pub decision: Decision,
    /// Of every candidate, in the order given.
    pub roles: Vec<Role>,
    pub conflict: Option<Conflict>,
}

/// The countries whose stores carry the product come to different numbers; those that lead come first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    pub numbers: Vec<CountryNumber>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountryNumber {
    pub store: StoreName,
    pub country: &'static str,
    pub quantity: u32,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, CountryNumber { store, country, quantity }) in self.numbers.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{store} ({country}) {quantity}")?;
        }
        Ok(())
    }
}

/// Whether a website carries what a listing is made of: every component is assigned to it.
pub fn carries(components: &[Component]) -> Option<bool> {
    let mut all = Some(!components.is_empty());
    for component in components {
        match &component.source {
            Source::Known(reading) if reading.in_website => {}
            Source::Known(_) | Source::Missing => return Some(false),
            Source::Unknown(_) => all = None,
        }
    }
    all
}

/// Decides who decides; `None` when no candidate belongs to the listing's account.
pub fn resolve(candidates: &[Candidate<'_>], policy: CountryConflict) -> Option<Verdict> {
    let country_winners: Vec<usize> =
        candidates.iter().map(|candidate| first_in_country(candidates, candidate)).collect();
    let mut winners: Vec<usize> = (0..candidates.len())
        .filter(|&index| candidates[index].own_account)
        .map(|index| country_winners[index])
        .collect();
    winners.sort_unstable_by_key(|&index| candidates[index].rank());
    winners.dedup();
    let oldest = *winners.first()?;

    // Under `oldest` only the one that decides needs a number, else all do that may carry the product.
    let needed = if policy == CountryConflict::Oldest { &winners[..1] } else { &winners[..] };
    let missing = needed.iter().copied().find(|&index| candidates[index].may_carry() && candidates[index].withholds());
    let (winner, conflict) = if let Some(missing) = missing {
        (missing, None)
    } else {
        let lowest = (policy == CountryConflict::Lowest).then(|| lowest(candidates, &winners)).flatten();
        (lowest.unwrap_or(oldest), Conflict::between(candidates, &winners))
    };
    let decision = candidates[winner].verdict(conflict.as_ref(), policy);
    let roles = roles::roles(candidates, &country_winners, &winners, winner);
    Some(Verdict { winner, decision, roles, conflict })
}

fn first_in_country(candidates: &[Candidate<'_>], of: &Candidate<'_>) -> usize {
    let same = |candidate: &Candidate<'_>| candidate.country == of.country && candidate.commerce == of.commerce;
    let group = candidates.iter().enumerate().filter(|(_, candidate)| same(candidate));
    group.min_by_key(|(_, candidate)| candidate.rank()).map_or(0, |(index, _)| index)
}

/// The winner with the smallest number, of those that carry the product; the oldest of equal ones.
fn lowest(candidates: &[Candidate<'_>], winners: &[usize]) -> Option<usize> {
    let carrying = winners.iter().copied().filter(|&index| candidates[index].carries == Some(true));
    carrying.min_by_key(|&index| candidates[index].decision.outcome.quantity())
}

impl Candidate<'_> {
    fn rank(&self) -> (bool, &StoreKey) {
        (!self.may_carry(), self.key)
    }

    fn may_carry(&self) -> bool {
        self.carries != Some(false)
    }

    fn withholds(&self) -> bool {
        self.carries.is_none() || self.decision.outcome.quantity().is_none()
    }

    fn verdict(&self, conflict: Option<&Conflict>, policy: CountryConflict) -> Decision {
        let mut decision = self.decision.clone();
        if self.carries.is_none() && decision.outcome.quantity().is_some() {
            let detail = format!("whether the website of {} carries the product is not known", self.key.name);
            return Decision { steps: decision.steps, ..Decision::withheld(Reason::SourceUnknown, detail) };
        }
        if let Some(conflict) = conflict {
            decision.reasons.push(Reason::CountryConflict);
            if policy == CountryConflict::Withhold {
                decision.outcome = Outcome::Withheld(Reason::CountryConflict);
                decision.detail = Some(conflict.to_string());
            }
        }
        decision
    }
}

impl Conflict {
    fn between(candidates: &[Candidate<'_>], winners: &[usize]) -> Option<Self> {
        let carrying =
            || winners.iter().map(|&index| &candidates[index]).filter(|candidate| candidate.carries == Some(true));
        let mut quantities = carrying().filter_map(|candidate| candidate.decision.outcome.quantity());
        let first = quantities.next()?;
        if quantities.all(|quantity| quantity == first) {
            return None;
        }
        let numbers = carrying().filter_map(|candidate| {
            let quantity = candidate.decision.outcome.quantity()?;
            Some(CountryNumber { store: candidate.key.name.clone(), country: candidate.country, quantity })
        });
        Some(Self { numbers: numbers.collect() })
    }
}
