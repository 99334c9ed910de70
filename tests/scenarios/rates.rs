//! Whoever else uses the same quota is survived: a foreign consumer of an account's, and the accounts of one application.

use std::cell::RefCell;
use std::time::Duration;

use stocksync::sim::amazon::{Operation, Rate, SettingsEdit, Stats};
use tokio::time::Instant;

use super::bench::Bench;
use super::scene::{Scene, seller, store};

/// What was counted by then, and the rate that `acme` had.
#[derive(Clone, Copy, Debug)]
struct Sample {
    at: Duration,
    calls: u64,
    throttled: u64,
    rate: f64,
}

/// A second-by-second account of the sending.
#[derive(Default)]
struct Course(Vec<Sample>);

/// What happened from one moment to another.
#[derive(Debug)]
struct Stretch {
    throttled: u64,
    /// Of all calls.
    throttled_share: f64,
    accepted_per_second: f64,
    slowest: f64,
    fastest: f64,
}

fn patches(stats: &Stats, sellers: &[String]) -> (u64, u64) {
    let counts = sellers.iter().filter_map(|seller| stats.calls.get(seller)?.get(&Operation::PatchListingsItem));
    counts.fold((0, 0), |sum, counts| (sum.0 + counts.calls, sum.1 + counts.throttled))
}

impl Course {
    /// Watches the patches of these accounts until `work` ends.
    async fn of(bench: &Bench, accounts: &[&str], work: impl Future<Output = ()>) -> Self {
        let sellers: Vec<String> = accounts.iter().map(|account| seller(account)).collect();
        let (started, samples) = (bench.clock.instant(), RefCell::new(Vec::new()));
        let watching = async {
            loop {
                let (calls, throttled) = patches(&bench.stats(), &sellers);
                let rate = bench.work(accounts[0]).pusher.client.patch_rate();
                samples.borrow_mut().push(Sample { at: bench.clock.instant() - started, calls, throttled, rate });
                bench.clock.sleep(Duration::from_secs(1)).await;
            }
        };
        tokio::select! {
            () = work => {}
            () = watching => {}
        }
        Self(samples.into_inner())
    }

    fn between(&self, from: u64, to: u64) -> Stretch {
        let within = |sample: &&Sample| (from..=to).contains(&sample.at.as_secs());
        let samples: Vec<Sample> = self.0.iter().filter(within).copied().collect();
        let (first, last) = (samples[0], samples[samples.len() - 1]);
        let (calls, throttled) = (last.calls - first.calls, last.throttled - first.throttled);
        let as_float = |count: u64| f64::from(u32::try_from(count).unwrap());
        Stretch {
            throttled,
            throttled_share: as_float(throttled) / as_float(calls.max(1)),
            accepted_per_second: as_float(calls - throttled) / last.at.saturating_sub(first.at).as_secs_f64(),
            slowest: samples.iter().map(|sample| sample.rate).fold(f64::INFINITY, f64::min),
            fastest: samples.iter().map(|sample| sample.rate).fold(0.0, f64::max),
        }
    }

    fn lasted(&self) -> u64 {
        self.0[self.0.len() - 1].at.as_secs()
    }

    /// How long after `from` the granted rate was used again.
    fn full_again(&self, from: u64) -> u64 {
        let full = |sample: &&Sample| sample.at.as_secs() >= from && sample.rate > 4.999;
        self.0.iter().find(full).unwrap().at.as_secs() - from
    }
}

fn foreign_share(bench: &Bench, share: f64) {
    bench.pair.amazon.change_settings(SettingsEdit { foreign_share: Some(share), ..SettingsEdit::default() });
}

async fn beside(foreign: &str, changes: u32) -> Bench {
    let scene = Scene::new().push("feed_expected_time = \"12h\"").account_world(foreign).many(changes, 9, 5);
    let mut bench = Bench::start(scene).await;
    bench.may_be_throttled();
    bench
}

fn assert_right(bench: &Bench, changes: usize) {
    assert_eq!(bench.sent().len(), changes, "each once");
}

#[tokio::test(start_paused = true)]
async fn beside_a_stranger_of_two_fifths_the_rest_is_used_with_few_429s_and_without_swinging() {
    let bench = beside("foreign_share = 0.4", 3000).await;
    let course = Course::of(&bench, &["acme"], async { drop(bench.cycle().await) }).await;
    let settled = course.between(120, course.lasted() - 5);
    println!("{settled:.3?} in {} s", course.lasted());
    assert!(settled.throttled_share <= 0.01, "{settled:?}");
    assert!(settled.accepted_per_second >= 0.95 * 3.0, "{settled:?}");
    assert!(settled.slowest >= 0.87 * 3.0 && settled.fastest <= 1.12 * 3.0, "{settled:?}");
    assert_right(&bench, 3000);
}

