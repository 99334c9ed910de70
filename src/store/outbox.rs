//! The outbox: one slot per listing, and what became of what was sent.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::{Store, StoreError, json_list, millis, time};
use crate::model::{AccountName, MarketplaceId, SellerSku, StoreName};
use crate::plan::{Change, Priority};

/// A change on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    pub account: AccountName,
    pub seller_sku: SellerSku,
    pub plan_id: String,
    pub store: StoreName,
    pub country: String,
    pub marketplace: MarketplaceId,
    pub from: Option<u32>,
    pub quantity: u32,
    pub priority: Priority,
    /// It waits since then, under this and earlier plans.
    pub since: Timestamp,
    /// Its own plan began to look then.
    pub planned_at: Timestamp,
    /// Reason codes separated by blanks.
    pub reasons: String,
    pub basis: String,
    /// Taken: what was in doubt before. A refusal says nothing about an earlier quantity whose answer never came.
    pub doubted: Option<u32>,
}

/// A listing for which a plan has nothing to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    pub seller_sku: SellerSku,
    /// What to send all the same when its slot left before it could be emptied.
    pub correction: Option<Change>,
}

/// The slots of account ?1 (and plan ?2) whose listings are not among ?3, in sending order. Behind an open feed only a
/// zero goes.
const STANDING: &str = "FROM outbox AS o LEFT JOIN listing AS l USING (account, seller_sku) \
    WHERE o.account = ?1 AND (?2 IS NULL OR plan_id = ?2) AND o.seller_sku NOT IN (SELECT value FROM json_each(?3)) \
    AND o.fenced = 0 ORDER BY deadline, gap DESC, seller_sku";
/// Seen since ?4 and since the plan began, ours to send, and not seen to show the quantity already.
const MAY_GO: &str = "(COALESCE(l.looked_at, 0) >= max(?4, o.planned_at) AND l.live AND l.channel = 'DEFAULT' \
    AND NOT (l.in_doubt IS NULL AND l.observed IS o.quantity AND l.observed_at >= o.planned_at \
    AND l.observed_at > COALESCE(l.accepted_at, 0)))";

/// What stands first in the outbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ahead {
    pub may_go: bool,
    /// In sending order.
    pub unseen: Vec<SellerSku>,
    /// How many stand before the first of them.
    pub before_unseen: usize,
}

pub(super) fn slot(row: &Row<'_>) -> Result<Slot, StoreError> {
    Ok(Slot {
        account: row.get::<_, String>("account")?.into(),
        seller_sku: row.get::<_, String>("seller_sku")?.into(),
        plan_id: row.get("plan_id")?,
        store: row.get::<_, String>("store")?.into(),
        country: row.get("country")?,
        marketplace: row.get::<_, String>("marketplace")?.into(),
        from: row.get("from_quantity")?,
        quantity: row.get("quantity")?,
        priority: priority(row.get("priority")?)?,
        since: time("outbox.since", row.get("since")?)?,
        planned_at: time("outbox.planned_at", row.get("planned_at")?)?,
        reasons: row.get("reasons")?,
        basis: row.get("basis")?,
        doubted: None,
    })
}

fn priority(index: usize) -> Result<Priority, StoreError> {
    Priority::from_index(index)
        .ok_or_else(|| StoreError::Corrupt { column: "outbox.priority", value: index.to_string() })
}

impl Store {
    /// The listings that have a slot, and how urgent it is.
    pub async fn waiting(&self, account: &AccountName) -> Result<BTreeMap<SellerSku, Priority>, StoreError> {
        let account = account.clone();
        self.call(move |connection| {
            let mut statement =
                connection.prepare_cached("SELECT seller_sku, priority FROM outbox WHERE account = ?1")?;
            let mut rows = statement.query([account.as_str()])?;
            let mut waiting = BTreeMap::new();
            while let Some(row) = rows.next()? {
                waiting.insert(row.get::<_, String>(0)?.into(), priority(row.get(1)?)?);
            }
            Ok(waiting)
        })
        .await
    }

