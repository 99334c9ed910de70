//! The client and its retry loop against a server on loopback, in virtual time.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail like tests")]

#[path = "http_client/long.rs"]
mod long;
#[path = "http_client/transport.rs"]
mod transport;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Response, StatusCode};
use stocksync::clock::Clock;
use stocksync::http::{Answer, Attempt, Bucket, Call, Fault, Http, Method, Pace, Request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

type Reply = fn(u32) -> Response<Body>;

/// A server on loopback that ends with the test.
struct Server {
    address: SocketAddr,
    count: Arc<AtomicU32>,
    _task: JoinSet<()>,
}

impl Server {
    /// Serves every request with what `reply` says for its number, counted from 1.
    async fn start(reply: Reply) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let count = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&count);
        let app = Router::new().fallback(move || {
            let nth = counter.fetch_add(1, Ordering::SeqCst) + 1;
            async move { reply(nth) }
        });
        let task = async { axum::serve(listener, app).await.unwrap() };
        Self { address, count, _task: JoinSet::from_iter([task]) }
    }

    /// Answers every connection with these bytes, then closes it.
    async fn start_raw(bytes: &'static [u8]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(bytes).await;
            }
        };
        Self { address, count: Arc::default(), _task: JoinSet::from_iter([task]) }
    }

    fn requests(&self) -> u32 {
        self.count.load(Ordering::SeqCst)
    }
}

fn response(status: u16, headers: &[(&str, &str)], body: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_owned()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    for (name, value) in headers {
        let name: reqwest::header::HeaderName = name.parse().unwrap();
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}

fn classify(answer: &Answer) -> Result<(), Fault> {
    if answer.is_success() { Ok(()) } else { Err(answer.refused(None, "no")) }
}

fn call() -> Call<'static> {
    Call {
        operation: "test",
        pace: Pace::None,
        timeout: Duration::from_secs(30),
        attempts: 4,
        max_body: 1000,
        renewable: false,
        classify,
    }
}

fn http() -> Http {
    Http::new(Clock::system(), 7).unwrap()
}

async fn send(call: &Call<'_>, address: SocketAddr) -> Result<Answer, Fault> {
    http().send(call, async |_| Ok(get(address))).await
}

fn get(address: SocketAddr) -> Request {
    Request::new(Method::GET, format!("http://{address}/x?secret=hidden").parse().unwrap())
}

#[tokio::test(start_paused = true)]
async fn transient_statuses_are_tried_again() {
    let server = Server::start(|nth| match nth {
        1 => response(503, &[], "<html>"),
        2 => response(429, &[], "{}"),
        3 => response(500, &[], ""),
        _ => response(200, &[], "good"),
    })
    .await;
    let answer = send(&call(), server.address).await.unwrap();
    assert_eq!((answer.status, &answer.body[..]), (200, &b"good"[..]));
    assert_eq!(server.requests(), 4);
}

#[tokio::test(start_paused = true)]
async fn what_must_not_be_done_twice_is_repeated_after_a_429_only() {
    let cases: [(Reply, u16, u32); 3] = [
        (|_| response(429, &[], ""), 429, 4),
        (|nth| response(if nth == 1 { 429 } else { 500 }, &[], ""), 500, 2),
        (|_| response(503, &[], ""), 503, 1),
    ];
    for (reply, status, requests) in cases {
        let server = Server::start(reply).await;
        let fault = http().send_once(&call(), async |_| Ok(get(server.address))).await.unwrap_err();
        assert!(matches!(fault, Fault::Exhausted { attempts, .. } if attempts == requests), "{status}: {fault}");
        assert_eq!((fault.status(), server.requests()), (Some(status), requests));
    }
}

