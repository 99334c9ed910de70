//! One listing: is its quantity right, due, to be looked at first, or not ours to send?

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Priority;
use crate::model::{Channel, Listing, Refusal, Unapplied};
use crate::reason::Reason;

/// What the rules and the deciding store want for one listing.
#[derive(Clone, Copy, Debug)]
pub struct Desired<'a> {
    pub quantity: u32,
    /// The readings' numbers behind it.
    pub basis: &'a str,
    /// A constant of the settings: Commerce stands still while Amazon sells it away.
    pub is_static: bool,
    pub allow_increase: bool,
    /// Do not wait out an earlier refusal.
    pub retry_now: bool,
}

/// How long a belief is good.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    pub verify_after: Duration,
    pub verify_every: Duration,
    pub verify_static_every: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    Unchanged,
    /// Ask Amazon what it shows, then judge again.
    Look(Need),
    Change(Due),
    Withheld(Reason, String),
}

/// Why Amazon is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    NothingBelieved,
    /// The reading moved and the desired number did not: a sale may hide behind it.
    ReadingMoved,
    /// Accepted a while ago and not seen live yet: what kind of change that was.
    Unconfirmed(Priority),
    TooOld,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    pub from: Option<u32>,
    pub priority: Priority,
}

/// A listing whose zero was refused is tried again at least this often: every minute of it may be an oversold order.
const ZERO_RETRY_AT_MOST: SignedDuration = SignedDuration::from_mins(15);
/// So many quantities that Amazon accepted and did not show are no accident. The waits between them have doubled by then.
const SET_ASIDE_AFTER: u32 = 5;
/// How long such a listing is left alone. Amazon was seen to leave some of them as they are for days.
const SET_ASIDE: Duration = Duration::from_hours(6);

/// Judges a listing that is ours to send ([`not_ours`] says which are not). `looked`: Amazon was asked in this very
/// cycle, so the belief is as fresh as it gets.
pub fn judge(listing: &Listing, desired: Desired<'_>, patience: &Patience, now: Timestamp, looked: bool) -> Judgement {
    let due = |from| due(listing, desired, patience, from, now);
    let belief = &listing.belief;
    if let Some(quantity) = listing.in_feed {
        return behind_a_feed(listing, desired, quantity, due);
    }
    let Some(believed) = belief.believed() else {
        return if looked { due(None) } else { Judgement::Look(Need::NothingBelieved) };
    };
    if belief.in_doubt.is_some() || believed.quantity != desired.quantity {
        return due(Some(believed.quantity));
    }
    let moved = desired.quantity > 0 && belief.basis.as_deref() != Some(desired.basis);
    if looked {
        // Amazon still shows what it showed before our last submission: either that is still under way, or it is live
        // and a sale took it back. The reading moved, so take the second: an absolute number can be sent again safely.
        let ambiguous = moved && belief.unconfirmed().is_some();
        return if ambiguous { due(Some(believed.quantity)) } else { Judgement::Unchanged };
    }
    let age = Duration::try_from(now.duration_since(believed.at)).unwrap_or(Duration::ZERO);
    let spread = |every: Duration| spread(every, listing.seller_sku.as_str());
    let verify_after = SignedDuration::try_from(patience.verify_after).unwrap_or(SignedDuration::MAX);
    let unproven = belief.unproven(verify_after);
    if moved {
        Judgement::Look(Need::ReadingMoved)
    } else if age >= spread(patience.verify_every)
        || desired.is_static && desired.quantity > 0 && age >= spread(patience.verify_static_every)
    {
        Judgement::Look(Need::TooOld)
    } else if let Some(accepted) = unproven.filter(|accepted| now.duration_since(accepted.at) >= verify_after) {
        Judgement::Look(Need::Unconfirmed(Priority::of(belief.prior, accepted.quantity)))
    } else {
        Judgement::Unchanged
    }
}

