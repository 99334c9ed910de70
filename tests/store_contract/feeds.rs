//! Feeds in the state: changes leave the outbox for one, and nothing is lost or doubled however it ends.

use std::time::Duration;

use stocksync::model::{MarketplaceId, SellerSku};
use stocksync::store::{Ended, Ending, FeedState, Outcome, Slot};

use crate::bench::{Bench, DE, FR, accepted, acme, at, change, on_every_store};

const WAITS: &[Duration] = &[Duration::from_mins(5), Duration::from_hours(1)];

on_every_store! {
    what_stands_behind_the_reach_is_bound_for_a_feed_but_for_zeroes,
    a_change_leaves_the_outbox_for_one_feed_and_is_fenced,
    a_slot_that_changed_meanwhile_is_not_taken,
    feeds_that_came_to_nothing_are_counted_until_one_is_done,
    a_feed_that_is_done_is_believed_but_for_what_it_refused,
    after_a_feed_of_which_nobody_knows_what_it_did_its_listings_are_looked_at,
    a_feed_that_was_cancelled_changes_nothing,
    a_zero_under_way_when_a_feed_ends_is_neither_lost_nor_doubled,
    a_zero_beside_a_feed_of_which_nobody_knows_what_it_did_is_sent_again,
    a_slot_that_is_to_go_elsewhere_by_now_is_not_taken,
    orders_of_feeds_are_remembered_whatever_became_of_them,
    what_was_sent_beside_a_feed_stands,
    feeds_survive_a_restart,
}

async fn three() -> Bench {
    let bench = Bench::sqlite();
    bench.selling(&[("A", 4), ("B", 4), ("C", 4)]).await;
    let changes = vec![change("A", Some(4), 9), change("B", Some(4), 8), change("C", Some(4), 7)];
    bench.queue("plan", changes, 1).await;
    bench
}

async fn bound(bench: &Bench, reach: u64) -> Vec<Slot> {
    bench.store.feed_bound(&acme(), None, &[], reach, at(0), 100).await.unwrap().slots
}

fn names(slots: &[Slot]) -> Vec<&str> {
    slots.iter().map(|slot| slot.seller_sku.as_str()).collect()
}

/// All three in a feed that Amazon has.
async fn open() -> Bench {
    let bench = three().await;
    let slots = bound(&bench, 0).await;
    assert_eq!(bench.store.build_feed("f", &acme(), slots, at(2)).await.unwrap(), [true; 3]);
    bench.store.feed_leaves("f", at(2)).await.unwrap();
    bench.store.feed_created("f", "4711", at(3)).await.unwrap();
    bench
}

async fn end(bench: &Bench, ending: Ending) -> Ended {
    bench.store.end_feed(&acme(), "f", ending, at(19), WAITS, at(20)).await.unwrap()
}

fn done(rejected: &[(u32, &str)]) -> Ending {
    let rejected = rejected.iter().map(|(message, text)| (*message, (*text).to_owned())).collect();
    Ending::Done { rejected, remark: None }
}

/// Believed, in doubt, in a feed.
async fn known(bench: &Bench, name: &str) -> (Option<u32>, Option<u32>, Option<u32>) {
    let listing = bench.store.listings_named(Some(&acme()), &[name.into()]).await.unwrap().remove(0);
    (listing.belief.believed().map(|known| known.quantity), listing.belief.in_doubt, listing.in_feed)
}

async fn backlog(bench: &Bench) -> u64 {
    bench.store.backlog(&acme(), None).await.unwrap()
}

async fn what_stands_behind_the_reach_is_bound_for_a_feed_but_for_zeroes(bench: Bench) {
    let listings = [("A", 4), ("B", 4), ("C", 4), ("D", 4), ("E", 4)];
    bench.selling(&listings).await;
    let changes = [("A", 9), ("B", 0), ("C", 5), ("D", 0), ("E", 6)].map(|(name, to)| change(name, Some(4), to));
    bench.queue("plan", changes.to_vec(), 1).await;
    // Zeroes first, then the larger gaps: B, D, A, E, C.
    for (reach, behind, expected) in
        [(0, 3, &["A", "E", "C"][..]), (1, 3, &["A", "E", "C"]), (3, 2, &["E", "C"]), (5, 0, &[]), (u64::MAX, 0, &[])]
    {
        assert_eq!(bench.store.feed_backlog(&acme(), None, reach).await.unwrap(), (5, behind), "{reach}");
        assert_eq!(names(&bound(&bench, reach).await), expected, "{reach}");
    }
    let late = bench.store.feed_bound(&acme(), None, &[], 0, at(1), 2).await.unwrap();
    assert_eq!((names(&late.slots), late.unseen.len()), (vec!["A", "E"], 2), "seen before that");
    let busy = bench.store.feed_bound(&acme(), Some("plan"), &[SellerSku::from("A")], 2, at(0), 9).await.unwrap();
    assert_eq!(names(&busy.slots), ["E", "C"]);
    assert_eq!(bench.store.feed_backlog(&acme(), Some("other"), 0).await.unwrap(), (0, 0));
}

