//! An Amazon of canned answers that remembers what it was asked, byte for byte.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Response, StatusCode};
use jiff::Timestamp;
use stocksync::amazon::{Access, Client};
use stocksync::clock::Clock;
use stocksync::http::Http;
use stocksync::model::{MarketplaceId, SellerSku};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

pub(crate) const DE: &str = "A1PA6795UKMFR9";
pub(crate) const ITEMS: &str = "/listings/2021-08-01/items/A1SELLER";

/// As `getFeed` shows it.
const FEED: &str = r#"{"feedId":"F/1","feedType":"JSON_LISTINGS_FEED","marketplaceIds":["A1PA6795UKMFR9"],
    "createdTime":"2026-11-01T00:00:00+00:00","processingStatus":"IN_QUEUE"}"#;
const REPORT: &str = r#"{"header":{"sellerId":"A1SELLER","version":"2.0","feedId":"F/1"},"issues":[],"summary":
    {"errors":0,"warnings":0,"messagesProcessed":1,"messagesAccepted":1,"messagesInvalid":0}}"#;

pub(crate) type Reply = Response<Body>;

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// Of the model, for example `patchListingsItem`; `token`, `document` and `upload` for what has no model.
    pub(crate) operation: &'static str,
    pub(crate) method: String,
    /// Path and query, still encoded.
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    /// Which of its operation, from 1.
    pub(crate) nth: usize,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The value of a query parameter, still encoded.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        let (_, query) = self.target.split_once('?')?;
        query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
    }
}

#[derive(Default)]
struct Log {
    asked: Vec<Asked>,
    counts: BTreeMap<&'static str, usize>,
}

pub(crate) struct Stub {
    pub(crate) base_url: String,
    log: Arc<Mutex<Log>>,
    _server: JoinSet<()>,
}

impl Stub {
    pub(crate) async fn obliging() -> Self {
        Self::start(|_| None).await
    }

    /// Answers what `script` says; where it says nothing, as Amazon does when all is well.
    pub(crate) async fn start(script: impl Fn(&Asked) -> Option<Reply> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let log = Arc::new(Mutex::new(Log::default()));
        let (heard, base, script) = (Arc::clone(&log), base_url.clone(), Arc::new(script));
        let app = Router::new().fallback(move |request: axum::extract::Request| {
            let (heard, base, script) = (Arc::clone(&heard), base.clone(), Arc::clone(&script));
            async move {
                let (parts, body) = request.into_parts();
                let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
                let asked = hear(&mut heard.lock().unwrap(), &parts, &body);
                let mut reply = script(&asked).unwrap_or_else(|| obliging(&asked, &base));
                if let Some(Late(delay)) = reply.extensions_mut().remove() {
                    tokio::time::sleep(delay).await;
                }
                reply
            }
        });
        let server = async { axum::serve(listener, app).await.unwrap() };
        Self { base_url, log, _server: JoinSet::from_iter([server]) }
    }

    pub(crate) fn client(&self) -> Arc<Client> {
        client(&self.base_url, &self.base_url)
    }

    pub(crate) fn asked(&self, operation: &str) -> Vec<Asked> {
        self.all_asked().into_iter().filter(|asked| asked.operation == operation).collect()
    }

    pub(crate) fn all_asked(&self) -> Vec<Asked> {
        self.log.lock().unwrap().asked.clone()
    }

    pub(crate) fn count(&self, operation: &str) -> usize {
        self.log.lock().unwrap().counts.get(operation).copied().unwrap_or_default()
    }
}

/// A client whose sign-in may be elsewhere than the API.
pub(crate) fn client(endpoint: &str, sign_in: &str) -> Arc<Client> {
    let epoch: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
    let clock = Clock::starting_at(epoch);
    let access = Access {
        seller_id: "A1SELLER".into(),
        endpoint: endpoint.into(),
        token_url: format!("{sign_in}/auth/o2/token"),
        client_id: "amzn1.application-oa2-client.1".into(),
        client_secret: "s/e+c=r t".into(),
        refresh_token: "Atzr|refresh".into(),
    };
    Arc::new(Client::new(access, Arc::new(Http::new(clock, 7).unwrap()), clock))
}

pub(crate) fn de() -> MarketplaceId {
    DE.into()
}

pub(crate) fn skus(names: &[&str]) -> Vec<SellerSku> {
    names.iter().copied().map(SellerSku::from).collect()
}

pub(crate) fn json(status: u16, body: impl Into<String>) -> Reply {
    reply(status, &[("content-type", "application/json")], body.into())
}

pub(crate) fn html(status: u16) -> Reply {
    reply(status, &[("content-type", "text/html")], "<!DOCTYPE html><title>Sorry!</title>")
}

/// SP-API's envelope with one error.
pub(crate) fn refusal(status: u16, code: &str, message: &str, details: &str) -> Reply {
    json(status, serde_json::json!({"errors": [{"code": code, "message": message, "details": details}]}).to_string())
}

