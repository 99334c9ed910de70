//! A shop with the routes that the reader uses, and a way to make each of them misbehave.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Response, StatusCode};
use axum::serve::ListenerExt as _;
use futures_util::stream;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use stocksync::clock::Clock;
use stocksync::commerce::{Access, Auth, Reader, Website};
use stocksync::http::Http;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

#[derive(Clone, Debug)]
pub(crate) struct Product {
    pub(crate) id: u64,
    pub(crate) sku: String,
    pub(crate) type_id: &'static str,
    pub(crate) websites: Vec<u32>,
    pub(crate) managed: bool,
    /// As the export of every website says it; None where no source belongs to the stock.
    pub(crate) qty: Option<f64>,
    pub(crate) asin: Option<&'static str>,
}

/// A request as the shop sees it.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// Without the REST root.
    pub(crate) path: String,
    pub(crate) params: BTreeMap<String, String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    /// How many came before it to the same path.
    pub(crate) nth: usize,
    pub(crate) full_path: String,
}

pub(crate) type Twist = Box<dyn Fn(&Asked, &Shop) -> Option<Response<Body>> + Send + Sync>;

pub(crate) struct Shop {
    pub(crate) products: Vec<Product>,
    twist: Twist,
    log: Mutex<Vec<Asked>>,
    running: AtomicUsize,
    pub(crate) most_running: AtomicUsize,
}

pub(crate) struct Server {
    pub(crate) shop: Arc<Shop>,
    pub(crate) base_url: String,
    _task: JoinSet<()>,
}

pub(crate) fn product(id: u64, sku: &str) -> Product {
    let sku = sku.to_owned();
    Product { id, sku, type_id: "simple", websites: vec![1], managed: true, qty: Some(10.0), asin: None }
}

/// Products with gaps between their ids.
pub(crate) fn catalogue(count: u64) -> Vec<Product> {
    (1..=count).map(|n| product(n * 3, &format!("SKU-{n}"))).collect()
}

