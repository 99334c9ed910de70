//! The passes over an account's listings: each is decided, then asked about where the first answer was not enough.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::decide::{Decided, Frame};
use super::decrees::Decrees;
use super::facts::{Doubt, Facts, ReadState};
use super::sample::Unproven;
use super::{AccountCycle, CycleError, Order};
use crate::config::{Config, StoreConfig};
use crate::model::{CommerceName, Listing, SellerSku, StoreName};
use crate::plan::{self, Change, Desired, Due, Extent, Judgement, Lane, Need, Priority, Released, Withheld};
use crate::reason::Reason;
use crate::rules::quantity::Outcome;
use crate::store::Settled;

/// Absences that are confirmed in one cycle, each with a request or two of its own. More keep everything else of the plan
/// waiting; fewer make a real mass removal take more cycles. The rest keeps its quantity until the next one.
const CONFIRMED_AT_ONCE: usize = 200;

/// How far a listing has been asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// Only what was known.
    Known,
    /// Amazon was asked what it shows.
    Looked,
    /// So was Commerce again, about what it did not name.
    Confirmed,
}

pub(super) struct Pass<'a> {
    cycle: &'a AccountCycle,
    order: &'a Order,
    stores: Vec<&'a StoreConfig>,
    pub(super) reads: BTreeMap<CommerceName, ReadState>,
    decrees: Decrees,
    confirmed: BTreeSet<Doubt>,
    look: Vec<SellerSku>,
    unproven: Vec<Unproven>,
    confirm: Vec<SellerSku>,
    doubts: BTreeSet<Doubt>,
    pub(super) result: Decisions,
}

/// What the passes came to.
#[derive(Debug, Default)]
pub(super) struct Decisions {
    pub changes: Vec<Change>,
    pub withheld: Vec<Withheld>,
    pub unchanged: u64,
    pub listings: u64,
    /// Of each store, those that it decides.
    pub extents: BTreeMap<StoreName, Extent>,
    /// When the first of those that are right, and sent to, is to be looked at.
    pub look_at: Option<Timestamp>,
    /// Found to be right, and the readings they are right for.
    pub held: Vec<(SellerSku, String)>,
    /// Seen to show what is wanted, although something was not applied before.
    pub shown_right: Vec<SellerSku>,
    /// Nothing is to be sent for these, whatever waits in the outbox.
    pub settled: Vec<Settled>,
    /// What somebody released, and of that what is there by now or no longer wanted.
    pub released: Released,
    pub used_up: Vec<SellerSku>,
    /// What waited in the outbox when the cycle began.
    waiting: BTreeMap<SellerSku, Priority>,
}

impl<'a> Pass<'a> {
    pub(super) fn new(
        cycle: &'a AccountCycle,
        order: &'a Order,
        stores: Vec<&'a StoreConfig>,
        reads: BTreeMap<CommerceName, ReadState>,
        waiting: BTreeMap<SellerSku, Priority>,
        decrees: Decrees,
        released: Released,
    ) -> Self {
        Self {
            cycle,
            order,
            stores,
            reads,
            decrees,
            confirmed: BTreeSet::new(),
            look: Vec::new(),
            unproven: Vec::new(),
            confirm: Vec::new(),
            doubts: BTreeSet::new(),
            result: Decisions { released, waiting, ..Decisions::default() },
        }
    }

    pub(super) async fn judge(&mut self, listings: &[Listing], stage: Stage) -> Result<(), CycleError> {
        let facts = Facts::gather(&self.cycle.store, &self.cycle.account.name, &self.stores, listings).await?;
        let frame = Frame {
            stores: &self.stores,
            reads: &self.reads,
            on_conflict: self.cycle.account.on_country_conflict,
            confirmed: &self.confirmed,
            decrees: &self.decrees,
            narrate: false,
        };
        let now = self.cycle.clock.now();
        for listing in listings {
            let Some(decided) = frame.decide(listing, &facts) else { continue };
            // Somebody who names a listing wants it tried, whatever Amazon said last time.
            let retry_now = !self.order.skus.is_empty();
            let judgement = judgement(&self.cycle.config, listing, &decided, stage, retry_now, now);
            match judgement {
                Judgement::Look(Need::Unconfirmed(Priority::Restart | Priority::Rest))
                    if listing.belief.prior.is_some() && !self.result.waiting.contains_key(&listing.seller_sku) =>
                {
                    let (seller_sku, accepted) = (listing.seller_sku.clone(), listing.belief.accepted);
                    let store = decided.winner.name().clone();
                    self.unproven.push(Unproven { seller_sku, store, accepted });
                }
                Judgement::Look(_) => self.look.push(listing.seller_sku.clone()),
                Judgement::Change(_) if decided.rests_on_absence() && stage < Stage::Confirmed => {
                    self.doubts.extend(decided.doubts);
                    self.confirm.push(listing.seller_sku.clone());
                }
                Judgement::Change(_) if decided.live && decided.paused.is_some() => {
                    let detail = decided.paused.clone().unwrap_or_default();
                    self.result.take(listing, &decided, Judgement::Withheld(Reason::Paused, detail));
                }
                judgement => {
                    if decided.live {
                        self.result.look_by(next_at(&self.cycle.config, listing, &decided, &judgement));
                    }
                    self.result.take(listing, &decided, judgement);
                }
            }
        }
        Ok(())
    }

