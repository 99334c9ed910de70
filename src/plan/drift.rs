//! Amazon shows another quantity than was believed: who was that?

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::model::Listing;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drift {
    pub cause: Cause,
    /// What was believed.
    pub expected: u32,
    pub shown: u32,
    /// Our last quantity was never seen live.
    pub unapplied: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// What we submitted was accepted and did not come to be; where we raised, it may also have been sold at once.
    Lost,
    /// Fewer than expected: Amazon sold some, or somebody took some away.
    Sale,
    /// More than expected: somebody else set it.
    Edit,
}

impl Cause {
    pub const ALL: [Self; 3] = [Self::Lost, Self::Sale, Self::Edit];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Sale => "sale",
            Self::Edit => "edit",
        }
    }
}

/// Whether what Amazon shows is drift. Nothing is drift that may still come true: a quantity younger than `verify_after`,
/// one without an answer, one in a feed. What we never sent to is not ours to judge.
pub fn drift(listing: &Listing, shown: u32, at: Timestamp, verify_after: Duration) -> Option<Drift> {
    let belief = &listing.belief;
    let accepted = belief.accepted?;
    let outdated = belief.observed.is_some_and(|observed| observed.at > at);
    if outdated || belief.in_doubt.is_some() || listing.in_feed.is_some() {
        return None;
    }
    let patience = SignedDuration::try_from(verify_after).unwrap_or(SignedDuration::MAX);
    let unproven = belief.unproven(patience).is_some();
    if unproven && at.duration_since(accepted.at) < patience {
        return None;
    }
    let expected = if unproven { accepted.quantity } else { belief.believed()?.quantity };
    // What was believed when it was sent, and what Amazon last showed: an earlier submission may have been lost as well.
    let shown_before = belief.observed.filter(|observed| observed.at <= accepted.at).map(|observed| observed.quantity);
    let mut before = belief.prior.into_iter().chain(shown_before).peekable();
    if unproven && before.peek().is_none() {
        return None;
    }
    let lost = unproven && before.any(|before| still_before(before, expected, shown));
    let cause = match shown {
        _ if shown == expected => return None,
        _ if lost => Cause::Lost,
        fewer if fewer < expected => Cause::Sale,
        _ => Cause::Edit,
    };
    Some(Drift { cause, expected, shown, unapplied: unproven && cause != Cause::Sale })
}

/// Where we lowered, some of the old quantity may have been sold since. Where we raised, fewer than before are a sale,
/// of the new ones or of the old: sending again is right for both, and holding it against Amazon for neither.
fn still_before(prior: u32, submitted: u32, shown: u32) -> bool {
    shown == prior || submitted < shown && shown < prior
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Belief, Channel, Known};

    const AFTER: Duration = Duration::from_mins(10);

    fn minute(minute: i64) -> Timestamp {
        Timestamp::constant(minute * 60, 0)
    }

    /// Sent `accepted` at minute 0, when Amazon showed `prior`.
    fn sent(prior: Option<u32>, accepted: u32) -> Listing {
        let belief = Belief { accepted: Some(Known { quantity: accepted, at: minute(0) }), prior, ..Belief::default() };
        Listing {
            account: "acme".into(),
            seller_sku: "A".into(),
            marketplaces: Vec::new(),
            channel: Channel::Merchant,
            live: true,
            belief,
            in_feed: None,
            refusal: None,
            unapplied: None,
        }
    }

    fn seen(listing: Listing, quantity: u32, at: i64) -> Listing {
        let observed = Some(Known { quantity, at: minute(at) });
        Listing { belief: Belief { observed, ..listing.belief }, ..listing }
    }

    #[test]
    fn the_first_look_after_a_while_tells_what_became_of_it() {
        for (prior, accepted, shown, cause) in [
            (4, 9, 9, None),
            (4, 9, 4, Some(Cause::Lost)),
            (4, 9, 7, Some(Cause::Sale)),
            (4, 9, 2, Some(Cause::Sale)),
            (4, 9, 12, Some(Cause::Edit)),
            (9, 4, 9, Some(Cause::Lost)),
            (9, 4, 6, Some(Cause::Lost)),
            (9, 4, 3, Some(Cause::Sale)),
            (9, 4, 10, Some(Cause::Edit)),
            (9, 0, 9, Some(Cause::Lost)),
            (9, 0, 2, Some(Cause::Lost)),
            (0, 9, 0, Some(Cause::Lost)),
        ] {
            let found = drift(&sent(Some(prior), accepted), shown, minute(10), AFTER);
            assert_eq!(found.map(|drift| drift.cause), cause, "{prior} to {accepted}, shown {shown}");
            let unapplied = matches!(cause, Some(Cause::Lost | Cause::Edit));
            assert_eq!(found.is_some_and(|drift| drift.unapplied), unapplied, "{prior} to {accepted}, shown {shown}");
        }
    }

    #[test]
    fn what_may_still_come_true_is_no_drift() {
        assert_eq!(drift(&sent(Some(4), 9), 4, minute(9), AFTER), None, "young");
        let mut doubted = sent(Some(4), 9);
        doubted.belief.in_doubt = Some(12);
        assert_eq!(drift(&doubted, 12, minute(60), AFTER), None, "no answer");
        let fenced = Listing { in_feed: Some(12), ..sent(Some(4), 9) };
        assert_eq!(drift(&fenced, 12, minute(60), AFTER), None, "in a feed");
        let never_sent = Listing { belief: Belief::default(), ..sent(None, 9) };
        assert_eq!(drift(&seen(never_sent, 4, 0), 3, minute(60), AFTER), None, "never sent to");
    }

    #[test]
    fn what_was_seen_live_can_only_be_sold_or_edited() {
        for (shown, cause) in [(9, None), (8, Some(Cause::Sale)), (4, Some(Cause::Sale)), (11, Some(Cause::Edit))] {
            let found = drift(&seen(sent(Some(4), 9), 9, 3), shown, minute(60), AFTER);
            assert_eq!(found.map(|drift| (drift.cause, drift.unapplied)), cause.map(|cause| (cause, false)), "{shown}");
        }
    }

    #[test]
    fn an_earlier_submission_may_have_been_lost_as_well() {
        // 9 was shown, 5 was accepted, and then this.
        for (accepted, shown, cause) in
            [(3, 9, Cause::Lost), (3, 7, Cause::Lost), (3, 2, Cause::Sale), (3, 12, Cause::Edit)]
        {
            let mut listing = seen(sent(Some(5), accepted), 9, -5);
            listing.belief.accepted = Some(Known { quantity: accepted, at: minute(0) });
            assert_eq!(drift(&listing, shown, minute(10), AFTER).map(|drift| drift.cause), Some(cause), "{shown}");
        }
    }

    #[test]
    fn where_nothing_is_known_of_before_nothing_is_told() {
        assert_eq!(drift(&sent(None, 9), 4, minute(60), AFTER), None);
    }

    #[test]
    fn one_loss_is_found_once() {
        let known = seen(sent(Some(4), 9), 4, 10);
        assert_eq!(drift(&known, 4, minute(11), AFTER), None);
    }
}
