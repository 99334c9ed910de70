//! The one HTTP client and the only retry loop: `retry(pace(timeout(send)))`, then classify.

mod answer;
mod body;
mod bucket;
mod budget;
mod ceiling;
mod fault;
mod gauge;
mod pace;
mod rows;
mod share;
mod speed;
mod tempo;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
pub use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
pub use reqwest::{Method, Request, Url};
use tracing::Instrument;

use crate::clock::Clock;

use body::Growing;

pub use answer::{Answer, json};
pub use bucket::Bucket;
pub use ceiling::Ceiling;
pub use fault::{Fault, Refusal};
pub use pace::{Pace, Permit};
pub use rows::{Long, Rows};
pub use share::{Hurry, Load, Share};

/// Shorter hammers a server that is just coming back; longer wastes the pause of a single lost packet.
const FIRST_DELAY: Duration = Duration::from_millis(500);
/// Longer makes a cycle late for nothing: the next cycle tries again anyway.
const LONGEST_DELAY: Duration = Duration::from_secs(30);
/// How long a server may tell us to wait; longer is a mistake of the server's, or an outage for the next cycle.
const LONGEST_TOLD_DELAY: Duration = Duration::from_mins(1);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const USER_AGENT: &str =
    concat!("stocksync/", env!("CARGO_PKG_VERSION"), " (Language=Rust/", env!("CARGO_PKG_RUST_VERSION"), ")");

/// The client. It follows no redirects, keeps no cookies, and never logs headers, bodies or query strings.
#[derive(Debug)]
pub struct Http {
    client: reqwest::Client,
    clock: Clock,
    seed: u64,
    sent: AtomicU64,
}

/// What one kind of call is like. Nothing in here changes from attempt to attempt.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// The name in logs, for example `patchListingsItem`.
    pub operation: &'static str,
    pub pace: Pace<'a>,
    /// Of one attempt, from connecting to the last byte of the body.
    pub timeout: Duration,
    /// How often a transient fault is tried in all; at least 1.
    pub attempts: u32,
    /// Of the body after decompression.
    pub max_body: usize,
    /// Whether an `Unauthorized` answer is worth one more attempt, with [`Attempt::renew`] set.
    pub renewable: bool,
    /// Tells an answer that can be used from one that cannot. Envelopes differ, so each API brings its own;
    /// [`Answer::refused`] makes the usual fault of a status.
    pub classify: fn(&Answer) -> Result<(), Fault>,
}

/// Which attempt a request is built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Counts from 1.
    pub number: u32,
    /// The token of the attempt before was refused: get a new one.
    pub renew: bool,
    /// How long the attempt before took.
    pub took: Duration,
}