    /// Asks Amazon about what may have moved, then Commerce about what it did not name, and judges those again.
    pub(super) async fn ask_again(&mut self) -> Result<(), CycleError> {
        let mut look = std::mem::take(&mut self.look);
        let unproven = std::mem::take(&mut self.unproven);
        let (sample, rest) = self.cycle.sample.draw(unproven);
        // The others are taken as applied until their turn comes.
        for trusted in rest {
            self.result.count(&trusted.store, trusted.accepted.map(|accepted| accepted.quantity));
            self.result.unchanged += 1;
            self.result.look_by(Some(self.cycle.clock.now()));
        }
        look.extend(sample.into_iter().map(|one| one.seller_sku));
        self.look_and_judge(&look, Stage::Looked).await?;
        for doubt in std::mem::take(&mut self.doubts).into_iter().take(CONFIRMED_AT_ONCE) {
            if self.cycle.sources.confirm(&self.cycle.store, &doubt).await? {
                self.confirmed.insert(doubt);
            }
        }
        let confirm = std::mem::take(&mut self.confirm);
        self.look_and_judge(&confirm, Stage::Confirmed).await
    }

    async fn look_and_judge(&mut self, names: &[SellerSku], stage: Stage) -> Result<(), CycleError> {
        for names in names.chunks(super::BATCH as usize) {
            self.cycle.look(&self.cycle.named(names).await?).await?;
            let listings = self.cycle.named(names).await?;
            self.judge(&listings, stage).await?;
        }
        Ok(())
    }

    /// A seller SKU that a mapping file or a person names and Amazon has never shown.
    pub(super) fn never_shown(&mut self, store: &StoreName, seller_sku: SellerSku) {
        self.result.listings += 1;
        self.result.withheld.push(Withheld {
            account: self.cycle.account.name.clone(),
            seller_sku,
            store: store.clone(),
            reason: Reason::ListingUnknown,
            detail: "amazon shows no such listing".into(),
        });
    }
}

/// Rules and precedence say what; belief says whether it is due.
pub(super) fn judgement(
    config: &Config,
    listing: &Listing,
    decided: &Decided<'_>,
    stage: Stage,
    retry_now: bool,
    now: Timestamp,
) -> Judgement {
    let patience = super::patience(config);
    if let Some((reason, detail)) = plan::not_ours(listing) {
        let ask = stage == Stage::Known && plan::may_be_ours_again(listing, &patience, now);
        return if ask { Judgement::Look(Need::TooOld) } else { Judgement::Withheld(reason, detail) };
    }
    let decision = &decided.verdict.decision;
    let quantity = match decision.outcome {
        Outcome::Quantity(quantity) => quantity,
        Outcome::Withheld(reason) => {
            let conflict = decided.verdict.conflict.as_ref().map(ToString::to_string);
            return Judgement::Withheld(reason, decision.detail.clone().or(conflict).unwrap_or_default());
        }
    };
    if stage == Stage::Confirmed && decided.rests_on_absence() {
        let detail = "commerce did not name it, and no second request has confirmed that".to_owned();
        return Judgement::Withheld(Reason::SourceUnknown, detail);
    }
    let desired = desired(decided, quantity, retry_now);
    plan::judge(listing, desired, &patience, now, stage > Stage::Known)
}

