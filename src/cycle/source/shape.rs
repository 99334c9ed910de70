//! What an instance is at the moment, and its answers as the state keeps them.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::Source;
use crate::commerce::{Edition, ProductRow, StockRow, Wanted, Website};
use crate::http::Fault;
use crate::model::{Tier, WebsiteCode};
use crate::store::{Store, StoreError, StoredProduct, StoredStock};

/// How long a look at an instance holds for questions about single products.
const RECENT: Duration = Duration::from_mins(5);

/// An instance as it is at the moment: what kind it is, and the websites that the stores need.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub(super) edition: Edition,
    pub(super) websites: Vec<Website>,
    pub(super) ids: BTreeMap<WebsiteCode, u32>,
}

impl Shape {
    /// When it is another one, everything has to be read anew.
    pub(super) fn text(&self, attributes: &[String]) -> String {
        let websites =
            self.websites.iter().map(|website| format!("{}:{}:{:?}", website.code, website.id, website.stock_id));
        let websites: Vec<String> = websites.collect();
        format!("{}; {}; {}", self.edition, websites.join(" "), attributes.join(" "))
    }

    /// Whether stock is read product by product. Stock items are read all together anyway.
    pub(super) fn rolls(&self) -> bool {
        self.edition != Edition::StockItems
    }
}

impl Source {
    pub(super) fn wanted<'a>(&'a self, shape: &'a Shape) -> Wanted<'a> {
        Wanted { edition: shape.edition, websites: &shape.websites, attributes: &self.attributes }
    }

    /// The same without asking again right after it was asked for.
    pub(super) async fn recent_shape(&self, store: &Store) -> Result<Result<Shape, Fault>, StoreError> {
        let kept = self.kept_shape().clone();
        match kept.filter(|(at, _)| self.clock.instant() - *at < RECENT) {
            Some((_, shape)) => Ok(Ok(shape)),
            None => self.shape(store).await,
        }
    }

    fn kept_shape(&self) -> std::sync::MutexGuard<'_, Option<(Instant, Shape)>> {
        self.shape.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(super) async fn shape(&self, store: &Store) -> Result<Result<Shape, Fault>, StoreError> {
        let asked = async { Ok((self.reader.edition().await?, self.reader.websites().await?)) };
        let (edition, all) = match asked.await {
            Ok(answers) => answers,
            Err(fault) => return Ok(Err(fault)),
        };
        let ids: BTreeMap<WebsiteCode, u32> = all.iter().map(|website| (website.code.clone(), website.id)).collect();
        store.save_websites(&self.name, ids.iter().map(|(code, id)| (*id, code.clone())).collect()).await?;
        let websites = all.into_iter().filter(|website| self.websites.contains(&website.code)).collect();
        let shape = Shape { edition, websites, ids };
        *self.kept_shape() = Some((self.clock.instant(), shape.clone()));
        Ok(Ok(shape))
    }
}

pub(super) fn stored_stock(stock: StockRow) -> StoredStock {
    match stock {
        StockRow::Level { salable, is_salable } => StoredStock::Level { salable, is_salable },
        StockRow::Absent => StoredStock::Absent,
        StockRow::Unknown(problem) => StoredStock::Unknown(problem),
    }
}

pub(super) fn stored(row: ProductRow, tier: Tier, read_at: Timestamp) -> StoredProduct {
    let stocks = row.stocks.into_iter().map(|(website, stock)| (website, stored_stock(stock)));
    StoredProduct {
        product_id: row.product_id,
        sku: row.sku,
        type_id: row.type_id,
        enabled: row.enabled,
        website_ids: row.website_ids,
        config: row.config.map(|config| (config.managed, config.backorders, config.min_qty)),
        attributes: row.attributes,
        updated_at: row.updated_at,
        stocks: stocks.collect(),
        read_at,
        tier,
        suspect: None,
    }
}
