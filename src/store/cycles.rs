//! What cycles did, what was sent, and which accounts are in trouble.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

use super::{Store, StoreError, millis, time};
use crate::model::{AccountName, SellerSku, StoreName};
use crate::plan::Plan;

/// One cycle of one account, as `status` shows it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct CycleRecord {
    pub plan_id: String,
    pub cause: String,
    /// The stores it was for, separated by blanks.
    pub scope: String,
    pub started_at: Timestamp,
    pub planned_at: Timestamp,
    pub products: u64,
    pub listings: u64,
    pub changes: u64,
    /// Of the changes, those that may be sent: the others belong to observing stores.
    pub queued: u64,
    pub unchanged: u64,
    pub conflicts: u64,
    pub withheld: BTreeMap<String, u64>,
    pub problem: Option<String>,
}

/// One row of the journal.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct JournalEntry {
    pub at: Timestamp,
    pub account: AccountName,
    pub seller_sku: SellerSku,
    pub store: String,
    pub from: Option<u32>,
    pub quantity: u32,
    pub reasons: Vec<String>,
    pub reading: String,
    pub lane: String,
    pub submission_id: Option<String>,
    pub outcome: String,
    pub detail: Option<String>,
}

/// Which rows of the journal.
#[derive(Clone, Debug, Default)]
pub struct JournalFilter {
    pub seller_sku: Option<SellerSku>,
    pub store: Option<StoreName>,
    pub account: Option<AccountName>,
    pub since: Option<Timestamp>,
    /// The newest so many.
    pub limit: Option<u32>,
}

/// An account that cannot be worked now.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Trouble {
    pub since: Timestamp,
    /// A code for what a person has to put right, where that is known.
    pub cause: Option<String>,
    pub text: String,
    pub retry_at: Timestamp,
}

/// How many plans are kept per account.
const PLANS_KEPT: u32 = 200;

impl Store {
    /// Keeps what a plan decided, before any of it takes effect.
    pub async fn record_plan(
        &self,
        plan: &Plan,
        cause: &str,
        scope: String,
        started_at: Timestamp,
    ) -> Result<(), StoreError> {
        let counts: BTreeMap<&str, u64> =
            plan.withheld_by_reason().into_iter().map(|(reason, count)| (reason.code(), count)).collect();
        let withheld = serde_json::json!(counts).to_string();
        let queued = plan.changes.iter().filter(|change| change.live).count();
        let (id, account, cause) = (plan.id.clone(), plan.account.clone(), cause.to_owned());
        let (planned_at, products, listings) = (millis(plan.at), plan.products, plan.listings);
        let (changes, unchanged, conflicts) = (plan.changes.len(), plan.unchanged, plan.conflicts());
        let problem = plan.problem.clone();
        self.write(move |transaction| {
            transaction
                .prepare_cached(
                    "INSERT INTO plan (id, account, cause, scope, started_at, planned_at, products, listings, changes, \
                     queued, unchanged, conflicts, withheld, problem) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
                )?
                .execute(params![
                    id,
                    account.as_str(),
                    cause,
                    scope,
                    millis(started_at),
                    planned_at,
                    products,
                    listings,
                    changes,
                    queued,
                    unchanged,
                    conflicts,
                    withheld,
                    problem,
                ])?;
            transaction
                .prepare_cached(
                    "DELETE FROM plan WHERE account = ?1 AND id NOT IN \
                     (SELECT id FROM plan WHERE account = ?1 ORDER BY planned_at DESC LIMIT ?2)",
                )?
                .execute(params![account.as_str(), PLANS_KEPT])?;
            Ok(())
        })
        .await
    }

    /// The newest cycles of an account, newest first.
    pub async fn cycles(&self, account: &AccountName, limit: u32) -> Result<Vec<CycleRecord>, StoreError> {
        let account = account.clone();
        self.call(move |connection| {
            let mut statement = connection
                .prepare_cached("SELECT * FROM plan WHERE account = ?1 ORDER BY planned_at DESC, id DESC LIMIT ?2")?;
            let mut rows = statement.query(params![account.as_str(), limit])?;
            let mut cycles = Vec::new();
            while let Some(row) = rows.next()? {
                let withheld: String = row.get("withheld")?;
                cycles.push(CycleRecord {
                    plan_id: row.get("id")?,
                    cause: row.get("cause")?,
                    scope: row.get("scope")?,
                    started_at: time("plan.started_at", row.get("started_at")?)?,
                    planned_at: time("plan.planned_at", row.get("planned_at")?)?,
                    products: row.get("products")?,
                    listings: row.get("listings")?,
                    changes: row.get("changes")?,
                    queued: row.get("queued")?,
                    unchanged: row.get("unchanged")?,
                    conflicts: row.get("conflicts")?,
                    withheld: serde_json::from_str(&withheld)
                        .map_err(|_| StoreError::Corrupt { column: "plan.withheld", value: withheld })?,
                    problem: row.get("problem")?,
                });
            }
            Ok(cycles)
        })
        .await
    }