/// When [`judge`] asks for a look, if nothing happens until then. Nothing is known or a feed is under way: then it is not
/// time that tells.
pub fn look_at(listing: &Listing, desired: &Desired<'_>, patience: &Patience) -> Option<Timestamp> {
    let belief = &listing.belief;
    let believed = belief.believed().filter(|_| listing.in_feed.is_none())?;
    let is_static = desired.is_static && desired.quantity > 0;
    let every = if is_static { patience.verify_every.min(patience.verify_static_every) } else { patience.verify_every };
    let after = |at: Timestamp, wait: Duration| {
        SignedDuration::try_from(wait).ok().and_then(|wait| at.checked_add(wait).ok()).unwrap_or(Timestamp::MAX)
    };
    let old = after(believed.at, spread(every, listing.seller_sku.as_str()));
    let verify_after = SignedDuration::try_from(patience.verify_after).unwrap_or(SignedDuration::MAX);
    let proof = belief.unproven(verify_after).map(|accepted| after(accepted.at, patience.verify_after));
    Some(proof.map_or(old, |proof| proof.min(old)))
}

/// What is on its way already needs nothing more. Another number waits until the feed has ended; a zero does not, and is
/// sent once: what the feed does to it is looked at in the end.
fn behind_a_feed(
    listing: &Listing,
    desired: Desired<'_>,
    in_feed: u32,
    due: impl FnOnce(Option<u32>) -> Judgement,
) -> Judgement {
    let believed = listing.belief.believed().map(|believed| believed.quantity);
    let zeroed = desired.quantity == 0 && believed == Some(0) && listing.belief.in_doubt.is_none();
    if desired.quantity == in_feed || zeroed {
        return Judgement::Unchanged;
    }
    // Of the two that Amazon may come to show, the smaller one tells whether this raises.
    if !desired.allow_increase && desired.quantity > believed.map_or(in_feed, |believed| believed.min(in_feed)) {
        let detail = format!("{in_feed} in a feed to {}", desired.quantity);
        return Judgement::Withheld(Reason::IncreaseNotAllowed, detail);
    }
    due(believed.max(Some(in_feed)))
}

/// A listing that must not be sent anything, whatever the rules say.
pub fn not_ours(listing: &Listing) -> Option<(Reason, String)> {
    if !listing.live {
        return Some((Reason::ListingUnknown, "amazon does not show it live".into()));
    }
    match &listing.channel {
        Channel::Merchant => None,
        Channel::Amazon(code) => Some((Reason::FulfilledByAmazon, format!("live channel {code}"))),
        Channel::Other(code) => Some((Reason::ChannelUnknown, format!("live channel {code}"))),
        Channel::Unknown => Some((Reason::ChannelUnknown, "amazon shows no fulfillment channel".into())),
    }
}

/// Whether a listing that is not ours was last seen so long ago that it may be ours by now.
pub fn may_be_ours_again(listing: &Listing, patience: &Patience, now: Timestamp) -> bool {
    let Some(looked_at) = listing.belief.looked_at else { return true };
    let age = Duration::try_from(now.duration_since(looked_at)).unwrap_or(Duration::ZERO);
    age >= spread(patience.verify_every, listing.seller_sku.as_str())
}

