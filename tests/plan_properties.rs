//! What the plan holds for every listing and every set of changes.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use stocksync::model::{Belief, Channel, Known, Listing, Refusal, Unapplied};
use stocksync::plan::{Change, Desired, Judgement, Lane, Need, Patience, Priority, judge, sort};

const NOW: Timestamp = Timestamp::constant(1_795_000_000, 0);
const MOST_SECONDS: i64 = 3 * 24 * 3600;

fn config() -> ProptestConfig {
    let persistence = FileFailurePersistence::WithSource("regressions");
    ProptestConfig { cases: 512, failure_persistence: Some(Box::new(persistence)), ..ProptestConfig::default() }
}

fn known() -> impl Strategy<Value = Option<Known>> {
    let known = |(quantity, seconds)| Known { quantity, at: NOW - SignedDuration::from_secs(seconds) };
    prop::option::weighted(0.8, (0..4_u32, -60..MOST_SECONDS).prop_map(known))
}

fn refusal() -> impl Strategy<Value = Option<Refusal>> {
    let refusal = |(seconds, wait)| {
        let refused_at = NOW - SignedDuration::from_secs(seconds);
        let retry_at = refused_at + SignedDuration::from_secs(wait);
        Refusal { failures: 1, refused_at, retry_at, text: "no".into() }
    };
    prop::option::weighted(0.3, (0..MOST_SECONDS, 0..MOST_SECONDS).prop_map(refusal))
}

fn unapplied() -> impl Strategy<Value = Option<Unapplied>> {
    let unapplied = |(times, seconds)| Unapplied {
        times,
        found_at: NOW - SignedDuration::from_secs(seconds),
        evidence: "lost".into(),
    };
    prop::option::weighted(0.2, (1..8_u32, 0..MOST_SECONDS).prop_map(unapplied))
}

fn basis() -> impl Strategy<Value = Option<String>> {
    prop::option::weighted(0.9, prop::sample::select(vec!["7", "8"]).prop_map(str::to_owned))
}

fn listing() -> impl Strategy<Value = Listing> {
    let number = || prop::option::weighted(0.2, 0..4_u32);
    ("[A-Z]{1,6}", known(), known(), number(), number(), basis(), refusal(), unapplied()).prop_map(
        |(name, observed, accepted, prior, in_doubt, basis, refusal, unapplied)| Listing {
            account: "acme".into(),
            seller_sku: name.into(),
            marketplaces: vec!["A1PA6795UKMFR9".into()],
            channel: Channel::Merchant,
            live: true,
            belief: Belief { observed, accepted, prior, in_doubt, looked_at: None, basis },
            in_feed: None,
            refusal,
            unapplied,
        },
    )
}

fn desired() -> impl Strategy<Value = Desired<'static>> {
    (0..4_u32, any::<bool>(), prop::bool::weighted(0.7), prop::bool::weighted(0.2)).prop_map(
        |(quantity, is_static, allow_increase, retry_now)| Desired {
            quantity,
            basis: "7",
            is_static,
            allow_increase,
            retry_now,
        },
    )
}

fn patience() -> Patience {
    Patience {
        verify_after: Duration::from_mins(10),
        verify_every: Duration::from_hours(24),
        verify_static_every: Duration::from_hours(1),
    }
}

