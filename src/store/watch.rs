//! What the watches compare with: the stock index as last dumped, orders seen, and how far each watch has come.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::suspects::{AGAIN, Cause, suspect};
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
    /// A product with options has another SKU in an order than in the catalogue, and the same id.
    pub items: Vec<(Sku, Option<u64>)>,
}

/// Where a dump is put together before it is compared, and what it differs in; gone with the process.
pub(super) fn prepare(connection: &Connection) -> Result<(), StoreError> {
    connection.execute_batch(
        "CREATE TEMP TABLE staged_index (commerce TEXT NOT NULL, website TEXT NOT NULL, sku TEXT NOT NULL, \
         qty INTEGER NOT NULL, is_salable INTEGER NOT NULL, PRIMARY KEY (commerce, website, sku)) WITHOUT ROWID; \
         CREATE TEMP TABLE index_change (commerce TEXT NOT NULL, website TEXT NOT NULL, sku TEXT NOT NULL, \
         qty INTEGER, is_salable INTEGER, listed INTEGER NOT NULL, PRIMARY KEY (commerce, website, sku)) WITHOUT ROWID;",
    )?;
    Ok(())
}

const COMPARE: [&str; 2] = [
    "INSERT INTO index_change SELECT n.commerce, n.website, n.sku, n.qty, n.is_salable, o.sku IS NULL \
     FROM staged_index AS n LEFT JOIN stock_index AS o USING (commerce, website, sku) \
     WHERE n.commerce = ?1 AND n.website = ?2 AND (n.qty, n.is_salable) IS NOT (o.qty, o.is_salable)",
    "INSERT INTO index_change SELECT o.commerce, o.website, o.sku, NULL, NULL, 1 FROM stock_index AS o \
     WHERE o.commerce = ?1 AND o.website = ?2 AND NOT EXISTS (SELECT 1 FROM staged_index AS n \
     WHERE n.commerce = ?1 AND n.website = ?2 AND n.sku = o.sku)",
];

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
        self.call(move |connection| {
            // It writes to temporary tables only: nobody waits for it.
            let transaction = connection.transaction()?;
            let scope = [commerce.as_str(), website.as_str()];
            match rows {
                None => unstage(&transaction, scope)?,
                Some(rows) => {
                    let mut insert = transaction
                        .prepare_cached("INSERT OR REPLACE INTO staged_index VALUES (?1, ?2, ?3, ?4, ?5)")?;
                    for row in &rows {
                        let qty = row.qty.ten_thousandths();
                        insert.execute(params![scope[0], scope[1], row.sku.as_str(), qty, row.is_salable])?;
                    }
                }
            }
            Ok(transaction.commit()?)
        })
        .await
    }

    /// What a whole dump differs in from the last one.
    pub async fn compare_index(
        &self,
        commerce: &CommerceName,
        website: &WebsiteCode,
    ) -> Result<IndexChange, StoreError> {
        let (commerce, website) = (commerce.clone(), website.clone());
        self.call(move |connection| {
            let transaction = connection.transaction()?;
            let scope = [commerce.as_str(), website.as_str()];
            for compare in COMPARE {
                transaction.prepare_cached(compare)?.execute(scope)?;
            }
            let count = |table: &str, and: &str| -> Result<u64, StoreError> {
                let query = format!("SELECT count(*) FROM {table} WHERE commerce = ?1 AND website = ?2 {and}");
                Ok(transaction.prepare_cached(&query)?.query_row(scope, |row| row.get(0))?)
            };
            let change = IndexChange {
                before: count("stock_index", "")?,
                rows: count("staged_index", "")?,
                moved: count("index_change", "AND qty IS NOT NULL")?,
                gone: count("index_change", "AND qty IS NULL")?,
            };
            transaction.commit()?;
            Ok(change)
        })
        .await
    }

    /// Takes a compared dump over. What moved is suspect from now on; so is what is gone, unless `keep_gone`: an index
    /// that is being rebuilt leaves products out. The first dump of all with anything in it moves nothing.
    pub async fn settle_index(
        &self,
        commerce: &CommerceName,
        website: &WebsiteCode,
        change: IndexChange,
        keep_gone: bool,
        since: Timestamp,
    ) -> Result<(), StoreError> {
        let (commerce, website) = (commerce.clone(), website.clone());
        self.write(move |transaction| {
            let scope = [commerce.as_str(), website.as_str()];
            let run = |statement: &str| -> Result<(), StoreError> {
                transaction.prepare_cached(statement)?.execute(scope)?;
                Ok(())
            };
            if keep_gone {
                run("DELETE FROM index_change WHERE commerce = ?1 AND website = ?2 AND qty IS NULL")?;
            }
            if change.before > 0 || is_dumped(transaction, scope)? {
                transaction
                    .prepare_cached(&format!(
                        "INSERT INTO suspect (commerce, sku, urgency, first, since, cause, listed) \
                         SELECT commerce, sku, ?3, ?4, ?4, ?5, listed \
                         FROM index_change WHERE commerce = ?1 AND website = ?2 {AGAIN}"
                    ))?
                    .execute(params![
                        scope[0],
                        scope[1],
                        Cause::Index.urgency(),
                        millis(since),
                        Cause::Index.as_str()
                    ])?;
            }
            if change.rows > 0 {
                transaction
                    .prepare_cached("INSERT OR REPLACE INTO watch (commerce, part, mark, at) VALUES (?1, ?2, '', ?3)")?
                    .execute(params![scope[0], dump_of(scope[1]), millis(since)])?;
            }
            run(
                "INSERT OR REPLACE INTO stock_index SELECT commerce, website, sku, qty, is_salable FROM index_change \
                 WHERE commerce = ?1 AND website = ?2 AND qty IS NOT NULL",
            )?;
            run("DELETE FROM stock_index WHERE commerce = ?1 AND website = ?2 AND sku IN \
                 (SELECT sku FROM index_change WHERE commerce = ?1 AND website = ?2 AND qty IS NULL)")?;
            unstage(transaction, scope)
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
                for (sku, id) in &order.items {
                    let mut products = transaction.prepare_cached(
                        "SELECT sku FROM product WHERE commerce = ?1 AND sku = ?2 \
                         UNION SELECT sku FROM product INDEXED BY product_by_id WHERE commerce = ?1 AND product_id = ?3",
                    )?;
                    let mut products = products.query(params![commerce.as_str(), sku.as_str(), id])?;
                    while let Some(product) = products.next()? {
                        suspect(transaction, &commerce, &product.get::<_, String>(0)?, Cause::Order, since)?;
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

/// The mark of a website's dumps.
fn dump_of(website: &str) -> String {
    format!("index of {website}")
}

/// Whether a dump with anything in it was ever settled: the next is no first one, even where nothing is left of that.
fn is_dumped(transaction: &Transaction<'_>, [commerce, website]: [&str; 2]) -> Result<bool, StoreError> {
    Ok(transaction
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM watch WHERE commerce = ?1 AND part = ?2)")?
        .query_row(params![commerce, dump_of(website)], |row| row.get(0))?)
}

fn unstage(transaction: &Transaction<'_>, scope: [&str; 2]) -> Result<(), StoreError> {
    for table in ["staged_index", "index_change"] {
        transaction
            .prepare_cached(&format!("DELETE FROM {table} WHERE commerce = ?1 AND website = ?2"))?
            .execute(scope)?;
    }
    Ok(())
}
