use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Desired, Due, Judgement, Need, Patience, judge, not_ours, settled};
use crate::model::{Belief, Channel, Known, Listing, Refusal, Unapplied};
use crate::plan::Priority::{Drop, Rest, Restart, Zero};
use crate::reason::Reason;

const NOW: Timestamp = Timestamp::constant(1_795_000_000, 0);
const PATIENCE: Patience = Patience {
    verify_after: Duration::from_mins(10),
    verify_every: Duration::from_hours(24),
    verify_static_every: Duration::from_hours(1),
};

fn ago(minutes: i64) -> Timestamp {
    NOW - SignedDuration::from_mins(minutes)
}

/// A live listing of ours of which nothing is known yet.
fn unknown() -> Listing {
    Listing {
        account: "acme".into(),
        seller_sku: "MUG".into(),
        marketplaces: vec!["A1PA6795UKMFR9".into()],
        channel: Channel::Merchant,
        live: true,
        belief: Belief { basis: Some("now".into()), ..Belief::default() },
        in_feed: None,
        refusal: None,
        unapplied: None,
    }
}

/// Quantity and minutes since, of what was seen live and of what Amazon took in.
fn believing(observed: Option<(u32, i64)>, accepted: Option<(u32, i64)>) -> Listing {
    let known = |(quantity, minutes)| Known { quantity, at: ago(minutes) };
    let mut listing = unknown();
    listing.belief.observed = observed.map(known);
    listing.belief.accepted = accepted.map(known);
    listing
}

fn seen(quantity: u32, minutes: i64) -> Listing {
    believing(Some((quantity, minutes)), None)
}

fn with(mut listing: Listing, change: impl FnOnce(&mut Listing)) -> Listing {
    change(&mut listing);
    listing
}

fn moved(listing: Listing) -> Listing {
    with(listing, |listing| listing.belief.basis = Some("before".into()))
}

fn doubting(listing: Listing, quantity: u32) -> Listing {
    with(listing, |listing| listing.belief.in_doubt = Some(quantity))
}

/// Refused some minutes ago, to be tried again some minutes from now.
fn refused(listing: Listing, minutes_ago: i64, minutes_left: i64) -> Listing {
    let refusal =
        Refusal { failures: 3, refused_at: ago(minutes_ago), retry_at: ago(-minutes_left), text: "no".into() };
    with(listing, |listing| listing.refusal = Some(refusal))
}

const fn want(quantity: u32) -> Desired<'static> {
    Desired { quantity, basis: "now", is_static: false, allow_increase: true, retry_now: false }
}

const fn constant(quantity: u32) -> Desired<'static> {
    Desired { is_static: true, ..want(quantity) }
}

const fn only_lower(quantity: u32) -> Desired<'static> {
    Desired { allow_increase: false, ..want(quantity) }
}

const fn again(quantity: u32) -> Desired<'static> {
    Desired { retry_now: true, ..want(quantity) }
}

const fn change(from: Option<u32>, priority: super::Priority) -> Judgement {
    Judgement::Change(Due { from, priority })
}

fn withheld(reason: Reason, detail: &str) -> Judgement {
    Judgement::Withheld(reason, detail.to_owned())
}

/// Before Amazon was asked in this cycle, and after.
fn judged(listing: &Listing, desired: Desired<'_>) -> (Judgement, Judgement) {
    let judged = |looked| judge(listing, desired, &PATIENCE, NOW, looked);
    (judged(false), judged(true))
}

#[test]
fn what_is_not_believed_is_looked_at_and_sent_when_looking_told_nothing() {
    for (desired, priority) in [(0, Zero), (7, Rest)] {
        let expected = (Judgement::Look(Need::NothingBelieved), change(None, priority));
        assert_eq!(judged(&unknown(), want(desired)), expected, "{desired}");
    }
}

