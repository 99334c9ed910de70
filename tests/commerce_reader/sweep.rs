//! Sweeps of a shop that behaves.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use stocksync::commerce::{Edition, ProductRow, Reader, StockRow, Sweep, Wanted};
use stocksync::http::Fault;
use stocksync::model::Decimal;
use tokio::sync::mpsc;

use crate::shop::{Product, Server, catalogue, list, product, reply, row, website};

pub(crate) struct Swept {
    pub(crate) rows: Vec<ProductRow>,
    pub(crate) sweep: Sweep,
}

impl Swept {
    pub(crate) fn stock(&self, sku: &str) -> &StockRow {
        let row = self.rows.iter().find(|row| row.sku.as_str() == sku).unwrap_or_else(|| panic!("no {sku}"));
        &row.stocks[0].1
    }
}

pub(crate) async fn sweep(reader: &Reader) -> Result<Swept, Fault> {
    let websites = [website(1, "base"), website(2, "eu")];
    let attributes = ["asin".to_owned()];
    let wanted = Wanted { edition: Edition::Export, websites: &websites, attributes: &attributes };
    let (sender, mut receiver) = mpsc::channel(1);
    let collect = async {
        let mut rows = Vec::new();
        while let Some(batch) = receiver.recv().await {
            rows.extend(batch);
        }
        rows
    };
    let read = async {
        let sender = sender;
        reader.sweep(&wanted, &sender).await
    };
    let (sweep, rows) = tokio::join!(read, collect);
    Ok(Swept { rows, sweep: sweep? })
}

fn level(qty: i32) -> StockRow {
    StockRow::Level { salable: Decimal::from_whole(qty), is_salable: qty > 0 }
}

#[tokio::test(start_paused = true)]
async fn everything_comes_once_and_in_order() {
    let server = Server::start(catalogue(1234)).await;
    let swept = sweep(&server.reader(100)).await.unwrap();
    assert_eq!(swept.sweep.incomplete_because, Vec::<String>::new());
    assert!(swept.sweep.complete);
    assert_eq!((swept.sweep.products, swept.rows.len()), (1234, 1234));
    assert!(swept.rows.is_sorted_by(|a, b| a.product_id < b.product_id));
    assert!(swept.rows.iter().all(|row| row.config.is_some() && row.stocks[0].1 == level(10)));
    // Two pages of settings, thirteen of products and of one website's stock, an empty one, one count.
    assert_eq!(swept.sweep.requests, 2 + 13 + 13 + 1 + 1);
    assert!(swept.sweep.finished > swept.sweep.started);
    assert_eq!(server.shop.most_running.load(Ordering::SeqCst), 2, "the concurrency is used and kept");
}

#[tokio::test(start_paused = true)]
async fn a_row_holds_what_commerce_said() {
    let products = vec![
        Product { asin: Some("B00X"), websites: vec![1, 2], ..product(1, "A") },
        Product { managed: false, qty: Some(0.0), ..product(2, "ÖDD,+ /%") },
        Product { type_id: "bundle", qty: Some(0.0), websites: vec![2], ..product(3, "C") },
        Product { websites: vec![], ..product(4, "D") },
        Product { qty: Some(12.3456), ..product(9, "E") },
    ];
    let server = Server::start(products).await;
    let swept = sweep(&server.reader(300)).await.unwrap();
    assert!(swept.sweep.complete, "{:?}", swept.sweep.incomplete_because);
    let [plain, odd, bundle, nowhere, decimal] = &swept.rows[..] else { panic!("{:?}", swept.rows) };
    assert_eq!(plain.attributes, [("asin".to_owned(), "B00X".to_owned())]);
    assert_eq!(plain.stocks, [("base".into(), level(10)), ("eu".into(), level(10))]);
    assert_eq!((odd.sku.as_str(), odd.config.unwrap().managed), ("ÖDD,+ /%", false));
    assert_eq!((bundle.type_id.as_str(), bundle.stocks.as_slice()), ("bundle", &[("eu".into(), level(0))][..]));
    assert_eq!(nowhere.stocks, []);
    let exact = StockRow::Level { salable: Decimal::from_ten_thousandths(123_456), is_salable: true };
    assert_eq!(decimal.stocks[0].1, exact);
    assert_eq!(decimal.updated_at.as_deref(), Some("2026-11-21 20:00:29"));
}

#[tokio::test(start_paused = true)]
async fn a_managed_product_without_a_source_is_absent() {
    let products = vec![
        Product { qty: None, ..product(1, "MANAGED") },
        Product { qty: None, managed: false, ..product(2, "UNMANAGED") },
        product(3, "OTHER"),
    ];
    let server = Server::start(products).await;
    let swept = sweep(&server.reader(300)).await.unwrap();
    assert!(swept.sweep.complete);
    assert_eq!(*swept.stock("MANAGED"), StockRow::Absent);
    assert!(matches!(swept.stock("UNMANAGED"), StockRow::Unknown(_)));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_allows_less_gets_smaller_pages() {
    let server = Server::start_twisted(catalogue(50), |asked, _| {
        let limited = asked.path == "products" || asked.path.starts_with("inventory");
        let refusal = r#"{"message":"Maximum SearchCriteria pageSize is %max","parameters":{"max":20}}"#;
        (limited && asked.page_size() > 20).then(|| reply(400, refusal))
    })
    .await;
    let reader = server.reader(300);
    for refused in [1, 0] {
        let before = server.asked("").len();
        let swept = sweep(&reader).await.unwrap();
        assert!(swept.sweep.complete, "{:?}", swept.sweep.incomplete_because);
        assert_eq!(swept.rows.len(), 50);
        assert_eq!(server.asked("").len() - before, 1 + 3 + 3 + 1 + 1 + refused);
    }
}

#[tokio::test(start_paused = true)]
async fn products_created_meanwhile_are_read_too() {
    let server = Server::start_twisted(catalogue(30), |asked, shop| {
        (asked.path == "products" && asked.nth == 0).then(|| {
            let before: Vec<_> = shop.products.iter().take(29).map(row).collect();
            reply(200, list(before, 29))
        })
    })
    .await;
    let swept = sweep(&server.reader(300)).await.unwrap();
    assert!(swept.sweep.complete, "{:?}", swept.sweep.incomplete_because);
    assert_eq!(swept.rows.len(), 30);
}

#[tokio::test(start_paused = true)]
async fn a_sweep_runs_as_a_task_and_ends_when_nobody_listens() {
    let server = Server::start(catalogue(200)).await;
    let reader = Arc::new(server.reader(50));
    let (sender, mut receiver) = mpsc::channel(1);
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move {
        let websites = [website(1, "base")];
        reader.sweep(&Wanted { edition: Edition::Export, websites: &websites, attributes: &[] }, &sender).await
    });
    assert_eq!(receiver.recv().await.unwrap().len(), 50);
    drop(receiver);
    let sweep = tasks.join_next().await.unwrap().unwrap().unwrap();
    assert!(!sweep.complete);
    assert!(server.asked("products").len() < 5);
}

#[tokio::test(start_paused = true)]
async fn websites_come_with_their_ids_and_stocks() {
    let server = Server::start(vec![]).await;
    let websites = server.reader(300).websites().await.unwrap();
    let found: Vec<_> = websites.iter().map(|site| (site.code.as_str(), site.id, site.stock_id)).collect();
    assert_eq!(found, [("base", 1, Some(1)), ("eu", 2, None)]);
}
