//! What became of what was sent: the belief, the slot and the journal, kept together.

use stocksync::model::Belief;
use stocksync::store::{Observation, Outcome};

use crate::bench::{Bench, accepted, acme, at, change, known, on_every_store, seen};

on_every_store![
    an_accepted_quantity_is_believed_from_then_on,
    what_was_believed_before_is_the_prior,
    an_acceptance_ends_a_refusal,
    a_refused_quantity_changes_no_belief,
    a_refusal_leaves_an_earlier_doubt,
    refusals_are_counted,
    without_an_answer_the_quantity_stays_in_doubt,
    what_was_not_sent_waits_on,
    a_newer_value_that_came_meanwhile_stays,
    the_same_value_that_came_meanwhile_is_done,
    a_look_after_an_acceptance_confirms_it,
    every_outcome_that_reached_amazon_is_in_the_journal,
];

fn rejected(minutes: i64) -> Outcome {
    Outcome::Rejected { text: "99001 no such thing".into(), retry_at: at(minutes) }
}

fn unanswered(minutes: i64) -> Outcome {
    Outcome::NoAnswer { text: "timeout".into(), retry_at: at(minutes) }
}

impl Bench {
    async fn planned(&self, quantity: u32, minutes: i64) {
        self.queue("plan-1", vec![change("MUG", Some(9), quantity)], minutes).await;
    }
}

async fn an_accepted_quantity_is_believed_from_then_on(bench: Bench) {
    bench.selling(&[("MUG", 9)]).await;
    bench.planned(7, 1).await;
    bench.send(accepted("s-1"), 2).await;
    let belief = bench.listing("MUG").await.belief;
    assert_eq!((belief.accepted, belief.believed()), (Some(known(7, at(2))), Some(known(7, at(2)))));
    assert_eq!((belief.observed, belief.unconfirmed()), (Some(known(9, at(0))), Some(known(7, at(2)))));
    assert_eq!((belief.in_doubt, belief.basis.as_deref()), (None, Some("7")));
    assert_eq!(bench.slot("MUG").await, None);
}

async fn what_was_believed_before_is_the_prior(bench: Bench) {
    bench.selling(&[("MUG", 9)]).await;
    for (quantity, minutes, prior) in [(7, 2, 9), (5, 4, 7)] {
        bench.planned(quantity, minutes).await;
        bench.send(accepted("s"), minutes).await;
        assert_eq!(bench.listing("MUG").await.belief.prior, Some(prior));
    }
    bench.store.save_observations(&acme(), vec![seen("MUG", 4)], at(6)).await.unwrap();
    bench.planned(3, 7).await;
    bench.send(accepted("s"), 8).await;
    assert_eq!(bench.listing("MUG").await.belief.prior, Some(4), "seen live since");
}

async fn an_acceptance_ends_a_refusal(bench: Bench) {
    bench.selling(&[("MUG", 9)]).await;
    bench.planned(7, 1).await;
    bench.send(rejected(7), 2).await;
    bench.planned(6, 8).await;
    bench.send(accepted("s-1"), 9).await;
    assert_eq!(bench.listing("MUG").await.refusal, None);
    assert_eq!(bench.store.failures(&acme(), &"MUG".into()).await.unwrap(), 0);
}

async fn a_refused_quantity_changes_no_belief(bench: Bench) {
    bench.selling(&[("MUG", 9)]).await;
    let before = bench.listing("MUG").await.belief;
    bench.planned(7, 1).await;
    bench.send(rejected(7), 2).await;
    let listing = bench.listing("MUG").await;
    // Only that it was looked at before it was sent.
    assert_eq!(listing.belief, Belief { looked_at: listing.belief.looked_at, ..before });
    let refusal = listing.refusal.unwrap();
    assert_eq!((refusal.refused_at, refusal.retry_at, refusal.failures), (at(2), at(7), 1));
    assert_eq!(refusal.text, "99001 no such thing");
    assert_eq!(bench.slot("MUG").await, None);
}

async fn a_refusal_leaves_an_earlier_doubt(bench: Bench) {
    bench.selling(&[("MUG", 0)]).await;
    bench.planned(12, 1).await;
    bench.send(unanswered(6), 2).await;
    bench.planned(7, 7).await;
    bench.send(rejected(20), 8).await;
    assert_eq!(bench.listing("MUG").await.belief.in_doubt, Some(12), "amazon may show 12 all the same");
}

async fn refusals_are_counted(bench: Bench) {
    bench.selling(&[("MUG", 9)]).await;
    assert_eq!(bench.store.failures(&acme(), &"MUG".into()).await.unwrap(), 0);
    assert_eq!(bench.store.failures(&acme(), &"GHOST".into()).await.unwrap(), 0);
    for (failures, outcome) in (1..).zip([rejected(7), unanswered(20), rejected(60)]) {
        bench.planned(7, 1).await;
        bench.send(outcome, 2).await;
        assert_eq!(bench.store.failures(&acme(), &"MUG".into()).await.unwrap(), failures);
    }
    assert_eq!(bench.listing("MUG").await.refusal.unwrap().retry_at, at(60));
}

