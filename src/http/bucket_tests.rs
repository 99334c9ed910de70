use std::sync::Arc;
use std::time::Duration;

use super::super::HeaderMap;
use super::{Answer, Bucket, Ceiling};
use crate::clock::Clock;

fn bucket(rate: f64, burst: u32) -> Bucket {
    Bucket::new(Clock::system(), rate, burst)
}

fn ceiling(rate: f64, burst: u32) -> Ceiling {
    Ceiling::new(Clock::system(), rate, burst)
}

/// How many permits come within `seconds`, to one caller that always wants one.
async fn permits(bucket: &Bucket, seconds: u64) -> u32 {
    let mut count = 0;
    let taking = async {
        loop {
            bucket.acquire().await;
            count += 1;
        }
    };
    let _: Result<(), _> = tokio::time::timeout(Duration::from_secs(seconds), taking).await;
    count
}

#[tokio::test(start_paused = true)]
async fn an_hour_gives_exactly_the_rate_and_one_burst() {
    // Server burst 10, ours 9; the last permit may fall on the hour itself.
    let count = permits(&bucket(5.0, 10), 3600).await;
    assert!((18_008..=18_009).contains(&count), "{count}");
}

#[tokio::test(start_paused = true)]
async fn a_rate_below_one_a_second_is_kept() {
    let count = permits(&bucket(0.0167, 2), 3600).await;
    assert!((60..=62).contains(&count), "{count}");
}

#[tokio::test(start_paused = true)]
async fn a_hundred_a_second_are_reached() {
    let count = permits(&bucket(100.0, 10), 600).await;
    assert!((59_400..=60_010).contains(&count), "{count}");
}

#[tokio::test(start_paused = true)]
async fn a_lower_rate_does_not_give_the_burst_again() {
    let bucket = bucket(5.0, 11);
    assert!(permits(&bucket, 10).await >= 50);
    bucket.observe(2.0);
    let count = permits(&bucket, 5).await;
    assert!((9..=10).contains(&count), "{count}");
}

#[tokio::test(start_paused = true)]
async fn a_burst_that_was_not_spent_survives_a_change() {
    let bucket = bucket(5.0, 11);
    for _ in 0..4 {
        bucket.acquire().await;
    }
    bucket.observe(2.0);
    // Six left of ten, and two in the second.
    let count = permits(&bucket, 1).await;
    assert!((7..=8).contains(&count), "{count}");
}

#[tokio::test(start_paused = true)]
async fn a_higher_rate_shortens_a_wait_that_has_begun() {
    let bucket = Arc::new(bucket(0.01, 1));
    bucket.acquire().await;
    let before = Clock::system().instant();
    let waiting = bucket.acquire();
    let raising = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        bucket.observe(1.0);
    };
    tokio::join!(waiting, raising);
    assert!(Clock::system().instant() - before <= Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn nonsense_rates_are_ignored() {
    let bucket = bucket(5.0, 10);
    for rate in [0.0, -1.0, f64::NAN, f64::INFINITY, 5_001.0, 0.004] {
        bucket.observe(rate);
        assert!((bucket.rate() - 5.0).abs() < f64::EPSILON, "{rate}");
    }
    bucket.observe(0.5);
    assert!((bucket.rate() - 0.5).abs() < f64::EPSILON);
}

#[tokio::test(start_paused = true)]
async fn waiters_are_served_evenly() {
    let bucket = Arc::new(bucket(5.0, 2));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let bucket = Arc::clone(&bucket);
        tasks.spawn(async move { permits(&bucket, 80).await });
    }
    let counts = tasks.join_all().await;
    assert!(counts.iter().sum::<u32>() >= 399, "{counts:?}");
    assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1, "{counts:?}");
}