    /// The quantities that wait.
    pub async fn waiting_quantities(&self, account: &AccountName) -> Result<BTreeMap<SellerSku, u32>, StoreError> {
        let account = account.clone();
        self.call(move |connection| {
            let mut statement =
                connection.prepare_cached("SELECT seller_sku, quantity FROM outbox WHERE account = ?1")?;
            let rows = statement.query_map([account.as_str()], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
            rows.map(|row| row.map(|(seller_sku, quantity)| (seller_sku.into(), quantity)).map_err(StoreError::from))
                .collect()
        })
        .await
    }

    /// Nothing waits for stores that do not send: a state may have been copied, or a store set back.
    pub async fn keep_waiting_only(&self, account: &AccountName, live: &[StoreName]) -> Result<(), StoreError> {
        let (account, live) = (account.clone(), json_list(live));
        self.write(move |transaction| {
            transaction
                .prepare_cached(
                    "DELETE FROM outbox WHERE account = ?1 AND store NOT IN (SELECT value FROM json_each(?2))",
                )?
                .execute(params![account.as_str(), live])?;
            Ok(())
        })
        .await
    }

    /// Takes a plan's changes in, the newest value in each slot, and empties the slots of `settled`. All of it or
    /// nothing. `started_at`: since when the changes wait. What was taken or accepted since the plan looked at a listing
    /// it has not seen.
    pub async fn queue(
        &self,
        plan_id: &str,
        account: &AccountName,
        changes: Vec<Change>,
        settled: Vec<Settled>,
        started_at: Timestamp,
    ) -> Result<(), StoreError> {
        let (plan_id, account) = (plan_id.to_owned(), account.clone());
        self.write(move |transaction| {
            let mut clear = transaction.prepare_cached("DELETE FROM outbox WHERE account = ?1 AND seller_sku = ?2")?;
            let mut left = transaction.prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM listing WHERE account = ?1 AND seller_sku = ?2 \
                 AND (in_doubt IS NOT NULL OR accepted_at IS NOT ?3))",
            )?;
            for Settled { seller_sku, correction } in settled {
                clear.execute(params![account.as_str(), seller_sku.as_str()])?;
                let Some(correction) = correction else { continue };
                let known = correction.accepted_at.map(millis);
                if left.query_row(params![account.as_str(), seller_sku.as_str(), known], |row| row.get(0))? {
                    put(transaction, &plan_id, &correction, started_at)?;
                }
            }
            for change in changes {
                put(transaction, &plan_id, &change, started_at)?;
            }
            take_back(transaction)
        })
        .await
    }

    /// What stands first in the outbox, but for `busy` listings: whether any was seen since `seen_since` and since its
    /// plan began, and may go, and which have to be looked at before. With a plan id, only slots of that plan.
    pub async fn ahead(
        &self,
        account: &AccountName,
        plan_id: Option<&str>,
        busy: &[SellerSku],
        seen_since: Timestamp,
        window: u32,
    ) -> Result<Ahead, StoreError> {
        let (account, plan_id, busy) = (account.clone(), plan_id.map(str::to_owned), json_list(busy));
        self.call(move |connection| {
            let mut statement =
                connection.prepare_cached(&format!("SELECT seller_sku, {MAY_GO} {STANDING} LIMIT ?5"))?;
            let mut rows = statement.query(params![account.as_str(), plan_id, busy, millis(seen_since), window])?;
            let mut ahead = Ahead::default();
            while let Some(row) = rows.next()? {
                match row.get::<_, Option<bool>>(1)? {
                    Some(true) => {
                        ahead.may_go = true;
                        ahead.before_unseen += usize::from(ahead.unseen.is_empty());
                    }
                    _ => ahead.unseen.push(row.get::<_, String>(0)?.into()),
                }
            }
            Ok(ahead)
        })
        .await
    }

    /// The slot that goes next, is not in `busy` and was seen as above, marked as being in doubt from now on:
    /// whatever happens, the next cycle knows that Amazon may show this quantity. With a plan id, only slots of that plan.
    pub async fn take_next(
        &self,
        account: &AccountName,
        plan_id: Option<&str>,
        busy: &[SellerSku],
        seen_since: Timestamp,
    ) -> Result<Option<Slot>, StoreError> {
        let (account, plan_id, busy) = (account.clone(), plan_id.map(str::to_owned), json_list(busy));
        self.write(move |transaction| {
            let mut statement = transaction.prepare_cached(&format!(
                "SELECT * FROM (SELECT o.*, {MAY_GO} AS may_go {STANDING}) WHERE may_go LIMIT 1"
            ))?;
            let mut rows = statement.query(params![account.as_str(), plan_id, busy, millis(seen_since)])?;
            let Some(mut next) = rows.next()?.map(slot).transpose()? else { return Ok(None) };
            let key = [account.as_str(), next.seller_sku.as_str()];
            next.doubted = transaction
                .prepare_cached("SELECT in_doubt FROM listing WHERE account = ?1 AND seller_sku = ?2")?
                .query_row(key, |row| row.get(0))
                .optional()?
                .flatten();
            // Of two quantities in doubt the larger one may oversell.
            transaction
                .prepare_cached("UPDATE listing SET in_doubt = ?3 WHERE account = ?1 AND seller_sku = ?2")?
                .execute(params![key[0], key[1], next.doubted.max(Some(next.quantity))])?;
            Ok(Some(next))
        })
        .await
    }

    /// Which of these listings have a slot, of whatever plan, that does not wait for an open feed.
    pub async fn waiting_of(
        &self,
        account: &AccountName,
        seller_skus: &[SellerSku],
    ) -> Result<BTreeSet<SellerSku>, StoreError> {
        let (account, names) = (account.clone(), json_list(seller_skus));
        self.call(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT o.seller_sku FROM json_each(?2) AS n \
                 JOIN outbox AS o ON o.account = ?1 AND o.seller_sku = n.value WHERE o.fenced = 0",
            )?;
            let rows = statement.query_map(params![account.as_str(), names], |row| row.get::<_, String>(0))?;
            rows.map(|row| Ok(row?.into())).collect()
        })
        .await
    }

    /// How many slots wait.
    pub async fn backlog(&self, account: &AccountName, plan_id: Option<&str>) -> Result<u64, StoreError> {
        let (account, plan_id) = (account.clone(), plan_id.map(str::to_owned));
        self.call(move |connection| {
            let mut statement = connection
                .prepare_cached("SELECT count(*) FROM outbox WHERE account = ?1 AND (?2 IS NULL OR plan_id = ?2)")?;
            Ok(statement.query_row(params![account.as_str(), plan_id], |row| row.get(0))?)
        })
        .await
    }

    /// How many slots wait by priority, and since when the oldest zero does.
    pub async fn backlog_by_priority(
        &self,
        account: &AccountName,
    ) -> Result<(Vec<(Priority, u64)>, Option<Timestamp>), StoreError> {
        let account = account.clone();
        self.call(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT priority, count(*), min(since) FROM outbox WHERE account = ?1 GROUP BY priority",
            )?;
            let mut rows = statement.query([account.as_str()])?;
            let (mut counts, mut oldest_zero) = (Vec::new(), None);
            while let Some(row) = rows.next()? {
                let priority = priority(row.get(0)?)?;
                counts.push((priority, row.get(1)?));
                if priority == Priority::Zero {
                    oldest_zero = Some(time("outbox.since", row.get(2)?)?);
                }
            }
            Ok((counts, oldest_zero))
        })
        .await
    }

    pub async fn slot(&self, account: &AccountName, seller_sku: &SellerSku) -> Result<Option<Slot>, StoreError> {
        let (account, seller_sku) = (account.clone(), seller_sku.clone());
        self.call(move |connection| {
            let mut statement =
                connection.prepare_cached("SELECT * FROM outbox WHERE account = ?1 AND seller_sku = ?2")?;
            let mut rows = statement.query(params![account.as_str(), seller_sku.as_str()])?;
            rows.next()?.map(slot).transpose()
        })
        .await
    }

    /// The listing is not shown where the slot was to be sent, but in another marketplace.
    pub async fn send_to(&self, slot: &Slot, marketplace: &MarketplaceId) -> Result<(), StoreError> {
        let (slot, marketplace) = (slot.clone(), marketplace.clone());
        self.write(move |transaction| {
            transaction
                .prepare_cached("UPDATE outbox SET marketplace = ?3 WHERE account = ?1 AND seller_sku = ?2")?
                .execute(params![slot.account.as_str(), slot.seller_sku.as_str(), marketplace.as_str()])?;
            Ok(())
        })
        .await
    }

    /// Takes a slot back, unless something newer came into it.
    pub async fn withdraw(&self, slot: &Slot) -> Result<(), StoreError> {
        let slot = slot.clone();
        self.write(move |transaction| {
            transaction
                .prepare_cached("DELETE FROM outbox WHERE account = ?1 AND seller_sku = ?2 AND quantity = ?3")?
                .execute(params![slot.account.as_str(), slot.seller_sku.as_str(), slot.quantity])?;
            Ok(())
        })
        .await
    }
}

