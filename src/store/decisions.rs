//! What people decided: which stores send, what is paused, and what is held or set by hand.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::outbox::take_back;
use super::{Store, StoreError, millis, time};
use crate::model::{AccountName, SellerSku, StoreName};

/// A store that may send, and the pair of shop and seller for which that was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveStore {
    pub since: Timestamp,
    /// `config` or `apply`.
    pub decided: String,
    pub base_url: String,
    pub seller_id: String,
}

/// What is paused.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    All,
    Account(AccountName),
    Store(StoreName),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    pub scope: Scope,
    pub reason: String,
    pub since: Timestamp,
    pub until: Option<Timestamp>,
}

/// A person's word on one listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// `None`: in every account.
    pub account: Option<AccountName>,
    pub seller_sku: SellerSku,
    /// `None`: held as it is.
    pub quantity: Option<u32>,
    pub reason: String,
    pub since: Timestamp,
    pub until: Option<Timestamp>,
}

impl Scope {
    const fn kind(&self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Account(_) => "account",
            Self::Store(_) => "store",
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::All => "",
            Self::Account(name) => name.as_str(),
            Self::Store(name) => name.as_str(),
        }
    }

    pub fn covers(&self, account: &AccountName, store: &StoreName) -> bool {
        match self {
            Self::All => true,
            Self::Account(name) => name == account,
            Self::Store(name) => name == store,
        }
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::All => f.write_str("everything"),
            Self::Account(name) => write!(f, "account {name}"),
            Self::Store(name) => write!(f, "store {name}"),
        }
    }
}

fn optional(column: &'static str, at: Option<i64>) -> Result<Option<Timestamp>, StoreError> {
    at.map(|at| time(column, at)).transpose()
}

fn pause(row: &Row<'_>) -> Result<Pause, StoreError> {
    let (kind, name): (String, String) = (row.get("scope")?, row.get("name")?);
    let scope = match kind.as_str() {
        "all" => Scope::All,
        "account" => Scope::Account(name.into()),
        "store" => Scope::Store(name.into()),
        _ => return Err(StoreError::Corrupt { column: "pause.scope", value: kind }),
    };
    Ok(Pause {
        scope,
        reason: row.get("reason")?,
        since: time("pause.since", row.get("since")?)?,
        until: optional("pause.until", row.get("until")?)?,
    })
}

fn word(row: &Row<'_>) -> Result<Word, StoreError> {
    let account: String = row.get("account")?;
    Ok(Word {
        account: (!account.is_empty()).then(|| account.into()),
        seller_sku: row.get::<_, String>("seller_sku")?.into(),
        quantity: row.get("quantity")?,
        reason: row.get("reason")?,
        since: time("manual.since", row.get("since")?)?,
        until: optional("manual.until", row.get("until")?)?,
    })
}

impl Store {
    pub async fn live_stores(&self) -> Result<BTreeMap<StoreName, LiveStore>, StoreError> {
        self.call(|connection| {
            let mut statement = connection.prepare_cached("SELECT * FROM live_store")?;
            let mut rows = statement.query([])?;
            let mut stores = BTreeMap::new();
            while let Some(row) = rows.next()? {
                let live = LiveStore {
                    since: time("live_store.since", row.get("since")?)?,
                    decided: row.get("decided")?,
                    base_url: row.get("base_url")?,
                    seller_id: row.get("seller_id")?,
                };
                stores.insert(row.get::<_, String>("store")?.into(), live);
            }
            Ok(stores)
        })
        .await
    }

    /// A store may send from now on, for this pair of shop and seller and for no other.
    pub async fn go_live(&self, store: &StoreName, live: LiveStore) -> Result<(), StoreError> {
        let store = store.clone();
        self.write(move |transaction| {
            transaction.execute(
                "INSERT OR REPLACE INTO live_store (store, since, decided, base_url, seller_id) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![store.as_str(), millis(live.since), live.decided, live.base_url, live.seller_id],
            )?;
            Ok(())
        })
        .await
    }

