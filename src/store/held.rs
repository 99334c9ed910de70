//! What guards hold, and what somebody released.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::{Store, StoreError, millis, time};
use crate::model::{AccountName, SellerSku, StoreName};
use crate::plan::{Change, Released};

/// Dangerous changes of one store, kept under the id of the plan that was held first.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct HeldPlan {
    pub id: String,
    pub account: AccountName,
    pub store: StoreName,
    pub since: Timestamp,
    pub changes: u64,
    pub guards: Vec<HeldBy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<(Timestamp, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct HeldBy {
    pub guard: String,
    pub held: u64,
    pub detail: String,
}

/// What became of a store's held plan in a cycle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holding {
    /// Nothing was held and nothing is.
    None,
    /// Held under this id; `true` where that is new.
    Held(String, bool),
    /// The cause is gone.
    Ended(String),
}

/// How long `apply` remembers what became of a held plan.
const REMEMBERED: jiff::SignedDuration = jiff::SignedDuration::from_hours(24 * 7);

/// What was looked at so long ago has to be looked at again.
const RELEASED_FOR: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

const COLUMNS: &str = "id, account, store, since, trips, ended_at, ended, \
                       (SELECT count(*) FROM held_item WHERE held = held.id) AS changes";

fn held(row: &Row<'_>) -> Result<HeldPlan, StoreError> {
    let trips: String = row.get("trips")?;
    let ended_at: Option<i64> = row.get("ended_at")?;
    let ended = match ended_at {
        Some(at) => Some((time("held.ended_at", at)?, row.get::<_, Option<String>>("ended")?.unwrap_or_default())),
        None => None,
    };
    Ok(HeldPlan {
        id: row.get("id")?,
        account: row.get::<_, String>("account")?.into(),
        store: row.get::<_, String>("store")?.into(),
        since: time("held.since", row.get("since")?)?,
        changes: row.get("changes")?,
        guards: serde_json::from_str(&trips).map_err(|_| StoreError::Corrupt { column: "held.trips", value: trips })?,
        ended,
    })
}

impl Store {
    /// Keeps what a cycle holds of one store. The id stays as long as nothing is added: whoever releases it has seen all
    /// that it holds. More is a new plan. Nothing held ends it.
    pub async fn hold_back(
        &self,
        account: &AccountName,
        store: &StoreName,
        plan_id: &str,
        guards: Vec<HeldBy>,
        changes: Vec<Change>,
        at: Timestamp,
    ) -> Result<Holding, StoreError> {
        let (account, store, plan_id) = (account.clone(), store.clone(), plan_id.to_owned());
        self.write(move |transaction| {
            forget(transaction, at)?;
            let open: Option<String> = transaction
                .prepare_cached("SELECT id FROM held WHERE account = ?1 AND store = ?2 AND ended_at IS NULL")?
                .query_row([account.as_str(), store.as_str()], |row| row.get(0))
                .optional()?;
            if changes.is_empty() {
                let Some(id) = open else { return Ok(Holding::None) };
                end(transaction, &id, "gone", at)?;
                return Ok(Holding::Ended(id));
            }
            // One account's plan may hold several stores.
            let new = format!("{plan_id}-{store}");
            let id = match &open {
                Some(id) if !adds(transaction, id, &changes)? => id.clone(),
                Some(id) => {
                    end(transaction, id, "grown", at)?;
                    new
                }
                None => new,
            };
            let is_new = open.as_ref() != Some(&id);
            if !is_new && is_same(transaction, &id, &guards, changes.len())? {
                return Ok(Holding::Held(id, false));
            }
            put(transaction, &id, (&account, &store), &guards, &changes, at)?;
            Ok(Holding::Held(id, is_new))
        })
        .await
    }

