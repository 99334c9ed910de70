//! Stock settings in bulk: `lowStock` with a limit that everything is below.

use std::collections::HashMap;
use std::sync::atomic::AtomicU32;

use futures_util::{StreamExt as _, stream};

use super::query::Query;
use super::{Reader, StockConfig, wire};
use crate::http::Fault;

/// 0.2 ms a row; larger pages gain nothing.
const PAGE_SIZE: u32 = 1000;
/// Above what `decimal(12,4)` holds.
const EVERYTHING: u64 = 999_999_999;
/// A count above this is nonsense that would keep us asking for days.
const MOST_PRODUCTS: u64 = 100_000_000;

/// The settings of all products, by product id.
#[derive(Debug, Default)]
pub(super) struct Configs {
    pub(super) by_product: HashMap<u64, StockConfig>,
    /// Why some may be missing.
    pub(super) flaws: Vec<String>,
}

impl Configs {
    fn add(&mut self, list: &wire::List) {
        let (rows, flaw) = list.rows::<wire::StockItem>();
        self.flaws.extend(flaw.map(|flaw| format!("stock settings: {flaw}")));
        self.by_product.extend(rows.iter().map(|row| (row.product_id, StockConfig::from(row))));
    }
}

impl Reader {
    /// Reads the settings of all products. The pages have no order, so a row may be on two of them or on none; then
    /// everything is read once more.
    pub(super) async fn configs(&self) -> Result<Configs, Fault> {
        let mut configs = Configs::default();
        for _ in 0..2 {
            configs.flaws.clear();
            let total = self.read_configs(&mut configs).await?;
            let found = configs.by_product.len() as u64;
            if found >= total {
                break;
            }
            configs.flaws.push(format!("stock settings of {found} products where the server counts {total}"));
        }
        Ok(configs)
    }

    /// Adds what the pages hold, and returns how many rows the server counts.
    async fn read_configs(&self, configs: &mut Configs) -> Result<u64, Fault> {
        let size = AtomicU32::new(PAGE_SIZE);
        let (size, first) =
            self.client.page::<wire::List>("stockItems/lowStock", &size, |size| low_stock(1, size)).await?;
        let total = first.total_count;
        if total > MOST_PRODUCTS {
            return Err(Fault::nonsense(format!("a count of {total} products")));
        }
        configs.add(&first);
        let rest = stream::iter(2..=total.div_ceil(u64::from(size)))
            .map(|page| async move { self.client.get("stockItems/lowStock", &low_stock(page, size)).await });
        let mut rest = std::pin::pin!(rest.buffer_unordered(self.concurrency));
        while let Some(page) = rest.next().await {
            match page {
                Ok(list) => configs.add(&list),
                Err(fault) => configs.flaws.push(format!("a page of stock settings: {fault}")),
            }
        }
        Ok(total)
    }

    /// The settings of one product by its SKU, which must fit a path. None when the server does not say.
    pub(super) async fn config(&self, sku: &str, product_id: u64) -> Result<Option<(u64, StockConfig)>, Fault> {
        let query = Query::new(format!("V1/stockItems/{sku}"));
        match self.client.get::<wire::StockItem>("stockItems", &query).await {
            // The route folds case, so it may have found another product.
            Ok(item) => Ok((item.product_id == product_id).then(|| (product_id, StockConfig::from(&item)))),
            Err(Fault::Rejected(_) | Fault::Nonsense { .. }) => Ok(None),
            Err(fault) => Err(fault),
        }
    }
}

fn low_stock(page: u64, size: u32) -> Query {
    // Any other scope answers nothing.
    Query::new("V1/stockItems/lowStock/")
        .with("scopeId", 0)
        .with("qty", EVERYTHING)
        .with("currentPage", page)
        .with("pageSize", size)
}
