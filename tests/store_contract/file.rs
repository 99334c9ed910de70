//! The SQLite file: made, opened again, too new, broken, or in the wrong place.

use std::fs;
use std::path::Path;

use stocksync::store::{Store, StoreError};
use tempfile::tempdir;

use crate::bench::{acme, at};

fn refusal(path: &Path) -> (StoreError, String) {
    let error = Store::open(path).unwrap_err();
    let text = error.to_string();
    (error, text)
}

#[tokio::test]
async fn a_new_file_is_made_with_its_folders_and_opened_again() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("deep/er/state.db");
    let store = Store::open(&path).unwrap();
    store.save_discovery(&acme(), &"X".into(), vec!["MUG".into()], at(0)).await.unwrap();
    drop(store);
    let again = Store::open(&path).unwrap();
    assert_eq!(again.listings_after(&acme(), None, 10).await.unwrap().len(), 1);
}

#[test]
fn the_newest_schema_is_stamped_into_the_file() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("state.db");
    let version = |path: &Path| -> u32 {
        let connection = rusqlite::Connection::open(path).unwrap();
        connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
    };
    drop(Store::open(&path).unwrap());
    let made = version(&path);
    assert!(made > 0);
    drop(Store::open(&path).unwrap());
    assert_eq!(version(&path), made);
}

#[test]
fn a_file_of_a_newer_version_is_left_alone() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("state.db");
    drop(Store::open(&path).unwrap());
    let connection = rusqlite::Connection::open(&path).unwrap();
    let known: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let (error, text) = refusal(&path);
    assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error:?}");
    let expected =
        format!("state {} was made by a newer stocksync (schema 99, this one knows {known})", path.display());
    assert_eq!(text, expected);
}

#[test]
fn who_opens_a_file_does_not_wait_for_who_writes_it() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("state.db");
    drop(Store::open(&path).unwrap());
    let writer = rusqlite::Connection::open(&path).unwrap();
    writer.execute_batch("BEGIN IMMEDIATE").unwrap();
    Store::open(&path).unwrap();
}

#[test]
fn a_file_that_is_no_database_is_said_to_be_none_and_not_touched() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("state.db");
    let text = "not a database, but somebody's only copy of something\n".repeat(100);
    fs::write(&path, &text).unwrap();
    let (error, said) = refusal(&path);
    assert!(matches!(error, StoreError::Open { .. }), "{error:?}");
    assert_eq!(said, format!("open the state {}: file is not a database", path.display()));
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[tokio::test]
async fn a_damaged_file_is_an_error_and_no_panic() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("state.db");
    let store = Store::open(&path).unwrap();
    let many = (0..20_000).map(|number| format!("SKU-{number:05}").into()).collect();
    store.save_discovery(&acme(), &"X".into(), many, at(0)).await.unwrap();
    drop(store);
    let mut bytes = fs::read(&path).unwrap();
    assert!(bytes.len() > 400_000, "{} bytes", bytes.len());
    bytes[100_000..].fill(0xa5);
    fs::write(&path, bytes).unwrap();
    let failed = match Store::open(&path) {
        Err(error) => error,
        Ok(store) => store.listings_after(&acme(), None, 50_000).await.unwrap_err(),
    };
    assert!(failed.to_string().ends_with("database disk image is malformed"), "{failed}");
}

#[test]
fn a_place_that_cannot_be_is_named() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    for (path, expected) in [
        (folder.path().join("file/state.db"), "file: File exists"),
        (folder.path().to_owned(), "unable to open database file"),
    ] {
        let (error, text) = refusal(&path);
        assert!(matches!(error, StoreError::Open { .. }), "{error:?}");
        let start = format!("open the state {}: ", path.display());
        assert!(text.starts_with(&start) && text.contains(expected), "{text}");
    }
}

#[test]
fn a_folder_that_may_not_be_written_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o555)).unwrap();
    if fs::write(folder.path().join("probe"), "").is_ok() {
        eprintln!("skipped: root may write anywhere");
        return;
    }
    for place in ["state.db", "deep/state.db"] {
        let path = folder.path().join(place);
        let (_, text) = refusal(&path);
        assert!(text.starts_with(&format!("open the state {}: ", path.display())), "{text}");
    }
}
