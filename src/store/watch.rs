//! What the watches compare with: the stock index as last dumped, orders seen, and how far each watch has come.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::suspects::{Cause, suspect};
use super::{Store, StoreError, millis, time};
use crate::model::{CommerceName, Decimal, Sku, WebsiteCode};

/// A row of a dump of the stock index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexRow {
    pub sku: Sku,
    pub qty: Decimal,
    pub is_salable: bool,
}

/// What became of a dump.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IndexChange {
    /// Rows before and in this dump.
    pub before: u64,
    pub rows: u64,
    /// New or changed ones, and those that are not in it any more.
    pub moved: u64,
    pub gone: u64,
}

/// An order as its list names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenOrder {
    pub id: u64,
    pub updated_at: String,
    pub skus: Vec<Sku>,
}

/// Where a dump is put together before it is compared; gone with the process.
pub(super) fn prepare(connection: &Connection) -> Result<(), StoreError> {
    connection.execute_batch(
        "CREATE TEMP TABLE staged_index (commerce TEXT NOT NULL, website TEXT NOT NULL, sku TEXT NOT NULL, \
         qty INTEGER NOT NULL, is_salable INTEGER NOT NULL, PRIMARY KEY (commerce, website, sku)) WITHOUT ROWID",
    )?;
    Ok(())
}

const CHANGED: &str = "FROM staged_index AS n LEFT JOIN stock_index AS o USING (commerce, website, sku) \
                       WHERE n.commerce = ?1 AND n.website = ?2 AND (n.qty, n.is_salable) IS NOT (o.qty, o.is_salable)";
const GONE: &str = "FROM stock_index AS o WHERE o.commerce = ?1 AND o.website = ?2 AND NOT EXISTS (SELECT 1 \
                    FROM staged_index AS n WHERE n.commerce = ?1 AND n.website = ?2 AND n.sku = o.sku)";