#[test]
fn a_quantity_that_is_not_the_desired_one_is_sent_whether_looked_at_or_not() {
    for (name, listing, desired, expected) in [
        ("a drop", seen(9, 1), 7, change(Some(9), Drop)),
        ("to zero", seen(9, 1), 0, change(Some(9), Zero)),
        ("from zero", seen(0, 1), 7, change(Some(0), Restart)),
        ("a raise", seen(5, 1), 7, change(Some(5), Rest)),
        ("the newer of the two is believed: seen", believing(Some((5, 1)), Some((7, 2))), 7, change(Some(5), Rest)),
        ("the newer of the two is believed: accepted", believing(Some((7, 2)), Some((5, 1))), 7, change(Some(5), Rest)),
        ("of two at once, what was accepted", believing(Some((5, 1)), Some((7, 1))), 6, change(Some(7), Drop)),
        ("a moved reading makes no difference", moved(seen(9, 1)), 7, change(Some(9), Drop)),
        ("nor does age", seen(9, 9_999), 7, change(Some(9), Drop)),
    ] {
        assert_eq!(judged(&listing, want(desired)), (expected.clone(), expected), "{name}");
    }
}

#[test]
fn a_quantity_in_doubt_is_sent_again_as_if_the_larger_number_were_live() {
    for (name, listing, desired, expected) in [
        ("although the believed one is right", doubting(seen(7, 1), 9), 7, change(Some(7), Drop)),
        ("to zero", doubting(seen(0, 1), 9), 0, change(Some(0), Zero)),
        ("nothing else is believed", doubting(believing(None, Some((7, 1))), 3), 7, change(Some(7), Rest)),
        ("the believed one is the larger", doubting(seen(9, 1), 3), 7, change(Some(9), Drop)),
        ("it may sell already", doubting(seen(0, 1), 3), 7, change(Some(0), Rest)),
    ] {
        assert_eq!(judged(&listing, want(desired)), (expected.clone(), expected), "{name}");
    }
}

#[test]
fn doubt_alone_is_no_belief() {
    let listing = doubting(unknown(), 9);
    assert_eq!(judged(&listing, want(7)), (Judgement::Look(Need::NothingBelieved), change(None, Drop)));
}

#[test]
fn a_right_quantity_is_left_alone_until_something_calls_for_a_look() {
    use Judgement::{Look, Unchanged};
    for (name, listing, desired, expected) in [
        ("seen lately", seen(7, 5), want(7), Unchanged),
        ("accepted and seen since", believing(Some((7, 5)), Some((7, 30))), want(7), Unchanged),
        ("accepted a moment ago", believing(Some((9, 30)), Some((7, 9))), want(7), Unchanged),
        ("accepted a while ago", believing(Some((9, 30)), Some((7, 10))), want(7), Look(Need::Unconfirmed(Rest))),
        ("accepted and never seen", believing(None, Some((7, 10))), want(7), Look(Need::Unconfirmed(Rest))),
        (
            "a drop",
            with(believing(Some((9, 30)), Some((7, 10))), |l| l.belief.prior = Some(9)),
            want(7),
            Look(Need::Unconfirmed(Drop)),
        ),
        ("a zero", believing(Some((9, 30)), Some((0, 10))), want(0), Look(Need::Unconfirmed(Zero))),
        ("a constant that was accepted an hour ago", believing(None, Some((7, 60))), constant(7), Look(Need::TooOld)),
        ("the reading moved", moved(seen(7, 0)), want(7), Look(Need::ReadingMoved)),
        ("no reading was kept", with(seen(7, 0), |l| l.belief.basis = None), want(7), Look(Need::ReadingMoved)),
        ("of a zero the reading may move", moved(seen(0, 0)), want(0), Unchanged),
        ("seen three quarters of a day ago", seen(7, 1079), want(7), Unchanged),
        ("seen a day ago", seen(7, 1440), want(7), Look(Need::TooOld)),
        ("a zero seen a day ago", seen(0, 1440), want(0), Look(Need::TooOld)),
        ("a constant three quarters of an hour ago", seen(7, 44), constant(7), Unchanged),
        ("a constant an hour ago", seen(7, 60), constant(7), Look(Need::TooOld)),
        ("a constant zero sells nothing", seen(0, 60), constant(0), Unchanged),
        ("seen later than now: the clock stepped", seen(7, -60), want(7), Unchanged),
        ("an old refusal does not matter", refused(seen(7, 5), 1, 60), want(7), Unchanged),
    ] {
        assert_eq!(judge(&listing, desired, &PATIENCE, NOW, false), expected, "{name}");
    }
}

