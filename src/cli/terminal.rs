//! The terminal: stdout for what was asked for, stderr for what goes wrong and what is under way.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressStyle};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::config::LogFormat;

/// The bar that log lines have to step around, while there is one.
static BAR: Mutex<Option<ProgressBar>> = Mutex::new(None);

static MACHINES: AtomicBool = AtomicBool::new(false);

/// Prints to stdout. A reader that went away (`| head`) is no failure.
pub(super) fn say(text: &str) {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush()).ok();
}

/// With JSON logs stderr is for machines: what is complained of becomes a line of the log.
pub(super) fn complain_in(format: LogFormat) {
    MACHINES.store(format == LogFormat::Json, Ordering::Relaxed);
}

/// Prints to stderr.
pub(super) fn complain(text: &str) {
    if MACHINES.load(Ordering::Relaxed) {
        tracing::error!(event = "complaint", "{text}");
        return;
    }
    let mut line = LogLine;
    for part in text.lines() {
        line.write_all(part.as_bytes()).and_then(|()| line.write_all(b"\n")).ok();
    }
}

pub(super) fn log_writer() -> Box<dyn Write + Send> {
    Box::new(LogLine)
}

struct LogLine;

impl Write for LogLine {
    /// Never fails: who logs would complain of it to the same stderr, and die of that.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let bar = BAR.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match bar {
            Some(bar) => bar.suspend(|| io::stderr().write_all(bytes)),
            None => io::stderr().write_all(bytes),
        }
        .ok();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Ctrl-C, and what `kill` and systemd send.
#[derive(Debug)]
pub(super) struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
}

impl StopSignals {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for one of them.
    pub(super) async fn told(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// A bar on a terminal, nothing in a pipe.
#[derive(Debug)]
pub(super) struct Bar(Option<ProgressBar>);

impl Bar {
    pub(super) fn new(wanted: bool) -> Self {
        if !wanted || !io::stderr().is_terminal() {
            return Self(None);
        }
        let bar = ProgressBar::new_spinner();
        bar.enable_steady_tick(std::time::Duration::from_millis(120));
        *BAR.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar.clone());
        Self(Some(bar))
    }

    pub(super) fn message(&self, text: String) {
        if let Some(bar) = &self.0 {
            bar.set_message(text);
        }
    }

    /// So many more to send.
    pub(super) fn expect(&self, count: u64) {
        let Some(bar) = &self.0 else { return };
        let length = bar.length().unwrap_or(0) + count;
        bar.set_length(length);
        let style = "{bar:30} {pos}/{len} sent, {per_sec}, {eta} left  {wide_msg}";
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
    }

    pub(super) fn step(&self) {
        if let Some(bar) = &self.0 {
            bar.inc(1);
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
            *BAR.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }
}
