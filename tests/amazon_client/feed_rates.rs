//! How fast feeds go: each operation's own rate, and the five listings feeds in five minutes.

use std::sync::Arc;
use std::time::Duration;

use stocksync::clock::Clock;
use stocksync::sim::amazon::{Fault as Trouble, FaultKind, Operation};

use crate::bench::Bench;
use crate::feeds::{create, created, document, send};
use crate::stub::{Stub, reply};

#[tokio::test(start_paused = true)]
async fn feeds_are_created_as_fast_as_amazon_takes_them_and_no_faster() {
    let bench = Bench::start("").await;
    let started = Clock::system().instant();
    let mut times = Vec::new();
    for n in 0..30 {
        send(&bench.client, &[("SKU-00001", n)]).await;
        times.push((Clock::system().instant() - started).as_secs());
    }
    let stats = bench.amazon.stats();
    assert_eq!((stats.throttled(), stats.calls(Operation::CreateFeed)), (0, 30));
    assert!(times[4] < 20, "{times:?}");
    assert!(times.windows(6).all(|six| six[5] - six[0] >= 299), "{times:?}");
    // Within the first minutes the five a time are the limit, after that the operation's own rate.
    assert!((900..910).contains(&times[15]), "{times:?}");
    assert!(times.windows(2).skip(26).all(|two| (115..125).contains(&(two[1] - two[0]))), "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn callers_at_once_share_the_limit_and_a_permit_that_is_given_back_is_free() {
    let bench = Bench::start("").await;
    let creating = |n: u32| {
        let client = Arc::clone(&bench.client);
        async move { send(&client, &[("SKU-00001", n)]).await }
    };
    for _ in 0..5 {
        drop(bench.client.feed_permit().await);
    }
    let started = Clock::system().instant();
    let ids = futures_util::future::join_all((0..5).map(creating)).await;
    assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), 5);
    assert!(Clock::system().instant() - started < Duration::from_secs(20));
    creating(5).await;
    assert!(Clock::system().instant() - started >= Duration::from_mins(5));
    assert_eq!(bench.amazon.stats().throttled(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_feed_that_was_long_in_being_taken_counts_from_its_answer() {
    let bench = Bench::start("").await;
    let operation = Some(Operation::CreateFeed);
    bench.amazon.fault(Trouble { count: Some(5), ms: 20_000, operation, ..Trouble::new(FaultKind::Slow) });
    for n in 0..7 {
        send(&bench.client, &[("SKU-00001", n)]).await;
    }
    assert_eq!(bench.amazon.stats().throttled(), 0);
}

#[tokio::test(start_paused = true)]
async fn each_operation_of_feeds_keeps_its_own_rate() {
    // Calls in a row, and the least time in which so many may go.
    let bench = Bench::start("").await;
    let client = &bench.client;
    let feed_id = send(client, &[("SKU-00001", 1)]).await;
    tokio::time::sleep(Duration::from_mins(5)).await;
    let report = client.feed(&feed_id).await.unwrap().report_document.unwrap();
    let since = "2026-11-01T00:00:00Z".parse().unwrap();
    let timed = async |calls: u32, operation: &str| {
        let started = Clock::system().instant();
        for _ in 0..calls {
            match operation {
                "feed" => drop(client.feed(&feed_id).await.unwrap()),
                "feeds" => drop(client.feeds(since).await.unwrap()),
                "report" => drop(client.feed_report(&report).await.unwrap()),
                "cancel" => drop(client.cancel_feed(&feed_id).await.unwrap_err()),
                _ => drop(client.upload_feed(&document(client, &[("A", 1)])).await.unwrap()),
            }
        }
        (Clock::system().instant() - started).as_secs_f64()
    };
    for (calls, operation, least, most) in [
        (60, "feed", 22.0, 24.0),
        (60, "cancel", 22.0, 24.0),
        (40, "upload", 50.0, 54.0),
        (20, "feeds", 480.0, 500.0),
        (20, "report", 480.0, 500.0),
    ] {
        let took = timed(calls, operation).await;
        assert!((least..most).contains(&took), "{operation}: {took} s");
    }
    assert_eq!(bench.amazon.stats().throttled(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_granted_rates_are_followed() {
    let stub = Stub::start(|asked| {
        let body = match asked.operation {
            "createFeed" => r#"{"feedId":"F"}"#,
            "getFeeds" => r#"{"feeds":[]}"#,
            _ => return None,
        };
        Some(reply(202, &[("x-amzn-RateLimit-Limit", "1.0")], body))
    })
    .await;
    let client = stub.client();
    let started = Clock::system().instant();
    for _ in 0..40 {
        client.feeds("2026-11-01T00:00:00Z".parse().unwrap()).await.unwrap();
    }
    assert!(Clock::system().instant() - started < Duration::from_secs(35));
    // A higher rate does not lift the limit of listings feeds.
    for _ in 0..21 {
        created(create(&client).await.unwrap());
    }
    assert!(Clock::system().instant() - started >= Duration::from_mins(20));
}
