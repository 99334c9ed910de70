//! A simulated shop on a real socket, and a client that only knows HTTP.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;
use stocksync::clock::Clock;
use stocksync::sim::commerce::Commerce;
use stocksync::sim::serve;
use stocksync::sim::world::World;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub(crate) const TOKEN: &str = "test-token";

pub(crate) struct Shop {
    pub(crate) commerce: Arc<Commerce>,
    pub(crate) base: String,
    pub(crate) client: reqwest::Client,
    stop: CancellationToken,
    server: JoinSet<std::io::Result<()>>,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Result<String, reqwest::Error>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(self.body.as_ref().unwrap()).unwrap()
    }
}

impl Shop {
    /// `world` is the file's text after `[commerce]`.
    pub(crate) async fn open(world: &str) -> Self {
        let text = format!("[commerce]\nintegration_bearer_token = \"{TOKEN}\"\n{world}");
        let world = World::parse(&text, "test.toml".as_ref()).unwrap();
        let now: Timestamp = "2026-11-21T20:00:00Z".parse().unwrap();
        let commerce = Commerce::new(&world.commerce, Clock::starting_at(now));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let mut server = JoinSet::new();
        server.spawn(serve(commerce.router(), listener, stop.clone()));
        let client = reqwest::Client::builder().no_proxy().no_gzip().build().unwrap();
        Self { commerce, base, client, stop, server }
    }

    #[expect(clippy::disallowed_methods, reason = "the test is the client, without pacing and retries")]
    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Result<Answer, reqwest::Error> {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Answer { status, headers, body: response.text().await })
    }

    /// Asks a REST route with the bearer token.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        let request = self.client.get(format!("{}/rest/V1/{path}", self.base)).bearer_auth(TOKEN);
        self.send(request).await.unwrap()
    }

    pub(crate) async fn control(&self, method: reqwest::Method, path: &str, body: Option<Value>) -> Answer {
        let mut request = self.client.request(method, format!("{}/_control/commerce/{path}", self.base));
        if let Some(body) = body {
            request = request.json(&body);
        }
        self.send(request).await.unwrap()
    }

    pub(crate) async fn close(mut self) {
        self.stop.cancel();
        drop(self.client);
        while let Some(served) = self.server.join_next().await {
            served.unwrap().unwrap();
        }
    }
}
