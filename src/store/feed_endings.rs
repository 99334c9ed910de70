//! How feeds end: what became of each change, kept together.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Row, Transaction, params};

use super::feeds::prune;
use super::outbox::slot;
use super::outcomes::{Lane, accepted, journal, no_doubt, refused};
use super::{Slot, Store, StoreError, millis};
use crate::model::AccountName;

/// How a feed ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Worked through: these messages were refused, the others accepted. A remark is what there is to say of all.
    Done { rejected: BTreeMap<u32, String>, remark: Option<String> },
    /// Some, none or all of it was done: its listings are looked at.
    Fatal { text: String },
    /// Nothing of it was done, or Amazon never had it.
    Cancelled,
    /// Nobody can tell whether it was created: its listings are looked at.
    Lost,
}

/// What a feed's end came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    pub accepted: u64,
    pub refused: u64,
    /// Something else was sent beside it: they are looked at, or sent again.
    pub overtaken: u64,
    /// To be planned anew.
    pub open: u64,
}

impl Ending {
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Done { .. } => "done",
            Self::Fatal { .. } => "fatal",
            Self::Cancelled => "cancelled",
            Self::Lost => "lost",
        }
    }
}

impl Store {
    /// Keeps what became of every change of a feed, with the journal's rows and the new beliefs. `ended`: when Amazon was
    /// done with it. `set_aside`: how long a listing waits that was refused so often in a row.
    pub async fn end_feed(
        &self,
        account: &AccountName,
        id: &str,
        ending: Ending,
        ended_at: Timestamp,
        set_aside: &'static [Duration],
        at: Timestamp,
    ) -> Result<Ended, StoreError> {
        let (account, id) = (account.clone(), id.to_owned());
        self.write(move |transaction| {
            let mut ended = Ended::default();
            let (feed_id, made_at): (Option<String>, i64) = transaction
                .prepare_cached("SELECT feed_id, made_at FROM feed WHERE id = ?1")?
                .query_row([&id], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let closing =
                Closing { ending: &ending, feed_id: feed_id.as_deref().unwrap_or_default(), made_at, set_aside, at };
            let mut items = transaction.prepare_cached("SELECT * FROM feed_item WHERE feed = ?1 ORDER BY message")?;
            let mut items = items.query([&id])?;
            while let Some(row) = items.next()? {
                closing.close(transaction, row, &mut ended)?;
            }
            transaction
                .prepare_cached(
                    "UPDATE outbox SET fenced = 0 WHERE fenced = 1 \
                     AND (account, seller_sku) IN (SELECT account, seller_sku FROM feed_item WHERE feed = ?1)",
                )?
                .execute([&id])?;
            transaction.prepare_cached("DELETE FROM feed_item WHERE feed = ?1")?.execute([&id])?;
            transaction.prepare_cached("UPDATE feed SET state = ?2, ended_at = ?3 WHERE id = ?1")?.execute(params![
                id,
                ending.as_str(),
                millis(ended_at)
            ])?;
            prune(transaction, &account)?;
            Ok(ended)
        })
        .await
    }
}

struct Closing<'a> {
    ending: &'a Ending,
    feed_id: &'a str,
    made_at: i64,
    set_aside: &'static [Duration],
    at: Timestamp,
}

