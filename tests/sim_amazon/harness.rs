//! A simulated Amazon on a loopback socket, driven with raw requests.

use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use stocksync::clock::Clock;
use stocksync::sim::amazon::{Amazon, AmazonWorld};
use tokio::task::JoinSet;

pub(crate) const DE: &str = "A1PA6795UKMFR9";
pub(crate) const FR: &str = "A13V1IB3VIYZZH";
pub(crate) const SELLER: &str = "A1SELLER";

pub(crate) const ACCOUNT: &str = r#"
[[account]]
seller_id = "A1SELLER"
client_id = "client"
client_secret = "secret"
refresh_token = "Atzr|refresh"
region = "eu"
marketplaces = ["DE", "FR"]
"#;

pub(crate) struct Bench {
    pub(crate) amazon: Arc<Amazon>,
    pub(crate) base: String,
    http: reqwest::Client,
    clock: Clock,
    token: Mutex<String>,
    _server: JoinSet<()>,
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Code and details of the first error.
    pub(crate) fn error(&self) -> (String, String) {
        let error = &self.json()["errors"][0];
        let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
        (text("code"), text("details"))
    }
}

impl Bench {
    /// An account in Germany and France with the given listings, signed in.
    pub(crate) async fn with(rest: &str) -> Self {
        Self::start(&format!("{ACCOUNT}{rest}")).await
    }

    pub(crate) async fn start(world: &str) -> Self {
        let world: AmazonWorld = toml::from_str(world).unwrap_or_else(|error| panic!("{error}"));
        let epoch: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
        let clock = Clock::starting_at(epoch);
        let amazon = Amazon::new(world, 7, clock);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let router = amazon.router();
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });
        let http = reqwest::Client::builder().user_agent("test/1.0 (Language=Rust)").no_proxy().build().unwrap();
        let bench = Self { amazon, base, http, clock, token: Mutex::new(String::new()), _server: server };
        bench.sign_in().await;
        bench
    }

    pub(crate) const fn clock(&self) -> Clock {
        self.clock
    }

    pub(crate) async fn sign_in(&self) -> Reply {
        let reply = self.lwa(&[("refresh_token", "Atzr|refresh")]).await;
        if reply.status == 200 {
            let token = reply.json()["access_token"].as_str().unwrap().to_owned();
            *self.token.lock().unwrap() = token;
        }
        reply
    }

    /// A sign-in with the account's own credentials but for the fields given; an empty one is left out.
    pub(crate) async fn lwa(&self, fields: &[(&str, &str)]) -> Reply {
        let own = [
            ("grant_type", "refresh_token"),
            ("refresh_token", "Atzr|refresh"),
            ("client_id", "client"),
            ("client_secret", "secret"),
        ];
        let field = |(name, value)| fields.iter().find(|(other, _)| *other == name).copied().unwrap_or((name, value));
        let form: Vec<_> = own.into_iter().map(field).filter(|(_, value)| !value.is_empty()).collect();
        send(self.http.post(format!("{}/auth/o2/token", self.base)).form(&form)).await.unwrap()
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base))
    }

    pub(crate) fn signed(&self, method: Method, path: &str) -> RequestBuilder {
        let token = self.token.lock().unwrap().clone();
        self.request(method, path).header("x-amz-access-token", token)
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        send(self.signed(Method::GET, path)).await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        send(self.signed(Method::POST, path).json(&body)).await.unwrap()
    }

    pub(crate) async fn fetch(&self, url: &str) -> Reply {
        send(self.http.get(url)).await.unwrap()
    }

    /// One entry of the availability, by an op, in Germany.
    pub(crate) async fn patch(&self, sku: &str, op: &str, entry: Value) -> Reply {
        self.patch_body(sku, &patch(op, entry)).await
    }

    pub(crate) async fn patch_body(&self, sku: &str, body: &Value) -> Reply {
        send(self.signed(Method::PATCH, &format!("{}?marketplaceIds={DE}", item(sku))).json(body)).await.unwrap()
    }

    pub(crate) async fn merge(&self, sku: &str, quantity: u64) -> Reply {
        self.patch(sku, "merge", json!({"fulfillment_channel_code": "DEFAULT", "quantity": quantity})).await
    }

    pub(crate) async fn control(&self, path: &str, body: Value) -> Reply {
        send(self.request(Method::POST, &format!("/_control/amazon/{path}")).json(&body)).await.unwrap()
    }

    pub(crate) fn quantity(&self, sku: &str) -> Option<u64> {
        self.amazon.listing(SELLER, sku).expect("the listing exists").quantity
    }
}

pub(crate) fn item(sku: &str) -> String {
    format!("/listings/2021-08-01/items/{SELLER}/{sku}")
}

pub(crate) fn patch(op: &str, entry: Value) -> Value {
    let value = Value::Array(vec![entry]);
    let patch = json!({"op": op, "path": "/attributes/fulfillment_availability", "value": value});
    json!({"productType": "PRODUCT", "patches": [patch]})
}

#[expect(clippy::disallowed_methods, reason = "raw requests are the point: the client has tests of its own")]
pub(crate) async fn send(request: RequestBuilder) -> reqwest::Result<Reply> {
    let response = request.send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Ok(Reply { status, headers, bytes: response.bytes().await?.to_vec() })
}

pub(crate) async fn wait(seconds: f64) {
    tokio::time::sleep(std::time::Duration::from_secs_f64(seconds)).await;
}
