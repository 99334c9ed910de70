//! HTTP around the answers: bodies, compression, and connections that break.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, LOCATION, RETRY_AFTER, SET_COOKIE, VARY};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::{StreamExt, stream};

use super::Commerce;
use super::fault::FaultKind;
use super::ims::TOKEN_PATH;
use super::reply::{JSON, Reply};
use super::request::Head;
use super::respond::Outcome;

const LARGEST_BODY: usize = 1_000_000;
/// Smaller bodies are sent as they are.
const SMALLEST_GZIP: usize = 1_000;
/// nginx refuses a request line that does not fit its buffer.
const LONGEST_REQUEST_LINE: usize = 8_192;
/// Pieces of a body that comes slowly.
const DRIPS: usize = 50;
const MOMENT: Duration = Duration::from_millis(1);

pub(super) fn rest(commerce: &Arc<Commerce>) -> Router {
    let router = Router::new();
    let router = match &commerce.settings.tenant {
        Some(tenant) => router.route(TOKEN_PATH, any(handle)).route(&format!("/{tenant}/{{*path}}"), any(handle)),
        None => router
            .route("/rest", any(handle))
            .route("/rest/", any(handle))
            .route("/rest/{*path}", any(handle))
            .route("/index.php/rest/{*path}", any(handle)),
    };
    router.with_state(Arc::clone(commerce))
}

/// A request from its arrival to its answer.
struct UnderWay(Arc<Commerce>);

impl UnderWay {
    fn of(commerce: &Arc<Commerce>) -> Self {
        commerce.lock().stats.begin();
        Self(Arc::clone(commerce))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.lock().stats.end();
    }
}

async fn handle(State(commerce): State<Arc<Commerce>>, request: Request) -> Response {
    let under_way = UnderWay::of(&commerce);
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_BODY).await else { return StatusCode::PAYLOAD_TOO_LARGE.into_response() };
    let head = Head::of(&parts);
    if head.method.len() + parts.uri.to_string().len() + " HTTP/1.1".len() + 2 > LONGEST_REQUEST_LINE {
        return whole(Reply::html(StatusCode::URI_TOO_LONG, "414 Request-URI Too Large"), false);
    }
    let Outcome { reply, delay, fault } = commerce.respond(&head, &body);
    if !delay.is_zero() {
        commerce.clock.sleep(delay).await;
    }
    let (ms, drips_for) = fault.as_ref().map_or_else(Default::default, |fault| (fault.ms, fault.drip()));
    let kind = fault.map(|fault| fault.kind);
    let mut response = match kind {
        Some(FaultKind::CutBody) => cut(reply),
        Some(FaultKind::SlowDrip) => drip(reply, drips_for, under_way),
        _ => whole(reply, head.gzip),
    };
    let headers = response.headers_mut();
    if kind == Some(FaultKind::Redirect)
        && let Ok(target) = HeaderValue::from_str(&parts.uri.to_string())
    {
        headers.insert(LOCATION, target);
    }
    if kind == Some(FaultKind::Html429) && ms > 0 {
        headers.insert(RETRY_AFTER, HeaderValue::from(ms.div_ceil(1_000)));
    }
    headers.insert(SET_COOKIE, HeaderValue::from_static("PHPSESSID=simulated; path=/; HttpOnly"));
    response
}

fn whole(reply: Reply, gzip: bool) -> Response {
    let mut compressed = None;
    if gzip && reply.content_type == JSON && reply.body.len() >= SMALLEST_GZIP {
        compressed = compress(&reply.body).ok();
    }
    let is_compressed = compressed.is_some();
    let mut response = (reply.status, compressed.unwrap_or(reply.body)).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    if is_compressed {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

fn compress(body: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body)?;
    encoder.finish()
}

/// Promises the whole body and drops the connection after half of it.
fn cut(mut reply: Reply) -> Response {
    let promised = HeaderValue::from(reply.body.len());
    reply.body.truncate(reply.body.len() / 2);
    // The end comes a moment later, so that the half is on its way by then.
    let end = async {
        tokio::time::sleep(MOMENT).await;
        Err(io::Error::from(io::ErrorKind::ConnectionReset))
    };
    let parts = stream::iter([Ok(Bytes::from(reply.body))]).chain(stream::once(end));
    streamed(reply.status, reply.content_type, promised, Body::from_stream(parts))
}

/// Sends the whole body, a little at a time.
fn drip(reply: Reply, time: Duration, under_way: UnderWay) -> Response {
    let promised = HeaderValue::from(reply.body.len());
    let piece = reply.body.len().div_ceil(DRIPS).max(1);
    let pause = time / u32::try_from(reply.body.len().div_ceil(piece)).unwrap_or(1).max(1);
    let parts = stream::unfold((Bytes::from(reply.body), under_way), move |(mut left, under_way)| async move {
        if left.is_empty() {
            return None;
        }
        under_way.0.clock.sleep(pause).await;
        let next = left.split_to(piece.min(left.len()));
        Some((Ok::<_, io::Error>(next), (left, under_way)))
    });
    streamed(reply.status, reply.content_type, promised, Body::from_stream(parts))
}

fn streamed(status: StatusCode, content_type: &'static str, length: HeaderValue, body: Body) -> Response {
    let mut response = (status, body).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(CONTENT_LENGTH, length);
    response
}