impl Http {
    /// `seed` spreads the pauses between attempts, so that many callers do not come back at once.
    pub fn new(clock: Clock, seed: u64) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            // An attempt that the library repeats by itself would reuse a nonce and take no permit.
            .retry(reqwest::retry::never())
            .build()?;
        Ok(Self { client, clock, seed, sent: AtomicU64::new(0) })
    }

    /// Sends until an answer can be used, or cannot be helped. `build` is called anew for every attempt: a retry
    /// needs a new nonce and perhaps a new token. Its own fault is final.
    pub async fn send<B, F>(&self, call: &Call<'_>, build: B) -> Result<Answer, Fault>
    where
        B: FnMut(Attempt) -> F,
        F: Future<Output = Result<Request, Fault>>,
    {
        self.retry(call, Growing::in_one_piece, may_help, build).await
    }

    /// Like [`Http::send`], for what must not be done twice: only a 429 is tried again, which says that nothing was
    /// done. After a 5xx or no answer at all it may have been.
    pub async fn send_once<B, F>(&self, call: &Call<'_>, build: B) -> Result<Answer, Fault>
    where
        B: FnMut(Attempt) -> F,
        F: Future<Output = Result<Request, Fault>>,
    {
        self.retry(call, Growing::in_one_piece, |fault| fault.status() == Some(429), build).await
    }

    /// Like [`Http::send`], for a body of many megabytes: it is kept in blocks and read row by row.
    pub async fn send_long<B, F>(&self, call: &Call<'_>, build: B) -> Result<Long, Fault>
    where
        B: FnMut(Attempt) -> F,
        F: Future<Output = Result<Request, Fault>>,
    {
        self.retry(call, Growing::in_blocks, may_help, build).await.map(Long)
    }

    async fn retry<B, F>(
        &self,
        call: &Call<'_>,
        body: fn() -> Growing,
        again: fn(&Fault) -> bool,
        mut build: B,
    ) -> Result<Answer, Fault>
    where
        B: FnMut(Attempt) -> F,
        F: Future<Output = Result<Request, Fault>>,
    {
        let mut delays = self.delays(call.attempts);
        let mut attempt = Attempt { number: 1, renew: false, took: Duration::ZERO };
        let mut renewable = call.renewable;
        loop {
            let span = tracing::info_span!(
                "request",
                operation = call.operation,
                attempt = attempt.number,
                status = tracing::field::Empty,
                duration_ms = tracing::field::Empty,
                request_id = tracing::field::Empty,
            );
            let (permit, request) = match call.pace {
                // A share may be long in coming, and a nonce ages.
                Pace::Share(_) => (call.pace.acquire(attempt.number).await, build(attempt).await?),
                // A rate's permit is for now: those taken during a sign-in would all leave at its end.
                Pace::None | Pace::Bucket(_) | Pace::Granted(_) => {
                    let request = build(attempt).await?;
                    (call.pace.acquire(attempt.number).await, request)
                }
            };
            let (took, outcome) = self.attempt(call, request, body(), permit).instrument(span).await;
            let fault = match outcome {
                Ok(answer) => return Ok(answer),
                Err(fault) => fault,
            };
            let delay = match &fault {
                Fault::Transient { after, .. } => match delays.next().filter(|_| again(&fault)) {
                    Some(delay) => after.map_or(delay, |told| told.clamp(FIRST_DELAY, LONGEST_TOLD_DELAY)),
                    None => return Err(Fault::Exhausted { attempts: attempt.number, last: Box::new(fault) }),
                },
                Fault::Unauthorized { .. } if std::mem::take(&mut renewable) => Duration::ZERO,
                _ => return Err(fault),
            };
            tracing::debug!(
                event = "request_retried",
                operation = call.operation,
                attempt = attempt.number,
                delay_ms = millis(delay),
                %fault,
                "request is tried again"
            );
            self.clock.sleep(delay).await;
            let renew = matches!(fault, Fault::Unauthorized { .. });
            attempt = Attempt { number: attempt.number + 1, renew, took };
        }
    }

    fn delays(&self, attempts: u32) -> impl Iterator<Item = Duration> + use<> {
        let nth = self.sent.fetch_add(1, Ordering::Relaxed);
        ExponentialBuilder::new()
            .with_min_delay(FIRST_DELAY)
            .with_max_delay(LONGEST_DELAY)
            .with_factor(2.0)
            .with_jitter()
            .with_jitter_seed(self.seed.wrapping_add(nth.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
            .with_max_times(attempts.saturating_sub(1) as usize)
            .build()
    }

    async fn attempt(
        &self,
        call: &Call<'_>,
        request: Request,
        body: Growing,
        mut permit: Permit<'_>,
    ) -> (Duration, Result<Answer, Fault>) {
        let started = self.clock.instant();
        permit.leave(started);
        let outcome = match tokio::time::timeout(call.timeout, self.exchange(request, body, call.max_body)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Fault::transient(format!("no complete answer within {} s", call.timeout.as_secs_f32()))),
        };
        let took = self.clock.instant() - started;
        let span = tracing::Span::current();
        span.record("duration_ms", millis(took));
        let outcome = outcome.and_then(|answer| {
            span.record("status", answer.status);
            if let Some(id) = answer.header("x-amzn-requestid") {
                span.record("request_id", id);
            }
            call.pace.learn(&answer, started);
            let verdict = (call.classify)(&answer);
            tracing::debug!(event = "request_answered", usable = verdict.is_ok(), "request answered");
            verdict.map(|()| Answer { took, ..answer })
        });
        // Before the permit goes: whoever is next should know.
        if let Pace::Share(share) = call.pace {
            share.observe(call.operation, started, took, &outcome);
        }
        (took, outcome)
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place that sends")]
    async fn exchange(&self, request: Request, mut body: Growing, max_body: usize) -> Result<Answer, Fault> {
        let mut response = self.client.execute(request).await.map_err(network)?;
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        while let Some(chunk) = response.chunk().await.map_err(network)? {
            if body.len() + chunk.len() > max_body {
                return Err(Fault::nonsense(format!("HTTP {status} with a body of more than {max_body} bytes")));
            }
            body.push(&chunk);
        }
        let told = answer::told_delay(&headers, self.clock.now());
        let (body, rest) = body.finish();
        Ok(Answer { status, headers, body, rest, told, took: Duration::ZERO })
    }
}

/// Asks our own service over its unix socket; the body comes as it is made.
#[expect(clippy::disallowed_methods, reason = "our own socket: nothing to pace, and nothing to try again")]
pub async fn post_to_socket(
    socket: &std::path::Path,
    path: &str,
    json: Vec<u8>,
) -> Result<BoxStream<'static, reqwest::Result<bytes::Bytes>>, reqwest::Error> {
    let client = reqwest::Client::builder().unix_socket(socket).build()?;
    let request = client.post(format!("http://localhost{path}")).header("content-type", "application/json").body(json);
    Ok(request.send().await?.error_for_status()?.bytes_stream().boxed())
}

/// Says what the network did, without the URL: query strings may carry what nobody should read.
fn network(error: reqwest::Error) -> Fault {
    let unsendable = error.is_builder();
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    if unsendable { Fault::nonsense(text) } else { Fault::transient(text) }
}

/// Of faults that are transient anyway.
fn may_help(_: &Fault) -> bool {
    true
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