impl Closing<'_> {
    fn close(&self, transaction: &Transaction<'_>, row: &Row<'_>, ended: &mut Ended) -> Result<(), StoreError> {
        let sent = Slot { doubted: row.get("doubted")?, ..slot(row)? };
        let write = |outcome: &str, detail: Option<&str>| {
            journal(transaction, &sent, self.at, Lane::Feed, Some(self.feed_id), outcome, detail)
        };
        let newer = self.newer(transaction, &sent)?;
        let rejected = match self.ending {
            Ending::Fatal { text } => {
                ended.open += 1;
                self.unsure(transaction, &sent, newer)?;
                return write("no_answer", Some(text));
            }
            Ending::Lost => {
                ended.open += 1;
                self.unsure(transaction, &sent, newer)?;
                return write("no_answer", Some("nobody can tell whether the feed was created"));
            }
            Ending::Cancelled => {
                ended.open += 1;
                if newer.is_none() {
                    no_doubt(transaction, &sent)?;
                    keep_doubt(transaction, &sent)?;
                }
                return Ok(());
            }
            Ending::Done { rejected, .. } => rejected.get(&row.get::<_, u32>("message")?),
        };
        match (rejected, newer) {
            (Some(text), newer) => {
                ended.refused += 1;
                if newer.is_none() {
                    self.refuse(transaction, &sent, text)?;
                }
                write("rejected", Some(text))?;
            }
            (None, Some(newer)) => {
                ended.overtaken += 1;
                write("accepted", Some("something else was sent beside it"))?;
                self.doubt(transaction, &sent, newer)?;
            }
            (None, None) => {
                ended.accepted += 1;
                accepted(transaction, &sent, self.feed_id, self.at)?;
                let Ending::Done { remark, .. } = self.ending else { return Ok(()) };
                write("accepted", remark.as_deref())?;
            }
        }
        // The same number may have been planned again meanwhile.
        if newer.is_none() {
            transaction
                .prepare_cached("DELETE FROM outbox WHERE account = ?1 AND seller_sku = ?2 AND quantity = ?3")?
                .execute(params![sent.account.as_str(), sent.seller_sku.as_str(), sent.quantity])?;
            keep_doubt(transaction, &sent)?;
        }
        Ok(())
    }

    /// It may have been done: taken for accepted, on readings that nobody knows, so that it is looked at in the next
    /// cycle, and once more when it had time to show. That was before now, and a look at this very moment tells.
    fn unsure(&self, transaction: &Transaction<'_>, sent: &Slot, newer: Option<u32>) -> Result<(), StoreError> {
        if let Some(newer) = newer {
            return self.doubt(transaction, sent, newer);
        }
        transaction
            .prepare_cached(
                "UPDATE listing SET accepted = ?3, accepted_at = ?4, submission_id = ?5, prior = NULL, basis = NULL, \
                 in_doubt = ?6 WHERE account = ?1 AND seller_sku = ?2",
            )?
            .execute(params![
                sent.account.as_str(),
                sent.seller_sku.as_str(),
                sent.quantity,
                millis(self.at) - 1,
                self.feed_id,
                sent.doubted,
            ])?;
        keep_doubt(transaction, sent)
    }

    /// What was accepted by patch since the feed was made.
    fn newer(&self, transaction: &Transaction<'_>, sent: &Slot) -> Result<Option<u32>, StoreError> {
        let mut statement = transaction.prepare_cached(
            "SELECT CASE WHEN accepted_at >= ?3 THEN accepted END FROM listing WHERE account = ?1 AND seller_sku = ?2",
        )?;
        let mut rows = statement.query(params![sent.account.as_str(), sent.seller_sku.as_str(), self.made_at])?;
        Ok(rows.next()?.map(|row| row.get(0)).transpose()?.flatten())
    }

    fn refuse(&self, transaction: &Transaction<'_>, sent: &Slot, text: &str) -> Result<(), StoreError> {
        let failures: usize = transaction
            .prepare_cached("SELECT failures FROM listing WHERE account = ?1 AND seller_sku = ?2")?
            .query_row([sent.account.as_str(), sent.seller_sku.as_str()], |row| row.get(0))?;
        let wait = self.set_aside.get(failures).or_else(|| self.set_aside.last()).copied().unwrap_or_default();
        let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
        let retry_at = self.at.checked_add(wait).unwrap_or(Timestamp::MAX);
        refused(transaction, sent, text, self.at, retry_at)?;
        no_doubt(transaction, sent)
    }

    /// Nobody knows which of the two Amazon did last. A zero is sent again at once; another number is looked at when it
    /// had time to show.
    fn doubt(&self, transaction: &Transaction<'_>, sent: &Slot, newer: u32) -> Result<(), StoreError> {
        let key = (sent.account.as_str(), sent.seller_sku.as_str());
        if newer == 0 {
            transaction
                .prepare_cached(
                    "UPDATE listing SET in_doubt = max(?3, COALESCE(in_doubt, 0)) WHERE account = ?1 AND seller_sku = ?2",
                )?
                .execute(params![key.0, key.1, sent.quantity])?;
        } else {
            transaction
                .prepare_cached(
                    "UPDATE listing SET accepted_at = ?3, prior = NULL WHERE account = ?1 AND seller_sku = ?2",
                )?
                .execute(params![key.0, key.1, millis(self.at)])?;
        }
        Ok(())
    }
}

/// A zero may be under way to it at this moment: what becomes of that is not known yet, and whatever the feed's end
/// says of the listing is no word on it.
fn keep_doubt(transaction: &Transaction<'_>, sent: &Slot) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "UPDATE listing SET in_doubt = max(?3, COALESCE(in_doubt, 0)) WHERE account = ?1 AND seller_sku = ?2 \
             AND EXISTS (SELECT 1 FROM outbox WHERE account = ?1 AND seller_sku = ?2 AND quantity = 0)",
        )?
        .execute(params![sent.account.as_str(), sent.seller_sku.as_str(), sent.quantity])?;
    Ok(())
}