fn change() -> impl Strategy<Value = Change> {
    ("[A-C]", "[A-Z]{1,2}", prop::option::of(0..4_u32), 0..4_u32).prop_map(|(account, name, from, to)| Change {
        account: account.into(),
        seller_sku: name.into(),
        store: "acme-de".into(),
        country: "DE",
        marketplace: "A1PA6795UKMFR9".into(),
        from,
        accepted_at: None,
        to,
        lane: Lane::Patch,
        priority: Priority::of(from, to),
        reasons: Vec::new(),
        conflict: None,
        basis: String::new(),
        live: true,
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_right_quantity_without_doubt_is_never_sent_before_amazon_was_asked(
        mut listing in listing(),
        desired in desired(),
    ) {
        listing.belief.in_doubt = None;
        let Some(believed) = listing.belief.believed() else { return Ok(()) };
        let desired = Desired { quantity: believed.quantity, ..desired };
        let judged = judge(&listing, desired, &patience(), NOW, false);
        prop_assert!(matches!(judged, Judgement::Unchanged | Judgement::Look(_)), "{judged:?}");
    }

    #[test]
    fn amazon_is_asked_once_a_cycle(listing in listing(), desired in desired()) {
        let judged = judge(&listing, desired, &patience(), NOW, true);
        prop_assert!(!matches!(judged, Judgement::Look(_)), "{judged:?}");
    }

    #[test]
    fn a_wrong_or_doubtful_quantity_is_never_left_alone(listing in listing(), desired in desired(), looked: bool) {
        let believed = listing.belief.believed().map(|known| known.quantity);
        prop_assume!(believed != Some(desired.quantity) || listing.belief.in_doubt.is_some());
        prop_assert_ne!(judge(&listing, desired, &patience(), NOW, looked), Judgement::Unchanged);
    }

    #[test]
    fn a_store_that_only_lowers_sends_nothing_above_what_is_believed(listing in listing(), desired in desired()) {
        let desired = Desired { allow_increase: false, ..desired };
        if let Judgement::Change(due) = judge(&listing, desired, &patience(), NOW, true) {
            prop_assert!(desired.quantity <= due.from.unwrap_or(0), "{due:?}");
        }
    }

    #[test]
    fn a_belief_is_verified_after_three_quarters_of_its_time_up_to_seven_eighths(
        name in "[ -~]{0,40}",
        seconds in 0..100_000_i64,
        is_static: bool,
    ) {
        let known = Known { quantity: 5, at: NOW - SignedDuration::from_secs(seconds) };
        let belief = Belief { observed: Some(known), basis: Some("7".into()), ..Belief::default() };
        let listing = Listing {
            account: "acme".into(),
            seller_sku: name.into(),
            marketplaces: Vec::new(),
            channel: Channel::Merchant,
            live: true,
            belief,
            in_feed: None,
            refusal: None,
            unapplied: None,
        };
        let desired = Desired { quantity: 5, basis: "7", is_static, allow_increase: true, retry_now: false };
        let interval = if is_static { 3600 } else { 24 * 3600 };
        let judged = judge(&listing, desired, &patience(), NOW, false);
        match seconds {
            _ if seconds >= interval / 8 * 7 => prop_assert_eq!(judged, Judgement::Look(Need::TooOld)),
            _ if seconds < interval / 4 * 3 => prop_assert_eq!(judged, Judgement::Unchanged),
            _ => {}
        }
    }

    #[test]
    fn the_order_of_sending_does_not_depend_on_the_order_of_planning(
        (changes, shuffled) in prop::collection::vec(change(), 0..40).prop_flat_map(|changes| {
            let mut named = BTreeSet::new();
            let one_each: Vec<Change> = changes
                .into_iter()
                .filter(|change| named.insert((change.account.clone(), change.seller_sku.clone())))
                .collect();
            (Just(one_each.clone()), Just(one_each).prop_shuffle())
        }),
    ) {
        let (mut one, mut other) = (changes, shuffled);
        sort(&mut one);
        sort(&mut other);
        prop_assert_eq!(&one, &other);
        prop_assert!(one.is_sorted_by_key(|change| change.priority));
        let gaps = one.chunk_by(|a, b| a.priority == b.priority);
        prop_assert!(gaps.into_iter().all(|kind| kind.is_sorted_by(|a, b| a.gap() >= b.gap())));
    }
}

#[test]
fn listings_that_were_learnt_together_are_not_verified_together() {
    let asked = |seconds: i64| {
        let judged = (0..1000).filter(|number| {
            let known = Known { quantity: 5, at: NOW - SignedDuration::from_secs(seconds) };
            let belief = Belief { observed: Some(known), basis: Some("7".into()), ..Belief::default() };
            let listing = Listing {
                account: "acme".into(),
                seller_sku: format!("SKU-{number}").into(),
                marketplaces: Vec::new(),
                channel: Channel::Merchant,
                live: true,
                belief,
                in_feed: None,
                refusal: None,
                unapplied: None,
            };
            let desired = Desired { quantity: 5, basis: "7", is_static: false, allow_increase: true, retry_now: false };
            judge(&listing, desired, &patience(), NOW, false) != Judgement::Unchanged
        });
        judged.count()
    };
    let day = 24 * 3600;
    assert_eq!(asked(day * 3 / 4 - 1), 0);
    let half = asked(day * 13 / 16);
    assert!((350..650).contains(&half), "{half} of 1000 half way through");
    assert_eq!(asked(day * 7 / 8), 1000);
}
