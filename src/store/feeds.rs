//! Feeds: which changes are on their way in which document, from the outbox to the processing report.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::outbox::slot;
use super::{Slot, Store, StoreError, json_list, millis, time};
use crate::model::{AccountName, MarketplaceId, SellerSku};

/// How far a feed has come, as far as we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedState {
    /// Its changes left the outbox; Amazon knows nothing of it.
    Building,
    /// Amazon was asked to create it, and no answer is known.
    Creating,
    Open,
    /// Open for far too long.
    Stuck,
}

/// A feed that has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenFeed {
    /// Ours.
    pub id: String,
    pub state: FeedState,
    /// Amazon's.
    pub feed_id: Option<String>,
    pub messages: u64,
    pub made_at: Timestamp,
    pub created_at: Option<Timestamp>,
}

/// Changes for a feed of one marketplace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedBound {
    /// In sending order.
    pub slots: Vec<Slot>,
    /// Of these listings, those that have to be looked at before.
    pub unseen: BTreeSet<SellerSku>,
}

/// Feeds that have ended and are kept. How long they took is known of as many.
pub(super) const KEPT: u32 = 20;

/// Slots behind the first ?3 of account ?1 (and plan ?2) that no open feed fences and that are not among ?4.
const BEHIND: &str = "FROM (SELECT o.* FROM outbox AS o WHERE o.account = ?1 AND o.fenced = 0 \
    AND (?2 IS NULL OR o.plan_id = ?2) AND o.seller_sku NOT IN (SELECT value FROM json_each(?4)) \
    ORDER BY o.deadline, o.gap DESC, o.seller_sku LIMIT -1 OFFSET ?3) AS o \
    LEFT JOIN listing AS l USING (account, seller_sku) WHERE o.quantity > 0";

impl FeedState {
    const ALL: [Self; 4] = [Self::Building, Self::Creating, Self::Open, Self::Stuck];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Building => "building",
            Self::Creating => "creating",
            Self::Open => "open",
            Self::Stuck => "stuck",
        }
    }

    fn parse(word: &str) -> Result<Self, StoreError> {
        let known = Self::ALL.into_iter().find(|state| state.as_str() == word);
        known.ok_or_else(|| StoreError::Corrupt { column: "feed.state", value: word.to_owned() })
    }
}

fn open_feed(row: &Row<'_>) -> Result<OpenFeed, StoreError> {
    Ok(OpenFeed {
        id: row.get("id")?,
        state: FeedState::parse(&row.get::<_, String>("state")?)?,
        feed_id: row.get("feed_id")?,
        messages: row.get("messages")?,
        made_at: time("feed.made_at", row.get("made_at")?)?,
        created_at: row.get::<_, Option<i64>>("created_at")?.map(|at| time("feed.created_at", at)).transpose()?,
    })
}

impl Store {
    /// How many slots wait that nothing fences, and how many of them stand behind the first `reach` and are no zeroes.
    pub async fn feed_backlog(
        &self,
        account: &AccountName,
        plan_id: Option<&str>,
        reach: u64,
    ) -> Result<(u64, u64), StoreError> {
        let (account, plan_id) = (account.clone(), plan_id.map(str::to_owned));
        self.call(move |connection| {
            let count = |reach: u64, or: &str| -> Result<u64, StoreError> {
                let mut statement = connection.prepare_cached(&format!("SELECT count(*) {BEHIND} {or}"))?;
                let reach = i64::try_from(reach).unwrap_or(i64::MAX);
                Ok(statement.query_row(params![account.as_str(), plan_id, reach, "[]"], |row| row.get(0))?)
            };
            Ok((count(0, "OR o.quantity = 0")?, count(reach, "")?))
        })
        .await
    }

