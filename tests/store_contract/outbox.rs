//! What waits, in which order it goes, and what a plan may take back.

use stocksync::model::SellerSku;
use stocksync::plan::{Change, Priority};
use stocksync::store::{Outcome, Settled};

use crate::bench::{Bench, accepted, acme, at, change, on_every_store, settled, skus};

on_every_store![
    a_queued_change_waits_as_it_was_planned,
    the_newest_value_takes_the_slot,
    waiting_is_not_lost_while_the_kind_stays,
    a_new_kind_waits_anew,
    better_kinds_go_first_then_larger_gaps_then_names,
    who_waited_beyond_its_patience_goes_before_better_kinds,
    busy_listings_are_passed_over,
    a_plan_may_be_sent_alone,
    settled_listings_are_taken_out,
    a_plan_is_queued_as_a_whole,
    what_amazon_took_in_while_it_was_planned_is_not_queued_again,
    what_amazon_took_in_before_the_plan_and_was_kept_after_it_looked_is_not_queued_again,
    what_amazon_took_in_before_is_queued,
    a_settled_slot_that_left_meanwhile_is_corrected,
    a_settled_slot_that_still_waits_needs_no_correction,
    what_is_taken_is_in_doubt_and_still_waits,
    of_two_quantities_in_doubt_the_larger_one_counts,
    the_backlog_counts_by_kind_and_knows_the_oldest_zero,
    accounts_wait_apart,
];

fn other(mut change: Change) -> Change {
    change.account = "other".into();
    change
}

async fn a_queued_change_waits_as_it_was_planned(bench: Bench) {
    bench.selling(&[("MUG", 9)]).await;
    let planned = change("MUG", Some(9), 7);
    bench.queue("plan-1", vec![planned.clone()], 1).await;
    let slot = bench.slot("MUG").await.unwrap();
    assert_eq!((slot.account, slot.seller_sku, slot.store), (planned.account, planned.seller_sku, planned.store));
    assert_eq!((slot.country.as_str(), slot.marketplace), (planned.country, planned.marketplace));
    assert_eq!((slot.from, slot.quantity, slot.priority), (Some(9), 7, Priority::Drop));
    assert_eq!((slot.plan_id.as_str(), slot.since), ("plan-1", at(1)));
    assert_eq!((slot.reasons.as_str(), slot.basis.as_str()), ("salable_quantity capped", "7"));
    assert_eq!(bench.slot("CUP").await, None);
}

async fn the_newest_value_takes_the_slot(bench: Bench) {
    bench.selling(&[("MUG", 9)]).await;
    bench.queue("plan-1", vec![change("MUG", Some(9), 7)], 1).await;
    bench.queue("plan-2", vec![change("MUG", Some(9), 5)], 2).await;
    assert_eq!(bench.store.backlog(&acme(), None).await.unwrap(), 1);
    assert_eq!(bench.store.backlog(&acme(), Some("plan-1")).await.unwrap(), 0);
    let slot = bench.take(None, &[]).await.unwrap();
    assert_eq!((slot.quantity, slot.plan_id.as_str()), (5, "plan-2"));
}

async fn waiting_is_not_lost_while_the_kind_stays(bench: Bench) {
    bench.selling(&[("MUG", 9)]).await;
    bench.queue("plan-1", vec![change("MUG", Some(9), 7)], 1).await;
    bench.queue("plan-2", vec![change("MUG", Some(9), 5)], 8).await;
    assert_eq!(bench.slot("MUG").await.unwrap().since, at(1));
}

async fn a_new_kind_waits_anew(bench: Bench) {
    bench.selling(&[("MUG", 9)]).await;
    bench.queue("plan-1", vec![change("MUG", Some(9), 12)], 1).await;
    bench.queue("plan-2", vec![change("MUG", Some(9), 0)], 8).await;
    let slot = bench.slot("MUG").await.unwrap();
    assert_eq!((slot.since, slot.priority), (at(8), Priority::Zero));
}

async fn better_kinds_go_first_then_larger_gaps_then_names(bench: Bench) {
    let planned = [
        change("rest", Some(5), 9),
        change("restart", Some(0), 3),
        change("drop", Some(9), 8),
        change("drop-more", Some(9), 1),
        change("zero-b", Some(2), 0),
        change("zero-a", Some(2), 0),
    ];
    bench.selling(&planned.each_ref().map(|change| (change.seller_sku.as_str(), change.from.unwrap()))).await;
    bench.queue("plan-1", planned.to_vec(), 1).await;
    assert_eq!(bench.order().await, ["zero-a", "zero-b", "drop-more", "drop", "restart", "rest"]);
}