#[test]
fn after_a_look_only_a_sale_that_may_hide_behind_a_submission_calls_for_another_one() {
    for (name, listing, expected) in [
        ("seen", seen(7, 0), Judgement::Unchanged),
        ("seen, and the reading moved", moved(seen(7, 0)), Judgement::Unchanged),
        ("still under way", believing(Some((9, 30)), Some((7, 9))), Judgement::Unchanged),
        ("under way and moved", moved(believing(Some((9, 30)), Some((7, 9)))), change(Some(7), Rest)),
        ("never seen and moved", moved(believing(None, Some((7, 9)))), change(Some(7), Rest)),
        ("confirmed and moved", moved(believing(Some((7, 0)), Some((7, 9)))), Judgement::Unchanged),
    ] {
        assert_eq!(judge(&listing, want(7), &PATIENCE, NOW, true), expected, "{name}");
    }
}

#[test]
fn a_store_that_only_lowers_never_raises() {
    let no = |detail| withheld(Reason::IncreaseNotAllowed, detail);
    for (name, listing, desired, expected) in [
        ("a raise", seen(5, 1), 7, no("5 to 7")),
        ("from zero", seen(0, 1), 7, no("0 to 7")),
        ("what is unknown may be less", unknown(), 7, no("unknown to 7")),
        ("zero is never a raise", unknown(), 0, change(None, Zero)),
        ("a drop", seen(9, 1), 7, change(Some(9), Drop)),
        ("the same again", doubting(seen(7, 1), 9), 7, change(Some(7), Drop)),
        ("a refusal comes after it", refused(seen(5, 1), 1, 60), 7, no("5 to 7")),
    ] {
        assert_eq!(judge(&listing, only_lower(desired), &PATIENCE, NOW, true), expected, "{name}");
    }
}

#[test]
fn a_refused_listing_waits_and_a_zero_no_longer_than_a_quarter_of_an_hour() {
    let waits = |until: i64| withheld(Reason::Rejected, &format!("no (attempt 3, next at {})", ago(-until)));
    for (name, listing, desired, expected) in [
        ("set aside", refused(seen(5, 1), 1, 60), want(7), waits(60)),
        ("a drop waits as well", refused(seen(9, 1), 20, 60), want(7), waits(60)),
        ("the wait is over", refused(seen(5, 1), 60, 0), want(7), change(Some(5), Rest)),
        ("a zero waits shortly", refused(seen(5, 1), 14, 600), want(0), waits(1)),
        ("and no longer", refused(seen(5, 1), 15, 600), want(0), change(Some(5), Zero)),
        ("a zero may be due sooner", refused(seen(5, 1), 4, 1), want(0), waits(1)),
        ("somebody asked for it", refused(seen(5, 1), 1, 60), again(7), change(Some(5), Rest)),
        ("in doubt and refused", refused(doubting(seen(7, 1), 9), 1, 60), want(7), waits(60)),
    ] {
        assert_eq!(judge(&listing, desired, &PATIENCE, NOW, false), expected, "{name}");
    }
}

#[test]
fn what_was_never_applied_is_sent_again_after_ever_longer_waits() {
    let lost = |listing, times, minutes| {
        let unapplied = Unapplied { times, found_at: ago(minutes), evidence: "lost".into() };
        with(listing, |listing| listing.unapplied = Some(unapplied))
    };
    let waits = |times: u32, until: i64| {
        withheld(Reason::NotApplied, &format!("lost (sent {times} times, next at {})", ago(-until)))
    };
    for (name, listing, desired, expected) in [
        ("once", lost(seen(5, 1), 1, 0), want(7), change(Some(5), Rest)),
        ("the stock moved: it was sold", moved(lost(seen(5, 1), 5, 5)), want(7), change(Some(5), Rest)),
        ("which says nothing of a drop", moved(lost(seen(9, 1), 5, 5)), want(7), waits(5, 10)),
        ("a constant may be sold", lost(seen(5, 1), 5, 5), constant(7), waits(5, 5)),
        ("so may all that restarted", lost(seen(0, 1), 5, 10), want(7), change(Some(0), Restart)),
        ("twice", lost(seen(5, 1), 2, 0), want(7), waits(2, 10)),
        ("twice, a while ago", lost(seen(5, 1), 2, 10), want(7), change(Some(5), Rest)),
        ("three times", lost(seen(5, 1), 3, 5), want(7), waits(3, 15)),
        ("four times", lost(seen(5, 1), 4, 5), want(7), waits(4, 35)),
        ("set aside", lost(seen(5, 1), 5, 60), want(7), waits(5, 300)),
        ("for good", lost(seen(5, 1), 90, 60), want(7), waits(90, 300)),
        ("but not for ever", lost(seen(5, 1), 5, 360), want(7), change(Some(5), Rest)),
        ("a drop does not wait so long", lost(seen(9, 1), 5, 5), want(7), waits(5, 10)),
        ("nor a zero", lost(seen(9, 1), 5, 15), want(0), change(Some(9), Zero)),
        ("somebody asked for it", lost(seen(5, 1), 5, 5), again(7), change(Some(5), Rest)),
        ("it shows the right quantity", lost(seen(7, 1), 5, 5), want(7), Judgement::Unchanged),
    ] {
        assert_eq!(judge(&listing, desired, &PATIENCE, NOW, true), expected, "{name}");
    }
}

