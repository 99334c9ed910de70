//! The simulator of both APIs, served on real sockets. It shares no wire type with the clients: a shared type would
//! hide a shared mistake.

use std::io;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub mod amazon;
pub mod commerce;
mod pair;
mod quantity;
pub mod world;

pub use pair::Pair;
pub use quantity::Quantity;

/// Serves until `stop` is cancelled, then lets the requests in flight finish.
pub async fn serve(router: Router, listener: TcpListener, stop: CancellationToken) -> io::Result<()> {
    axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await
}
