//! From a write's acceptance, which says nothing, to its being live, which may never come.

use rand::RngExt;
use tokio::time::Instant;

use super::events::{Event, Lane, Outcome};
use super::listing::{Change, DEFAULT_CHANNEL, Listing, Op};
use super::state::State;
use super::stats::ViolationKind;
use super::world::chance;
use crate::model::Marketplace;

/// Which SKU of which account is written to, through which marketplaces.
#[derive(Clone, Copy, Debug)]
pub(super) struct Address<'a> {
    pub(super) account: usize,
    pub(super) sku: &'a str,
    pub(super) marketplaces: &'a [&'static Marketplace],
}

/// Who wrote, and how.
#[derive(Clone, Debug)]
pub(super) struct Author {
    pub(super) lane: Lane,
    pub(super) feed_id: Option<String>,
    pub(super) user_agent: String,
    pub(super) request_id: String,
}

/// An accepted change on its way to being live.
#[derive(Debug)]
pub(super) struct Pending {
    account: usize,
    sku: String,
    change: Change,
    event: usize,
}

impl State {
    /// Takes changes in, known SKU or not, and gives them a submission id.
    pub(super) fn accept(&mut self, to: Address<'_>, changes: Vec<Change>, author: &Author) -> String {
        let submission_id = self.random_id();
        let (outcome, due) = self.judge(to, &changes, author.lane);
        for change in changes {
            let event = self.record(to, &change, (author, &submission_id, outcome));
            if outcome == Outcome::Pending {
                let key = (due, self.next_number());
                let pending = Pending { account: to.account, sku: to.sku.to_owned(), change, event };
                self.pending.insert(key, pending);
            }
        }
        submission_id
    }

    /// What becomes of the changes, and when; notes what they do to the merchant.
    fn judge(&mut self, to: Address<'_>, changes: &[Change], lane: Lane) -> (Outcome, Instant) {
        let apart = self.settings.feed_apply_delay.filter(|_| lane == Lane::Feed);
        let delay = self.draw(apart.unwrap_or(self.settings.apply_delay));
        let lost = self.rng.random_bool(chance(self.settings.lose_percent));
        let due = self.now.instant + delay;
        let Some(owner) = self.accounts.get_mut(to.account) else { return (Outcome::UnknownSku, due) };
        let seller_id = owner.seller_id.clone();
        let Some(listing) = owner.listings.get_mut(to.sku) else {
            self.violated(ViolationKind::UnknownSku, &seller_id, to.sku);
            return (Outcome::UnknownSku, due);
        };
        let outcome = if lost || listing.loses { Outcome::Lost } else { Outcome::Pending };
        let due = if apart.is_some() { due } else { listing.last_due.map_or(due, |last| last.max(due)) };
        if apart.is_none() {
            listing.last_due = Some(due);
        }
        listing.declare(to.marketplaces, changes);
        let harm: Vec<_> = changes.iter().flat_map(|change| harm(listing, change)).collect();
        for kind in harm {
            self.violated(kind, &seller_id, to.sku);
        }
        (outcome, due)
    }

    fn record(&mut self, to: Address<'_>, change: &Change, how: (&Author, &str, Outcome)) -> usize {
        let (author, submission_id, outcome) = how;
        self.events.push(Event {
            at: self.now.wall,
            seller_id: self.accounts.get(to.account).map(|owner| owner.seller_id.clone()).unwrap_or_default(),
            sku: to.sku.to_owned(),
            op: change.op.as_str(),
            channel: change.entry.channel.clone(),
            quantity: change.entry.quantity,
            marketplace_ids: to.marketplaces.iter().map(|marketplace| marketplace.id).collect(),
            lane: author.lane,
            feed_id: author.feed_id.clone(),
            user_agent: author.user_agent.clone(),
            request_id: author.request_id.clone(),
            submission_id: submission_id.to_owned(),
            outcome,
            applied_at: None,
        });
        self.events.len() - 1
    }

    /// Makes the change that is due first live.
    pub(super) fn apply_next(&mut self) {
        let Some((_, pending)) = self.pending.pop_first() else { return };
        let listing = self.accounts.get_mut(pending.account).and_then(|one| one.listings.get_mut(&pending.sku));
        if let (Some(listing), Some(event)) = (listing, self.events.get_mut(pending.event)) {
            listing.go_live(&pending.change, self.now.wall);
            event.outcome = Outcome::Applied;
            event.applied_at = Some(self.now.wall);
        }
    }
}

/// What a change does to the merchant that he did not ask for.
fn harm(listing: &Listing, change: &Change) -> Vec<ViolationKind> {
    let mut harm = Vec::new();
    if change.entry.channel != DEFAULT_CHANNEL {
        harm.push(ViolationKind::ChannelWritten);
    } else if listing.is_fba() {
        harm.push(ViolationKind::FbaConverted);
    }
    let held = listing.live.iter().find(|entry| entry.channel == change.entry.channel);
    let forgets = change.op != Op::Merge && change.entry.lead_time.is_none();
    if forgets && held.is_some_and(|entry| entry.lead_time.is_some()) {
        harm.push(ViolationKind::LeadTimeWiped);
    }
    if change.entry.lead_time.is_some() {
        harm.push(ViolationKind::LeadTimeWritten);
    }
    harm
}
