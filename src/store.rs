//! What survives a restart. SQLite in a file, one writer, every call on a blocking thread: the runtime's clock may be
//! paused, and a query then still finishes.

mod cycles;
mod decisions;
mod drifts;
mod feed_endings;
mod feed_times;
mod feeds;
mod held;
mod listings;
mod outbox;
mod outcomes;
mod readings;
mod schema;
mod suspects;
mod sweeps;
mod watch;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::Connection;

pub use cycles::{CycleRecord, JournalEntry, JournalFilter, Trouble};
pub use decisions::{LiveStore, Pause, Scope, Word};
pub use drifts::DriftRecord;
pub use feed_endings::{Ended, Ending};
pub use feeds::{FeedBound, FeedState, OpenFeed};
pub use held::{HeldBy, HeldPlan, Holding};
pub use listings::{Moved, Observation};
pub use outbox::{Ahead, Settled, Slot};
pub use outcomes::Outcome;
pub use readings::{StoredProduct, StoredStock};
pub use suspects::{Cause, Settings};
pub use sweeps::SweepRecord;
pub use watch::{IndexChange, IndexRow, SeenOrder};

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("open the state {path}: {text}", path = path.display())]
    Open { path: PathBuf, text: String },
    #[error("state {path} was made by a newer stocksync (schema {found}, this one knows {known})", path = path.display())]
    Newer { path: PathBuf, found: u32, known: u32 },
    #[error("use the state: {0}")]
    Sql(#[from] rusqlite::Error),
    #[error("use the state: column {column} holds {value:?}")]
    Corrupt { column: &'static str, value: String },
    #[error("use the state: {0}")]
    Panicked(String),
}

#[derive(Clone)]
pub struct Store {
    connection: Arc<Mutex<Connection>>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}

impl Store {
    /// Opens the state file, makes it when it is not there, and brings it to this version's schema.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let failed = |text: String| StoreError::Open { path: path.to_owned(), text };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|error| failed(format!("{}: {error}", folder.display())))?;
        }
        let mut connection = Connection::open(path).map_err(|error| failed(error.to_string()))?;
        // A short wait for the other process that may look into the file: `status`, `explain`, a shell.
        connection.busy_timeout(Duration::from_secs(10))?;
        connection
            .pragma_update(None, "journal_mode", "wal")
            .and_then(|()| connection.pragma_update(None, "synchronous", "full"))
            .and_then(|()| connection.pragma_update(None, "cache_size", -16_000))
            .map_err(|error| failed(error.to_string()))?;
        schema::migrate(&mut connection, path)?;
        watch::prepare(&connection)?;
        Ok(Self { connection: Arc::new(Mutex::new(connection)) })
    }

    async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let connection = Arc::clone(&self.connection);
        tokio::task::spawn_blocking(move || {
            let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            work(&mut connection)
        })
        .await
        .map_err(|error| StoreError::Panicked(error.to_string()))?
    }

    /// The same inside one transaction that takes the write lock at once: all of it is kept, or nothing.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&rusqlite::Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.call(move |connection| {
            let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
            let value = work(&transaction)?;
            transaction.commit()?;
            Ok(value)
        })
        .await
    }
}

fn millis(at: Timestamp) -> i64 {
    at.as_millisecond()
}

fn time(column: &'static str, millis: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(millis).map_err(|_| StoreError::Corrupt { column, value: millis.to_string() })
}

/// A list as one parameter. Where it is joined, `CROSS JOIN` keeps it outside: left to itself, SQLite goes through the
/// table and looks every row up in the list.
fn json_list<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<serde_json::Value> = items.into_iter().map(|item| item.as_ref().into()).collect();
    serde_json::Value::from(items).to_string()
}