/// When Amazon is to be asked about a listing that is right, or one is due again that waits.
fn next_at(config: &Config, listing: &Listing, decided: &Decided<'_>, judgement: &Judgement) -> Option<Timestamp> {
    let quantity = decided.verdict.decision.outcome.quantity()?;
    let desired = desired(decided, quantity, false);
    match judgement {
        Judgement::Unchanged => plan::look_at(listing, &desired, &super::patience(config)),
        Judgement::Withheld(Reason::NotApplied | Reason::Rejected, _) => {
            plan::due_again(listing, &desired, &super::patience(config))
        }
        _ => None,
    }
}

fn desired<'a>(decided: &'a Decided<'_>, quantity: u32, retry_now: bool) -> Desired<'a> {
    Desired {
        quantity,
        basis: &decided.basis,
        is_static: decided.verdict.decision.is_static(),
        allow_increase: decided.winner.allow_increase,
        retry_now,
    }
}

impl Decisions {
    fn take(&mut self, listing: &Listing, decided: &Decided<'_>, judgement: Judgement) {
        let sku = &listing.seller_sku;
        self.count(decided.winner.name(), listing.belief.believed().map(|believed| believed.quantity));
        match judgement {
            Judgement::Change(due) => {
                let change = change(listing, decided, due);
                if self.released.get(sku).is_some_and(|released| *released != change.to) {
                    self.used_up.push(sku.clone());
                }
                if !change.live {
                    self.settle(sku, None);
                }
                self.changes.push(change);
            }
            Judgement::Unchanged => {
                self.unchanged += 1;
                if self.released.contains_key(sku) && listing.belief.unconfirmed().is_none() {
                    self.used_up.push(sku.clone());
                }
                let correction = (decided.live && self.waiting.contains_key(sku)).then(|| correction(listing, decided));
                self.settle(sku, correction);
                if listing.unapplied.is_some() && listing.belief.unconfirmed().is_none() {
                    self.shown_right.push(sku.clone());
                }
                if listing.belief.basis.as_deref() != Some(&decided.basis) {
                    self.held.push((sku.clone(), decided.basis.clone()));
                }
            }
            Judgement::Withheld(reason, detail) => {
                // What is not known does not call a reduction back: it rests on the newest reading that was complete.
                let reduction = matches!(self.waiting.get(sku), Some(Priority::Zero | Priority::Drop));
                if reason != Reason::SourceUnknown || !reduction || !decided.live || decided.paused.is_some() {
                    self.settle(sku, None);
                }
                self.withheld.push(Withheld {
                    account: listing.account.clone(),
                    seller_sku: sku.clone(),
                    store: decided.winner.name().clone(),
                    reason,
                    detail,
                });
            }
            // Asked already; what is left open is judged in the next cycle.
            Judgement::Look(_) => {}
        }
    }

    fn count(&mut self, store: &StoreName, believed: Option<u32>) {
        self.listings += 1;
        let extent = self.extents.entry(store.clone()).or_default();
        extent.listings += 1;
        extent.units += u64::from(believed.unwrap_or(0));
    }

    pub(super) fn settle(&mut self, seller_sku: &SellerSku, correction: Option<Change>) {
        if self.waiting.contains_key(seller_sku) {
            self.settled.push(Settled { seller_sku: seller_sku.clone(), correction });
        }
    }

    fn look_by(&mut self, at: Option<Timestamp>) {
        self.look_at = self.look_at.into_iter().chain(at).min();
    }
}

/// The right quantity once more. What waits for the listing is another one, and is sent perhaps while this is planned.
fn correction(listing: &Listing, decided: &Decided<'_>) -> Change {
    let from = listing.belief.believed().map(|believed| believed.quantity);
    let to = decided.verdict.decision.outcome.quantity();
    change(listing, decided, Due { from, priority: if to == Some(0) { Priority::Zero } else { Priority::Drop } })
}

fn change(listing: &Listing, decided: &Decided<'_>, due: Due) -> Change {
    let verdict = &decided.verdict;
    Change {
        account: listing.account.clone(),
        seller_sku: listing.seller_sku.clone(),
        store: decided.winner.name().clone(),
        country: decided.winner.country(),
        marketplace: decided.winner.marketplace.id.into(),
        from: due.from,
        accepted_at: listing.belief.accepted.map(|accepted| accepted.at),
        to: verdict.decision.outcome.quantity().unwrap_or_default(),
        lane: Lane::Patch,
        priority: due.priority,
        reasons: verdict.decision.reasons.clone(),
        conflict: verdict.conflict.as_ref().map(ToString::to_string),
        basis: decided.basis.clone(),
        live: decided.live,
    }
}