#[test]
fn what_amazon_shows_right_after_a_submission_is_no_news_when_it_was_there_before() {
    let sent = |minutes| with(believing(Some((9, 60)), Some((7, minutes))), |listing| listing.belief.prior = Some(9));
    for (name, listing, observed, expected) in [
        ("nothing was sent", seen(9, 60), 9, true),
        ("it is there", sent(1), 7, true),
        ("what was there before", sent(9), 9, false),
        ("still, after the wait", sent(10), 9, true),
        ("a third number: somebody else's, or a sale", sent(1), 8, true),
        ("nothing was known before", with(sent(1), |listing| listing.belief.prior = None), 9, true),
        ("confirmed since", with(believing(Some((7, 1)), Some((7, 5))), |l| l.belief.prior = Some(9)), 9, true),
    ] {
        assert_eq!(settled(&listing, observed, NOW, PATIENCE.verify_after), expected, "{name}");
    }
}

#[test]
fn only_a_live_listing_that_the_merchant_ships_is_ours() {
    let on = |channel: Channel| with(seen(7, 1), |listing| listing.channel = channel);
    let reason = |listing: &Listing| not_ours(listing).map(|(reason, _)| reason);
    for (listing, expected) in [
        (on(Channel::Merchant), None),
        (on(Channel::Amazon("AMAZON_EU".into())), Some(Reason::FulfilledByAmazon)),
        (on(Channel::Other("StoreID1".into())), Some(Reason::ChannelUnknown)),
        (on(Channel::Unknown), Some(Reason::ChannelUnknown)),
        (with(seen(7, 1), |listing| listing.live = false), Some(Reason::ListingUnknown)),
    ] {
        assert_eq!(reason(&listing), expected, "{listing:?}");
    }
}

#[test]
fn behind_an_open_feed_only_another_number_is_due() {
    let fed = |listing, quantity| with(doubting(listing, quantity), |listing| listing.in_feed = Some(quantity));
    let zeroed = |listing| with(listing, |listing: &mut Listing| listing.belief.in_doubt = None);
    for (name, listing, wanted, expected) in [
        ("what is on its way", fed(seen(4, 60), 9), 9, Judgement::Unchanged),
        ("even when it was never seen", fed(unknown(), 9), 9, Judgement::Unchanged),
        ("another number", fed(seen(4, 60), 9), 7, change(Some(9), Drop)),
        ("a zero", fed(seen(4, 60), 9), 0, change(Some(9), Zero)),
        ("a zero that was sent", zeroed(fed(believing(Some((4, 60)), Some((0, 1))), 9)), 0, Judgement::Unchanged),
        (
            "a zero that the feed has overwritten",
            zeroed(fed(believing(Some((9, 1)), Some((0, 5))), 9)),
            0,
            change(Some(9), Zero),
        ),
    ] {
        assert_eq!(judged(&listing, want(wanted)), (expected.clone(), expected), "{name}");
    }
}

#[test]
fn a_store_that_only_lowers_raises_nothing_behind_a_feed() {
    let fed = with(seen(10, 60), |listing| listing.in_feed = Some(3));
    let (looked, _) = judged(&fed, only_lower(8));
    assert_eq!(looked, withheld(Reason::IncreaseNotAllowed, "3 in a feed to 8"));
    assert_eq!(judged(&fed, only_lower(2)).0, change(Some(10), Drop));
}
