//! Both simulators on sockets of their own, tied together: what Amazon sells becomes an order in the shop.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::amazon::{Amazon, Sale};
use super::commerce::Commerce;
use super::serve;
use super::world::{Link, World};
use crate::clock::Clock;

/// A running shop and a running Amazon. They end with this.
#[derive(Debug)]
pub struct Pair {
    pub commerce: Arc<Commerce>,
    pub amazon: Arc<Amazon>,
    pub commerce_address: SocketAddr,
    pub amazon_address: SocketAddr,
    tasks: JoinSet<()>,
}

impl Pair {
    /// Serves on loopback; port 0 takes any that is free.
    pub async fn start(world: World, commerce_port: u16, amazon_port: u16, clock: Clock) -> io::Result<Self> {
        let commerce = Commerce::new(&world.commerce, clock);
        let amazon = Amazon::new(world.amazon, world.seed, clock);
        let commerce_socket = TcpListener::bind(("127.0.0.1", commerce_port)).await?;
        let amazon_socket = TcpListener::bind(("127.0.0.1", amazon_port)).await?;
        let (commerce_address, amazon_address) = (commerce_socket.local_addr()?, amazon_socket.local_addr()?);
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let (commerce_router, amazon_router) = (commerce.router(), amazon.router());
        let stopped = stop.clone();
        tasks.spawn(async move { drop(serve(commerce_router, commerce_socket, stopped).await) });
        let stopped = stop.clone();
        tasks.spawn(async move { drop(serve(amazon_router, amazon_socket, stopped).await) });
        tasks.spawn(Arc::clone(&amazon).run_buyers(stop));
        if world.link.import_orders {
            tasks.spawn(import(world.link, amazon.on_sale(), Arc::clone(&commerce), clock));
        }
        Ok(Self { commerce, amazon, commerce_address, amazon_address, tasks })
    }

    pub fn commerce_url(&self) -> String {
        format!("http://{}", self.commerce_address)
    }

    pub fn amazon_url(&self) -> String {
        format!("http://{}", self.amazon_address)
    }

    /// Serves until it is dropped.
    pub async fn forever(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

/// A sale of a seller SKU that is a product's SKU reserves that product's stock, where it is sold first.
async fn import(
    link: Link,
    mut sales: tokio::sync::mpsc::UnboundedReceiver<Sale>,
    commerce: Arc<Commerce>,
    clock: Clock,
) {
    while let Some(sale) = sales.recv().await {
        clock.sleep(link.import_delay).await;
        let quantity = u32::try_from(sale.quantity).unwrap_or(u32::MAX);
        if let Err(error) = commerce.order(&sale.sku, 1, quantity) {
            tracing::debug!(event = "order_not_imported", sku = sale.sku, %error, "an order could not be imported");
        }
    }
}
