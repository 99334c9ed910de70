//! Plans, the journal's age, and accounts in trouble.

use std::collections::BTreeMap;

use stocksync::plan::{Plan, Withheld};
use stocksync::reason::Reason;
use stocksync::store::Trouble;

use crate::bench::{Bench, accepted, acme, at, change, on_every_store};

on_every_store![
    a_plan_is_recorded_with_its_counts,
    the_newest_plans_come_first,
    only_the_newest_plans_of_an_account_are_kept,
    the_journal_forgets_what_is_older_than_told,
    trouble_keeps_when_it_began,
    trouble_that_ended_begins_anew,
];

fn plan(id: &str, account: &str, minutes: i64) -> Plan {
    let withheld = |name: &str, reason| Withheld {
        account: account.into(),
        seller_sku: name.into(),
        store: "acme-de".into(),
        reason,
        detail: "because".into(),
    };
    let mut observing = change("B", Some(9), 5);
    observing.live = false;
    let mut conflicting = change("A", Some(9), 7);
    conflicting.conflict = Some("acme-de (DE) 7, acme-fr (FR) 9".into());
    Plan {
        id: id.into(),
        account: account.into(),
        at: at(minutes),
        changes: vec![conflicting, observing],
        withheld: vec![
            withheld("C", Reason::FulfilledByAmazon),
            withheld("D", Reason::SourceUnknown),
            withheld("E", Reason::FulfilledByAmazon),
        ],
        unchanged: 40,
        listings: 45,
        look_at: None,
        held: Vec::new(),
        products: 60,
        problem: Some("shop: HTTP 503".into()),
    }
}

async fn record(bench: &Bench, plan: &Plan) {
    bench.store.record_plan(plan, "schedule", "acme-de acme-fr".into(), at(0)).await.unwrap();
}

async fn a_plan_is_recorded_with_its_counts(bench: Bench) {
    record(&bench, &plan("plan-1", "acme", 1)).await;
    let cycles = bench.store.cycles(&acme(), 10).await.unwrap();
    assert_eq!(cycles.len(), 1);
    let cycle = &cycles[0];
    assert_eq!(
        (cycle.plan_id.as_str(), cycle.cause.as_str(), cycle.scope.as_str()),
        ("plan-1", "schedule", "acme-de acme-fr")
    );
    assert_eq!((cycle.started_at, cycle.planned_at), (at(0), at(1)));
    assert_eq!((cycle.products, cycle.listings, cycle.unchanged), (60, 45, 40));
    assert_eq!((cycle.changes, cycle.queued, cycle.conflicts), (2, 1, 1));
    let withheld = BTreeMap::from([("fulfilled_by_amazon".to_owned(), 2), ("source_unknown".to_owned(), 1)]);
    assert_eq!((&cycle.withheld, cycle.problem.as_deref()), (&withheld, Some("shop: HTTP 503")));
}

async fn the_newest_plans_come_first(bench: Bench) {
    for (id, minutes) in [("plan-b", 2), ("plan-a", 1), ("plan-d", 3), ("plan-c", 3)] {
        record(&bench, &plan(id, "acme", minutes)).await;
    }
    record(&bench, &plan("theirs", "other", 9)).await;
    let ids = async |limit| -> Vec<String> {
        let cycles = bench.store.cycles(&acme(), limit).await.unwrap();
        cycles.into_iter().map(|cycle| cycle.plan_id).collect()
    };
    assert_eq!(ids(10).await, ["plan-d", "plan-c", "plan-b", "plan-a"]);
    assert_eq!(ids(1).await, ["plan-d"]);
}

async fn only_the_newest_plans_of_an_account_are_kept(bench: Bench) {
    record(&bench, &plan("theirs", "other", 0)).await;
    for number in 1..=205 {
        record(&bench, &plan(&format!("plan-{number}"), "acme", number)).await;
    }
    let kept = bench.store.cycles(&acme(), 1000).await.unwrap();
    assert_eq!((kept.len(), kept.last().unwrap().plan_id.as_str()), (200, "plan-6"));
    assert_eq!(bench.store.cycles(&"other".into(), 1000).await.unwrap().len(), 1);
}

async fn the_journal_forgets_what_is_older_than_told(bench: Bench) {
    bench.selling(&[("MUG", 9)]).await;
    for minutes in [1, 2, 3] {
        bench.queue("plan-1", vec![change("MUG", Some(9), 7)], minutes).await;
        bench.send(accepted("s"), minutes).await;
    }
    assert_eq!(bench.store.prune_journal(at(2)).await.unwrap(), 1);
    assert_eq!(bench.store.prune_journal(at(2)).await.unwrap(), 0);
    let left = bench.store.journal_of(&acme(), &"MUG".into(), 10).await.unwrap();
    assert_eq!(left.iter().map(|entry| entry.at).collect::<Vec<_>>(), [at(3), at(2)]);
}

fn trouble(text: &str, minutes: i64) -> Trouble {
    let cause = (text == "HTTP 403").then(|| "role_missing".to_owned());
    Trouble { since: at(minutes), cause, text: text.into(), retry_at: at(minutes + 1) }
}

async fn trouble_keeps_when_it_began(bench: Bench) {
    assert_eq!(bench.store.trouble(&acme()).await.unwrap(), None);
    bench.store.set_trouble(&acme(), Some(trouble("HTTP 403", 1))).await.unwrap();
    bench.store.set_trouble(&acme(), Some(trouble("HTTP 500", 5))).await.unwrap();
    let expected = Trouble { since: at(1), ..trouble("HTTP 500", 5) };
    assert_eq!(bench.store.trouble(&acme()).await.unwrap(), Some(expected));
    assert_eq!(bench.store.trouble(&"other".into()).await.unwrap(), None);
}

async fn trouble_that_ended_begins_anew(bench: Bench) {
    bench.store.set_trouble(&acme(), Some(trouble("HTTP 403", 1))).await.unwrap();
    bench.store.set_trouble(&acme(), None).await.unwrap();
    assert_eq!(bench.store.trouble(&acme()).await.unwrap(), None);
    bench.store.set_trouble(&acme(), Some(trouble("HTTP 403", 9))).await.unwrap();
    assert_eq!(bench.store.trouble(&acme()).await.unwrap().unwrap().since, at(9));
}
