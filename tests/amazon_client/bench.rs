//! The client at a simulated Amazon.

use std::sync::Arc;

use jiff::Timestamp;
use stocksync::amazon::{Access, Client};
use stocksync::clock::Clock;
use stocksync::http::Http;
use stocksync::sim::amazon::{Amazon, AmazonWorld};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

pub(crate) struct Bench {
    pub(crate) amazon: Arc<Amazon>,
    pub(crate) client: Arc<Client>,
    _server: JoinSet<()>,
}

impl Bench {
    /// One account in Germany with a hundred listings and whatever `account` says besides.
    pub(crate) async fn start(account: &str) -> Self {
        let world = format!(
            "[[account]]\nseller_id = \"A1SELLER\"\nclient_id = \"client\"\nclient_secret = \"secret\"\n\
             refresh_token = \"Atzr|refresh\"\nregion = \"eu\"\nmarketplaces = [\"DE\"]\n{account}\n\
             [account.generate]\nlistings = 100\n"
        );
        let world: AmazonWorld = toml::from_str(&world).unwrap();
        let epoch: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
        let clock = Clock::starting_at(epoch);
        let amazon = Amazon::new(world, 7, clock);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let router = amazon.router();
        let server = async move { axum::serve(listener, router).await.unwrap() };
        let access = Access {
            seller_id: "A1SELLER".into(),
            token_url: format!("{base_url}/auth/o2/token"),
            endpoint: base_url,
            client_id: "client".into(),
            client_secret: "secret".into(),
            refresh_token: "Atzr|refresh".into(),
        };
        let client = Arc::new(Client::new(access, Arc::new(Http::new(clock, 7).unwrap()), clock));
        Self { amazon, client, _server: JoinSet::from_iter([server]) }
    }
}
