//! How much of a shop is left to its customers: what a reader asks for, how fast, and what it does when the shop is slow.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Response;
use futures_util::future::join_all;
use futures_util::stream;
use stocksync::clock::Clock;
use stocksync::commerce::{Access, Reader};
use stocksync::http::{Http, Load};
use tokio::time::Instant;

use crate::shop::{Server, catalogue};
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
    let server = slow_shop(2).await;
    for (thousandths, at_once, expected) in [(200, 1, 780), (200, 2, 780), (50, 2, 240), (1000, 1, 3600)] {
        let reader = reader(Access { max_load_thousandths: thousandths, ..server.access(300) });
        let hour = Duration::from_hours(1);
        let loads = join_all((0..at_once).map(|_| read_for(&reader, hour))).await;
        let busy = reader.load().busy.as_secs();
        // What is saved up, and the share of an hour; one request may be under way at each end.
        assert!((expected - 10..=expected + 5).contains(&busy), "{thousandths}, {at_once} at once: {busy} s");
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
