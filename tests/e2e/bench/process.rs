//! The binary as a child: its output in files, its end waited for, never left behind.

use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use super::{PATIENCE, eventually};

static STARTED: AtomicU32 = AtomicU32::new(0);

#[derive(Debug)]
pub(crate) struct Process {
    child: Mutex<Child>,
    out: PathBuf,
    err: PathBuf,
}

/// What a command came to.
#[derive(Debug)]
pub(crate) struct Ran {
    /// 128 and the signal's number when one ended it, as a shell tells it.
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Process {
    pub(crate) fn start<S: AsRef<OsStr>>(
        args: impl IntoIterator<Item = S>,
        env: &[(&str, &str)],
        folder: &Path,
    ) -> Self {
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let (out, err) = (folder.join(format!("{number}.out")), folder.join(format!("{number}.err")));
        let child = Command::new(env!("CARGO_BIN_EXE_stocksync"))
            .args(args)
            .current_dir(folder)
            .env_remove("STOCKSYNC_CONFIG")
            .env_remove("NOTIFY_SOCKET")
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .stdout(File::create(&out).unwrap())
            .stderr(File::create(&err).unwrap())
            .spawn()
            .unwrap();
        Self { child: Mutex::new(child), out, err }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.lock().unwrap().id()
    }

    pub(crate) fn is_running(&self) -> bool {
        self.ended().is_none()
    }

    fn ended(&self) -> Option<ExitStatus> {
        self.child.lock().unwrap().try_wait().unwrap()
    }

    /// What it printed so far.
    pub(crate) fn out(&self) -> String {
        std::fs::read_to_string(&self.out).unwrap()
    }

    pub(crate) fn err(&self) -> String {
        std::fs::read_to_string(&self.err).unwrap()
    }

    /// `TERM`, `INT`, `HUP`, …
    pub(crate) fn signal(&self, name: &str) {
        signal(self.id(), name);
    }

    /// Kills it without a warning.
    pub(crate) fn kill(self) {
        let mut child = self.child.lock().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Waits for its end.
    pub(crate) fn end(self) -> Ran {
        use std::os::unix::process::ExitStatusExt;
        let mut status = None;
        eventually(&format!("the end of the command, for {} s", PATIENCE.as_secs()), || {
            status = self.ended();
            status.is_some()
        });
        let status = status.unwrap();
        let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default());
        Ran { code, out: self.out(), err: self.err() }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Ok(mut child) = self.child.lock() {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

pub(crate) fn signal(process: u32, name: &str) {
    let status = Command::new("sh").arg("-c").arg(format!("kill -{name} {process}")).status().unwrap();
    assert!(status.success(), "no signal {name} to {process}");
}

impl Ran {
    /// Panics with everything it said unless it ended with this code.
    #[track_caller]
    pub(crate) fn ended_with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error} in:\n{}\n{}", self.out, self.err))
    }

    /// Both streams.
    pub(crate) fn all(&self) -> String {
        format!("{}{}", self.out, self.err)
    }
}