async fn a_change_leaves_the_outbox_for_one_feed_and_is_fenced(_: Bench) {
    let bench = open().await;
    assert_eq!((backlog(&bench).await, known(&bench, "A").await), (0, (Some(4), Some(9), Some(9))));
    assert_eq!(bench.store.in_feeds("plan").await.unwrap(), 3);
    bench.queue("next", vec![change("A", Some(4), 6), change("B", Some(4), 0)], 5).await;
    let ahead = bench.store.ahead(&acme(), None, &[], at(0), 10).await.unwrap();
    assert_eq!(ahead.unseen, [SellerSku::from("B")], "only the zero");
    let waiting = bench.store.waiting_of(&acme(), &["A".into(), "B".into()]).await.unwrap();
    assert_eq!(
        waiting.into_iter().collect::<Vec<_>>(),
        [SellerSku::from("B")],
        "nobody waits for what a feed holds up"
    );
    assert_eq!(bound(&bench, 0).await, []);
    end(&bench, done(&[])).await;
    assert_eq!(names(&bound(&bench, 0).await), ["A"]);
}

async fn a_slot_that_changed_meanwhile_is_not_taken(_: Bench) {
    let bench = three().await;
    let slots = bound(&bench, 0).await;
    bench.queue("next", vec![change("B", Some(4), 6)], 2).await;
    assert_eq!(bench.store.build_feed("f", &acme(), slots.clone(), at(3)).await.unwrap(), [true, false, true]);
    assert_eq!(names(&bound(&bench, 0).await), ["B"]);
    // Nor is one that left by patch meanwhile.
    let flying = bound(&bench, 0).await;
    let seen = vec![crate::bench::seen("B", 4)];
    bench.store.save_observations(&acme(), seen, at(3)).await.unwrap();
    assert!(bench.store.take_next(&acme(), None, &[], at(0)).await.unwrap().is_some());
    assert_eq!(bench.store.build_feed("h", &acme(), flying, at(4)).await.unwrap(), [false]);
    // A second feed takes nothing that the first has.
    assert_eq!(bench.store.build_feed("g", &acme(), slots, at(4)).await.unwrap(), [false; 3]);
    // The messages of the first are 1 and 2.
    let refused = end(&bench, done(&[(2, "no")])).await;
    assert_eq!((refused.accepted, refused.refused), (1, 1));
    assert_eq!((known(&bench, "A").await.0, known(&bench, "C").await.0), (Some(9), Some(4)));
}

async fn a_feed_that_is_done_is_believed_but_for_what_it_refused(_: Bench) {
    let bench = open().await;
    // The same number was planned once more meanwhile.
    bench.queue("next", vec![change("A", Some(4), 9)], 5).await;
    let ended = end(&bench, done(&[(2, "blocked")])).await;
    assert_eq!(ended, Ended { accepted: 2, refused: 1, ..Ended::default() });
    assert_eq!((known(&bench, "A").await, known(&bench, "B").await), ((Some(9), None, None), (Some(4), None, None)));
    let refusal = bench.store.listings_named(Some(&acme()), &["B".into()]).await.unwrap().remove(0).refusal.unwrap();
    assert_eq!((refusal.text.as_str(), refusal.retry_at), ("blocked", at(25)));
    assert_eq!((backlog(&bench).await, bench.store.open_feeds(&acme()).await.unwrap()), (0, vec![]));
    let journal = bench.store.journal_of(&acme(), &"A".into(), 9).await.unwrap();
    let row = (journal[0].lane.as_str(), journal[0].outcome.as_str(), journal[0].submission_id.as_deref());
    assert_eq!((journal.len(), row), (1, ("feed", "accepted", Some("4711"))));
    assert_eq!(bench.store.feed_outcomes("plan", at(0)).await.unwrap(), (2, 1));
    assert_eq!(bench.store.feed_times(&acme()).await.unwrap(), [(at(3), at(19))]);
    assert!(bench.store.known_feeds(&acme()).await.unwrap().contains("4711"));
}

