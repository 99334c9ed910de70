//! How the last read of each Commerce instance went, and the websites it named.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};

use super::{Store, StoreError, millis, time};
use crate::model::{CommerceName, WebsiteCode};
use crate::plan::Shrunken;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SweepRecord {
    /// Whether everything was read, or only what may have moved.
    pub full: bool,
    pub edition: String,
    /// Readings from before count as unknown.
    pub fresh_since: Timestamp,
    pub requests: u64,
    /// The shop's time: the sum over its requests.
    pub busy: Duration,
    pub started_at: Timestamp,
    pub finished_at: Timestamp,
    pub complete: bool,
    pub products: u64,
    pub problem: Option<String>,
    pub last_complete_at: Option<Timestamp>,
    pub last_complete_products: Option<u64>,
}

impl Store {
    pub async fn save_websites(
        &self,
        commerce: &CommerceName,
        websites: Vec<(u32, WebsiteCode)>,
    ) -> Result<(), StoreError> {
        let commerce = commerce.clone();
        self.write(move |transaction| {
            transaction.execute("DELETE FROM website WHERE commerce = ?1", [commerce.as_str()])?;
            for (id, code) in websites {
                transaction.execute(
                    "INSERT INTO website (commerce, website_id, code) VALUES (?1, ?2, ?3)",
                    params![commerce.as_str(), id, code.as_str()],
                )?;
            }
            Ok(())
        })
        .await
    }

    pub async fn websites(&self, commerce: &CommerceName) -> Result<BTreeMap<WebsiteCode, u32>, StoreError> {
        let commerce = commerce.clone();
        self.call(move |connection| {
            let mut statement =
                connection.prepare_cached("SELECT code, website_id FROM website WHERE commerce = ?1")?;
            let rows = statement.query_map([commerce.as_str()], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
            let mut websites = BTreeMap::new();
            for row in rows {
                let (code, id) = row?;
                websites.insert(code.into(), id);
            }
            Ok(websites)
        })
        .await
    }

    pub async fn save_sweep(&self, commerce: &CommerceName, sweep: SweepRecord) -> Result<(), StoreError> {
        let commerce = commerce.clone();
        self.write(move |transaction| {
            transaction.execute(
                "INSERT INTO sweep (commerce, started_at, finished_at, complete, products, problem, tier, edition, \
                 fresh_since, requests, busy_ms, last_complete_at, last_complete_products) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, iif(?4, ?3, NULL), iif(?4, ?5, NULL)) \
                 ON CONFLICT DO UPDATE SET started_at = excluded.started_at, finished_at = excluded.finished_at, \
                 complete = excluded.complete, products = excluded.products, problem = excluded.problem, \
                 tier = excluded.tier, edition = excluded.edition, fresh_since = excluded.fresh_since, \
                 requests = excluded.requests, busy_ms = excluded.busy_ms, \
                 last_complete_at = COALESCE(excluded.last_complete_at, last_complete_at), \
                 last_complete_products = COALESCE(excluded.last_complete_products, last_complete_products)",
                params![
                    commerce.as_str(),
                    millis(sweep.started_at),
                    millis(sweep.finished_at),
                    sweep.complete,
                    sweep.products,
                    sweep.problem,
                    if sweep.full { "full" } else { "watch" },
                    sweep.edition,
                    millis(sweep.fresh_since),
                    sweep.requests,
                    u64::try_from(sweep.busy.as_millis()).unwrap_or(u64::MAX),
                ],
            )?;
            Ok(())
        })
        .await
    }

    /// Whether the Commerce has lost more of its products than it may. A count that is not shrunken is what the next one is
    /// compared with; one that is stays out until somebody trusts it.
    pub async fn shrunken(
        &self,
        commerce: &CommerceName,
        min_ratio_thousandths: u32,
    ) -> Result<Option<Shrunken>, StoreError> {
        let commerce = commerce.clone();
        self.write(move |transaction| {
            let now: u64 = transaction
                .prepare_cached("SELECT count(*) FROM product WHERE commerce = ?1")?
                .query_row([commerce.as_str()], |row| row.get(0))?;
            let before: Option<u64> = transaction
                .prepare_cached("SELECT trusted_products FROM sweep WHERE commerce = ?1")?
                .query_row([commerce.as_str()], |row| row.get(0))
                .optional()?
                .flatten();
            if let Some(before) = before.filter(|before| now * 1000 < u64::from(min_ratio_thousandths) * before) {
                return Ok(Some(Shrunken { now, before }));
            }
            trust(transaction, &commerce, now)?;
            Ok(None)
        })
        .await
    }

    /// Somebody says that so few products are right.
    pub async fn trust_products(&self, commerce: &CommerceName) -> Result<(), StoreError> {
        let commerce = commerce.clone();
        self.write(move |transaction| {
            let now = transaction
                .prepare_cached("SELECT count(*) FROM product WHERE commerce = ?1")?
                .query_row([commerce.as_str()], |row| row.get(0))?;
            trust(transaction, &commerce, now)
        })
        .await
    }

    pub async fn sweep(&self, commerce: &CommerceName) -> Result<Option<SweepRecord>, StoreError> {
        let commerce = commerce.clone();
        self.call(move |connection| {
            let mut statement = connection.prepare_cached("SELECT * FROM sweep WHERE commerce = ?1")?;
            let mut rows = statement.query([commerce.as_str()])?;
            rows.next()?.map(record).transpose()
        })
        .await
    }
}

fn trust(transaction: &Transaction<'_>, commerce: &CommerceName, products: u64) -> Result<(), StoreError> {
    transaction
        .prepare_cached("UPDATE sweep SET trusted_products = ?2 WHERE commerce = ?1 AND trusted_products IS NOT ?2")?
        .execute(params![commerce.as_str(), products])?;
    Ok(())
}

fn record(row: &rusqlite::Row<'_>) -> Result<SweepRecord, StoreError> {
    let last: Option<i64> = row.get("last_complete_at")?;
    Ok(SweepRecord {
        full: row.get::<_, String>("tier")? == "full",
        edition: row.get("edition")?,
        fresh_since: time("sweep.fresh_since", row.get("fresh_since")?)?,
        requests: row.get("requests")?,
        busy: Duration::from_millis(row.get("busy_ms")?),
        started_at: time("sweep.started_at", row.get("started_at")?)?,
        finished_at: time("sweep.finished_at", row.get("finished_at")?)?,
        complete: row.get("complete")?,
        products: row.get("products")?,
        problem: row.get("problem")?,
        last_complete_at: last.map(|at| time("sweep.last_complete_at", at)).transpose()?,
        last_complete_products: row.get("last_complete_products")?,
    })
}
