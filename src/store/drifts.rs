//! What came of reading back: where Amazon showed another quantity than was believed, and what it never applied.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};

use super::{Store, StoreError, millis, time};
use crate::model::{AccountName, SellerSku, Unapplied};
use crate::plan::{Cause, Drift};

/// The newest of one listing.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct DriftRecord {
    pub at: Timestamp,
    /// `lost`, `sale` or `edit`.
    pub cause: String,
    pub expected: u32,
    pub shown: u32,
}

pub(super) fn save(
    transaction: &Transaction<'_>,
    account: &AccountName,
    seller_sku: &str,
    drift: Drift,
    at: Timestamp,
) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "INSERT INTO drift (account, seller_sku, at, cause, expected, shown) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
             ON CONFLICT DO UPDATE SET at = excluded.at, cause = excluded.cause, expected = excluded.expected, \
             shown = excluded.shown",
        )?
        .execute(params![
            account.as_str(),
            seller_sku,
            millis(at),
            drift.cause.as_str(),
            drift.expected,
            drift.shown
        ])?;
    if drift.unapplied {
        transaction
            .prepare_cached(
                "UPDATE listing SET unapplied = unapplied + 1, unapplied_at = ?3, \
                 evidence = printf('accepted %d, shows %d; submission %s', ?4, ?5, submission_id) \
                 WHERE account = ?1 AND seller_sku = ?2",
            )?
            .execute(params![account.as_str(), seller_sku, millis(at), drift.expected, drift.shown])?;
    } else if drift.cause == Cause::Sale {
        // Fewer are left than we sent: what is sold was there.
        transaction
            .prepare_cached("UPDATE listing SET unapplied = 0 WHERE account = ?1 AND seller_sku = ?2")?
            .execute(params![account.as_str(), seller_sku])?;
    }
    Ok(())
}

impl Store {
    /// How many listings were last seen to have drifted since then, by cause.
    pub async fn drifted_since(
        &self,
        account: &AccountName,
        since: Timestamp,
    ) -> Result<BTreeMap<String, u64>, StoreError> {
        let account = account.clone();
        self.call(move |connection| {
            let mut statement = connection
                .prepare_cached("SELECT cause, COUNT(*) FROM drift WHERE account = ?1 AND at >= ?2 GROUP BY cause")?;
            let counts = statement
                .query_map(params![account.as_str(), millis(since)], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<Result<_, _>>()?;
            Ok(counts)
        })
        .await
    }

    /// They show what is wanted: what was not applied before does not matter any more.
    pub async fn forget_unapplied(&self, account: &AccountName, seller_skus: Vec<SellerSku>) -> Result<(), StoreError> {
        if seller_skus.is_empty() {
            return Ok(());
        }
        let account = account.clone();
        self.write(move |transaction| {
            let mut forget = transaction
                .prepare_cached("UPDATE listing SET unapplied = 0 WHERE account = ?1 AND seller_sku = ?2")?;
            for seller_sku in seller_skus {
                forget.execute(params![account.as_str(), seller_sku.as_str()])?;
            }
            Ok(())
        })
        .await
    }

    /// The newest drift of one listing.
    pub async fn drift_of(
        &self,
        account: &AccountName,
        seller_sku: &SellerSku,
    ) -> Result<Option<DriftRecord>, StoreError> {
        let (account, seller_sku) = (account.clone(), seller_sku.clone());
        self.call(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT at, cause, expected, shown FROM drift WHERE account = ?1 AND seller_sku = ?2",
            )?;
            let row = statement
                .query_row(params![account.as_str(), seller_sku.as_str()], |row| {
                    Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
                })
                .optional()?;
            row.map(|(at, cause, expected, shown)| {
                Ok(DriftRecord { at: time("drift.at", at)?, cause, expected, shown })
            })
            .transpose()
        })
        .await
    }

    /// Listings that Amazon did not apply at least so many quantities to, the first of them in seller SKU order, and how
    /// many there are.
    pub async fn unapplied(
        &self,
        account: &AccountName,
        times: u32,
        limit: u32,
    ) -> Result<(u64, Vec<(SellerSku, Unapplied)>), StoreError> {
        let account = account.clone();
        self.call(move |connection| {
            // The literal is what the index is made for.
            let of = "FROM listing WHERE account = ?1 AND unapplied > 0 AND unapplied >= ?2";
            let mut count = connection.prepare_cached(&format!("SELECT COUNT(*) {of}"))?;
            let count = count.query_row(params![account.as_str(), times], |row| row.get(0))?;
            let sql = format!("SELECT seller_sku, unapplied, unapplied_at, evidence {of} ORDER BY seller_sku LIMIT ?3");
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(params![account.as_str(), times, limit])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let unapplied = Unapplied {
                    times: row.get(1)?,
                    found_at: time("unapplied_at", row.get(2)?)?,
                    evidence: row.get(3)?,
                };
                found.push((row.get::<_, String>(0)?.into(), unapplied));
            }
            Ok((count, found))
        })
        .await
    }
}