/// What people said while the plan was made: what is paused, held or set to another number does not wait to be sent.
pub(super) fn take_back(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "DELETE FROM outbox WHERE EXISTS (SELECT 1 FROM pause WHERE scope = 'all' \
             OR scope = 'account' AND name = outbox.account OR scope = 'store' AND name = outbox.store) \
             OR EXISTS (SELECT 1 FROM manual AS m WHERE m.seller_sku = outbox.seller_sku \
             AND m.account IN ('', outbox.account) AND m.quantity IS NOT outbox.quantity)",
        )?
        .execute([])?;
    Ok(())
}

fn put(transaction: &Transaction<'_>, plan_id: &str, change: &Change, at: Timestamp) -> Result<(), StoreError> {
    let (account, sku) = (change.account.as_str(), change.seller_sku.as_str());
    let priority = change.priority.index();
    // The same quantity was under way when the plan looked.
    let accepted_meanwhile: bool = transaction
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM listing WHERE account = ?1 AND seller_sku = ?2 AND accepted = ?3 \
             AND accepted_at IS NOT ?4 AND in_doubt IS NULL)",
        )?
        .query_row(params![account, sku, change.to, change.accepted_at.map(millis)], |row| row.get(0))?;
    if accepted_meanwhile {
        return Ok(());
    }
    // Waiting is not lost when a newer number of the same kind takes the slot over.
    let waiting: Option<i64> = transaction
        .prepare_cached("SELECT since FROM outbox WHERE account = ?1 AND seller_sku = ?2 AND priority = ?3")?
        .query_row(params![account, sku, priority], |row| row.get(0))
        .optional()?;
    let since = waiting.map_or(Ok(at), |since| time("outbox.since", since))?;
    let patience = SignedDuration::try_from(change.priority.patience()).unwrap_or(SignedDuration::ZERO);
    let deadline = since.saturating_add(patience).unwrap_or(Timestamp::MAX);
    let reasons: Vec<&str> = change.reasons.iter().map(|reason| reason.code()).collect();
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO outbox (account, seller_sku, plan_id, store, country, marketplace, from_quantity, \
             quantity, priority, since, planned_at, deadline, gap, reasons, basis, fenced) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?15, ?11, ?12, ?13, ?14, \
             ?8 > 0 AND EXISTS (SELECT 1 FROM feed_item WHERE account = ?1 AND seller_sku = ?2))",
        )?
        .execute(params![
            account,
            sku,
            plan_id,
            change.store.as_str(),
            change.country,
            change.marketplace.as_str(),
            change.from,
            change.to,
            priority,
            millis(since),
            millis(deadline),
            change.gap(),
            reasons.join(" "),
            change.basis,
            millis(at),
        ])?;
    Ok(())
}