    /// The newest journal rows of a seller SKU, newest first.
    pub async fn journal_of(
        &self,
        account: &AccountName,
        seller_sku: &SellerSku,
        limit: u32,
    ) -> Result<Vec<JournalEntry>, StoreError> {
        let (account, seller_sku) = (account.clone(), seller_sku.clone());
        self.call(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT * FROM journal WHERE account = ?1 AND seller_sku = ?2 ORDER BY id DESC LIMIT ?3",
            )?;
            let mut rows = statement.query(params![account.as_str(), seller_sku.as_str(), limit])?;
            let mut entries = Vec::new();
            while let Some(row) = rows.next()? {
                entries.push(entry(row)?);
            }
            Ok(entries)
        })
        .await
    }

    /// Rows of the journal, oldest first.
    pub async fn journal(&self, filter: JournalFilter) -> Result<Vec<JournalEntry>, StoreError> {
        self.call(move |connection| {
            // Where a seller SKU is named its index answers, else the time's.
            let named = if filter.seller_sku.is_some() { "seller_sku = ?1" } else { "?1 IS NULL" };
            let sql = format!(
                "SELECT * FROM (SELECT * FROM journal WHERE {named} AND (?2 IS NULL OR store = ?2) \
                 AND (?3 IS NULL OR account = ?3) AND at >= ?4 ORDER BY id DESC LIMIT ?5) ORDER BY id"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(params![
                filter.seller_sku.as_ref().map(SellerSku::as_str),
                filter.store.as_ref().map(StoreName::as_str),
                filter.account.as_ref().map(AccountName::as_str),
                filter.since.map_or(i64::MIN, millis),
                filter.limit.map_or(-1, i64::from),
            ])?;
            let mut entries = Vec::new();
            while let Some(row) = rows.next()? {
                entries.push(entry(row)?);
            }
            Ok(entries)
        })
        .await
    }

    /// Forgets journal rows from before `until`.
    pub async fn prune_journal(&self, until: Timestamp) -> Result<usize, StoreError> {
        self.write(move |transaction| Ok(transaction.execute("DELETE FROM journal WHERE at < ?1", [millis(until)])?))
            .await
    }

    pub async fn set_trouble(&self, account: &AccountName, trouble: Option<Trouble>) -> Result<(), StoreError> {
        let account = account.clone();
        self.write(move |transaction| {
            match trouble {
                Some(trouble) => transaction.execute(
                    "INSERT INTO trouble (account, since, text, retry_at, cause) VALUES (?1, ?2, ?3, ?4, ?5) \
                     ON CONFLICT DO UPDATE SET text = excluded.text, retry_at = excluded.retry_at, cause = excluded.cause",
                    params![
                        account.as_str(),
                        millis(trouble.since),
                        trouble.text,
                        millis(trouble.retry_at),
                        trouble.cause
                    ],
                )?,
                None => transaction.execute("DELETE FROM trouble WHERE account = ?1", [account.as_str()])?,
            };
            Ok(())
        })
        .await
    }

    pub async fn trouble(&self, account: &AccountName) -> Result<Option<Trouble>, StoreError> {
        let account = account.clone();
        self.call(move |connection| {
            let mut statement =
                connection.prepare_cached("SELECT since, text, retry_at, cause FROM trouble WHERE account = ?1")?;
            let found =
                statement.query_row([account.as_str()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)));
            let Some((since, text, retry_at, cause)) = found.optional()? else { return Ok(None) };
            Ok(Some(Trouble {
                since: time("trouble.since", since)?,
                cause,
                text,
                retry_at: time("trouble.retry_at", retry_at)?,
            }))
        })
        .await
    }
}

fn entry(row: &rusqlite::Row<'_>) -> Result<JournalEntry, StoreError> {
    let reasons: String = row.get("reasons")?;
    Ok(JournalEntry {
        at: time("journal.at", row.get("at")?)?,
        account: row.get::<_, String>("account")?.into(),
        seller_sku: row.get::<_, String>("seller_sku")?.into(),
        store: row.get("store")?,
        from: row.get("from_quantity")?,
        quantity: row.get("quantity")?,
        reasons: reasons.split_ascii_whitespace().map(str::to_owned).collect(),
        reading: row.get("reading")?,
        lane: row.get("lane")?,
        submission_id: row.get("submission_id")?,
        outcome: row.get("outcome")?,
        detail: row.get("detail")?,
    })
}