async fn who_waited_beyond_its_patience_goes_before_better_kinds(bench: Bench) {
    bench.selling(&[("DROP", 9), ("ZERO", 9), ("REST", 1), ("ZERO-2", 9)]).await;
    bench.queue("plan-1", vec![change("DROP", Some(9), 8), change("REST", Some(1), 8)], 0).await;
    bench.queue("plan-2", vec![change("ZERO", Some(9), 0)], 9).await;
    bench.queue("plan-3", vec![change("ZERO-2", Some(9), 0)], 11).await;
    assert_eq!(bench.order().await, ["ZERO", "DROP", "ZERO-2", "REST"]);
}

async fn busy_listings_are_passed_over(bench: Bench) {
    bench.selling(&[("A", 9), ("B", 9)]).await;
    bench.queue("plan-1", vec![change("A", Some(9), 1), change("B", Some(9), 2)], 1).await;
    assert_eq!(bench.take(None, &["A"]).await.unwrap().seller_sku, "B".into());
    assert_eq!(bench.take(None, &["B", "A"]).await, None);
}

async fn a_plan_may_be_sent_alone(bench: Bench) {
    bench.selling(&[("A", 9), ("B", 9)]).await;
    bench.queue("plan-1", vec![change("A", Some(9), 0)], 1).await;
    bench.queue("plan-2", vec![change("B", Some(9), 8)], 1).await;
    assert_eq!(bench.take(Some("plan-2"), &[]).await.unwrap().seller_sku, "B".into());
    assert_eq!(bench.take(Some("plan-2"), &["B"]).await, None);
    assert_eq!(bench.store.backlog(&acme(), Some("plan-2")).await.unwrap(), 1);
    assert_eq!(bench.store.backlog(&acme(), None).await.unwrap(), 2);
}

async fn settled_listings_are_taken_out(bench: Bench) {
    bench.selling(&[("A", 9), ("B", 9)]).await;
    bench.queue("plan-1", vec![change("A", Some(9), 0), change("B", Some(9), 2)], 1).await;
    let waiting: Vec<(SellerSku, Priority)> = bench.store.waiting(&acme()).await.unwrap().into_iter().collect();
    assert_eq!(waiting, [("A".into(), Priority::Zero), ("B".into(), Priority::Drop)]);
    let of = bench.store.waiting_of(&acme(), &skus(["B", "GHOST", "B"])).await.unwrap();
    assert_eq!(of.into_iter().collect::<Vec<_>>(), skus(["B"]));
    bench.store.queue("plan-2", &acme(), Vec::new(), vec![settled("A"), settled("GHOST")], at(2)).await.unwrap();
    assert_eq!(bench.order().await, ["B"]);
}

async fn a_plan_is_queued_as_a_whole(bench: Bench) {
    bench.selling(&[("A", 9), ("B", 9)]).await;
    bench.queue("plan-1", vec![change("A", Some(9), 0)], 1).await;
    bench.store.queue("plan-2", &acme(), vec![change("B", Some(9), 1)], vec![settled("A")], at(2)).await.unwrap();
    assert_eq!(bench.order().await, ["B"]);
}

async fn what_amazon_took_in_while_it_was_planned_is_not_queued_again(bench: Bench) {
    bench.selling(&[("MUG", 9)]).await;
    bench.queue("plan-1", vec![change("MUG", Some(9), 7)], 1).await;
    bench.send(accepted("s-1"), 5).await;
    // Plan 2 began to look at minute 4 and still saw 9.
    bench.queue("plan-2", vec![change("MUG", Some(9), 7)], 4).await;
    assert_eq!(bench.slot("MUG").await, None);
    bench.queue("plan-2", vec![change("MUG", Some(9), 6)], 4).await;
    assert_eq!(bench.slot("MUG").await.unwrap().quantity, 6, "another quantity is news");
}

async fn what_amazon_took_in_before_the_plan_and_was_kept_after_it_looked_is_not_queued_again(bench: Bench) {
    bench.selling(&[("MUG", 9)]).await;
    bench.queue("plan-1", vec![change("MUG", Some(9), 7)], 1).await;
    bench.send(accepted("s-1"), 5).await;
    // Plan 2 began at minute 6, and the outcome of minute 5 was not written yet when it looked.
    bench.store.queue("plan-2", &acme(), vec![change("MUG", Some(9), 7)], Vec::new(), at(6)).await.unwrap();
    assert_eq!(bench.slot("MUG").await, None);
}

async fn what_amazon_took_in_before_is_queued(bench: Bench) {
    bench.selling(&[("MUG", 9)]).await;
    bench.queue("plan-1", vec![change("MUG", Some(9), 7)], 1).await;
    bench.send(accepted("s-1"), 5).await;
    // Plan 2 knew of it and sends it again: the reading moved, a sale may hide behind it.
    bench.queue("plan-2", vec![change("MUG", Some(7), 7)], 6).await;
    assert_eq!(bench.slot("MUG").await.unwrap().quantity, 7);
}

