//! One request to one instance: signed, limited in number, counted, read as JSON.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::Access;
use super::auth::{Auth, Signer};
use super::fault::{classify, stated_maximum};
use super::query::Query;
use crate::clock::Clock;
use crate::http::{Call, Fault, HeaderValue, Http, Method, Pace, Request, Share, Url, json};

/// A page of 300 products was seen to take 70 s on unchanged data. Shorter gives up on a shop in a bad moment; longer lets
/// one dead connection hold a sweep.
const TIMEOUT: Duration = Duration::from_mins(3);
const ATTEMPTS: u32 = 3;
/// A page of 1000 stock settings has 620 kB.
const MAX_BODY: usize = 32 * 1024 * 1024;
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
}

impl Client {
    pub(super) fn new(access: Access, http: Arc<Http>, clock: Clock) -> Self {
        let Access { base_url, auth, concurrency, max_load_thousandths, .. } = access;
        let cloud = matches!(auth, Auth::Ims { .. });
        let rest_root = if cloud { base_url } else { format!("{base_url}/rest") };
        let signer = Signer::new(auth, &rest_root, Arc::clone(&http), clock);
        Self { http, signer, rest_root, cloud, share: Share::new(clock, concurrency, max_load_thousandths) }
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
        let url: Url =
            format!("{}/{query}", self.rest_root).parse().map_err(|_| Fault::nonsense("the base URL is no URL"))?;
        let call = Call {
            operation,
            pace: Pace::Share(&self.share),
            timeout: TIMEOUT,
            attempts: ATTEMPTS,
            max_body: MAX_BODY,
            renewable: self.signer.renews(),
            classify,
        };
        // Which token the attempt before used.
        let used = AtomicU64::new(0);
        let used = &used;
        let answer = self
            .http
            .send(&call, |attempt| {
                let url = url.clone();
                let refused = attempt.renew.then(|| used.load(Ordering::Relaxed));
                async move {
                    let mut request = self.request(url);
                    used.store(self.signer.sign(&mut request, refused).await?, Ordering::Relaxed);
                    Ok(request)
                }
            })
            .await?;
        json(&answer)
    }

    /// Asks for a page, and for a smaller one when the server says how large it may be. Returns the size it took.
    pub(super) async fn page<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        size: &AtomicU32,
        query: impl Fn(u32) -> Query,
    ) -> Result<(u32, T), Fault> {
        loop {
            let asked = size.load(Ordering::Relaxed);
            match self.get(operation, &query(asked)).await {
                Ok(page) => return Ok((asked, page)),
                Err(fault) => match stated_maximum(&fault) {
                    Some(maximum) if maximum < asked => size.store(maximum, Ordering::Relaxed),
                    _ => return Err(fault),
                },
            }
        }
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
