//! Two processes at one state: the service, and whoever looks.

use stocksync::store::Store;

use crate::bench::{Bench, DE, acme, at, change, on_every_store, skus};

on_every_store![
    what_was_kept_is_there_after_a_restart,
    another_process_sees_what_this_one_kept,
    another_process_reads_while_this_one_writes,
    two_processes_may_write,
];

async fn names(store: &Store) -> usize {
    store.listings_after(&acme(), None, 1000).await.unwrap().len()
}

async fn what_was_kept_is_there_after_a_restart(bench: Bench) {
    bench.selling(&[("MUG", 9)]).await;
    bench.queue("plan-1", vec![change("MUG", Some(9), 7)], 1).await;
    let (listing, slot) = (bench.listing("MUG").await, bench.slot("MUG").await);
    let later = bench.restarted();
    assert_eq!((later.listing("MUG").await, later.slot("MUG").await), (listing, slot));
}

async fn another_process_sees_what_this_one_kept(bench: Bench) {
    let beside = bench.once_more();
    assert_eq!(names(&beside).await, 0);
    bench.selling(&[("MUG", 9)]).await;
    assert_eq!(names(&beside).await, 1);
}

async fn another_process_reads_while_this_one_writes(bench: Bench) {
    let beside = bench.once_more();
    let many: Vec<_> = (0..20_000).map(|number| format!("SKU-{number:05}").into()).collect();
    let (account, marketplace) = (acme(), DE.into());
    let writing = bench.store.save_discovery(&account, &marketplace, many, at(0));
    let reading = async {
        // Before, all or nothing of the list is seen; never a part of it, and never a wait for the writer's end.
        let mut seen = Vec::new();
        while seen.last() != Some(&1000) && seen.len() < 10_000 {
            seen.push(names(&beside).await);
        }
        seen
    };
    let (written, seen) = tokio::join!(writing, reading);
    written.unwrap();
    assert!(seen.iter().all(|count| [0, 1000].contains(count)), "{seen:?}");
    assert_eq!(names(&bench.once_more()).await, 1000, "who opens it anew sees it as well");
}

async fn two_processes_may_write(bench: Bench) {
    let beside = bench.once_more();
    let (one, other) = ((0..200).map(|n| format!("A-{n}")), (0..200).map(|n| format!("B-{n}")));
    let add = async |store: &Store, name: String| {
        store.add_presence(&acme(), vec![(name.into(), vec!["X".into()])]).await.unwrap();
    };
    let writing = async {
        for name in one {
            add(&bench.store, name).await;
        }
    };
    let writing_beside = async {
        for name in other {
            add(&beside, name).await;
        }
    };
    tokio::join!(writing, writing_beside);
    assert_eq!(names(&beside).await, 400);
    assert_eq!(beside.listings_named(None, &skus(["A-199", "B-199"])).await.unwrap().len(), 2);
}
