//! The granted rate is used and never exceeded.

use stocksync::sim::amazon::{Counts, Operation};

use super::bench::Bench;
use super::scene::{Scene, seller};

fn patches(bench: &Bench) -> Counts {
    bench.stats().calls[&seller("acme")][&Operation::PatchListingsItem].clone()
}

/// Of the calls that the rate allowed between the first and the last, the share that was made.
fn share_used(counts: &Counts, rate: f64) -> f64 {
    let took = counts.last_granted.unwrap() - counts.first_granted.unwrap();
    let made = u32::try_from(counts.calls - counts.throttled).unwrap();
    f64::from(made - 1) / (took.as_secs_f64() * rate)
}

#[tokio::test(start_paused = true)]
async fn six_hundred_changes_use_the_documented_rate() {
    let bench = Bench::start(Scene::new().many(600, 9, 5)).await;
    bench.cycle().await;
    let counts = patches(&bench);
    let share = share_used(&counts, 5.0);
    assert_eq!((counts.calls, counts.throttled), (600, 0));
    assert!(share >= 0.98, "{share:.4} of the rate used");
    assert!(counts.most_in_a_second <= 9, "{} in a second", counts.most_in_a_second);
}

#[tokio::test(start_paused = true)]
async fn three_thousand_changes_use_a_twentyfold_rate() {
    let bench = Bench::start(Scene::new().amazon("speed = 20.0").many(3000, 9, 5)).await;
    bench.work_on("acme", &bench.resync(&[])).await.unwrap();
    let counts = patches(&bench);
    let share = share_used(&counts, 100.0);
    assert_eq!((counts.calls, counts.throttled), (3000, 0));
    assert!(share >= 0.97, "{share:.4} of the rate used");
}

#[tokio::test(start_paused = true)]
async fn a_smaller_rate_than_the_documented_one_is_obeyed_from_the_first_answer() {
    let mut bench = Bench::start(Scene::new().amazon("rates = { patchListingsItem = 0.5 }").many(40, 9, 5)).await;
    // Nobody told us before the first answers.
    bench.may_be_throttled();
    bench.cycle().await;
    let counts = patches(&bench);
    assert!(counts.throttled <= 5, "throttled {} times", counts.throttled);
    assert!(bench.sent().len() == 40 && share_used(&counts, 0.5) >= 0.9, "{:.3}", share_used(&counts, 0.5));
}

#[tokio::test(start_paused = true)]
async fn a_stranger_who_takes_two_fifths_of_the_rate_delays_and_loses_nothing() {
    let mut bench = Bench::start(Scene::new().account_world("foreign_share = 0.4").many(300, 9, 5)).await;
    bench.may_be_throttled();
    bench.cycle().await;
    assert_eq!(bench.sent().len(), 300);
    let counts = patches(&bench);
    let share = share_used(&counts, 3.0);
    assert!(share >= 0.9, "{share:.3} of what was left was used");
    assert!(counts.throttled <= 10, "throttled {} times", counts.throttled);
    bench.wait("1m").await;
    bench
        .pair
        .amazon
        .change_settings(stocksync::sim::amazon::SettingsEdit { foreign_share: Some(0.0), ..Default::default() });
    assert_eq!(bench.cycles("15m").await, []);
}
