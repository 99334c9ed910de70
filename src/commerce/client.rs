//! One request to one instance: signed, limited in number, counted, read as JSON.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::Access;
use super::auth::{Auth, Signer};
use super::fault::{classify, stated_maximum};
use super::pages::Pages;
use super::query::Query;
use crate::clock::Clock;
use crate::http::{Answer, Attempt, Call, Fault, HeaderValue, Http, Long, Method, Pace, Request, Share, Url, json};

/// A page of 300 products was seen to take 70 s on unchanged data. Shorter gives up on a shop in a bad moment; longer lets
/// one dead connection hold a sweep.
const TIMEOUT: Duration = Duration::from_mins(3);
const ATTEMPTS: u32 = 3;
/// A page of 1000 stock settings has 620 kB.
const MAX_BODY: usize = 32 * 1024 * 1024;
/// Of a list without pages, after decompression. A dump of a million products has 50 to 100 MB; anything longer is no list
/// of products, and would fill the memory.
const MAX_LIST: usize = 256 * 1024 * 1024;
/// The largest page that the strictest known server takes.
pub(super) const SMALL_PAGE: u32 = 300;
/// The store view for the cloud service: the one that a URL without a code means elsewhere.
const CLOUD_STORE: &str = "default";

#[derive(Debug)]
pub(super) struct Client {
    http: Arc<Http>,
    signer: Signer,
    rest_root: String,
    cloud: bool,
    share: Share,
    pages: Mutex<Pages>,
}

impl Client {
    pub(super) fn new(access: Access, http: Arc<Http>, clock: Clock) -> Self {
        let Access { base_url, auth, concurrency, max_load_thousandths, .. } = access;
        let cloud = matches!(auth, Auth::Ims { .. });
        let rest_root = if cloud { base_url } else { format!("{base_url}/rest") };
        let signer = Signer::new(auth, &rest_root, Arc::clone(&http), clock);
        let share = Share::new(clock, concurrency, max_load_thousandths);
        Self { http, signer, rest_root, cloud, share, pages: Mutex::default() }
    }

    pub(super) const fn is_cloud(&self) -> bool {
        self.cloud
    }

    /// How many requests were sent so far, repetitions included.
    pub(super) fn requests(&self) -> u64 {
        self.share.load().requests
    }

    pub(super) fn share(&self) -> &Share {
        &self.share
    }

    pub(super) async fn get<T: DeserializeOwned>(&self, operation: &'static str, query: &Query) -> Result<T, Fault> {
        json(&self.send(operation, |_| query.clone()).await?)
    }

    /// A list without pages, to be read row by row. Where it fails, the rows before count for nothing.
    pub(super) async fn get_long(&self, operation: &'static str, query: &Query) -> Result<Long, Fault> {
        let used = AtomicU64::new(0);
        let build = |attempt| self.signed(query.clone(), attempt, &used);
        self.http.send_long(&self.call(operation, MAX_LIST), build).await
    }

    /// Asks for a page, and for a smaller one when the server says how large it may be, or is slow. Returns the size it
    /// took.
    pub(super) async fn page<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        size: &AtomicU32,
        query: impl Fn(u32) -> Query,
    ) -> Result<(u32, T), Fault> {
        loop {
            let asked = AtomicU32::new(0);
            let sized = |attempt: Attempt| {
                if attempt.number > 1 {
                    self.resize(operation, size, asked.load(Ordering::Relaxed), attempt.took, false);
                }
                let now = size.load(Ordering::Relaxed);
                asked.store(now, Ordering::Relaxed);
                query(now)
            };
            let outcome = self.send(operation, sized).await;
            let asked = asked.into_inner();
            match outcome {
                Ok(answer) => {
                    self.resize(operation, size, asked, answer.took, true);
                    return Ok((asked, json(&answer)?));
                }
                Err(fault) => match stated_maximum(&fault) {
                    Some(maximum) if maximum < asked => {
                        self.pages().limit(operation, maximum);
                        size.fetch_min(maximum, Ordering::Relaxed);
                    }
                    _ => return Err(fault),
                },
            }
        }
    }

    /// Fits the size of pages to how long one took, that came or did not.
    fn resize(&self, operation: &'static str, size: &AtomicU32, asked: u32, took: Duration, came: bool) {
        let next = self.pages().next(operation, asked, took, came);
        if next >= asked {
            // Only from here: another page may have been slow meanwhile.
            let _ = size.compare_exchange(asked, next, Ordering::Relaxed, Ordering::Relaxed);
        } else if size.fetch_min(next, Ordering::Relaxed) > next {
            let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
            tracing::info!(
                event = "page_size_lowered",
                operation,
                duration_ms,
                page_size = next,
                "a page took long, the next ones are smaller"
            );
        }
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `query` is asked anew for every attempt.
    async fn send(&self, operation: &'static str, query: impl Fn(Attempt) -> Query) -> Result<Answer, Fault> {
        let used = AtomicU64::new(0);
        let build = |attempt| self.signed(query(attempt), attempt, &used);
        self.http.send(&self.call(operation, MAX_BODY), build).await
    }

    fn call(&self, operation: &'static str, max_body: usize) -> Call<'_> {
        Call {
            operation,
            pace: Pace::Share(&self.share),
            timeout: TIMEOUT,
            attempts: ATTEMPTS,
            max_body,
            renewable: self.signer.renews(),
            classify,
        }
    }

    /// `used` is which token the attempt before used.
    async fn signed(&self, query: Query, attempt: Attempt, used: &AtomicU64) -> Result<Request, Fault> {
        let url: Url =
            format!("{}/{query}", self.rest_root).parse().map_err(|_| Fault::nonsense("the base URL is no URL"))?;
        let mut request = self.request(url);
        let refused = attempt.renew.then(|| used.load(Ordering::Relaxed));
        used.store(self.signer.sign(&mut request, refused).await?, Ordering::Relaxed);
        Ok(request)
    }

    fn request(&self, url: Url) -> Request {
        let mut request = Request::new(Method::GET, url);
        request.headers_mut().insert("accept", HeaderValue::from_static("application/json"));
        if self.cloud {
            request.headers_mut().insert("store", HeaderValue::from_static(CLOUD_STORE));
        }
        request
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