async fn after_a_feed_of_which_nobody_knows_what_it_did_its_listings_are_looked_at(_: Bench) {
    for ending in [Ending::Fatal { text: "died".into() }, Ending::Lost] {
        let bench = open().await;
        bench.store.save_basis(&acme(), vec![("A".into(), "9".into())]).await.unwrap();
        assert_eq!(end(&bench, ending.clone()).await, Ended { open: 3, ..Ended::default() }, "{ending:?}");
        assert_eq!(known(&bench, "A").await, (Some(9), None, None), "{ending:?}");
        let belief = bench.listing("A").await.belief;
        assert_eq!((belief.basis, belief.prior), (None, None), "whatever Amazon shows is news: {ending:?}");
        assert!(belief.accepted.is_some_and(|accepted| accepted.at < at(20)), "{ending:?}");
        assert_eq!(backlog(&bench).await, 0, "never replayed: {ending:?}");
        assert_eq!(bench.store.feed_times(&acme()).await.unwrap(), [], "{ending:?}");
    }
}

async fn a_feed_that_was_cancelled_changes_nothing(_: Bench) {
    let bench = open().await;
    assert_eq!(end(&bench, Ending::Cancelled).await, Ended { open: 3, ..Ended::default() });
    assert_eq!(known(&bench, "A").await, (Some(4), None, None));
    assert_eq!((backlog(&bench).await, bench.store.journal_of(&acme(), &"A".into(), 9).await.unwrap().len()), (0, 0));
}

async fn a_zero_under_way_when_a_feed_ends_is_neither_lost_nor_doubled(_: Bench) {
    let died = Ending::Fatal { text: "died".into() };
    for ending in [done(&[]), done(&[(1, "blocked")]), died, Ending::Lost, Ending::Cancelled] {
        let no_answer = Outcome::NoAnswer { text: "silence".into(), retry_at: at(30) };
        for (landing, believed, doubt) in
            [(accepted("1"), Some(0), false), (no_answer, None, true), (Outcome::NotSent, None, true)]
        {
            let bench = open().await;
            bench.queue("next", vec![change("A", Some(9), 0)], 5).await;
            let seen = vec![crate::bench::seen("A", 4)];
            bench.store.save_observations(&acme(), seen, at(6)).await.unwrap();
            let zero = bench.store.take_next(&acme(), None, &[], at(0)).await.unwrap().unwrap();
            end(&bench, ending.clone()).await;
            bench.store.record_outcomes(vec![(zero, landing.clone())], at(21)).await.unwrap();
            let what = format!("{ending:?}, {landing:?}");
            let (is, in_doubt, _) = known(&bench, "A").await;
            assert!(believed.is_none_or(|believed| is == Some(believed)), "{what}: {is:?}");
            assert_eq!(in_doubt.is_some(), doubt, "{what}");
            assert_eq!(backlog(&bench).await, u64::from(landing == Outcome::NotSent), "{what}");
            let rows = bench.store.journal_of(&acme(), &"A".into(), 9).await.unwrap();
            let zeroes = rows.iter().filter(|row| row.quantity == 0).count();
            let expected = (usize::from(landing != Outcome::NotSent), usize::from(ending != Ending::Cancelled));
            assert_eq!((zeroes, rows.len() - zeroes), expected, "{what}");
        }
    }
}

async fn a_zero_beside_a_feed_of_which_nobody_knows_what_it_did_is_sent_again(_: Bench) {
    for ending in [Ending::Fatal { text: "died".into() }, Ending::Lost] {
        let bench = open().await;
        bench.queue("next", vec![change("A", Some(9), 0)], 5).await;
        let seen = vec![crate::bench::seen("A", 4)];
        bench.store.save_observations(&acme(), seen, at(6)).await.unwrap();
        let zero = bench.store.take_next(&acme(), None, &[], at(0)).await.unwrap().unwrap();
        bench.store.record_outcomes(vec![(zero, accepted("1"))], at(7)).await.unwrap();
        end(&bench, ending.clone()).await;
        assert_eq!(known(&bench, "A").await, (Some(0), Some(9), None), "{ending:?}");
    }
}