async fn a_settled_slot_that_left_meanwhile_is_corrected(bench: Bench) {
    bench.selling(&[("SENT", 3), ("FLYING", 3)]).await;
    bench.queue("plan-1", vec![change("SENT", Some(3), 10), change("FLYING", Some(3), 10)], 1).await;
    // While plan 2, which finds that 3 is right after all, is made:
    let sent = bench.take(None, &["FLYING"]).await.unwrap();
    bench.store.record_outcomes(vec![(sent, accepted("s-1"))], at(5)).await.unwrap();
    let flying = bench.take(None, &[]).await.unwrap();
    let corrected =
        ["SENT", "FLYING"].map(|name| Settled { seller_sku: name.into(), correction: Some(change(name, Some(3), 3)) });
    bench.store.queue("plan-2", &acme(), Vec::new(), corrected.to_vec(), at(4)).await.unwrap();
    assert_eq!(bench.slot("SENT").await.unwrap().quantity, 3);
    bench.store.record_outcomes(vec![(flying, accepted("s-2"))], at(6)).await.unwrap();
    assert_eq!(bench.slot("FLYING").await.unwrap().quantity, 3, "it goes behind the one under way");
}

async fn a_settled_slot_that_still_waits_needs_no_correction(bench: Bench) {
    bench.selling(&[("MUG", 3)]).await;
    bench.queue("plan-1", vec![change("MUG", Some(3), 10)], 1).await;
    let corrected = Settled { seller_sku: "MUG".into(), correction: Some(change("MUG", Some(3), 3)) };
    bench.store.queue("plan-2", &acme(), Vec::new(), vec![corrected], at(4)).await.unwrap();
    assert_eq!(bench.slot("MUG").await, None);
}

async fn what_is_taken_is_in_doubt_and_still_waits(bench: Bench) {
    bench.selling(&[("MUG", 9)]).await;
    bench.queue("plan-1", vec![change("MUG", Some(9), 7)], 1).await;
    assert_eq!(bench.listing("MUG").await.belief.in_doubt, None);
    let slot = bench.take(None, &[]).await.unwrap();
    assert_eq!((slot.quantity, slot.doubted), (7, None));
    // As after a crash: whoever comes next knows, and takes it again.
    assert_eq!(bench.listing("MUG").await.belief.in_doubt, Some(7));
    assert_eq!(bench.take(None, &[]).await.unwrap().quantity, 7);
}

async fn of_two_quantities_in_doubt_the_larger_one_counts(bench: Bench) {
    bench.selling(&[("MUG", 9)]).await;
    bench.queue("plan-1", vec![change("MUG", Some(9), 12)], 1).await;
    bench.send(Outcome::NoAnswer { text: "timeout".into(), retry_at: at(6) }, 2).await;
    bench.queue("plan-2", vec![change("MUG", Some(9), 7)], 3).await;
    assert_eq!(bench.take(None, &[]).await.unwrap().doubted, Some(12));
    assert_eq!(bench.listing("MUG").await.belief.in_doubt, Some(12));
}

async fn the_backlog_counts_by_kind_and_knows_the_oldest_zero(bench: Bench) {
    bench.selling(&[("A", 9), ("B", 9), ("C", 9)]).await;
    assert_eq!(bench.store.backlog_by_priority(&acme()).await.unwrap(), (Vec::new(), None));
    bench.queue("plan-1", vec![change("A", Some(9), 12)], 0).await;
    bench.queue("plan-2", vec![change("B", Some(9), 0)], 3).await;
    bench.queue("plan-3", vec![change("C", Some(9), 0)], 5).await;
    let (mut counts, oldest_zero) = bench.store.backlog_by_priority(&acme()).await.unwrap();
    counts.sort_unstable();
    assert_eq!((counts, oldest_zero), (vec![(Priority::Zero, 2), (Priority::Rest, 1)], Some(at(3))));
}

async fn accounts_wait_apart(bench: Bench) {
    bench.selling(&[("MUG", 9)]).await;
    bench.queue("plan-1", vec![change("MUG", Some(9), 7)], 1).await;
    let theirs = other(change("MUG", Some(9), 0));
    bench.store.queue("plan-2", &theirs.account, vec![theirs.clone()], Vec::new(), at(1)).await.unwrap();
    bench.store.queue("plan-3", &theirs.account, Vec::new(), vec![settled("MUG")], at(2)).await.unwrap();
    assert_eq!(bench.store.backlog(&theirs.account, None).await.unwrap(), 0);
    assert_eq!(bench.take(None, &[]).await.unwrap().quantity, 7);
}
