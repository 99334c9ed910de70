//! Stock settings in bulk: `lowStock` with a limit that everything is below.

use std::collections::HashMap;

use futures_util::{StreamExt as _, stream};

use super::query::Query;
use super::{Edition, Reader, StockConfig, StockItem, StockRow, wire};
use crate::http::Fault;

/// 0.2 ms a row; larger pages gain nothing.
pub(super) const PAGE_SIZE: u32 = 1000;
/// Above what `decimal(12,4)` holds.
const EVERYTHING: u64 = 999_999_999;
/// A count above this is nonsense that would keep us asking for days.
const MOST_PRODUCTS: u64 = 100_000_000;

/// The settings of all products, by product id.
#[derive(Debug, Default)]
pub(super) struct Configs {
    pub(super) by_product: HashMap<u64, StockConfig>,
    /// And their stock, where stock items hold it.
    pub(super) stocks: HashMap<u64, StockRow>,
    /// Why some may be missing.
    pub(super) flaws: Vec<String>,
}

/// A page of stock items. The pages have no order.
#[derive(Debug)]
pub struct StockItems {
    pub items: Vec<StockItem>,
    /// How many pages there are, and how many items, as the server counts.
    pub pages: u64,
    pub total: u64,
    /// Of a page, as the server took it.
    pub size: u32,
    pub flaw: Option<String>,
}

impl StockItems {
    fn new(list: &wire::List, edition: Edition, size: u32) -> Result<Self, Fault> {
        let total = list.total_count;
        if total > MOST_PRODUCTS {
            return Err(Fault::nonsense(format!("a count of {total} products")));
        }
        let (rows, flaw) = list.rows::<wire::StockItem>();
        let flaw = flaw.map(|flaw| format!("stock settings: {flaw}"));
        Ok(Self {
            items: rows.iter().map(read(edition)).collect(),
            pages: total.div_ceil(u64::from(size)),
            total,
            size,
            flaw,
        })
    }
}

impl Configs {
    fn add(&mut self, page: StockItems, edition: Edition) {
        self.flaws.extend(page.flaw);
        for item in page.items {
            self.by_product.insert(item.product_id, item.config);
            if edition == Edition::StockItems {
                self.stocks.insert(item.product_id, item.stock);
            }
        }
    }
}

impl Reader {
    /// Reads the settings of all products. The pages have no order, so a row may be on two of them or on none; then
    /// everything is read once more.
    pub(super) async fn configs(&self, edition: Edition) -> Result<Configs, Fault> {
        let mut configs = Configs::default();
        for _ in 0..2 {
            configs.flaws.clear();
            let total = self.read_configs(&mut configs, edition).await?;
            let found = configs.by_product.len() as u64;
            if found >= total {
                break;
            }
            configs.flaws.push(format!("stock settings of {found} products where the server counts {total}"));
        }
        Ok(configs)
    }

    /// Adds what the pages hold, and returns how many rows the server counts.
    async fn read_configs(&self, configs: &mut Configs, edition: Edition) -> Result<u64, Fault> {
        let first = self.stock_items(edition, 1).await?;
        let (total, pages) = (first.total, first.pages);
        configs.add(first, edition);
        let rest = stream::iter(2..=pages).map(|page| async move { self.stock_items(edition, page).await });
        let mut rest = std::pin::pin!(rest.buffer_unordered(self.concurrency));
        while let Some(page) = rest.next().await {
            match page {
                Ok(page) => configs.add(page, edition),
                Err(fault) => configs.flaws.push(format!("a page of stock settings: {fault}")),
            }
        }
        Ok(total)
    }

    /// One page of the stock items of all products, counted from 1.
    pub async fn stock_items(&self, edition: Edition, page: u64) -> Result<StockItems, Fault> {
        let query = |size| low_stock(page, size);
        let (size, list) =
            self.client.page::<wire::List>("stockItems/lowStock", &self.settings_page_size, query).await?;
        StockItems::new(&list, edition, size)
    }

    /// One product's stock item by its SKU, which must fit a path. None when the server does not say.
    pub(super) async fn stock_item(
        &self,
        edition: Edition,
        sku: &str,
        product_id: u64,
    ) -> Result<Option<StockItem>, Fault> {
        let query = Query::new(format!("V1/stockItems/{sku}"));
        match self.client.get::<wire::StockItem>("stockItems", &query).await {
            // The route folds case, so it may have found another product.
            Ok(item) => Ok((item.product_id == product_id).then(|| read(edition)(&item))),
            Err(Fault::Rejected(_) | Fault::Nonsense { .. }) => Ok(None),
            Err(fault) => Err(fault),
        }
    }
}

fn read(edition: Edition) -> fn(&wire::StockItem) -> StockItem {
    if edition == Edition::StockItems { StockItem::without_sources } else { StockItem::new }
}

fn low_stock(page: u64, size: u32) -> Query {
    // Any other scope answers nothing.
    Query::new("V1/stockItems/lowStock/")
        .with("scopeId", 0)
        .with("qty", EVERYTHING)
        .with("currentPage", page)
        .with("pageSize", size)
}