    /// Everything that is held now, by account and store.
    pub async fn held_plans(&self) -> Result<Vec<HeldPlan>, StoreError> {
        self.call(|connection| {
            let sql = format!("SELECT {COLUMNS} FROM held WHERE ended_at IS NULL ORDER BY account, store");
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query([])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(held(row)?);
            }
            Ok(found)
        })
        .await
    }

    /// One held plan and its quantities, whether or not it has ended.
    pub async fn held_plan(&self, id: &str) -> Result<Option<(HeldPlan, Released)>, StoreError> {
        let id = id.to_owned();
        self.call(move |connection| {
            let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM held WHERE id = ?1"))?;
            let Some(plan) = statement.query([&id])?.next()?.map(held).transpose()? else { return Ok(None) };
            let mut items = connection.prepare_cached("SELECT seller_sku, quantity FROM held_item WHERE held = ?1")?;
            let mut rows = items.query([&id])?;
            let mut quantities = BTreeMap::new();
            while let Some(row) = rows.next()? {
                quantities.insert(row.get::<_, String>(0)?.into(), row.get(1)?);
            }
            Ok(Some((plan, quantities)))
        })
        .await
    }

    /// Lets these quantities past every guard, until they are sent or no longer wanted.
    pub async fn release(
        &self,
        account: &AccountName,
        quantities: Released,
        held: Option<String>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let account = account.clone();
        self.write(move |transaction| {
            let mut insert = transaction.prepare_cached(
                "INSERT OR REPLACE INTO released (account, seller_sku, quantity, at) VALUES (?1, ?2, ?3, ?4)",
            )?;
            for (seller_sku, quantity) in quantities {
                insert.execute(params![account.as_str(), seller_sku.as_str(), quantity, millis(at)])?;
            }
            if let Some(id) = held {
                end(transaction, &id, "applied", at)?;
            }
            Ok(())
        })
        .await
    }

    pub async fn released(&self, account: &AccountName, now: Timestamp) -> Result<Released, StoreError> {
        let account = account.clone();
        let since = now.checked_sub(RELEASED_FOR).unwrap_or(Timestamp::MIN);
        self.call(move |connection| {
            let mut statement = connection
                .prepare_cached("SELECT seller_sku, quantity FROM released WHERE account = ?1 AND at >= ?2")?;
            let mut rows = statement.query(params![account.as_str(), millis(since)])?;
            let mut released = BTreeMap::new();
            while let Some(row) = rows.next()? {
                released.insert(row.get::<_, String>(0)?.into(), row.get(1)?);
            }
            Ok(released)
        })
        .await
    }

    /// These were released and are no longer wanted, or are there.
    pub async fn end_releases(&self, account: &AccountName, seller_skus: Vec<SellerSku>) -> Result<(), StoreError> {
        let account = account.clone();
        self.write(move |transaction| {
            let mut delete =
                transaction.prepare_cached("DELETE FROM released WHERE account = ?1 AND seller_sku = ?2")?;
            for seller_sku in seller_skus {
                delete.execute(params![account.as_str(), seller_sku.as_str()])?;
            }
            Ok(())
        })
        .await
    }
}

fn adds(transaction: &Transaction<'_>, id: &str, changes: &[Change]) -> Result<bool, StoreError> {
    let mut known = transaction.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM held_item WHERE held = ?1 AND seller_sku = ?2 AND quantity = ?3)",
    )?;
    for change in changes {
        if !known.query_row(params![id, change.seller_sku.as_str(), change.to], |row| row.get::<_, bool>(0))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Nothing is added: as many as before are the same.
fn is_same(transaction: &Transaction<'_>, id: &str, guards: &[HeldBy], count: usize) -> Result<bool, StoreError> {
    let mut statement = transaction.prepare_cached(
        "SELECT trips = ?2 AND (SELECT count(*) FROM held_item WHERE held = id) = ?3 FROM held WHERE id = ?1",
    )?;
    Ok(statement.query_row(params![id, serde_json::json!(guards).to_string(), count], |row| row.get(0))?)
}

fn put(
    transaction: &Transaction<'_>,
    id: &str,
    (account, store): (&AccountName, &StoreName),
    guards: &[HeldBy],
    changes: &[Change],
    at: Timestamp,
) -> Result<(), StoreError> {
    let trips = serde_json::json!(guards).to_string();
    transaction
        .prepare_cached(
            "INSERT INTO held (id, account, store, since, trips) VALUES (?1, ?2, ?3, ?4, ?5) \
             ON CONFLICT DO UPDATE SET trips = excluded.trips",
        )?
        .execute(params![id, account.as_str(), store.as_str(), millis(at), trips])?;
    transaction.prepare_cached("DELETE FROM held_item WHERE held = ?1")?.execute([id])?;
    let mut insert = transaction
        .prepare_cached("INSERT INTO held_item (held, seller_sku, from_quantity, quantity) VALUES (?1, ?2, ?3, ?4)")?;
    for change in changes {
        insert.execute(params![id, change.seller_sku.as_str(), change.from, change.to])?;
    }
    Ok(())
}

fn end(transaction: &Transaction<'_>, id: &str, how: &str, at: Timestamp) -> Result<(), StoreError> {
    transaction
        .prepare_cached("UPDATE held SET ended_at = ?2, ended = ?3 WHERE id = ?1 AND ended_at IS NULL")?
        .execute(params![id, millis(at), how])?;
    Ok(())
}

fn forget(transaction: &Transaction<'_>, at: Timestamp) -> Result<(), StoreError> {
    let until = millis(at.checked_sub(REMEMBERED).unwrap_or(Timestamp::MIN));
    transaction
        .prepare_cached("DELETE FROM held_item WHERE held IN (SELECT id FROM held WHERE ended_at < ?1)")?
        .execute([until])?;
    transaction.prepare_cached("DELETE FROM held WHERE ended_at < ?1")?.execute([until])?;
    Ok(())
}
