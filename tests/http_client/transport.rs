//! What goes over the wire: compressed bodies, connections that are used again, and our name.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, Response};
use axum::serve::ListenerExt as _;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::future::join_all;
use stocksync::http::{Call, Fault, Http};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::{call, get, http, response};

/// A server that counts connections and remembers the headers of requests.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
    asked: Arc<Mutex<Vec<HeaderMap>>>,
    _task: JoinSet<()>,
}

impl Server {
    pub(crate) async fn start(reply: impl Fn(usize) -> Response<Body> + Clone + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (connections, asked) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
        let (accepted, seen) = (Arc::clone(&connections), Arc::clone(&asked));
        let listener = listener.tap_io(move |_| {
            accepted.fetch_add(1, Ordering::SeqCst);
        });
        let app = Router::new().fallback(move |request: Request| {
            let nth = {
                let mut seen = seen.lock().unwrap();
                seen.push(request.into_parts().0.headers);
                seen.len()
            };
            let answer = reply(nth);
            async move { answer }
        });
        let task = async { axum::serve(listener, app).await.unwrap() };
        Self { address, connections, asked, _task: JoinSet::from_iter([task]) }
    }

    /// The headers of every request so far.
    fn asked(&self) -> Vec<HeaderMap> {
        self.asked.lock().unwrap().clone()
    }
}

pub(crate) fn gzipped(body: &[u8]) -> Response<Body> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    let mut answer = Response::new(Body::from(encoder.finish().unwrap()));
    answer.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
    answer
}

async fn fetch(http: &Http, call: &Call<'_>, server: &Server) -> Result<Vec<u8>, Fault> {
    http.send(call, async |_| Ok(get(server.address))).await.map(|answer| answer.body.to_vec())
}

#[tokio::test(start_paused = true)]
async fn a_compressed_body_arrives_as_it_was() {
    let server = Server::start(|_| gzipped(br#"{"items":[]}"#)).await;
    assert_eq!(fetch(&http(), &call(), &server).await.unwrap(), br#"{"items":[]}"#);
    assert_eq!(server.asked()[0]["accept-encoding"], "gzip");
}

#[tokio::test(start_paused = true)]
async fn the_limit_of_a_body_counts_what_it_unpacks_to() {
    // 20 MB in 20 kB: the bytes on the wire alone would pass.
    let server = Server::start(|nth| gzipped(&vec![b'0'; if nth == 1 { 1 << 20 } else { 20 << 20 }])).await;
    let call = Call { max_body: 1 << 20, ..call() };
    assert_eq!(fetch(&http(), &call, &server).await.unwrap().len(), 1 << 20);
    let fault = fetch(&http(), &call, &server).await.unwrap_err();
    assert!(matches!(fault, Fault::Nonsense { .. }), "{fault}");
    assert!(fault.to_string().contains("more than 1048576 bytes"), "{fault}");
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_used_again_after_whatever_answer() {
    let server = Server::start(|nth| match nth % 5 {
        0 => response(503, &[], "<html>maintenance"),
        1 => response(404, &[], "{}"),
        2 => gzipped(&[b'x'; 900]),
        3 => response(200, &[], ""),
        _ => response(200, &[], "good"),
    })
    .await;
    let http = http();
    for _ in 0..50 {
        let _ = fetch(&http, &call(), &server).await;
    }
    assert!(server.asked().len() > 50);
    assert_eq!(server.connections.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn no_more_connections_are_opened_than_requests_run_at_once() {
    let server = Server::start(|_| response(200, &[], "good")).await;
    let (http, call) = (http(), call());
    for _ in 0..20 {
        let answers = join_all((0..3).map(|_| fetch(&http, &call, &server))).await;
        assert!(answers.iter().all(Result::is_ok));
    }
    assert_eq!(server.asked().len(), 60);
    assert!(server.connections.load(Ordering::SeqCst) <= 3, "{:?}", server.connections);
}

#[tokio::test(start_paused = true)]
async fn every_request_names_us() {
    let server = Server::start(|nth| response(if nth < 3 { 503 } else { 200 }, &[], "")).await;
    fetch(&http(), &call(), &server).await.unwrap();
    let name = concat!("stocksync/", env!("CARGO_PKG_VERSION"), " (Language=Rust/");
    let asked = server.asked();
    assert_eq!(asked.len(), 3);
    for headers in asked {
        let agent = headers["user-agent"].to_str().unwrap();
        assert!(agent.starts_with(name) && agent.ends_with(')') && agent.len() < 500, "{agent}");
    }
}
