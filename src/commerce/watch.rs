//! Cheap questions that say where something may have moved. No quantity is ever taken from their answers.

use tokio::sync::mpsc;

use super::products::Asked;
use super::query::{Query, encode};
use super::{ProductRow, Reader, Wanted, Website, wire};
use crate::http::Fault;
use crate::model::{Decimal, Sku};

/// Handed over at a time.
const BATCH: usize = 5000;

/// What the stock index holds of a product. It knows neither reservations nor thresholds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexRow {
    pub sku: Sku,
    pub qty: Decimal,
    pub is_salable: bool,
}

/// An order and what was ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderRow {
    pub id: u64,
    /// As Commerce writes it: UTC, without saying so.
    pub updated_at: String,
    /// A product with options has another SKU here than in the catalogue, and the same id.
    pub items: Vec<(Sku, Option<u64>)>,
}

/// A page of changes, in the order of their ids.
#[derive(Debug)]
pub struct Changes<T> {
    pub rows: Vec<T>,
    /// Whether nothing comes after it.
    pub last: bool,
    /// What is wrong with the first row that does not fit.
    pub flaw: Option<String>,
    /// Those that the server fails over, by id.
    pub unlisted: Vec<u64>,
}

impl Reader {
    /// Dumps the stock index of a website into `batches`. Fails when the dump is not whole.
    pub async fn index(&self, website: &Website, batches: &mpsc::Sender<Vec<IndexRow>>) -> Result<(), Fault> {
        let path = format!("V1/inventory/dump-stock-index-data/website/{}", encode(website.code.as_str()));
        let list = self.client.get_long("dump-stock-index-data", &Query::new(path)).await?;
        let batches = batches.clone();
        // A million rows take a second: no other task waits for them.
        let reading = tokio::task::spawn_blocking(move || {
            let mut batch = Vec::with_capacity(BATCH);
            let rows = list.rows(|row: wire::ExportRow| {
                batch.push(IndexRow { sku: row.sku.into(), qty: row.qty, is_salable: row.is_salable });
                if batch.len() == BATCH {
                    // Nobody takes them when the read was given up.
                    let _ = batches.blocking_send(std::mem::replace(&mut batch, Vec::with_capacity(BATCH)));
                }
            })?;
            let _ = batches.blocking_send(batch);
            Ok::<_, Fault>(rows)
        });
        let rows = reading.await.map_err(|error| Fault::nonsense(error.to_string()))??;
        match rows.flaw {
            Some(flaw) if rows.fit == 0 => Err(Fault::nonsense(format!("stock index: {flaw}"))),
            // What does not fit is missing, and looked at for that.
            _ => Ok(()),
        }
    }

    /// Products that were saved at `since` or later, without their stock: the next page after an id.
    pub async fn saved_since(
        &self,
        wanted: &Wanted<'_>,
        since: &str,
        after: u64,
    ) -> Result<Changes<ProductRow>, Fault> {
        let asked = Asked { after, since: Some(since), attributes: wanted.attributes };
        let page = self.products_page(&asked).await?;
        let last = page.products.len() as u64 >= page.total;
        let rows = page.products.into_iter().map(|product| ProductRow::new(product, wanted.attributes, None));
        Ok(Changes { unlisted: page.unlisted, ..changes(rows.collect(), last, page.flaws.into_iter().next())? })
    }

    /// When the product that was saved last was, as Commerce writes it.
    pub async fn last_save(&self) -> Result<Option<String>, Fault> {
        let query = Query::new("V1/products").newest_first("updated_at").first_page(1);
        self.last_change("products", query.with("fields", "items[updated_at],total_count")).await
    }

    /// Orders that changed at `since` or later: the next page after an id.
    pub async fn orders_since(&self, since: &str, after: u64) -> Result<Changes<OrderRow>, Fault> {
        let query = |size| {
            Query::new("V1/orders")
                .filter("updated_at", "gteq", since)
                .filter("entity_id", "gt", after)
                .in_order_of_ids()
                .first_page(size)
                .with("fields", "items[entity_id,updated_at,items[sku,product_id]],total_count")
        };
        let (_, list) = self.client.page::<wire::List>("orders", &self.page_size, query).await?;
        let (orders, flaw) = list.rows::<wire::Order>();
        let is_last = list.len() as u64 >= list.total_count;
        let orders = orders.into_iter().filter(|order| order.entity_id > after).map(|order| OrderRow {
            id: order.entity_id,
            updated_at: order.updated_at,
            items: order.items.into_iter().map(|item| (item.sku.into(), item.product_id)).collect(),
        });
        changes(orders.collect(), is_last, flaw.map(|flaw| format!("orders: {flaw}")))
    }

    /// When the order that changed last did, as Commerce writes it.
    pub async fn last_order(&self) -> Result<Option<String>, Fault> {
        let query = Query::new("V1/orders").newest_first("updated_at").first_page(1);
        self.last_change("orders", query.with("fields", "items[updated_at],total_count")).await
    }

    async fn last_change(&self, operation: &'static str, query: Query) -> Result<Option<String>, Fault> {
        let list: wire::List = self.client.get(operation, &query).await?;
        let (rows, flaw) = list.rows::<wire::Changed>();
        match flaw {
            Some(flaw) => Err(Fault::nonsense(format!("{operation}: {flaw}"))),
            None => Ok(rows.into_iter().next().map(|row| row.updated_at)),
        }
    }
}

/// One row that does not fit must not stop the watch for ever; a page of nothing else does.
fn changes<T>(rows: Vec<T>, last: bool, flaw: Option<String>) -> Result<Changes<T>, Fault> {
    match flaw {
        Some(flaw) if rows.is_empty() => Err(Fault::nonsense(flaw)),
        flaw => Ok(Changes { rows, last, flaw, unlisted: Vec::new() }),
    }
}