pub(crate) fn reply(status: u16, headers: &[(&str, &str)], body: impl Into<Body>) -> Reply {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    for (name, value) in headers {
        response.headers_mut().insert(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
    }
    response
}

#[derive(Clone, Copy)]
struct Late(Duration);

/// The same reply, so much later.
pub(crate) fn late(seconds: u64, mut reply: Reply) -> Reply {
    reply.extensions_mut().insert(Late(Duration::from_secs(seconds)));
    reply
}

fn hear(log: &mut Log, parts: &Parts, body: &Bytes) -> Asked {
    let operation = operation(parts.method.as_str(), parts.uri.path());
    let count = log.counts.entry(operation).or_default();
    *count += 1;
    let asked = Asked {
        operation,
        method: parts.method.to_string(),
        target: parts.uri.to_string(),
        headers: parts.headers.clone(),
        body: String::from_utf8(body.to_vec()).unwrap(),
        nth: *count,
    };
    log.asked.push(asked.clone());
    asked
}

fn operation(method: &str, path: &str) -> &'static str {
    let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    match (method, segments.as_slice()) {
        ("POST", ["auth", "o2", "token"]) => "token",
        ("GET", ["document", ..]) => "document",
        ("PUT", ["document", ..]) => "upload",
        ("PATCH", ["listings", "2021-08-01", "items", _, _]) => "patchListingsItem",
        ("GET", ["listings", "2021-08-01", "items", _, _]) => "getListingsItem",
        ("GET", ["listings", "2021-08-01", "items", _]) => "searchListingsItems",
        ("POST", ["reports", "2021-06-30", "reports"]) => "createReport",
        ("GET", ["reports", "2021-06-30", "reports"]) => "getReports",
        ("GET", ["reports", "2021-06-30", "reports", _]) => "getReport",
        ("GET", ["reports", "2021-06-30", "documents", _]) => "getReportDocument",
        ("POST", ["feeds", "2021-06-30", "documents"]) => "createFeedDocument",
        ("GET", ["feeds", "2021-06-30", "documents", _]) => "getFeedDocument",
        ("POST", ["feeds", "2021-06-30", "feeds"]) => "createFeed",
        ("GET", ["feeds", "2021-06-30", "feeds"]) => "getFeeds",
        ("GET", ["feeds", "2021-06-30", "feeds", _]) => "getFeed",
        ("DELETE", ["feeds", "2021-06-30", "feeds", _]) => "cancelFeed",
        ("GET", ["sellers", "v1", "marketplaceParticipations"]) => "getMarketplaceParticipations",
        _ => "unknown",
    }
}

fn obliging(asked: &Asked, base: &str) -> Reply {
    let item = |sku: &str| {
        let sku = percent_encoding::percent_decode_str(sku).decode_utf8().unwrap();
        serde_json::json!({"sku": sku, "fulfillmentAvailability": [{"fulfillmentChannelCode": "DEFAULT", "quantity": 7}]})
    };
    let path = asked.target.split('?').next().unwrap();
    match asked.operation {
        "token" => json(200, grant(asked.nth)),
        "patchListingsItem" => json(200, r#"{"sku":"any","status":"ACCEPTED","submissionId":"s-1","issues":[]}"#),
        "getListingsItem" => json(200, item(path.rsplit('/').next().unwrap()).to_string()),
        "searchListingsItems" => {
            let items: Vec<_> = asked.param("identifiers").unwrap_or("A").split(',').map(item).collect();
            json(200, serde_json::json!({"numberOfResults": items.len(), "items": items}).to_string())
        }
        "createReport" => json(202, r#"{"reportId":"R/1"}"#),
        "getReports" => json(200, r#"{"reports":[]}"#),
        "getReport" => json(200, r#"{"reportId":"R/1","processingStatus":"DONE","reportDocumentId":"D 1"}"#),
        "getReportDocument" => json(
            200,
            serde_json::json!({"reportDocumentId": "D 1", "url": format!("{base}/document?sign=1")}).to_string(),
        ),
        "createFeedDocument" => json(
            201,
            serde_json::json!({"feedDocumentId": format!("D {}", asked.nth), "url": format!("{base}/document?sign={}", asked.nth)})
                .to_string(),
        ),
        "upload" => reply(200, &[], ""),
        "createFeed" => json(202, r#"{"feedId":"F/1"}"#),
        "getFeed" => json(200, FEED),
        "getFeeds" => json(200, format!(r#"{{"feeds":[{FEED}]}}"#)),
        "cancelFeed" => json(200, "{}"),
        "getFeedDocument" => {
            json(200, serde_json::json!({"feedDocumentId": "R 1", "url": format!("{base}/document?report")}).to_string())
        }
        "document" if asked.target.ends_with("?report") => json(200, REPORT),
        "document" => reply(200, &[("content-type", "text/plain; charset=Cp1252")], "seller-sku\tquantity\nA\t1\n"),
        "getMarketplaceParticipations" => json(
            200,
            r#"{"payload":[{"marketplace":{"id":"A1PA6795UKMFR9"},"participation":{"isParticipating":true}},
                {"marketplace":{"id":"A13V1IB3VIYZZH"},"participation":{"isParticipating":false}}]}"#,
        ),
        _ => refusal(403, "Unauthorized", "Access to requested resource is denied.", ""),
    }
}

pub(crate) fn grant(nth: usize) -> String {
    format!(r#"{{"access_token":"Atza|{nth}","token_type":"bearer","expires_in":3600,"refresh_token":"Atzr|refresh"}}"#)
}
