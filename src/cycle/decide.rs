//! One listing: every store that has a say, what each would show, and which of them decides.

use std::collections::{BTreeMap, BTreeSet};

use super::decrees::Decrees;
use super::facts::{Doubt, Facts, Mapped, ReadState};
use crate::config::StoreConfig;
use crate::model::{CommerceName, Component, CountryConflict, Listing, Sku, Source, Stock, StoreName};
use crate::reason::Reason;
use crate::rules::precedence::{self, Candidate, Verdict};
use crate::rules::quantity::{self, Decision};

/// The stores and what this cycle knows: the frame in which every listing is decided.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    pub stores: &'a [&'a StoreConfig],
    pub reads: &'a BTreeMap<CommerceName, ReadState>,
    pub on_conflict: CountryConflict,
    /// Absences that an independent request confirmed.
    pub confirmed: &'a BTreeSet<Doubt>,
    pub decrees: &'a Decrees,
    /// Tell every step of the rules.
    pub narrate: bool,
}

/// A listing's decision and what it rests on.
#[derive(Debug)]
pub(super) struct Decided<'a> {
    pub verdict: Verdict,
    pub winner: &'a StoreConfig,
    /// Every store that has a say, in the order of the verdict's roles.
    pub sayings: Vec<Saying<'a>>,
    /// Of each, why it decides or does not; empty unless told to narrate.
    pub why: Vec<String>,
    /// The winner's readings, as text: when it moves, so may have the listing.
    pub basis: String,
    pub doubts: Vec<Doubt>,
    /// The deciding store sends; so does the account's own store in that country.
    pub live: bool,
    /// Why nothing is sent all the same.
    pub paused: Option<String>,
}

/// What one store would show.
#[derive(Debug)]
pub(super) struct Saying<'a> {
    pub store: &'a StoreConfig,
    pub components: Vec<Component>,
    pub decision: Decision,
    /// Whether its website carries all of it; `None` where that is not known.
    carries: Option<bool>,
    doubts: Vec<Doubt>,
}

impl Frame<'_> {
    /// `None`: no configured store sells where Amazon shows the listing.
    pub(super) fn decide<'s>(&'s self, listing: &Listing, facts: &Facts) -> Option<Decided<'s>> {
        let mut sayings = Vec::new();
        for store in self.stores.iter().copied().filter(|store| facts.shown_in(listing, store)) {
            sayings.push(self.saying(store, listing, facts));
        }
        let candidates: Vec<Candidate<'_>> = sayings
            .iter()
            .map(|saying| Candidate {
                key: &saying.store.key,
                commerce: &saying.store.commerce,
                country: saying.store.country(),
                own_account: saying.store.account == listing.account,
                carries: saying.carries,
                decision: saying.decision.clone(),
            })
            .collect();
        let mut verdict = precedence::resolve(&candidates, self.on_conflict)?;
        let why = (0..candidates.len()).filter(|_| self.narrate).map(|index| verdict.why(&candidates, index)).collect();
        let said = &sayings[verdict.winner];
        let (winner, basis, doubts) = (said.store, basis(&said.components), said.doubts.clone());
        let mut own =
            self.stores.iter().filter(|store| store.account == listing.account && store.country() == winner.country());
        let live = self.decrees.is_live(winner) && own.any(|store| self.decrees.is_live(store));
        verdict.decision = quantity::with_manual(verdict.decision, self.decrees.manual(listing));
        // The account's own store in that country may be paused although another one decides.
        let country = winner.country();
        let own = self.stores.iter().filter(|store| store.account == listing.account && store.country() == country);
        let pause = |store: &StoreName| self.decrees.pause(&listing.account, store);
        let own_pauses: Option<Vec<_>> = own.map(|store| pause(store.name())).collect();
        let own_pause = own_pauses.and_then(|pauses| pauses.first().copied());
        let paused = pause(winner.name()).or(own_pause).map(|pause| match pause.until {
            Some(until) => format!("{} until {until}: {}", pause.scope, pause.reason),
            None => format!("{}: {}", pause.scope, pause.reason),
        });
        Some(Decided { verdict, winner, sayings, why, basis, doubts, live, paused })
    }

    fn saying<'s>(&'s self, store: &'s StoreConfig, listing: &Listing, facts: &Facts) -> Saying<'s> {
        let withheld = |reason, carries, detail| Saying {
            store,
            components: Vec::new(),
            decision: Decision::withheld(reason, detail),
            carries,
            doubts: Vec::new(),
        };
        let mapped = match facts.map(store, &listing.seller_sku) {
            Mapped::To(components) => components,
            Mapped::Nothing => {
                let detail = format!("{} maps it to no product", store.name());
                return withheld(Reason::NotMapped, Some(false), detail);
            }
            Mapped::Ambiguous(skus) => {
                let names: Vec<&str> = skus.iter().map(Sku::as_str).collect();
                let detail = format!("several products claim it: {}", names.join(", "));
                return withheld(Reason::MappingAmbiguous, None, detail);
            }
        };
        let Some(read) = self.reads.get(&store.commerce) else {
            return withheld(Reason::SourceUnknown, None, format!("{} was not read", store.commerce));
        };
        let mut doubts = Vec::new();
        let mut components = Vec::with_capacity(mapped.len());
        for row in mapped {
            let (component, doubt) = facts.component(store, row, read, self.confirmed);
            doubts.extend(doubt);
            components.push(component);
        }
        let decide = if self.narrate { quantity::explain } else { quantity::decide };
        let decision = decide(&components, &store.rules);
        let carries = precedence::carries(&components);
        Saying { store, components, decision, carries, doubts }
    }
}

impl Decided<'_> {
    /// An absence that makes a zero has to be confirmed first.
    pub(super) fn rests_on_absence(&self) -> bool {
        let zero = self.verdict.decision.outcome.quantity() == Some(0);
        let absent = [Reason::NotInStock, Reason::ProductMissing];
        zero && !self.doubts.is_empty() && self.verdict.decision.reasons.iter().any(|reason| absent.contains(reason))
    }
}

fn basis(components: &[Component]) -> String {
    let levels: Vec<String> = components
        .iter()
        .map(|component| match &component.source {
            Source::Known(reading) if !reading.managed => "unmanaged".to_owned(),
            Source::Known(reading) => match reading.stock {
                Stock::Level { salable, .. } => salable.to_string(),
                Stock::NoSource => "none".to_owned(),
            },
            Source::Missing => "missing".to_owned(),
            Source::Unknown(_) => "unknown".to_owned(),
        })
        .collect();
    levels.join(" + ")
}
