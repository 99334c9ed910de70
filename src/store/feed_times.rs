//! What the last feeds tell: when they were ordered, how long they took, and whether they came to anything.

use jiff::Timestamp;
use rusqlite::params;

use super::feeds::KEPT;
use super::{Store, StoreError, millis, time};
use crate::model::AccountName;

impl Store {
    /// When the last feeds were ordered, whatever became of them, oldest first. Where no answer came it may have been
    /// at any time up to now.
    pub async fn ordered_feeds(&self, account: &AccountName, now: Timestamp) -> Result<Vec<Timestamp>, StoreError> {
        let account = account.clone();
        self.call(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT COALESCE(created_at, ended_at, ?2) AS at FROM feed WHERE account = ?1 AND left_at IS NOT NULL \
                 ORDER BY at",
            )?;
            let rows = statement.query_map(params![account.as_str(), millis(now)], |row| row.get(0))?;
            rows.map(|at| time("feed.created_at", at?)).collect()
        })
        .await
    }

    pub async fn feed_created(&self, id: &str, feed_id: &str, at: Timestamp) -> Result<(), StoreError> {
        let (id, feed_id) = (id.to_owned(), feed_id.to_owned());
        self.write(move |transaction| {
            transaction
                .prepare_cached("UPDATE feed SET state = 'open', feed_id = ?2, created_at = ?3 WHERE id = ?1")?
                .execute(params![id, feed_id, millis(at)])?;
            Ok(())
        })
        .await
    }

    /// How many feeds in a row came to nothing, up to now, and when the last one did.
    pub async fn failed_feeds(&self, account: &AccountName) -> Result<Option<(usize, Timestamp)>, StoreError> {
        let account = account.clone();
        self.call(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT state = 'done', ended_at FROM feed WHERE account = ?1 AND ended_at IS NOT NULL \
                 ORDER BY ended_at DESC, id DESC LIMIT ?2",
            )?;
            let mut rows = statement.query(params![account.as_str(), KEPT])?;
            let mut failed = None;
            while let Some(row) = rows.next()? {
                if row.get(0)? {
                    break;
                }
                let (count, last) = failed.unwrap_or((0, time("feed.ended_at", row.get(1)?)?));
                failed = Some((count + 1, last));
            }
            Ok(failed)
        })
        .await
    }

    /// When the account's last feeds that were worked through were created and had ended, newest first.
    pub async fn feed_times(&self, account: &AccountName) -> Result<Vec<(Timestamp, Timestamp)>, StoreError> {
        let account = account.clone();
        self.call(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT created_at, ended_at FROM feed WHERE account = ?1 AND state = 'done' \
                 AND created_at IS NOT NULL ORDER BY made_at DESC LIMIT ?2",
            )?;
            let mut rows = statement.query(params![account.as_str(), KEPT])?;
            let mut times = Vec::new();
            while let Some(row) = rows.next()? {
                times.push((time("feed.created_at", row.get(0)?)?, time("feed.ended_at", row.get(1)?)?));
            }
            Ok(times)
        })
        .await
    }
}
