//! Documents behind presigned URLs. Such a URL is a key: it gets none of our headers, dies after five minutes, and goes
//! into no log.

use bytes::Bytes;

use super::{Client, TIMEOUT, parse_url, wire};
use crate::http::{Answer, Bucket, Call, Fault, HeaderValue, Method, Pace, Request, json};

/// How compressed documents begin.
pub(super) const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Where a document comes from, and under which names that is logged.
#[derive(Debug)]
pub(super) struct Source<'a> {
    pub(super) get: &'static str,
    pub(super) download: &'static str,
    /// Of the operation that gives the presigned one.
    pub(super) url: String,
    pub(super) budget: &'a Bucket,
    pub(super) max_body: usize,
}

impl Client {
    pub(super) async fn fetch(&self, source: &Source<'_>) -> Result<Answer, Fault> {
        let mut urls = 0;
        loop {
            urls += 1;
            let pace = Pace::Bucket(source.budget);
            let document: wire::Document = json(&self.call(source.get, pace, Method::GET, &source.url, None).await?)?;
            let call = Call { attempts: 3, max_body: source.max_body, timeout: TIMEOUT * 10, ..terms(source.download) };
            let request = async |_| Ok(Request::new(Method::GET, parse_url(&document.url)?));
            match self.http.send(&call, request).await {
                // A slow download outlives its URL; what is tried again then needs another.
                Err(Fault::Rejected(_)) if urls == 1 => {}
                outcome => return outcome.map_err(|fault| of_store(fault, urls)),
            }
        }
    }

    /// Two attempts are all that fit into the life of a URL.
    pub(super) async fn upload(&self, url: &str, content_type: &'static str, bytes: &Bytes) -> Result<(), Fault> {
        let call = Call { attempts: 2, timeout: TIMEOUT * 4, ..terms("uploadFeedDocument") };
        let build = async |_| {
            let mut request = Request::new(Method::PUT, parse_url(url)?);
            request.headers_mut().insert("content-type", HeaderValue::from_static(content_type));
            *request.body_mut() = Some(bytes.clone().into());
            Ok(request)
        };
        self.http.send(&call, build).await.map(|_| ())
    }
}

/// A refusal of the store's is not the account's: its 403 says nothing about permissions.
pub(super) fn of_store(fault: Fault, urls: u32) -> Fault {
    match fault {
        Fault::Rejected(_) => Fault::Exhausted { attempts: urls, last: Box::new(fault) },
        _ => fault,
    }
}

fn terms(operation: &'static str) -> Call<'static> {
    Call {
        operation,
        pace: Pace::None,
        timeout: TIMEOUT,
        attempts: 1,
        max_body: super::MAX_BODY,
        renewable: false,
        classify: |answer| {
            if answer.is_success() {
                Ok(())
            } else {
                Err(answer.refused(code(&answer.body), "the document store refuses"))
            }
        },
    }
}

/// The store speaks XML. Of its words only the code is repeated: others quote the signature.
fn code(body: &[u8]) -> Option<&str> {
    let (_, rest) = std::str::from_utf8(body).ok()?.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    code.bytes().all(|byte| byte.is_ascii_alphanumeric()).then_some(code)
}