#[tokio::test(start_paused = true)]
async fn exhaustion_is_a_state_of_its_own() {
    let server = Server::start(|_| response(502, &[], "")).await;
    let started = Clock::system().instant();
    let fault = send(&call(), server.address).await.unwrap_err();
    let Fault::Exhausted { attempts: 4, last } = &fault else { panic!("{fault:?}") };
    assert!(matches!(**last, Fault::Transient { status: Some(502), .. }));
    assert_eq!(fault.to_string(), "no success in 4 attempts: HTTP 502: no");
    assert_eq!(server.requests(), 4);
    // 0.5, 1 and 2 seconds, each up to doubled by jitter.
    let took = Clock::system().instant() - started;
    assert!((3.5..7.5).contains(&took.as_secs_f64()), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn refusals_are_not_tried_again() {
    for status in [302, 400, 401, 403, 404, 422] {
        let reply: Reply = match status {
            302 => |_| response(302, &[("location", "/elsewhere")], ""),
            400 => |_| response(400, &[], ""),
            401 => |_| response(401, &[], ""),
            403 => |_| response(403, &[], ""),
            404 => |_| response(404, &[], ""),
            _ => |_| response(422, &[], ""),
        };
        let server = Server::start(reply).await;
        let fault = send(&call(), server.address).await.unwrap_err();
        assert_eq!(fault.status(), Some(status), "{fault}");
        assert_eq!(server.requests(), 1, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_told_delay_is_kept_and_clamped() {
    for (told, expected) in [("20", 20..22), ("86400", 60..62)] {
        let reply: Reply = if told == "20" {
            |nth| response(if nth == 1 { 429 } else { 200 }, &[("retry-after", "20")], "")
        } else {
            |nth| response(if nth == 1 { 503 } else { 200 }, &[("retry-after", "86400")], "")
        };
        let server = Server::start(reply).await;
        let started = Clock::system().instant();
        send(&call(), server.address).await.unwrap();
        let took = (Clock::system().instant() - started).as_secs();
        assert!(expected.contains(&took), "{told}: {took}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_renewed_once() {
    let server = Server::start(|_| response(401, &[], "")).await;
    let mut attempts = Vec::new();
    let call = Call { renewable: true, ..call() };
    let fault = http()
        .send(&call, |attempt| {
            attempts.push(attempt);
            let address = server.address;
            async move { Ok(get(address)) }
        })
        .await
        .unwrap_err();
    assert!(matches!(fault, Fault::Unauthorized { status: Some(401), .. }));
    let first = Attempt { number: 1, renew: false, took: Duration::ZERO };
    assert_eq!(attempts, [first, Attempt { number: 2, renew: true, ..first }]);
    assert_eq!(server.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_cannot_be_made_is_not_tried_again() {
    for fault in [Fault::unauthorized(None, "no token"), Fault::transient("no nonce")] {
        let mut attempts = 0;
        let call = Call { renewable: true, ..call() };
        let http = http();
        let outcome = http.send(&call, |_| {
            attempts += 1;
            std::future::ready(Err(fault.clone()))
        });
        assert_eq!(outcome.await.unwrap_err(), fault);
        assert_eq!(attempts, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn cut_bodies_are_transient_and_endless_ones_are_nonsense() {
    for (bytes, transient) in [
        (&b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{\"items\":["[..], true),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"ite\r\n", true),
        (b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\n\x1f\x8b\x08\x00", true),
        (b"", true),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n01234567890", false),
    ] {
        let server = Server::start_raw(bytes).await;
        let call = Call { attempts: 2, max_body: 10, ..call() };
        let fault = send(&call, server.address).await.unwrap_err();
        assert_eq!(matches!(fault, Fault::Exhausted { attempts: 2, .. }), transient, "{fault}");
        assert_eq!(matches!(fault, Fault::Nonsense { .. }), !transient, "{fault}");
        assert!(!fault.to_string().contains("hidden"), "{fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_gone_or_silent_is_transient() {
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    };
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    for address in [closed, silent.local_addr().unwrap()] {
        let fault = send(&Call { attempts: 2, ..call() }, address).await.unwrap_err();
        assert!(matches!(fault, Fault::Exhausted { attempts: 2, .. }), "{fault}");
        assert!(!fault.to_string().contains("hidden"), "{fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_bucket_follows_the_stated_rate_and_a_429() {
    let server = Server::start(|nth| {
        let rate = if nth == 1 { "2.0" } else { "4.0" };
        response(if nth == 3 { 429 } else { 200 }, &[("x-amzn-RateLimit-Limit", rate)], "")
    })
    .await;
    let bucket = Bucket::new(Clock::system(), 5.0, 5);
    let call = Call { pace: Pace::Bucket(&bucket), attempts: 1, ..call() };
    for expected in [2.0, 4.0, 3.4] {
        let _ = send(&call, server.address).await;
        assert!((bucket.rate() - expected).abs() < 1e-9, "{} is not {expected}", bucket.rate());
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_can_be_sent_from_a_task() {
    let server = Server::start(|_| response(200, &[], "")).await;
    let http = Arc::new(http());
    let mut tasks = JoinSet::new();
    for _ in 0..4 {
        let (http, address) = (Arc::clone(&http), server.address);
        tasks.spawn(async move { http.send(&call(), async |_| Ok(get(address))).await.map(|answer| answer.status) });
    }
    assert!(tasks.join_all().await.into_iter().all(|status| status == Ok(200)));
}
