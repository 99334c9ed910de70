//! Guards: a broken import or an emptied warehouse must not close a shop. What is dangerous of a plan is held until
//! somebody releases it; the rest flows.

use std::collections::{BTreeMap, BTreeSet};

use super::Change;
use crate::model::{GuardLimits, SellerSku, StoreName};
use crate::reason::Reason;

/// A share says nothing about a handful: in a shop with three products, one that is sold out is a third. Higher, and a
/// small shop could be emptied; lower, and its ordinary evenings would need a hand.
const FEW: usize = 10;

/// How much a store has, as far as a cycle judged it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    pub listings: u64,
    /// Believed to be listed now.
    pub units: u64,
    /// Its Commerce named fewer products than it should: what rests on an absence may be wrong.
    pub shrunken: Option<Shrunken>,
}

impl Extent {
    /// Only counts hold then, no shares.
    pub const fn forget_size(&mut self) {
        (self.listings, self.units) = (u32::MAX as u64, u32::MAX as u64 * 1000);
    }
}

/// Products now, and when it was last whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shrunken {
    pub now: u64,
    pub before: u64,
}

/// A guard that tripped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trip {
    pub store: StoreName,
    pub guard: Reason,
    /// Changes that it holds.
    pub held: u64,
    /// The numbers, for people.
    pub detail: String,
}

#[derive(Debug, Default)]
pub struct Guarded {
    /// In the order they came.
    pub passed: Vec<Change>,
    pub held: Vec<(Change, Reason)>,
    pub trips: Vec<Trip>,
}

/// What somebody has looked at and released: these quantities, and no others.
pub type Released = BTreeMap<SellerSku, u32>;

/// Divides a plan. What is released, or set by hand, neither counts nor is held.
pub fn guard(
    changes: Vec<Change>,
    extents: &BTreeMap<StoreName, Extent>,
    limits: impl Fn(&StoreName) -> GuardLimits,
    released: &Released,
) -> Guarded {
    let mut verdicts: BTreeMap<SellerSku, Reason> = BTreeMap::new();
    let mut trips = Vec::new();
    let mut by_store: BTreeMap<&StoreName, Vec<&Change>> = BTreeMap::new();
    let said = |change: &&Change| {
        released.get(&change.seller_sku) == Some(&change.to) || change.reasons.contains(&Reason::Overridden)
    };
    for change in changes.iter().filter(|change| !said(change)) {
        by_store.entry(&change.store).or_default().push(change);
    }
    for (store, changes) in by_store {
        let extent = extents.get(store).copied().unwrap_or_default();
        let mut left = changes;
        for check in [absences, zeroes, units, count] {
            let Some((guard, held, detail)) = check(&left, &extent, &limits(store)) else { continue };
            trips.push(Trip { store: store.clone(), guard, held: held.len() as u64, detail });
            verdicts.extend(held.iter().map(|seller_sku| (seller_sku.clone(), guard)));
            left.retain(|change| !held.contains(&change.seller_sku));
        }
    }
    let mut guarded = Guarded { trips, ..Guarded::default() };
    for change in changes {
        match verdicts.get(&change.seller_sku) {
            Some(guard) => guarded.held.push((change, *guard)),
            None => guarded.passed.push(change),
        }
    }
    guarded
}

type Hold = (Reason, BTreeSet<SellerSku>, String);

fn hold<'a>(guard: Reason, held: impl IntoIterator<Item = &'a &'a Change>, detail: String) -> Hold {
    (guard, held.into_iter().map(|change| change.seller_sku.clone()).collect(), detail)
}

/// Fewer products than there should be: what became zero because something was not named waits.
fn absences(changes: &[&Change], extent: &Extent, _: &GuardLimits) -> Option<Hold> {
    let Shrunken { now, before } = extent.shrunken?;
    let rests_on_absence = |change: &&&Change| {
        let absent = [Reason::ProductMissing, Reason::NotInStock];
        change.to == 0 && change.reasons.iter().any(|reason| absent.contains(reason))
    };
    let held: Vec<_> = changes.iter().filter(rests_on_absence).collect();
    if held.is_empty() {
        return None;
    }
    Some(hold(Reason::GuardSourceShrunken, held, format!("commerce named {now} products, {before} before")))
}

fn zeroes(changes: &[&Change], extent: &Extent, limits: &GuardLimits) -> Option<Hold> {
    let zeroes: Vec<_> = changes.iter().filter(|change| change.to == 0 && change.from > Some(0)).collect();
    let (count, listings) = (zeroes.len(), extent.listings);
    let share = count as u64 * 100 > u64::from(limits.max_zeroed_percent) * listings;
    let few = count < FEW && limits.max_zeroed_percent > 0;
    let tripped = count as u64 > u64::from(limits.max_zeroed_count) || share && !few;
    if !tripped {
        return None;
    }
    let GuardLimits { max_zeroed_percent: percent, max_zeroed_count: most, .. } = limits;
    let detail = format!("{count} of {listings} listings would go to 0; allowed are {percent} % and {most}");
    Some(hold(Reason::GuardZeroed, zeroes, detail))
}

fn units(changes: &[&Change], extent: &Extent, limits: &GuardLimits) -> Option<Hold> {
    let before = extent.units;
    let (lost, gained) = changes.iter().fold((0_u64, 0_u64), |(lost, gained), change| {
        let from = change.from.unwrap_or(change.to);
        (lost + u64::from(from.saturating_sub(change.to)), gained + u64::from(change.to.saturating_sub(from)))
    });
    let drops: Vec<_> = changes.iter().filter(|change| change.from > Some(change.to)).collect();
    let net = lost.saturating_sub(gained);
    if drops.len() < FEW || net * 100 <= u64::from(limits.max_units_drop_percent) * before {
        return None;
    }
    let (after, percent) = (before.saturating_sub(net), limits.max_units_drop_percent);
    let detail = format!("{before} listed units would become {after}; {percent} % may go in one cycle");
    Some(hold(Reason::GuardUnitsDrop, drops, detail))
}

/// What stops overselling goes all the same.
fn count(changes: &[&Change], _: &Extent, limits: &GuardLimits) -> Option<Hold> {
    let most = limits.max_changes?;
    if changes.len() as u64 <= u64::from(most) {
        return None;
    }
    let raises: Vec<_> = changes.iter().filter(|change| change.from <= Some(change.to)).collect();
    let detail = format!("{} changes; allowed are {most} in one cycle", changes.len());
    Some(hold(Reason::GuardChanges, raises, detail))
}

#[cfg(test)]
#[path = "guard_tests.rs"]
mod tests;