async fn a_slot_that_is_to_go_elsewhere_by_now_is_not_taken(_: Bench) {
    let bench = three().await;
    let slots = bound(&bench, 0).await;
    bench.store.send_to(&slots[1], &FR.into()).await.unwrap();
    assert_eq!(bench.store.build_feed("f", &acme(), slots, at(2)).await.unwrap(), [true, false, true]);
    let places = bench.store.feed_marketplaces("f").await.unwrap();
    assert_eq!(places.into_iter().collect::<Vec<_>>(), [MarketplaceId::from(DE)]);
    assert_eq!(bound(&bench, 0).await[0].marketplace, MarketplaceId::from(FR));
}

async fn orders_of_feeds_are_remembered_whatever_became_of_them(_: Bench) {
    let bench = open().await;
    assert_eq!(bench.store.ordered_feeds(&acme(), at(9)).await.unwrap(), [at(3)]);
    end(&bench, done(&[])).await;
    assert_eq!(bench.store.ordered_feeds(&acme(), at(29)).await.unwrap(), [at(3)]);
    bench.queue("more", vec![change("A", Some(9), 8)], 25).await;
    let slots = bound(&bench, 0).await;
    bench.store.build_feed("g", &acme(), slots, at(26)).await.unwrap();
    assert_eq!(bench.store.ordered_feeds(&acme(), at(29)).await.unwrap(), [at(3)], "not yet ordered");
    bench.store.feed_leaves("g", at(27)).await.unwrap();
    assert_eq!(bench.store.ordered_feeds(&acme(), at(29)).await.unwrap(), [at(3), at(29)], "at any time up to now");
    // Since when it is looked for survives a restart.
    assert_eq!(bench.store.feed_searched("g", at(28)).await.unwrap(), at(28));
    let bench = bench.restarted();
    assert_eq!(bench.store.feed_searched("g", at(40)).await.unwrap(), at(28));
    bench.store.forget_feed("g").await.unwrap();
    assert_eq!(bench.store.open_feeds(&acme()).await.unwrap().len(), 1, "only what never left is forgotten");
}

async fn what_was_sent_beside_a_feed_stands(_: Bench) {
    let bench = open().await;
    bench.queue("next", vec![change("A", Some(9), 0)], 5).await;
    let seen = vec![crate::bench::seen("A", 4)];
    bench.store.save_observations(&acme(), seen, at(6)).await.unwrap();
    let zero = bench.store.take_next(&acme(), None, &[], at(0)).await.unwrap().unwrap();
    assert_eq!((zero.seller_sku.as_str(), zero.quantity), ("A", 0));
    bench.store.record_outcomes(vec![(zero, accepted("1"))], at(7)).await.unwrap();
    let ended = end(&bench, done(&[])).await;
    assert_eq!(ended, Ended { accepted: 2, overtaken: 1, ..Ended::default() });
    // Nobody knows which came last: the zero is believed, and sent again.
    assert_eq!(known(&bench, "A").await, (Some(0), Some(9), None));
}

async fn feeds_survive_a_restart(_: Bench) {
    let bench = open().await.restarted();
    let feeds = bench.store.open_feeds(&acme()).await.unwrap();
    let feed = &feeds[0];
    assert_eq!((feed.state, feed.feed_id.as_deref(), feed.messages), (FeedState::Open, Some("4711"), 3));
    assert_eq!((feed.made_at, feed.created_at), (at(2), Some(at(3))));
    bench.store.feed_is_stuck("f").await.unwrap();
    assert_eq!(bench.store.open_feeds(&acme()).await.unwrap()[0].state, FeedState::Stuck);
    assert_eq!(known(&bench, "A").await.2, Some(9), "stuck or not");
    assert_eq!(bench.store.feed_marketplaces("f").await.unwrap().len(), 1);
}

async fn feeds_that_came_to_nothing_are_counted_until_one_is_done(bench: Bench) {
    bench.selling(&[("A", 4)]).await;
    for (minute, ending, expected) in [
        (10, Ending::Cancelled, Some((1, at(10)))),
        (20, Ending::Fatal { text: "died".into() }, Some((2, at(20)))),
        (30, done(&[]), None),
        (40, Ending::Lost, Some((1, at(40)))),
    ] {
        let id = format!("f{minute}");
        bench.queue("plan", vec![change("A", Some(4), 9)], minute - 5).await;
        let slots = bound(&bench, 0).await;
        bench.store.build_feed(&id, &acme(), slots, at(minute - 4)).await.unwrap();
        bench.store.end_feed(&acme(), &id, ending, at(minute), WAITS, at(minute)).await.unwrap();
        assert_eq!(bench.store.failed_feeds(&acme()).await.unwrap(), expected, "{minute}");
    }
}
