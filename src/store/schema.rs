//! Numbered migrations, each applied in a transaction of its own and never changed afterwards.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::StoreError;

const MIGRATIONS: [&str; 7] = [
    include_str!("migrations/0001_start.sql"),
    include_str!("migrations/0002_feeds.sql"),
    include_str!("migrations/0003_trouble.sql"),
    include_str!("migrations/0004_verification.sql"),
    include_str!("migrations/0005_feeds.sql"),
    include_str!("migrations/0006_guards.sql"),
    include_str!("migrations/0007_decisions.sql"),
];

pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let known = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
    loop {
        // Who only looks does not wait for who writes.
        let found = version(connection)?;
        if found > known {
            return Err(StoreError::Newer { path: path.to_owned(), found, known });
        }
        if found == known {
            return Ok(());
        }
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let found = version(&transaction)?;
        let Some(migration) = MIGRATIONS.get(found as usize) else { continue };
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "user_version", found + 1)?;
        transaction.commit()?;
    }
}

fn version(connection: &Connection) -> Result<u32, StoreError> {
    Ok(connection.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}