    /// What would go into a feed now: slots behind the first `reach`, of the marketplace that has most of them, and which
    /// of their listings were not seen since `seen_since` as ours to send.
    pub async fn feed_bound(
        &self,
        account: &AccountName,
        plan_id: Option<&str>,
        busy: &[SellerSku],
        reach: u64,
        seen_since: Timestamp,
        most: u32,
    ) -> Result<FeedBound, StoreError> {
        let (account, plan_id, busy) = (account.clone(), plan_id.map(str::to_owned), json_list(busy));
        let reach = i64::try_from(reach).unwrap_or(i64::MAX);
        self.call(move |connection| {
            let scope = params![account.as_str(), plan_id, reach, busy];
            let marketplace: Option<String> = connection
                .prepare_cached(&format!(
                    "SELECT o.marketplace {BEHIND} GROUP BY o.marketplace ORDER BY count(*) DESC, o.marketplace LIMIT 1"
                ))?
                .query_row(scope, |row| row.get(0))
                .optional()?;
            let mut bound = FeedBound::default();
            let Some(marketplace) = marketplace else { return Ok(bound) };
            let mut statement = connection.prepare_cached(&format!(
                "SELECT o.*, l.in_doubt, COALESCE(l.looked_at, 0) >= ?5 AND l.live AND l.channel = 'DEFAULT' AS seen \
                 {BEHIND} AND o.marketplace = ?6 ORDER BY o.deadline, o.gap DESC, o.seller_sku LIMIT ?7"
            ))?;
            let mut rows = statement.query(params![
                account.as_str(),
                plan_id,
                reach,
                busy,
                millis(seen_since),
                marketplace,
                most
            ])?;
            while let Some(row) = rows.next()? {
                let slot = Slot { doubted: row.get("in_doubt")?, ..slot(row)? };
                if row.get::<_, Option<bool>>("seen")? != Some(true) {
                    bound.unseen.insert(slot.seller_sku.clone());
                }
                bound.slots.push(slot);
            }
            Ok(bound)
        })
        .await
    }

    /// Moves slots from the outbox into a new feed, with message ids from 1 on in this order. Those that changed since they
    /// were read stay, and are not in it: false for them. From here on each listing is in doubt.
    pub async fn build_feed(
        &self,
        id: &str,
        account: &AccountName,
        slots: Vec<Slot>,
        at: Timestamp,
    ) -> Result<Vec<bool>, StoreError> {
        let (id, account) = (id.to_owned(), account.clone());
        self.write(move |transaction| {
            let mut taken = Vec::with_capacity(slots.len());
            let mut messages = 0_u32;
            for slot in &slots {
                taken.push(take(transaction, &id, slot, messages + 1)?);
                messages += u32::from(taken.last() == Some(&true));
            }
            transaction
                .prepare_cached(
                    "INSERT INTO feed (id, account, state, messages, made_at) VALUES (?1, ?2, 'building', ?3, ?4)",
                )?
                .execute(params![id, account.as_str(), messages, millis(at)])?;
            Ok(taken)
        })
        .await
    }

    /// Amazon is asked to create it: from here on it may exist.
    pub async fn feed_leaves(&self, id: &str, at: Timestamp) -> Result<(), StoreError> {
        let id = id.to_owned();
        self.write(move |transaction| {
            transaction
                .prepare_cached("UPDATE feed SET state = 'creating', left_at = ?2 WHERE id = ?1")?
                .execute(params![id, millis(at)])?;
            Ok(())
        })
        .await
    }

    /// An attempt that never reached Amazon, and was taken back.
    pub async fn forget_feed(&self, id: &str) -> Result<(), StoreError> {
        let id = id.to_owned();
        self.write(move |transaction| {
            transaction
                .prepare_cached("DELETE FROM feed WHERE id = ?1 AND ended_at IS NOT NULL AND left_at IS NULL")?
                .execute([id])?;
            Ok(())
        })
        .await
    }

    /// No answer says whether it was created, and it is looked for. Since when: that survives a restart.
    pub async fn feed_searched(&self, id: &str, at: Timestamp) -> Result<Timestamp, StoreError> {
        let id = id.to_owned();
        self.write(move |transaction| {
            let since = transaction
                .prepare_cached(
                    "UPDATE feed SET searched_at = COALESCE(searched_at, ?2) WHERE id = ?1 RETURNING searched_at",
                )?
                .query_row(params![id, millis(at)], |row| row.get(0))?;
            time("feed.searched_at", since)
        })
        .await
    }

    async fn set_feed_state(&self, id: &str, state: FeedState) -> Result<(), StoreError> {
        let id = id.to_owned();
        self.write(move |transaction| {
            transaction.prepare_cached("UPDATE feed SET state = ?2 WHERE id = ?1")?.execute([&id, state.as_str()])?;
            Ok(())
        })
        .await
    }

    /// It was said that it is.
    pub async fn feed_is_stuck(&self, id: &str) -> Result<(), StoreError> {
        self.set_feed_state(id, FeedState::Stuck).await
    }

    /// The feeds that have not ended, oldest first.
    pub async fn open_feeds(&self, account: &AccountName) -> Result<Vec<OpenFeed>, StoreError> {
        let account = account.clone();
        self.call(move |connection| {
            let mut statement = connection
                .prepare_cached("SELECT * FROM feed WHERE account = ?1 AND ended_at IS NULL ORDER BY made_at, id")?;
            let mut rows = statement.query([account.as_str()])?;
            let mut feeds = Vec::new();
            while let Some(row) = rows.next()? {
                feeds.push(open_feed(row)?);
            }
            Ok(feeds)
        })
        .await
    }

