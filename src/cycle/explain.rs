//! Why one listing shows what it shows: the reading, every step, who decided, what was believed and sent, what is next.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::decide::{Frame, Saying};
use super::decrees::Decrees;
use super::facts::{Facts, ReadState};
use super::pass::{Stage, judgement};
use crate::config::{AccountConfig, Config, StoreConfig};
use crate::model::{CommerceName, Listing, SellerSku, Sku};
use crate::plan::Judgement;
use crate::reason::Reason;
use crate::rules::precedence::Verdict;
use crate::rules::quantity::Decision;
use crate::store::{DriftRecord, JournalEntry, Slot, Store, StoreError, StoredProduct};

/// Everything known about one listing.
#[derive(Debug)]
pub struct Explanation {
    pub listing: Listing,
    /// One for every store that has a say.
    pub says: Vec<Say>,
    pub verdict: Option<Verdict>,
    /// The winner's place in `says`.
    pub winner: Option<usize>,
    pub judgement: Option<Judgement>,
    pub live: bool,
    pub slot: Option<Slot>,
    pub journal: Vec<JournalEntry>,
    /// Where Amazon last showed another quantity than was believed.
    pub drift: Option<DriftRecord>,
}

/// What one store would show, and from what.
#[derive(Debug)]
pub struct Say {
    pub store: String,
    pub account: String,
    pub country: &'static str,
    pub created_at: Timestamp,
    /// Why it decides, or why it does not.
    pub why: String,
    pub products: Vec<(Sku, u32, Option<StoredProduct>)>,
    pub website: String,
    pub decision: Decision,
}

/// From what is stored: nothing is read, so it works beside a running service. One for each account that shows it.
pub async fn explain(
    config: &Config,
    store: &Store,
    seller_sku: &SellerSku,
    now: Timestamp,
) -> Result<Vec<Explanation>, StoreError> {
    let mut reads = BTreeMap::new();
    for commerce in &config.commerces {
        reads.insert(commerce.name.clone(), stored_read(store, &commerce.name).await?);
    }
    let decrees = Decrees::load(config, store).await?;
    let mut explanations = Vec::new();
    for listing in store.listings_named(None, std::slice::from_ref(seller_sku)).await? {
        if let Some(account) = config.accounts.iter().find(|account| account.name == listing.account) {
            explanations.push(one((config, &decrees), account, store, &reads, listing, now).await?);
        }
    }
    Ok(explanations)
}

/// What the last cycle knew.
async fn stored_read(store: &Store, commerce: &CommerceName) -> Result<ReadState, StoreError> {
    let websites = store.websites(commerce).await?;
    Ok(match store.sweep(commerce).await? {
        Some(sweep) => ReadState {
            started: sweep.started_at,
            fresh_since: sweep.fresh_since,
            complete: sweep.complete,
            products: sweep.products,
            problem: sweep.problem,
            websites,
        },
        None => ReadState {
            started: Timestamp::MIN,
            fresh_since: Timestamp::MIN,
            complete: false,
            products: 0,
            problem: Some("never read completely".into()),
            websites,
        },
    })
}

async fn one(
    (config, decrees): (&Config, &Decrees),
    account: &AccountConfig,
    store: &Store,
    reads: &BTreeMap<CommerceName, ReadState>,
    listing: Listing,
    now: Timestamp,
) -> Result<Explanation, StoreError> {
    let stores: Vec<&StoreConfig> = config.stores.iter().collect();
    let facts = Facts::gather(store, &listing.account, &stores, std::slice::from_ref(&listing)).await?;
    let confirmed = BTreeSet::new();
    let on_conflict = account.on_country_conflict;
    let frame = Frame { stores: &stores, reads, on_conflict, confirmed: &confirmed, decrees, narrate: true };
    let decided = frame.decide(&listing, &facts);
    let slot = store.slot(&listing.account, &listing.seller_sku).await?;
    let journal = store.journal_of(&listing.account, &listing.seller_sku, 5).await?;
    let drift = store.drift_of(&listing.account, &listing.seller_sku).await?;
    let Some(decided) = decided else {
        let (says, verdict, winner, judgement, live) = (Vec::new(), None, None, None, false);
        return Ok(Explanation { listing, says, verdict, winner, judgement, live, slot, journal, drift });
    };
    let judgement = match (judgement(config, &listing, &decided, Stage::Known, false, now), &decided.paused) {
        (Judgement::Change(_), Some(paused)) if decided.live => Judgement::Withheld(Reason::Paused, paused.clone()),
        (judgement, _) => judgement,
    };
    let says = decided.sayings.iter().zip(&decided.why).map(|(saying, why)| say(saying, why, &facts));
    Ok(Explanation {
        says: says.collect(),
        winner: Some(decided.verdict.winner),
        live: decided.live,
        verdict: Some(decided.verdict.clone()),
        judgement: Some(judgement),
        listing,
        slot,
        journal,
        drift,
    })
}

fn say(saying: &Saying<'_>, why: &str, facts: &Facts) -> Say {
    let store = saying.store;
    let products = saying.components.iter().map(|component| {
        let product = facts.product(&store.commerce, &component.sku).cloned();
        (component.sku.clone(), component.units.get(), product)
    });
    Say {
        store: store.name().to_string(),
        account: store.account.to_string(),
        country: store.country(),
        created_at: store.created_at(),
        why: why.to_owned(),
        products: products.collect(),
        website: store.website.to_string(),
        decision: saying.decision.clone(),
    }
}
