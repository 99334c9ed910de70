//! What became of what was sent: the new belief, the journal's row and the emptied slot, kept together.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::{Slot, Store, StoreError, millis};
use crate::model::{AccountName, SellerSku};
pub(super) use crate::plan::Lane;

/// What Amazon made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Accepted {
        submission_id: String,
    },
    /// Amazon said no: nothing was taken in.
    Rejected {
        text: String,
        retry_at: Timestamp,
    },
    /// The attempts ran out without an answer: it may have been taken in.
    NoAnswer {
        text: String,
        retry_at: Timestamp,
    },
    /// It never left: the account could not sign in. The slot stays.
    NotSent,
    /// On its way with others; what becomes of it is known when the feed has ended.
    InFeed {
        feed_id: Option<String>,
    },
    /// It was not sent, for the listing was seen to need or to allow none.
    Withdrawn {
        reason: String,
    },
}

impl Store {
    /// Keeps the outcomes, the journal's rows and the new beliefs together.
    pub async fn record_outcomes(&self, landed: Vec<(Slot, Outcome)>, at: Timestamp) -> Result<(), StoreError> {
        self.write(move |transaction| {
            landed.iter().try_for_each(|(sent, outcome)| record_outcome(transaction, sent, outcome, at))
        })
        .await
    }

    /// Whether a listing of the account was refused and waits for its next try.
    pub async fn waits_after_refusal(&self, account: &AccountName, now: Timestamp) -> Result<bool, StoreError> {
        let account = account.clone();
        self.call(move |connection| {
            let mut statement = connection
                .prepare_cached("SELECT EXISTS (SELECT 1 FROM listing WHERE account = ?1 AND retry_at > ?2)")?;
            Ok(statement.query_row(params![account.as_str(), millis(now)], |row| row.get(0))?)
        })
        .await
    }

    /// How often this listing was refused in a row.
    pub async fn failures(&self, account: &AccountName, seller_sku: &SellerSku) -> Result<u32, StoreError> {
        let (account, seller_sku) = (account.clone(), seller_sku.clone());
        self.call(move |connection| failures(connection, &account, &seller_sku)).await
    }
}

fn record_outcome(
    transaction: &Transaction<'_>,
    sent: &Slot,
    outcome: &Outcome,
    at: Timestamp,
) -> Result<(), StoreError> {
    match outcome {
        Outcome::Accepted { submission_id } => {
            accepted(transaction, sent, submission_id, at)?;
            journal(transaction, sent, at, Lane::Patch, Some(submission_id), "accepted", None)?;
        }
        Outcome::Rejected { text, retry_at } => {
            refused(transaction, sent, text, at, *retry_at)?;
            no_doubt(transaction, sent)?;
            journal(transaction, sent, at, Lane::Patch, None, "rejected", Some(text))?;
        }
        Outcome::NoAnswer { text, retry_at } => {
            refused(transaction, sent, text, at, *retry_at)?;
            journal(transaction, sent, at, Lane::Patch, None, "no_answer", Some(text))?;
        }
        Outcome::NotSent => return no_doubt(transaction, sent),
        Outcome::InFeed { .. } | Outcome::Withdrawn { .. } => return Ok(()),
    }
    // A newer value may have come into the slot meanwhile: it stays.
    transaction
        .prepare_cached("DELETE FROM outbox WHERE account = ?1 AND seller_sku = ?2 AND quantity = ?3")?
        .execute(params![sent.account.as_str(), sent.seller_sku.as_str(), sent.quantity])?;
    Ok(())
}

fn failures(connection: &Connection, account: &AccountName, seller_sku: &SellerSku) -> Result<u32, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT failures FROM listing WHERE account = ?1 AND seller_sku = ?2")?;
    let found = statement.query_row(params![account.as_str(), seller_sku.as_str()], |row| row.get(0)).optional()?;
    Ok(found.unwrap_or(0))
}

pub(super) fn accepted(
    transaction: &Transaction<'_>,
    sent: &Slot,
    submission_id: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "UPDATE listing SET \
             prior = CASE WHEN accepted_at >= COALESCE(observed_at, 0) THEN accepted ELSE observed END, \
             accepted = ?3, accepted_at = ?4, submission_id = ?5, in_doubt = NULL, basis = ?6, \
             failures = 0, refused_at = NULL, retry_at = NULL, refusal = NULL \
             WHERE account = ?1 AND seller_sku = ?2",
        )?
        .execute(params![
            sent.account.as_str(),
            sent.seller_sku.as_str(),
            sent.quantity,
            millis(at),
            submission_id,
            sent.basis,
        ])?;
    Ok(())
}

/// This quantity did not reach the listing; an earlier one may have.
pub(super) fn no_doubt(transaction: &Transaction<'_>, sent: &Slot) -> Result<(), StoreError> {
    transaction
        .prepare_cached("UPDATE listing SET in_doubt = ?3 WHERE account = ?1 AND seller_sku = ?2")?
        .execute(params![sent.account.as_str(), sent.seller_sku.as_str(), sent.doubted])?;
    Ok(())
}

pub(super) fn refused(
    transaction: &Transaction<'_>,
    sent: &Slot,
    text: &str,
    at: Timestamp,
    retry_at: Timestamp,
) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "UPDATE listing SET failures = failures + 1, refused_at = ?3, retry_at = ?4, refusal = ?5 \
             WHERE account = ?1 AND seller_sku = ?2",
        )?
        .execute(params![sent.account.as_str(), sent.seller_sku.as_str(), millis(at), millis(retry_at), text])?;
    Ok(())
}

pub(super) fn journal(
    transaction: &Transaction<'_>,
    sent: &Slot,
    at: Timestamp,
    lane: Lane,
    submission_id: Option<&str>,
    outcome: &str,
    detail: Option<&str>,
) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "INSERT INTO journal (at, account, seller_sku, store, from_quantity, quantity, reasons, reading, lane, \
             plan_id, submission_id, outcome, detail) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?13, ?9, ?10, ?11, ?12)",
        )?
        .execute(params![
            millis(at),
            sent.account.as_str(),
            sent.seller_sku.as_str(),
            sent.store.as_str(),
            sent.from,
            sent.quantity,
            sent.reasons,
            sent.basis,
            sent.plan_id,
            submission_id,
            outcome,
            detail,
            lane.as_str(),
        ])?;
    Ok(())
}