fn due(listing: &Listing, desired: Desired<'_>, patience: &Patience, from: Option<u32>, now: Timestamp) -> Judgement {
    // An answer that never came may have left the larger number live.
    let most = from.max(listing.belief.in_doubt);
    let priority = Priority::of(most, desired.quantity);
    if !desired.allow_increase && desired.quantity > from.unwrap_or(0) {
        return Judgement::Withheld(
            Reason::IncreaseNotAllowed,
            format!("{} to {}", from.map_or_else(|| "unknown".to_owned(), |from| from.to_string()), desired.quantity),
        );
    }
    let waits = |retry_at: &Timestamp| !desired.retry_now && now < *retry_at;
    if let Some(refusal) = &listing.refusal
        && let Some(at) = Some(retry_at(refusal, priority)).filter(waits)
    {
        let detail = format!("{} (attempt {}, next at {at})", refusal.text, refusal.failures);
        return Judgement::Withheld(Reason::Rejected, detail);
    }
    if let Some(unapplied) = &listing.unapplied
        && let Some(at) = Some(again_at(listing, unapplied, &desired, priority, patience)).filter(waits)
    {
        let detail = format!("{} (sent {} times, next at {at})", unapplied.evidence, unapplied.times);
        return Judgement::Withheld(Reason::NotApplied, detail);
    }
    Judgement::Change(Due { from, priority })
}

/// When a listing that is withheld as refused or not applied is due again.
pub fn due_again(listing: &Listing, desired: &Desired<'_>, patience: &Patience) -> Option<Timestamp> {
    let believed = listing.belief.believed().map(|believed| believed.quantity);
    let priority = Priority::of(believed.max(listing.belief.in_doubt), desired.quantity);
    let refused = listing.refusal.as_ref().map(|refusal| retry_at(refusal, priority));
    let unapplied = listing.unapplied.as_ref();
    let unapplied = unapplied.map(|unapplied| again_at(listing, unapplied, desired, priority, patience));
    refused.max(unapplied)
}

/// Once more at once, for a single one may have gone astray; then after ever longer waits. A raise that is not there may
/// also have been sold before it was looked at: where the stock moved since it is taken for that, and where it cannot be
/// told the wait does not grow.
fn again_at(
    listing: &Listing,
    unapplied: &Unapplied,
    desired: &Desired<'_>,
    priority: Priority,
    patience: &Patience,
) -> Timestamp {
    let raise = matches!(priority, Priority::Restart | Priority::Rest);
    let moved = listing.belief.basis.as_deref() != Some(desired.basis);
    let may_be_sold = desired.is_static || priority == Priority::Restart;
    let wait = match unapplied.times {
        ..=1 => Duration::ZERO,
        _ if raise && moved => Duration::ZERO,
        _ if raise && may_be_sold => patience.verify_after,
        times if times < SET_ASIDE_AFTER => patience.verify_after.saturating_mul(1 << (times - 2)),
        _ => patience.verify_every.min(SET_ASIDE),
    };
    let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
    // As long as Amazon shows more than there is, it oversells.
    let urgent = matches!(priority, Priority::Zero | Priority::Drop);
    let wait = if urgent { wait.min(ZERO_RETRY_AT_MOST) } else { wait };
    unapplied.found_at.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

fn retry_at(refusal: &Refusal, priority: Priority) -> Timestamp {
    if priority == Priority::Zero {
        let soonest = refusal.refused_at.saturating_add(ZERO_RETRY_AT_MOST).unwrap_or(Timestamp::MAX);
        return soonest.min(refusal.retry_at);
    }
    refusal.retry_at
}

/// Whether an observation says something about the last accepted quantity: right after it was accepted Amazon still
/// shows what was there before, and that is no news.
pub fn settled(listing: &Listing, observed: u32, now: Timestamp, verify_after: Duration) -> bool {
    let Some(accepted) = listing.belief.unconfirmed() else { return true };
    let young = SignedDuration::try_from(verify_after).is_ok_and(|limit| now.duration_since(accepted.at) < limit);
    observed == accepted.quantity || listing.belief.prior != Some(observed) || !young
}

/// Three to seven eighths of an interval, by name: listings that were learnt together are not verified together, and the
/// cycle that notices and what it takes to send fit into the rest.
fn spread(every: Duration, name: &str) -> Duration {
    let hash = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    // The remainder mixes all bits; the high ones alone are the same for names that differ in their last letters.
    every / 4 * 3 + every / 8 / 1000 * u32::try_from(hash % 1001).unwrap_or(0)
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
