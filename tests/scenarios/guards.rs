//! A broken import, an emptied warehouse, a shop that lost its products: what leaves, what is held, and what releases it.

use stocksync::plan::Released;
use stocksync::reason::Reason;
use stocksync::sim::commerce::ProductEdit;
use stocksync::store::HeldPlan;

use super::bench::{Bench, PlanExt};
use super::scene::Scene;

/// Fifty products with nine of each, all of them on Amazon as they should be.
async fn fifty() -> Bench {
    let bench = Bench::start(Scene::new().guarded().many(50, 9, 9)).await;
    bench.cycle().await;
    assert_eq!(bench.sent(), []);
    bench
}

fn sku(number: u32) -> String {
    format!("P-{number:05}")
}

async fn held(bench: &Bench) -> Vec<HeldPlan> {
    bench.store().held_plans().await.unwrap()
}

/// What `apply` does before its cycle.
async fn release(bench: &Bench, id: &str) {
    let (plan, quantities) = bench.store().held_plan(id).await.unwrap().unwrap();
    bench.store().release(&plan.account, quantities, Some(plan.id), bench.clock.now()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_emptied_warehouse_is_held_and_the_rest_flows() {
    let bench = fifty().await;
    (1..=40).for_each(|number| bench.stock(&sku(number), 0));
    bench.stock(&sku(41), 4);
    bench.stock(&sku(42), 20);
    let plan = bench.tick().await;
    let mut sent = bench.sent();
    sent.sort();
    assert_eq!(sent, [(sku(41), 4), (sku(42), 20)]);
    assert_eq!(plan.withheld_reasons().values().filter(|reason| **reason == Reason::GuardZeroed).count(), 40);
    let plans = held(&bench).await;
    assert_eq!((plans.len(), plans[0].changes, plans[0].guards[0].guard.as_str()), (1, 40, "guard_zeroed"));
    assert_eq!(plans[0].guards[0].detail, "40 of 50 listings would go to 0; allowed are 20 % and 500");
    // The id stays while nothing is added, and nothing leaves.
    bench.cycles("1h").await;
    assert_eq!(held(&bench).await[0].id, plans[0].id);
    assert_eq!(bench.sent().len(), 2);
    release(&bench, &plans[0].id).await;
    bench.tick().await;
    assert!((1..=40).all(|number| bench.shown(&sku(number)) == Some(0)));
    assert_eq!(held(&bench).await, []);
    assert_eq!(bench.store().released(bench.work("acme").name(), bench.clock.now()).await.unwrap().len(), 40);
    // Once Amazon shows it.
    bench.cycles("20m").await;
    assert_eq!(
        bench.store().released(bench.work("acme").name(), bench.clock.now()).await.unwrap(),
        Released::new(),
        "a release is used up"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_held_ends_by_itself_when_the_import_is_mended() {
    let bench = fifty().await;
    (1..=50).for_each(|number| bench.edit(&sku(number), &ProductEdit { enabled: Some(false), ..Default::default() }));
    bench.wait("5m").await;
    bench.full_cycle().await;
    assert_eq!(held(&bench).await.len(), 1);
    bench.wait("5m").await;
    (1..=50).for_each(|number| bench.edit(&sku(number), &ProductEdit { enabled: Some(true), ..Default::default() }));
    bench.full_cycle().await;
    assert_eq!((held(&bench).await, bench.sent()), (Vec::new(), Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn a_held_plan_that_grows_gets_another_id_and_the_first_releases_only_what_it_had() {
    let bench = fifty().await;
    (1..=20).for_each(|number| bench.stock(&sku(number), 0));
    bench.tick().await;
    let first = held(&bench).await.remove(0);
    (21..=45).for_each(|number| bench.stock(&sku(number), 0));
    bench.tick().await;
    let second = held(&bench).await.remove(0);
    assert_ne!(first.id, second.id);
    assert_eq!((first.changes, second.changes), (20, 45));
    release(&bench, &first.id).await;
    bench.tick().await;
    let zeroed = |bench: &Bench| (1..=50).filter(|number| bench.shown(&sku(*number)) == Some(0)).count();
    assert_eq!(zeroed(&bench), 20);
    assert_eq!(held(&bench).await[0].changes, 25);
}

#[tokio::test(start_paused = true)]
async fn what_was_released_and_is_no_longer_wanted_is_not_sent() {
    let bench = fifty().await;
    (1..=30).for_each(|number| bench.stock(&sku(number), 0));
    bench.tick().await;
    let id = held(&bench).await.remove(0).id;
    (1..=15).for_each(|number| bench.stock(&sku(number), 9));
    release(&bench, &id).await;
    bench.tick().await;
    assert!((1..=15).all(|number| bench.shown(&sku(number)) == Some(9) && bench.sent_of(&sku(number)).is_empty()));
    assert!((16..=30).all(|number| bench.shown(&sku(number)) == Some(0)));
}

#[tokio::test(start_paused = true)]
async fn a_slow_release_is_not_called_back_by_the_next_cycles() {
    let scene = Scene::new().guarded().amazon("rates = { patchListingsItem = 0.05 }").many(50, 9, 9);
    let bench = Bench::start(scene).await;
    bench.cycle().await;
    (1..=40).for_each(|number| bench.stock(&sku(number), 0));
    bench.tick().await;
    let id = held(&bench).await.remove(0).id;
    release(&bench, &id).await;
    bench.cycle().await;
    bench.cycles("10m").await;
    assert!((1..=40).all(|number| bench.shown(&sku(number)) == Some(0)));
    assert!((1..=40).all(|number| bench.sent_of(&sku(number)) == [0]));
}

#[tokio::test(start_paused = true)]
async fn a_few_products_that_sell_out_are_never_held() {
    let bench = Bench::start(Scene::new().guarded().many(9, 9, 9)).await;
    bench.cycle().await;
    (1..=9).for_each(|number| bench.stock(&sku(number), 0));
    bench.tick().await;
    assert!((1..=9).all(|number| bench.shown(&sku(number)) == Some(0)));
}

#[tokio::test(start_paused = true)]
async fn half_of_all_units_gone_is_held_although_nothing_is_zero() {
    let bench = fifty().await;
    (1..=50).for_each(|number| bench.stock(&sku(number), 2));
    let plan = bench.tick().await;
    assert_eq!(bench.sent(), []);
    assert_eq!(plan.why_withheld(&sku(7)), Some(Reason::GuardUnitsDrop));
}

#[tokio::test(start_paused = true)]
async fn a_shop_that_lost_its_products_zeroes_nothing() {
    let scene = Scene::with_store("on_missing_product = \"zero\"").guarded().many(50, 9, 9);
    let bench = Bench::start(scene).await;
    bench.full_cycle().await;
    for number in 1..=45 {
        bench.pair.commerce.delete(&sku(number)).unwrap();
    }
    bench.wait("5m").await;
    let plan = bench.full_cycle().await;
    assert_eq!(bench.sent(), []);
    assert!(plan.withheld.iter().any(|withheld| withheld.reason == Reason::GuardSourceShrunken), "{:?}", plan.withheld);
    // A count that is shrunken does not become the measure of the next one.
    bench.cycles("1h").await;
    assert_eq!(bench.sent(), []);
}