#[tokio::test(start_paused = true)]
async fn a_429_slows_down_and_the_rate_comes_back() {
    let clock = Clock::system();
    let bucket = bucket(10.0, 10);
    let sent_at = clock.instant();
    tokio::time::sleep(Duration::from_secs(1)).await;
    bucket.penalise(sent_at);
    // They were under way when the first one was refused.
    tokio::time::sleep(Duration::from_secs(2)).await;
    bucket.penalise(sent_at);
    bucket.penalise(sent_at + Duration::from_secs(1));
    assert!((bucket.rate() - 8.5).abs() < 1e-9, "{}", bucket.rate());
    bucket.penalise(clock.instant());
    assert!((bucket.rate() - 7.225).abs() < 1e-9, "{}", bucket.rate());
    assert!(permits(&bucket, 1).await <= 7, "the burst is spent");
    permits(&bucket, 100).await;
    assert!(bucket.rate() < 10.0);
    permits(&bucket, 80).await;
    assert!((bucket.rate() - 10.0).abs() < 1e-9);
}

#[tokio::test(start_paused = true)]
async fn many_429s_leave_a_floor() {
    let bucket = bucket(16.0, 10);
    for _ in 0..50 {
        bucket.penalise(Clock::system().instant());
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    assert!((bucket.rate() - 0.5).abs() < 1e-9);
}

/// Three accounts that always want to send, one of them with many callers who give up again and again.
async fn under_a_ceiling(ceiling: &Arc<Ceiling>, seconds: u64) -> [u32; 3] {
    let own = [(); 3].map(|()| bucket(100.0, 5).under(Arc::clone(ceiling), |_| false));
    let impatient = async {
        let mut count = 0;
        let trying = async {
            loop {
                let got = tokio::time::timeout(Duration::from_millis(7), own[2].acquire()).await;
                count += u32::from(got.is_ok());
            }
        };
        let _: Result<(), _> = tokio::time::timeout(Duration::from_secs(seconds), trying).await;
        count
    };
    tokio::join!(permits(&own[0], seconds), permits(&own[1], seconds), impatient).into()
}

#[tokio::test(start_paused = true)]
async fn those_under_a_ceiling_share_it_evenly_even_if_one_stops_waiting_all_the_time() {
    let counts = under_a_ceiling(&Arc::new(ceiling(30.0, 5)), 100).await;
    assert!((3000..=3007).contains(&counts.iter().sum::<u32>()), "{counts:?}");
    assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 5, "{counts:?}");
}

#[tokio::test(start_paused = true)]
async fn a_ceiling_that_is_not_reached_costs_nothing() {
    let counts = under_a_ceiling(&Arc::new(ceiling(500.0, 5)), 100).await;
    assert!(counts.iter().all(|count| (9_990..=10_005).contains(count)), "{counts:?}");
}

#[tokio::test(start_paused = true)]
async fn one_who_uses_little_waits_no_longer_than_the_others_at_the_ceiling() {
    let ceiling = Arc::new(ceiling(10.0, 2));
    let greedy = [(); 4].map(|()| bucket(100.0, 5).under(Arc::clone(&ceiling), |_| false));
    let modest = bucket(5.0, 5).under(Arc::clone(&ceiling), |_| false);
    let waits = async {
        let mut longest = Duration::ZERO;
        for _ in 0..50 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let before = Clock::system().instant();
            modest.acquire().await;
            longest = longest.max(Clock::system().instant() - before);
        }
        longest
    };
    let [a, b, c, d] = &greedy;
    let (longest, ..) = tokio::join!(waits, permits(a, 60), permits(b, 60), permits(c, 60), permits(d, 60));
    assert!(longest <= Duration::from_millis(510), "{longest:?}");
}

#[tokio::test(start_paused = true)]
async fn a_429_slows_down_what_it_speaks_of() {
    let answer = |body: &'static str| Answer::new(429, HeaderMap::new(), body.into());
    let ceiling = Arc::new(ceiling(100.0, 5));
    let speaks_of_it = |answer: &Answer| &answer.body[..] == b"all of you";
    let own = [(); 2].map(|()| bucket(5.0, 5).under(Arc::clone(&ceiling), speaks_of_it));
    let rates = || (own[0].rate(), own[1].rate(), ceiling.rate());
    own[0].refused(&answer("you"), Clock::system().instant());
    assert_eq!(rates(), (4.25, 5.0, 100.0));
    own[1].refused(&answer("all of you"), Clock::system().instant());
    assert_eq!(rates(), (4.25, 5.0, 85.0));
}
