//! Who may work on a state: one process at a time. The lock is the kernel's, so a killed holder frees it at once.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    #[error("lock {path}: held by {holder}", path = path.display())]
    Held { path: PathBuf, holder: String },
    #[error("lock {path}: {error}", path = path.display())]
    Io { path: PathBuf, error: std::io::Error },
}

/// Held as long as this lives.
#[derive(Debug)]
pub struct Lease(#[expect(dead_code, reason = "dropping it frees the lock")] File);

impl Lease {
    /// Takes the lock beside the state file. `who` is told to whoever comes second.
    pub fn take(state: &Path, who: &str) -> Result<Self, LeaseError> {
        let mut path = state.as_os_str().to_owned();
        path.push(".lock");
        let path = PathBuf::from(path);
        let io = |error| LeaseError::Io { path: path.clone(), error };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(io)?;
        }
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder).map_err(io)?;
                let holder = if holder.is_empty() { "another process".into() } else { holder };
                return Err(LeaseError::Held { path, holder });
            }
            Err(TryLockError::Error(error)) => return Err(io(error)),
        }
        file.set_len(0).and_then(|()| file.rewind()).map_err(io)?;
        write!(file, "`stocksync {who}`, process {}", std::process::id()).map_err(io)?;
        Ok(Self(file))
    }
}

#[cfg(test)]
mod tests {
    use super::{Lease, LeaseError};

    #[test]
    fn the_second_is_told_who_holds_it_and_gets_it_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("deep/state.db");
        let lease = Lease::take(&state, "run").unwrap();
        let Err(LeaseError::Held { holder, .. }) = Lease::take(&state, "resync") else { panic!("two hold it") };
        assert!(holder.contains("`stocksync run`"), "{holder}");
        drop(lease);
        Lease::take(&state, "resync").unwrap();
    }
}
