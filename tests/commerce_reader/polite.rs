//! How much of a shop is left to its customers: what a reader asks for, how fast, and what it does when the shop is slow.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::Response;
use futures_util::future::join_all;
use futures_util::stream;
use stocksync::clock::Clock;
use stocksync::commerce::{Access, Reader};
use stocksync::http::{Http, Load};
use tokio::time::Instant;

use crate::shop::{Server, catalogue, reply};
use crate::sweep::sweep;

/// An answer that takes this long to its end.
fn slowly(took: Duration, answer: Response<Body>) -> Response<Body> {
    let (parts, body) = answer.into_parts();
    let late = async move {
        tokio::time::sleep(took).await;
        axum::body::to_bytes(body, 1 << 20).await.map_err(std::io::Error::other)
    };
    Response::from_parts(parts, Body::from_stream(stream::once(Box::pin(late))))
}

/// A shop whose every answer takes so many seconds.
async fn slow_shop(seconds: u64) -> Server {
    let took = Duration::from_secs(seconds);
    Server::start_twisted(catalogue(5), move |asked, shop| Some(slowly(took, shop.answer(asked)))).await
}

fn reader(access: Access) -> Reader {
    let clock = Clock::starting_at("2026-11-21T12:00:00Z".parse().unwrap());
    Reader::new(access, Arc::new(Http::new(clock, 1).unwrap()), clock)
}

fn now() -> Instant {
    Clock::system().instant()
}

/// Reads the list of websites for a while, again and again: each time is two requests.
async fn read_for(reader: &Reader, time: Duration) -> Load {
    let before = reader.load();
    let reading = async {
        loop {
            reader.websites().await.unwrap();
        }
    };
    let _: Result<(), _> = tokio::time::timeout(time, reading).await;
    reader.load() - before
}

