//! What reading back found: drift, and what Amazon never applied.

use std::collections::BTreeMap;

use stocksync::plan::{Cause, Drift};
use stocksync::store::{DriftRecord, Observation};

use crate::bench::{Bench, accepted, acme, at, change, on_every_store, seen};

on_every_store![
    what_was_not_applied_is_counted_with_its_evidence,
    what_is_applied_in_the_end_is_no_longer_counted,
    a_sale_shows_that_it_was_applied,
    the_newest_drift_of_a_listing_is_kept,
    drift_is_counted_by_cause_and_time,
];

fn drifted(name: &str, cause: Cause, expected: u32, shown: u32) -> Observation {
    let unapplied = cause == Cause::Lost;
    Observation { drift: Some(Drift { cause, expected, shown, unapplied }), ..seen(name, shown) }
}

/// Amazon accepted 9 at minute 1, and shows 4.
async fn lost_once() -> Bench {
    let bench = Bench::sqlite();
    bench.selling(&[("MUG", 4), ("TENT", 4)]).await;
    bench.queue("plan", vec![change("MUG", Some(4), 9)], 1).await;
    bench.send(accepted("sub-1"), 1).await;
    bench
}

async fn save(bench: &Bench, observation: Observation, minutes: i64) {
    bench.store.save_observations(&acme(), vec![observation], at(minutes)).await.unwrap();
}

async fn what_was_not_applied_is_counted_with_its_evidence(_: Bench) {
    let bench = lost_once().await;
    for (times, minutes) in [(1, 11), (2, 22)] {
        save(&bench, drifted("MUG", Cause::Lost, 9, 4), minutes).await;
        let unapplied = bench.listing("MUG").await.unapplied.unwrap();
        assert_eq!((unapplied.times, unapplied.found_at), (times, at(minutes)));
        assert_eq!(unapplied.evidence, "accepted 9, shows 4; submission sub-1");
    }
    let (count, listings) = bench.store.unapplied(&acme(), 2, 10).await.unwrap();
    assert_eq!((count, listings[0].0.as_str(), listings[0].1.times), (1, "MUG", 2));
    assert_eq!(bench.store.unapplied(&acme(), 3, 10).await.unwrap(), (0, Vec::new()));
    assert_eq!(bench.store.unapplied(&"other".into(), 1, 10).await.unwrap().0, 0);
    let bench = bench.restarted();
    assert_eq!(bench.listing("MUG").await.unapplied.unwrap().times, 2);
    assert_eq!(bench.listing("TENT").await.unapplied, None);
}

async fn what_is_applied_in_the_end_is_no_longer_counted(_: Bench) {
    let bench = lost_once().await;
    save(&bench, drifted("MUG", Cause::Lost, 9, 4), 11).await;
    // Another one is accepted: that alone says nothing.
    bench.queue("plan", vec![change("MUG", Some(4), 9)], 12).await;
    bench.send(accepted("sub-2"), 12).await;
    assert_eq!(bench.listing("MUG").await.unapplied.unwrap().times, 1);
    save(&bench, seen("MUG", 9), 22).await;
    assert_eq!(bench.listing("MUG").await.unapplied, None);
}

async fn a_sale_shows_that_it_was_applied(_: Bench) {
    let bench = lost_once().await;
    save(&bench, drifted("MUG", Cause::Lost, 9, 4), 11).await;
    save(&bench, drifted("MUG", Cause::Edit, 4, 12), 12).await;
    assert_eq!(bench.listing("MUG").await.unapplied.unwrap().times, 1);
    save(&bench, drifted("MUG", Cause::Sale, 12, 7), 22).await;
    assert_eq!(bench.listing("MUG").await.unapplied, None);
}

async fn the_newest_drift_of_a_listing_is_kept(bench: Bench) {
    bench.selling(&[("MUG", 4)]).await;
    assert_eq!(bench.store.drift_of(&acme(), &"MUG".into()).await.unwrap(), None);
    save(&bench, drifted("MUG", Cause::Sale, 9, 4), 11).await;
    save(&bench, drifted("MUG", Cause::Edit, 4, 50), 22).await;
    save(&bench, seen("MUG", 50), 33).await;
    let expected = DriftRecord { at: at(22), cause: "edit".to_owned(), expected: 4, shown: 50 };
    assert_eq!(bench.store.drift_of(&acme(), &"MUG".into()).await.unwrap(), Some(expected));
}

async fn drift_is_counted_by_cause_and_time(bench: Bench) {
    bench.selling(&[("MUG", 4), ("TENT", 4), ("POLE", 4)]).await;
    save(&bench, drifted("MUG", Cause::Sale, 9, 4), 11).await;
    save(&bench, drifted("TENT", Cause::Sale, 9, 4), 12).await;
    save(&bench, drifted("POLE", Cause::Lost, 9, 4), 13).await;
    let since = async |minutes| bench.store.drifted_since(&acme(), at(minutes)).await.unwrap();
    let counts =
        |counts: &[(&str, u64)]| counts.iter().map(|(cause, n)| ((*cause).to_owned(), *n)).collect::<BTreeMap<_, _>>();
    assert_eq!(since(0).await, counts(&[("lost", 1), ("sale", 2)]));
    assert_eq!(since(12).await, counts(&[("lost", 1), ("sale", 1)]));
    assert_eq!(since(14).await, counts(&[]));
}
