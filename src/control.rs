//! The control socket: HTTP over a unix socket that only the service's user and group may open.

use std::collections::BTreeSet;
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::stream::{self, FuturesUnordered};
use futures_util::{Stream, StreamExt};
use tokio::net::UnixListener;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::cycle::{Event, Order, Progress};
use crate::daemon::{Desk, Done, Request};
use crate::model::{AccountName, SellerSku, StoreName};

/// What `resync` asks for.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResyncRequest {
    /// Accounts and, of each, the stores; no store named means all of the account's.
    pub accounts: Vec<(AccountName, BTreeSet<StoreName>)>,
    pub skus: Vec<SellerSku>,
    /// Also until the feeds have ended that it sends.
    #[serde(default)]
    pub wait: bool,
    /// Read and believe like a tick; else nothing is believed and everything is read.
    #[serde(default)]
    pub as_a_tick: bool,
}

/// One line of the answer.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    Progress(Event),
    Done { account: AccountName, done: Done },
    Failed { account: AccountName, error: String },
}

/// The socket file, which is taken away with this.
#[derive(Debug)]
pub struct Socket {
    path: PathBuf,
    listener: Option<UnixListener>,
}

impl Socket {
    /// The caller holds the lease, so a socket that is there already is a dead one.
    pub fn bind(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        match std::fs::symlink_metadata(path) {
            Ok(found) if found.file_type().is_socket() => std::fs::remove_file(path)?,
            Ok(_) => return Err(io::Error::new(io::ErrorKind::AlreadyExists, "something else than a socket is there")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let listener = UnixListener::bind(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
        Ok(Self { path: path.to_owned(), listener: Some(listener) })
    }

    /// Answers until `stop`.
    pub async fn serve(mut self, desk: Desk, clock: Clock, stop: CancellationToken) {
        let Some(listener) = self.listener.take() else { return };
        let router = axum::Router::new()
            .route("/v1/ping", get(async || "stocksync"))
            .route("/v1/resync", post(resync))
            .with_state((desk, clock));
        let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
        if let Err(error) = served.await {
            tracing::error!(event = "control_failed", %error, "the control socket failed");
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        std::fs::remove_file(&self.path).ok();
    }
}

async fn resync(State((desk, clock)): State<(Desk, Clock)>, Json(request): Json<ResyncRequest>) -> Response {
    let (events, progress) = mpsc::unbounded_channel();
    let read_since = clock.now();
    let (cause, afresh) = if request.as_a_tick { ("apply", false) } else { ("resync", true) };
    let replies = FuturesUnordered::new();
    for (account, stores) in request.accounts {
        let (reply, answer) = oneshot::channel();
        let stranger = stores.iter().find(|store| !desk.stores.contains(*store)).cloned();
        let order = Order { cause, stores, skus: request.skus.clone(), afresh, everything: afresh, read_since };
        let request = Request { order, progress: Progress::to(events.clone()), wait: request.wait, reply };
        let sender = desk.accounts.get(&account).filter(|_| stranger.is_none()).cloned();
        replies.push(async move {
            match sender {
                // Whoever has much to do keeps its own request waiting and no other's.
                Some(sender) => drop(sender.send(request).await),
                None => drop(request),
            }
            match answer.await {
                Ok(Ok(done)) => Line::Done { account, done },
                Ok(Err(error)) => Line::Failed { account, error },
                Err(_) => Line::Failed { account, error: unanswered(stranger.as_ref()) },
            }
        });
    }
    drop(events);
    let progress = stream::unfold(progress, async |mut progress| {
        progress.recv().await.map(|event| (Line::Progress(event), progress))
    });
    let lines = stream::select(progress, replies).map(|line| {
        let mut text = serde_json::to_string(&line).map_err(io::Error::other)?;
        text.push('\n');
        Ok::<_, io::Error>(text)
    });
    ([("content-type", "application/x-ndjson")], Body::from_stream(lines)).into_response()
}

/// Why nobody took a request on.
fn unanswered(stranger: Option<&StoreName>) -> String {
    match stranger {
        Some(store) => format!("the service knows no store {store}: reload it (`systemctl reload stocksync`)"),
        None => "the service knows no such account, or stops".into(),
    }
}

/// Asks the service at this socket for a resync; its lines as they come.
pub async fn ask(
    socket: &Path,
    request: &ResyncRequest,
) -> Result<impl Stream<Item = Result<Line, io::Error>> + Unpin + use<>, io::Error> {
    let body = serde_json::to_vec(request).map_err(io::Error::other)?;
    let bytes = crate::http::post_to_socket(socket, "/v1/resync", body).await.map_err(io::Error::other)?;
    let lines = stream::unfold((bytes, Vec::new()), async |(mut bytes, mut held): (_, Vec<u8>)| {
        loop {
            if let Some(end) = held.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = held.drain(..=end).collect();
                let line = serde_json::from_slice(&line).map_err(io::Error::other);
                return Some((line, (bytes, held)));
            }
            match StreamExt::next(&mut bytes).await {
                Some(Ok(chunk)) => held.extend_from_slice(&chunk),
                Some(Err(error)) => return Some((Err(io::Error::other(error)), (bytes, Vec::new()))),
                None => return None,
            }
        }
    });
    Ok(lines.boxed())
}