async fn without_an_answer_the_quantity_stays_in_doubt(bench: Bench) {
    bench.selling(&[("MUG", 9)]).await;
    bench.planned(7, 1).await;
    bench.send(unanswered(7), 2).await;
    let listing = bench.listing("MUG").await;
    assert_eq!((listing.belief.in_doubt, listing.belief.believed()), (Some(7), Some(known(9, at(0)))));
    assert_eq!(listing.refusal.unwrap().text, "timeout");
    assert_eq!(bench.slot("MUG").await, None);
    bench.store.save_observations(&acme(), vec![seen("MUG", 9)], at(3)).await.unwrap();
    assert_eq!(bench.listing("MUG").await.belief.in_doubt, Some(7), "it may come yet");
}

async fn what_was_not_sent_waits_on(bench: Bench) {
    bench.selling(&[("MUG", 9)]).await;
    bench.planned(7, 1).await;
    let waiting = bench.slot("MUG").await;
    bench.send(Outcome::NotSent, 2).await;
    assert_eq!(bench.slot("MUG").await, waiting);
    let listing = bench.listing("MUG").await;
    assert_eq!((listing.refusal, listing.belief.believed()), (None, Some(known(9, at(0)))));
    assert_eq!(bench.store.journal_of(&acme(), &"MUG".into(), 10).await.unwrap(), []);
}

async fn a_newer_value_that_came_meanwhile_stays(bench: Bench) {
    bench.selling(&[("A", 9), ("B", 9), ("C", 9)]).await;
    for (name, outcome) in [("A", accepted("s-1")), ("B", rejected(30)), ("C", unanswered(30))] {
        bench.queue("plan-1", vec![change(name, Some(9), 7)], 1).await;
        let slot = bench.take(Some("plan-1"), &[]).await.unwrap();
        bench.queue("plan-2", vec![change(name, Some(9), 5)], 3).await;
        bench.store.record_outcomes(vec![(slot, outcome)], at(4)).await.unwrap();
        let newer = bench.slot(name).await.unwrap();
        assert_eq!((newer.quantity, newer.plan_id.as_str()), (5, "plan-2"), "{name}");
    }
}

async fn the_same_value_that_came_meanwhile_is_done(bench: Bench) {
    bench.selling(&[("MUG", 9)]).await;
    bench.planned(7, 1).await;
    let slot = bench.take(None, &[]).await.unwrap();
    bench.queue("plan-2", vec![change("MUG", Some(9), 7)], 3).await;
    bench.store.record_outcomes(vec![(slot, accepted("s-1"))], at(4)).await.unwrap();
    assert_eq!(bench.slot("MUG").await, None);
}

async fn a_look_after_an_acceptance_confirms_it(bench: Bench) {
    bench.selling(&[("MUG", 9)]).await;
    bench.planned(7, 1).await;
    bench.send(accepted("s-1"), 2).await;
    bench.store.save_observations(&acme(), vec![seen("MUG", 9)], at(1)).await.unwrap();
    assert_eq!(bench.listing("MUG").await.belief.believed(), Some(known(7, at(2))), "asked before it was accepted");
    let silent = Observation { quantity: None, ..seen("MUG", 0) };
    bench.store.save_observations(&acme(), vec![silent], at(3)).await.unwrap();
    assert_eq!(bench.listing("MUG").await.belief.unconfirmed(), Some(known(7, at(2))));
    bench.store.save_observations(&acme(), vec![seen("MUG", 6)], at(4)).await.unwrap();
    let belief = bench.listing("MUG").await.belief;
    assert_eq!((belief.believed(), belief.unconfirmed()), (Some(known(6, at(4))), None));
}

async fn every_outcome_that_reached_amazon_is_in_the_journal(bench: Bench) {
    bench.selling(&[("MUG", 9)]).await;
    for (minutes, outcome) in (1..).zip([accepted("s-1"), rejected(9), unanswered(9), Outcome::NotSent]) {
        bench.planned(7, minutes).await;
        bench.send(outcome, minutes).await;
    }
    let journal = bench.store.journal_of(&acme(), &"MUG".into(), 10).await.unwrap();
    let told: Vec<_> = journal
        .iter()
        .map(|entry| (entry.at, entry.outcome.as_str(), entry.submission_id.as_deref(), entry.detail.as_deref()))
        .collect();
    let expected = [
        (at(3), "no_answer", None, Some("timeout")),
        (at(2), "rejected", None, Some("99001 no such thing")),
        (at(1), "accepted", Some("s-1"), None),
    ];
    assert_eq!(told, expected);
    for entry in &journal {
        assert_eq!((entry.from, entry.quantity, entry.lane.as_str()), (Some(9), 7, "patch"));
        assert_eq!((entry.store.as_str(), entry.reading.as_str()), ("acme-de", "7"));
        assert_eq!(entry.reasons, ["salable_quantity", "capped"]);
    }
    assert_eq!(bench.store.journal_of(&acme(), &"MUG".into(), 1).await.unwrap(), journal[..1]);
}