pub(crate) fn reply(status: u16, body: impl Into<String>) -> Response<Body> {
    let mut response = Response::new(Body::from(body.into()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}

/// An answer whose connection breaks in the middle.
pub(crate) fn cut(text: &'static str) -> Response<Body> {
    let parts: [Result<Bytes, std::io::Error>; 2] = [Ok(text.into()), Err(std::io::ErrorKind::ConnectionReset.into())];
    Response::new(Body::from_stream(stream::iter(parts)))
}

pub(crate) fn website(id: u32, code: &str) -> Website {
    Website { code: code.into(), id, stock_id: Some(1) }
}

impl Server {
    pub(crate) async fn start(products: Vec<Product>) -> Self {
        Self::start_twisted(products, |_, _| None).await
    }

    pub(crate) async fn start_twisted(
        products: Vec<Product>,
        twist: impl Fn(&Asked, &Shop) -> Option<Response<Body>> + Send + Sync + 'static,
    ) -> Self {
        let shop = Arc::new(Shop {
            products,
            twist: Box::new(twist),
            log: Mutex::default(),
            running: AtomicUsize::new(0),
            most_running: AtomicUsize::new(0),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        // Or a body in parts waits for the kernel's acknowledgements, in a time that does not pass here.
        let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
        let served = Arc::clone(&shop);
        let app = Router::new().fallback(move |request: Request| {
            let shop = Arc::clone(&served);
            async move { shop.serve(request).await }
        });
        let task = async { axum::serve(listener, app).await.unwrap() };
        Self { shop, base_url, _task: JoinSet::from_iter([task]) }
    }

    pub(crate) fn reader(&self, page_size: u32) -> Reader {
        self.reader_with(page_size, Auth::Bearer { token: "token".into() })
    }

    pub(crate) fn reader_with(&self, page_size: u32, auth: Auth) -> Reader {
        let clock = Clock::starting_at("2026-11-21T12:00:00Z".parse().unwrap());
        let http = Arc::new(Http::new(clock, 1).unwrap());
        Reader::new(Access { auth, ..self.access(page_size) }, http, clock)
    }

    pub(crate) fn access(&self, page_size: u32) -> Access {
        let auth = Auth::Bearer { token: "token".into() };
        Access { base_url: self.base_url.clone(), auth, page_size, concurrency: 2, max_load_thousandths: 200 }
    }

    /// The requests to paths that start like this.
    pub(crate) fn asked(&self, path: &str) -> Vec<Asked> {
        let log = self.shop.log.lock().unwrap();
        log.iter().filter(|asked| asked.path.starts_with(path)).cloned().collect()
    }
}

impl Asked {
    pub(crate) fn number(&self, key: &str) -> Option<u64> {
        self.params.get(key)?.parse().ok()
    }

    pub(crate) fn page_size(&self) -> usize {
        let size = self.number("searchCriteria[pageSize]").or_else(|| self.number("pageSize"));
        usize::try_from(size.unwrap()).unwrap()
    }

    /// The value of the first filter on a field with a condition.
    pub(crate) fn filter(&self, field: &str, condition: &str) -> Option<&str> {
        let (key, _) = self.params.iter().find(|(key, value)| {
            let condition_key = key.replace("[field]", "[condition_type]");
            let has = self.params.get(&condition_key).map_or("eq", String::as_str);
            key.ends_with("[field]") && *value == field && has == condition
        })?;
        self.params.get(&key.replace("[field]", "[value]")).map(String::as_str)
    }

    fn matches(&self, product: &Product) -> bool {
        let id = |condition| self.filter("entity_id", condition);
        let number = |text: &str| text.parse::<u64>().unwrap();
        let skus: Vec<String> = self
            .params
            .iter()
            .filter(|(key, value)| key.ends_with("[field]") && *value == "sku")
            .map(|(key, _)| self.params[&key.replace("[field]", "[value]")].trim().to_lowercase())
            .collect();
        id("gt").is_none_or(|after| product.id > number(after))
            && id("lteq").is_none_or(|last| product.id <= number(last))
            && id("in").is_none_or(|ids| ids.split(',').any(|id| number(id) == product.id))
            && self.filter("website_id", "eq").is_none_or(|id| product.websites.contains(&id.parse().unwrap()))
            && (skus.is_empty() || skus.contains(&product.sku.to_lowercase()))
    }
}

impl Shop {
    async fn serve(&self, request: Request) -> Response<Body> {
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_running.fetch_max(running, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(100)).await;
        let asked = self.note(request).await;
        let response = (self.twist)(&asked, self).unwrap_or_else(|| self.answer(&asked));
        self.running.fetch_sub(1, Ordering::SeqCst);
        response
    }

    async fn note(&self, request: Request) -> Asked {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        let decode = |text: &str| percent_decode_str(text).decode_utf8().unwrap().into_owned();
        let query = parts.uri.query().unwrap_or_default();
        let params = query.split('&').filter_map(|pair| pair.split_once('='));
        let full_path = decode(parts.uri.path());
        let path = full_path.trim_start_matches("/rest").trim_start_matches("/V1/").to_owned();
        let mut log = self.log.lock().unwrap();
        let asked = Asked {
            nth: log.iter().filter(|asked| asked.path == path).count(),
            path,
            params: params.map(|(key, value)| (decode(key), decode(value))).collect(),
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
            full_path,
        };
        log.push(asked.clone());
        asked
    }

    pub(crate) fn answer(&self, asked: &Asked) -> Response<Body> {
        let (route, name) = asked.path.rsplit_once('/').unwrap_or(("", &asked.path));
        let body = match (route, name) {
            ("store", "websites") => {
                json!([{"id": 0, "code": "admin"}, {"id": 2, "code": "eu"}, {"id": 1, "code": "base"}])
            }
            ("inventory", "stocks") => {
                let channels = json!([{"type": "website", "code": "base"}]);
                json!({"items": [{"stock_id": 1, "extension_attributes": {"sales_channels": channels}}], "total_count": 1})
            }
            ("stockItems/lowStock", "") => return reply(200, self.low_stock(asked)),
            ("", "products") => return reply(200, self.products(asked)),
            ("inventory/export-stock-salable-qty/website", _) => return reply(200, self.export(asked)),
            ("stockItems", sku) => match self.find(sku) {
                Some(product) => settings(product),
                None => return reply(404, r#"{"message":"The Product with the \"%1\" SKU doesn't exist."}"#),
            },
            ("stockStatuses", sku) => match self.find(sku) {
                Some(product) => {
                    let qty = product.qty.unwrap_or_default();
                    json!({"product_id": product.id, "qty": qty.trunc(), "stock_status": u8::from(qty > 0.0)})
                }
                None => return reply(404, r#"{"message":"The Product with the \"%1\" SKU doesn't exist."}"#),
            },
            _ => return reply(404, r#"{"message":"Request does not match any route."}"#),
        };
        reply(200, body.to_string())
    }

    fn find(&self, sku: &str) -> Option<&Product> {
        self.products.iter().find(|product| product.sku.eq_ignore_ascii_case(sku))
    }

    pub(crate) fn low_stock(&self, asked: &Asked) -> String {
        let page = usize::try_from(asked.number("currentPage").unwrap()).unwrap();
        let rows = self.products.chunks(asked.page_size()).nth(page - 1).unwrap_or_default();
        list(rows.iter().map(settings).collect(), self.products.len())
    }

    pub(crate) fn products(&self, asked: &Asked) -> String {
        let matching: Vec<&Product> = self.products.iter().filter(|product| asked.matches(product)).collect();
        let rows = matching.iter().take(asked.page_size()).map(|product| row(product)).collect();
        list(rows, matching.len())
    }

    /// Leaves out what has no source, and counts only what it says.
    pub(crate) fn export(&self, asked: &Asked) -> String {
        let matching = self.products.iter().filter(|product| asked.matches(product)).take(asked.page_size());
        let rows: Vec<Value> = matching
            .filter_map(|product| {
                Some(json!({"sku": product.sku, "qty": product.qty?, "is_salable": product.qty? > 0.0}))
            })
            .collect();
        let count = rows.len();
        list(rows, count)
    }
}

pub(crate) fn list(rows: Vec<Value>, total: usize) -> String {
    // As PHP does with `fields`.
    let items = if rows.is_empty() { Value::Null } else { Value::Array(rows) };
    let mut text = String::new();
    write!(text, r#"{{"items":{items},"total_count":{total}}}"#).unwrap();
    text
}

pub(crate) fn row(product: &Product) -> Value {
    let asin = product.asin.map(|asin| json!({"attribute_code": "asin", "value": asin}));
    let attributes: Vec<Value> = asin.into_iter().chain([json!({"attribute_code": "color", "value": []})]).collect();
    json!({
        "id": product.id, "sku": product.sku, "type_id": product.type_id, "status": 1,
        "updated_at": "2026-11-21 20:00:29", "custom_attributes": attributes,
        "extension_attributes": {"website_ids": product.websites},
    })
}

pub(crate) fn settings(product: &Product) -> Value {
    json!({
        "product_id": product.id, "manage_stock": product.managed, "backorders": 0, "min_qty": 0,
        "use_config_manage_stock": true, "qty_increments": false, "low_stock_date": null,
    })
}