#[tokio::test(start_paused = true)]
async fn when_the_stranger_leaves_the_whole_rate_is_used_again_and_when_he_is_back_the_rest() {
    let bench = beside("foreign_share = 0.4", 2600).await;
    let course = Course::of(&bench, &["acme"], async {
        let strangers = async {
            for (wait, share) in [("250s", 0.0), ("300s", 0.4)] {
                bench.wait(wait).await;
                foreign_share(&bench, share);
            }
        };
        tokio::join!(bench.cycle(), strangers);
    })
    .await;
    let (gone, back) = (course.between(250 + 180, 550), course.between(550 + 30, course.lasted() - 5));
    println!("full again after {} s; {gone:.3?}; {back:.3?}", course.full_again(250));
    assert!(course.full_again(250) <= 180, "{} s", course.full_again(250));
    assert!(gone.throttled == 0 && gone.accepted_per_second >= 0.98 * 5.0, "{gone:?}");
    assert!(back.throttled_share <= 0.01 && back.accepted_per_second >= 0.93 * 3.0, "{back:?}");
    assert!(back.slowest >= 0.87 * 3.0 && back.fastest <= 1.12 * 3.0, "{back:?}");
    assert_right(&bench, 2600);
}

#[tokio::test(start_paused = true)]
async fn a_stranger_who_comes_and_goes_every_minute_is_survived() {
    let bench = beside("foreign_share = 0.4\nforeign_on = \"60s\"\nforeign_off = \"60s\"", 2000).await;
    let course = Course::of(&bench, &["acme"], async { drop(bench.cycle().await) }).await;
    let settled = course.between(120, course.lasted() - 5);
    println!("{settled:.3?} in {} s", course.lasted());
    assert!(settled.throttled_share <= 0.01, "{settled:?}");
    // Four a second are left on average, three of them always.
    assert!(settled.accepted_per_second >= 0.98 * 3.0, "{settled:?}");
    assert!(settled.slowest >= 0.8 * 3.0, "{settled:?}");
    assert_right(&bench, 2000);
}

#[tokio::test(start_paused = true)]
async fn a_rate_that_amazon_halves_and_raises_again_is_followed_without_a_429() {
    let bench = Bench::start(Scene::new().push("feed_expected_time = \"12h\"").many(1500, 9, 5)).await;
    let granted = [5.0, 2.5, 10.0, 5.0];
    let course = Course::of(&bench, &["acme"], async {
        let granting = async {
            for rate in granted {
                let rates = [(Operation::PatchListingsItem, Rate(rate))].into();
                bench.pair.amazon.change_settings(SettingsEdit { rates: Some(rates), ..SettingsEdit::default() });
                bench.wait("60s").await;
            }
        };
        tokio::join!(bench.cycle(), granting);
    })
    .await;
    for (from, rate) in [(35, 5.0), (65, 2.5), (125, 10.0), (185, 5.0)] {
        let stretch = course.between(from, from / 60 * 60 + 58);
        assert!(stretch.accepted_per_second >= 0.97 * rate, "{rate}/s: {stretch:?}");
    }
}

fn names(count: u32) -> Vec<String> {
    (1..=count).map(|number| format!("acme{number}")).collect()
}

/// Accounts of one application, with so many changes each.
fn together(accounts: u32, changes: u32) -> Scene {
    let scene = (1..=changes).fold(Scene::empty(), |scene, number| scene.product(&format!("P-{number:05}"), 9));
    names(accounts).iter().fold(scene, |scene, name| {
        let scene = scene.account(name).store(store(&format!("{name}-de")).of(name));
        (1..=changes).fold(scene, |scene, number| scene.listing(&format!("P-{number:05}"), 5))
    })
}

async fn work_all(bench: &Bench) {
    let works = bench.assembly.accounts.iter().map(|work| {
        let order = bench.order();
        async move { work.once(&order, &tokio_util::sync::CancellationToken::new()).await.unwrap() }
    });
    futures_util::future::join_all(works).await;
}

#[tokio::test(start_paused = true)]
async fn accounts_of_one_application_stay_below_a_ceiling_that_is_lower_than_documented_and_share_it_evenly() {
    let scene = together(8, 300).amazon("application_rates = { patchListingsItem = 20 }");
    let mut bench = Bench::start(scene).await;
    bench.may_be_throttled();
    let accounts = names(8);
    let accounts: Vec<&str> = accounts.iter().map(String::as_str).collect();
    let started: Instant = bench.clock.instant();
    let course = Course::of(&bench, &accounts, work_all(&bench)).await;
    let settled = course.between(40, course.lasted() - 10);
    let stats = bench.stats();
    let ends = accounts.iter().map(|name| {
        let counts = &stats.calls[&seller(name)][&Operation::PatchListingsItem];
        (counts.last_granted.unwrap() - started).as_secs_f64()
    });
    let ends: Vec<f64> = ends.collect();
    let (first, last) = (ends.iter().copied().fold(f64::MAX, f64::min), ends.iter().copied().fold(0.0, f64::max));
    println!(
        "{settled:.3?}, 429s {}, ended {ends:.0?}",
        patches(&stats, &accounts.iter().map(|name| seller(name)).collect::<Vec<_>>()).1
    );
    assert!(settled.throttled_share <= 0.01, "{settled:?}");
    assert!(settled.accepted_per_second >= 0.93 * 20.0, "{settled:?}");
    assert!(last - first <= 0.05 * last, "{ends:?}");
    // The accounts' own rates have nothing to do with it.
    assert!(accounts.iter().all(|name| bench.work(name).pusher.client.patch_rate() > 4.999));
    assert_eq!(bench.sent().len(), 8 * 300);
}