impl Store {
    pub async fn mark(
        &self,
        commerce: &CommerceName,
        part: &'static str,
    ) -> Result<Option<(String, Timestamp)>, StoreError> {
        let commerce = commerce.clone();
        self.call(move |connection| {
            let mut statement =
                connection.prepare_cached("SELECT mark, at FROM watch WHERE commerce = ?1 AND part = ?2")?;
            let found: Option<(String, i64)> = statement
                .query_row(params![commerce.as_str(), part], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            found.map(|(mark, at)| Ok((mark, time("watch.at", at)?))).transpose()
        })
        .await
    }

    pub async fn set_mark(
        &self,
        commerce: &CommerceName,
        part: &'static str,
        mark: String,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let commerce = commerce.clone();
        self.write(move |transaction| {
            transaction
                .prepare_cached("INSERT OR REPLACE INTO watch (commerce, part, mark, at) VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![commerce.as_str(), part, mark, millis(at)])?;
            Ok(())
        })
        .await
    }

    /// Puts rows of a dump aside until all have come; `None` throws away what another dump left.
    pub async fn stage_index(
        &self,
        commerce: &CommerceName,
        website: &WebsiteCode,
        rows: Option<Vec<IndexRow>>,
    ) -> Result<(), StoreError> {
        let (commerce, website) = (commerce.clone(), website.clone());
        self.write(move |transaction| {
            let Some(rows) = rows else { return unstage(transaction, &commerce, &website) };
            let mut insert =
                transaction.prepare_cached("INSERT OR REPLACE INTO staged_index VALUES (?1, ?2, ?3, ?4, ?5)")?;
            for row in &rows {
                let qty = row.qty.ten_thousandths();
                insert.execute(params![commerce.as_str(), website.as_str(), row.sku.as_str(), qty, row.is_salable])?;
            }
            Ok(())
        })
        .await
    }

    /// Compares a whole dump with the last one. What moved is suspect from now on; so is what is gone, unless
    /// `keep_gone`: an index that is being rebuilt leaves products out. The first dump of all moves nothing.
    pub async fn settle_index(
        &self,
        commerce: &CommerceName,
        website: &WebsiteCode,
        keep_gone: impl FnOnce(IndexChange) -> bool + Send + 'static,
        since: Timestamp,
    ) -> Result<IndexChange, StoreError> {
        let (commerce, website) = (commerce.clone(), website.clone());
        self.write(move |transaction| {
            let scope = [commerce.as_str(), website.as_str()];
            let count = |what: &str| -> Result<u64, StoreError> {
                let mut statement = transaction.prepare_cached(&format!("SELECT count(*) {what}"))?;
                Ok(statement.query_row(scope, |row| row.get(0))?)
            };
            let change = IndexChange {
                before: count("FROM stock_index WHERE commerce = ?1 AND website = ?2")?,
                rows: count("FROM staged_index WHERE commerce = ?1 AND website = ?2")?,
                moved: count(CHANGED)?,
                gone: count(GONE)?,
            };
            let keep_gone = keep_gone(change);
            if change.before > 0 {
                suspect_all(transaction, &format!("n.sku {CHANGED}"), scope, since)?;
            }
            transaction
                .prepare_cached(&format!(
                    "INSERT OR REPLACE INTO stock_index SELECT n.commerce, n.website, n.sku, n.qty, n.is_salable {CHANGED}"
                ))?
                .execute(scope)?;
            if !keep_gone && change.gone > 0 {
                suspect_all(transaction, &format!("o.sku {GONE}"), scope, since)?;
                transaction
                    .prepare_cached(&format!(
                        "DELETE FROM stock_index WHERE commerce = ?1 AND website = ?2 AND sku IN (SELECT o.sku {GONE})"
                    ))?
                    .execute(scope)?;
            }
            unstage(transaction, &commerce, &website)?;
            Ok(change)
        })
        .await
    }

    /// Makes the known products of orders suspect that were not seen as they are now. Those that changed in the newest
    /// second may change in it once more: they are not remembered, and seen again.
    pub async fn take_orders(
        &self,
        commerce: &CommerceName,
        orders: Vec<SeenOrder>,
        newest: String,
        since: Timestamp,
    ) -> Result<u64, StoreError> {
        let commerce = commerce.clone();
        self.write(move |transaction| {
            let mut changed = 0;
            for order in &orders {
                let known: bool = transaction
                    .prepare_cached(
                        "SELECT EXISTS (SELECT 1 FROM seen_order WHERE commerce = ?1 AND order_id = ?2 AND updated_at = ?3)",
                    )?
                    .query_row(params![commerce.as_str(), order.id, order.updated_at], |row| row.get(0))?;
                if known {
                    continue;
                }
                changed += 1;
                for sku in &order.skus {
                    let product: bool = transaction
                        .prepare_cached("SELECT EXISTS (SELECT 1 FROM product WHERE commerce = ?1 AND sku = ?2)")?
                        .query_row(params![commerce.as_str(), sku.as_str()], |row| row.get(0))?;
                    if product {
                        suspect(transaction, &commerce, sku.as_str(), Cause::Order, since)?;
                    }
                }
                if order.updated_at < newest {
                    transaction
                        .prepare_cached("INSERT OR REPLACE INTO seen_order (commerce, order_id, updated_at) VALUES (?1, ?2, ?3)")?
                        .execute(params![commerce.as_str(), order.id, order.updated_at])?;
                }
            }
            Ok(changed)
        })
        .await
    }

    /// Orders that changed before are outside of every window to come.
    pub async fn forget_orders(&self, commerce: &CommerceName, before: String) -> Result<(), StoreError> {
        let commerce = commerce.clone();
        self.write(move |transaction| {
            transaction
                .prepare_cached("DELETE FROM seen_order WHERE commerce = ?1 AND updated_at < ?2")?
                .execute(params![commerce.as_str(), before])?;
            Ok(())
        })
        .await
    }
}

fn suspect_all(
    transaction: &Transaction<'_>,
    which: &str,
    scope: [&str; 2],
    since: Timestamp,
) -> Result<(), StoreError> {
    transaction
        .prepare_cached(&format!(
            "INSERT INTO suspect (commerce, sku, since, cause) SELECT ?1, q.sku, ?3, '{}' FROM (SELECT {which}) AS q \
             WHERE true ON CONFLICT DO UPDATE SET since = excluded.since, cause = excluded.cause",
            Cause::Index.as_str()
        ))?
        .execute(params![scope[0], scope[1], millis(since)])?;
    Ok(())
}

fn unstage(transaction: &Transaction<'_>, commerce: &CommerceName, website: &WebsiteCode) -> Result<(), StoreError> {
    transaction
        .prepare_cached("DELETE FROM staged_index WHERE commerce = ?1 AND website = ?2")?
        .execute(params![commerce.as_str(), website.as_str()])?;
    Ok(())
}