#[tokio::test(start_paused = true)]
async fn requests_take_only_their_share_of_the_time() {
    let server = slow_shop(8).await;
    for (thousandths, at_once, expected) in [(200, 1, 780), (200, 2, 780), (50, 2, 240), (1000, 1, 3600)] {
        let reader = reader(Access { max_load_thousandths: thousandths, ..server.access(300) });
        let hour = Duration::from_hours(1);
        let loads = join_all((0..at_once).map(|_| read_for(&reader, hour))).await;
        let busy = reader.load().busy.as_secs();
        // What is saved up, and the share of an hour; a request may be under way at the end.
        assert!((expected - 20..=expected + 20).contains(&busy), "{thousandths}, {at_once} at once: {busy} s");
        assert!(loads.iter().all(|load| load.requests > 10), "everybody gets a turn: {loads:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_ordinary_cycle_never_waits() {
    let server = Server::start(catalogue(1000)).await;
    let reader = server.reader(300);
    for _ in 0..12 {
        let (started, before) = (now(), reader.load());
        assert!(sweep(&reader).await.unwrap().sweep.complete);
        let (took, load) = (now() - started, reader.load() - before);
        assert_eq!(load.requests, 11);
        assert!(took < load.busy && load.busy < Duration::from_secs(2), "{took:?}, {load:?}");
        tokio::time::sleep(Duration::from_mins(5)).await;
    }
    assert_eq!(reader.load().requests, 12 * 11);
}

#[tokio::test(start_paused = true)]
async fn nobody_who_waits_for_the_answer_waits_for_the_budget() {
    let server = slow_shop(10).await;
    let reader = reader(server.access(300));
    // Two minutes of requests in one.
    join_all((0..6).map(|_| reader.websites())).await;
    let idle = read_for(&reader, Duration::from_secs(30)).await;
    assert_eq!(idle.requests, 0, "the reserve is spent");
    let background = async {
        let started = now();
        reader.websites().await.unwrap();
        now() - started
    };
    let person = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        let hurry = reader.hurry();
        let started = now();
        for _ in 0..10 {
            reader.websites().await.unwrap();
        }
        drop(hurry);
        now() - started
    };
    let (background, person) = tokio::join!(background, person);
    assert!(person < Duration::from_secs(230), "{person:?}");
    assert!(background < Duration::from_secs(50), "a read that began before is hurried too: {background:?}");
    let started = now();
    reader.websites().await.unwrap();
    let took = now() - started;
    // 60 s of debt take 300 s; more than 235 of them passed. The hurried requests are not charged.
    assert!((Duration::from_secs(20)..Duration::from_secs(90)).contains(&took), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_nobody_waits_for_any_more_is_charged_too() {
    let server = slow_shop(100).await;
    let reader = reader(server.access(300));
    let _ = tokio::time::timeout(Duration::from_secs(90), reader.websites()).await;
    let load = reader.load();
    assert_eq!((load.requests, load.busy.as_secs()), (1, 90));
    assert_eq!(read_for(&reader, Duration::from_secs(30)).await, Load::default());
}

/// How many requests the shop saw at once while the list of websites was asked for so many times together.
async fn most_at_once(server: &Server, reader: &Reader, count: usize) -> usize {
    server.shop.most_running.store(0, Ordering::SeqCst);
    join_all((0..count).map(|_| reader.websites())).await;
    server.shop.most_running.load(Ordering::SeqCst)
}

#[tokio::test(start_paused = true)]
async fn a_busy_shop_gets_fewer_requests_at_once_until_it_has_recovered() {
    let busy = Arc::new(AtomicBool::new(false));
    let says = Arc::clone(&busy);
    let server =
        Server::start_twisted(vec![], move |_, _| says.load(Ordering::SeqCst).then(|| reply(503, "<html>"))).await;
    let reader = reader(Access { concurrency: 4, ..server.access(300) });
    assert_eq!(most_at_once(&server, &reader, 8).await, 4);
    busy.store(true, Ordering::SeqCst);
    assert!(reader.websites().await.is_err());
    busy.store(false, Ordering::SeqCst);
    assert_eq!(most_at_once(&server, &reader, 5).await, 1, "three refusals in a row");
    assert_eq!(most_at_once(&server, &reader, 5).await, 2);
    most_at_once(&server, &reader, 10).await;
    assert_eq!(most_at_once(&server, &reader, 8).await, 4);
}

#[tokio::test(start_paused = true)]
async fn a_shop_that_asks_for_quiet_is_not_asked_by_anybody() {
    let server = Server::start_twisted(vec![], |asked, _| {
        let mut quiet = reply(503, "<html>");
        quiet.headers_mut().insert("retry-after", "40".parse().unwrap());
        (asked.path == "store/websites" && asked.nth == 0).then_some(quiet)
    })
    .await;
    let reader = server.reader(300);
    let started = now();
    let first = async {
        reader.websites().await.unwrap();
        now() - started
    };
    let hurried = async {
        tokio::time::sleep(Duration::from_secs(10)).await;
        let _hurry = reader.hurry();
        reader.websites().await.unwrap();
        now() - started
    };
    let (first, hurried) = tokio::join!(first, hurried);
    for took in [first, hurried] {
        assert!((40..42).contains(&took.as_secs()), "{took:?}");
    }
}

/// The page sizes that the shop was asked for.
fn sizes(server: &Server) -> Vec<usize> {
    let pages = server.asked("products").into_iter().filter(|asked| asked.filter("entity_id", "gt").is_some());
    pages.map(|asked| asked.page_size()).collect()
}

#[tokio::test(start_paused = true)]
async fn pages_shrink_in_a_bad_moment_and_the_sweep_is_still_whole() {
    let bad = Arc::new(AtomicBool::new(true));
    let slow = Arc::clone(&bad);
    let server = Server::start_twisted(catalogue(2000), move |asked, shop| {
        let large = asked.path == "products" && asked.page_size() > 50;
        (large && slow.load(Ordering::SeqCst)).then(|| slowly(Duration::from_secs(70), shop.answer(asked)))
    })
    .await;
    let reader = reader(Access { max_load_thousandths: 1000, ..server.access(300) });
    let swept = sweep(&reader).await.unwrap();
    assert!(swept.sweep.complete, "{:?}", swept.sweep.incomplete_because);
    assert_eq!(swept.rows.len(), 2000);
    let asked = sizes(&server);
    assert_eq!(asked[..8], [300, 150, 75, 37, 52, 26, 41, 56]);
    assert!(asked[8..].iter().all(|size| (20..=60).contains(size)), "{asked:?}");
    bad.store(false, Ordering::SeqCst);
    for _ in 0..2 {
        assert!(sweep(&reader).await.unwrap().sweep.complete);
    }
    let asked = sizes(&server);
    assert_eq!(asked.iter().rev().take(5).collect::<Vec<_>>(), [&300; 5], "{asked:?}");
    assert!(asked.iter().all(|size| *size <= 300));
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_gives_up_on_large_pages_gets_smaller_ones() {
    let server = Server::start_twisted(catalogue(300), |asked, _| {
        let large = asked.path == "products" && asked.page_size() > 100;
        large.then(|| slowly(Duration::from_mins(1), reply(504, "<html>gateway timeout")))
    })
    .await;
    let swept = sweep(&server.reader(300)).await.unwrap();
    assert!(swept.sweep.complete, "{:?}", swept.sweep.incomplete_because);
    assert_eq!(sizes(&server)[..4], [300, 150, 75, 90]);
}