    /// Pauses, and takes back what waits to be sent: it is planned anew when the pause ends. What is under way lands.
    pub async fn pause(&self, pause: Pause) -> Result<(), StoreError> {
        self.write(move |transaction| {
            let Pause { scope, reason, since, until } = pause;
            transaction.execute(
                "INSERT OR REPLACE INTO pause (scope, name, reason, since, until) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![scope.kind(), scope.name(), reason, millis(since), until.map(millis)],
            )?;
            take_back(transaction)
        })
        .await
    }

    /// Ends pauses: of this scope, or with [`Scope::All`] every one. Says what was ended.
    pub async fn resume(&self, scope: Scope) -> Result<Vec<Pause>, StoreError> {
        self.write(move |transaction| {
            take(
                transaction,
                "DELETE FROM pause WHERE ?1 = 'all' OR scope = ?1 AND name = ?2 RETURNING *",
                params![scope.kind(), scope.name()],
                pause,
            )
        })
        .await
    }

    pub async fn pauses(&self) -> Result<Vec<Pause>, StoreError> {
        self.call(|connection| {
            let mut statement = connection.prepare_cached("SELECT * FROM pause ORDER BY scope, name")?;
            let mut rows = statement.query([])?;
            let mut pauses = Vec::new();
            while let Some(row) = rows.next()? {
                pauses.push(pause(row)?);
            }
            Ok(pauses)
        })
        .await
    }

    /// Holds a listing or sets its number.
    pub async fn set_word(&self, word: Word) -> Result<(), StoreError> {
        self.write(move |transaction| {
            let account = word.account.as_ref().map_or("", AccountName::as_str);
            transaction.execute(
                "INSERT OR REPLACE INTO manual (account, seller_sku, quantity, reason, since, until) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    account,
                    word.seller_sku.as_str(),
                    word.quantity,
                    word.reason,
                    millis(word.since),
                    word.until.map(millis)
                ],
            )?;
            take_back(transaction)
        })
        .await
    }

    /// Takes the word on a listing back, in one account or in all; says what it was.
    pub async fn end_words(
        &self,
        account: Option<&AccountName>,
        seller_sku: &SellerSku,
    ) -> Result<Vec<Word>, StoreError> {
        let (account, seller_sku) = (account.cloned(), seller_sku.clone());
        self.write(move |transaction| {
            take(
                transaction,
                "DELETE FROM manual WHERE seller_sku = ?1 AND (?2 IS NULL OR account = ?2) RETURNING *",
                params![seller_sku.as_str(), account.as_ref().map(AccountName::as_str)],
                word,
            )
        })
        .await
    }

    pub async fn words(&self) -> Result<Vec<Word>, StoreError> {
        self.call(|connection| {
            let mut statement = connection.prepare_cached("SELECT * FROM manual ORDER BY account, seller_sku")?;
            let mut rows = statement.query([])?;
            let mut words = Vec::new();
            while let Some(row) = rows.next()? {
                words.push(word(row)?);
            }
            Ok(words)
        })
        .await
    }

    /// Ends what was to end by now; says what that was.
    pub async fn expire_decisions(&self, now: Timestamp) -> Result<(Vec<Pause>, Vec<Word>), StoreError> {
        let due: bool = self
            .call(move |connection| {
                let mut statement = connection.prepare_cached(
                    "SELECT EXISTS (SELECT 1 FROM pause WHERE until <= ?1) OR EXISTS (SELECT 1 FROM manual WHERE until <= ?1)",
                )?;
                Ok(statement.query_row([millis(now)], |row| row.get(0)).optional()?.unwrap_or(false))
            })
            .await?;
        if !due {
            return Ok((Vec::new(), Vec::new()));
        }
        self.write(move |transaction| {
            let until = [millis(now)];
            let pauses = take(
                transaction,
                "DELETE FROM pause WHERE until <= ?1 RETURNING *",
                rusqlite::params_from_iter(until),
                pause,
            )?;
            let words = take(
                transaction,
                "DELETE FROM manual WHERE until <= ?1 RETURNING *",
                rusqlite::params_from_iter(until),
                word,
            )?;
            Ok((pauses, words))
        })
        .await
    }
}

fn take<T>(
    transaction: &Transaction<'_>,
    sql: &str,
    params: impl rusqlite::Params,
    read: fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = transaction.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut taken = Vec::new();
    while let Some(row) = rows.next()? {
        taken.push(read(row)?);
    }
    Ok(taken)
}