    /// Which feeds of Amazon's are known here, ended or not.
    pub async fn known_feeds(&self, account: &AccountName) -> Result<BTreeSet<String>, StoreError> {
        let account = account.clone();
        self.call(move |connection| {
            let mut statement =
                connection.prepare_cached("SELECT feed_id FROM feed WHERE account = ?1 AND feed_id IS NOT NULL")?;
            let rows = statement.query_map([account.as_str()], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Where the changes of a feed were sent.
    pub async fn feed_marketplaces(&self, id: &str) -> Result<BTreeSet<MarketplaceId>, StoreError> {
        let id = id.to_owned();
        self.call(move |connection| {
            let mut statement =
                connection.prepare_cached("SELECT DISTINCT marketplace FROM feed_item WHERE feed = ?1")?;
            let rows = statement.query_map([&id], |row| row.get::<_, String>(0))?;
            rows.map(|row| Ok(row?.into())).collect()
        })
        .await
    }

    /// How many changes of a plan are on their way in feeds.
    pub async fn in_feeds(&self, plan_id: &str) -> Result<u64, StoreError> {
        let plan_id = plan_id.to_owned();
        self.call(move |connection| {
            let mut statement = connection.prepare_cached("SELECT count(*) FROM feed_item WHERE plan_id = ?1")?;
            Ok(statement.query_row([&plan_id], |row| row.get(0))?)
        })
        .await
    }

    /// What feeds that have ended made of a plan's changes: how many were accepted, and how many were not.
    pub async fn feed_outcomes(&self, plan_id: &str, since: Timestamp) -> Result<(u64, u64), StoreError> {
        let plan_id = plan_id.to_owned();
        self.call(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT count(*) FILTER (WHERE outcome = 'accepted'), count(*) FILTER (WHERE outcome <> 'accepted') \
                 FROM journal WHERE at >= ?2 AND plan_id = ?1 AND lane = 'feed'",
            )?;
            Ok(statement.query_row(params![plan_id, millis(since)], |row| Ok((row.get(0)?, row.get(1)?)))?)
        })
        .await
    }
}

/// False where something else came into the slot meanwhile, it is to go elsewhere, it left by patch, or a feed has the
/// listing already.
fn take(transaction: &Transaction<'_>, feed: &str, slot: &Slot, message: u32) -> Result<bool, StoreError> {
    let (account, sku) = (slot.account.as_str(), slot.seller_sku.as_str());
    let moved = transaction
        .prepare_cached(
            "INSERT INTO feed_item SELECT ?1, ?2, o.account, o.seller_sku, o.plan_id, o.store, o.country, o.marketplace, \
             o.from_quantity, o.quantity, o.priority, o.since, o.planned_at, o.deadline, o.gap, o.reasons, o.basis, \
             (SELECT in_doubt FROM listing AS l WHERE l.account = o.account AND l.seller_sku = o.seller_sku) \
             FROM outbox AS o WHERE o.account = ?3 AND o.seller_sku = ?4 AND o.quantity = ?5 AND o.plan_id = ?6 \
             AND o.marketplace = ?8 \
             AND (SELECT in_doubt FROM listing AS l WHERE l.account = ?3 AND l.seller_sku = ?4) IS ?7 \
             AND NOT EXISTS (SELECT 1 FROM feed_item AS f WHERE f.account = ?3 AND f.seller_sku = ?4)",
        )?
        .execute(params![
            feed,
            message,
            account,
            sku,
            slot.quantity,
            slot.plan_id,
            slot.doubted,
            slot.marketplace.as_str(),
        ])?;
    if moved == 0 {
        return Ok(false);
    }
    transaction.prepare_cached("DELETE FROM outbox WHERE account = ?1 AND seller_sku = ?2")?.execute([account, sku])?;
    // Of two quantities in doubt the larger one may oversell.
    transaction
        .prepare_cached(
            "UPDATE listing SET in_doubt = max(?3, COALESCE(in_doubt, 0)) WHERE account = ?1 AND seller_sku = ?2",
        )?
        .execute(params![account, sku, slot.quantity])?;
    Ok(true)
}

/// Feeds that ended long ago are of no use.
pub(super) fn prune(transaction: &Transaction<'_>, account: &AccountName) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "DELETE FROM feed WHERE account = ?1 AND ended_at IS NOT NULL AND id NOT IN (SELECT id FROM feed \
             WHERE account = ?1 AND ended_at IS NOT NULL ORDER BY made_at DESC LIMIT ?2)",
        )?
        .execute(params![account.as_str(), KEPT * 5])?;
    Ok(())
}
