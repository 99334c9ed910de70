//! Our share of a server that has other users: how many requests run at once, and how much time they take.

use std::ops::Sub;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::budget::Budget;
use super::tempo::{Sign, Tempo};
use super::{Answer, Fault};
use crate::clock::Clock;

/// Limits the requests to one server, in the order they asked.
#[derive(Debug)]
pub struct Share {
    clock: Clock,
    /// Whoever waits to leave holds this; the others stand behind.
    queue: tokio::sync::Mutex<()>,
    state: Mutex<State>,
    changed: Notify,
    hurries: AtomicUsize,
}

#[derive(Debug)]
struct State {
    tempo: Tempo,
    running: usize,
    budget: Budget,
    load: Load,
}

impl State {
    /// Lets a request in, or says how long it has to wait; None is until another ends.
    fn enter(&mut self, charged: bool, now: Instant) -> Result<(), Option<Duration>> {
        let over_budget = self.budget.wait(now).filter(|_| charged);
        if let Some(wait) = over_budget.max(self.tempo.quiet(now)) {
            return Err(Some(wait));
        }
        if self.running >= self.tempo.at_once() {
            return Err(None);
        }
        self.running += 1;
        Ok(())
    }
}

/// What a server was asked to do. It only grows; the difference of two is what happened in between.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Repetitions included.
    pub requests: u64,
    /// Time in requests that have ended, from leaving to the whole body; requests at once add up.
    pub busy: Duration,
}

impl Sub for Load {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self { requests: self.requests.saturating_sub(earlier.requests), busy: self.busy.saturating_sub(earlier.busy) }
    }
}

/// While it lives, no request waits for the budget, and none is charged to it: somebody waits for the answers.
#[derive(Debug)]
#[must_use = "the hurry ends when this is dropped"]
pub struct Hurry<'a>(&'a Share);

impl Drop for Hurry<'_> {
    fn drop(&mut self) {
        self.0.hurries.fetch_sub(1, Ordering::SeqCst);
    }
}

/// One of the requests that run at once. Dropping it ends the request, whatever became of it.
#[derive(Debug)]
pub(super) struct Running<'a> {
    share: &'a Share,
    charged: bool,
    left: Option<Instant>,
}

impl Running<'_> {
    /// The request leaves now; what came before was preparation.
    pub(super) fn leave(&mut self, now: Instant) {
        self.left = Some(now);
        let mut state = self.share.state();
        state.load.requests += 1;
        if self.charged {
            state.budget.start(now);
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let now = self.share.clock.instant();
        let mut state = self.share.state();
        state.running -= 1;
        if let Some(left) = self.left {
            state.load.busy += now - left;
            if self.charged {
                state.budget.end(now);
            }
        }
        drop(state);
        self.share.changed.notify_one();
    }
}

impl Share {
    /// At most `at_once` requests run at once, fewer while the server is in trouble, and their time together is at most
    /// `max_load_thousandths` of the time that passes, but for a reserve of a minute.
    pub fn new(clock: Clock, at_once: usize, max_load_thousandths: u32) -> Self {
        let state = State {
            tempo: Tempo::new(at_once),
            running: 0,
            budget: Budget::new(max_load_thousandths, clock.instant()),
            load: Load::default(),
        };
        let queue = tokio::sync::Mutex::new(());
        Self { clock, queue, state: Mutex::new(state), changed: Notify::new(), hurries: AtomicUsize::new(0) }
    }

    pub fn load(&self) -> Load {
        self.state().load
    }

    pub fn hurry(&self) -> Hurry<'_> {
        self.hurries.fetch_add(1, Ordering::SeqCst);
        self.changed.notify_one();
        Hurry(self)
    }

    pub(super) async fn acquire(&self) -> Running<'_> {
        let _turn = self.queue.lock().await;
        let mut told = false;
        loop {
            match self.enter() {
                Ok(running) => return running,
                Err(Some(wait)) => {
                    if !std::mem::replace(&mut told, true) {
                        tracing::debug!(
                            event = "request_held_back",
                            wait_ms = super::millis(wait),
                            "a request waits: the share of time for requests is used up, or the server asked for quiet"
                        );
                    }
                    // A hurry ends the wait early; a stored change only makes this look again.
                    let _ = tokio::time::timeout(wait, self.changed.notified()).await;
                }
                Err(None) => self.changed.notified().await,
            }
        }
    }

    /// Learns from an attempt how much the server bears.
    pub(super) fn observe(
        &self,
        operation: &'static str,
        left: Instant,
        took: Duration,
        outcome: &Result<Answer, Fault>,
    ) {
        let sign = match outcome {
            Ok(_) => Sign::Good,
            Err(Fault::Transient { status: Some(429 | 503), after, .. }) => Sign::Busy(*after),
            Err(_) => Sign::Other,
        };
        let (before, after) = {
            let tempo = &mut self.state().tempo;
            let before = tempo.at_once();
            tempo.observe(operation, left, took, sign);
            (before, tempo.at_once())
        };
        if after < before {
            tracing::info!(
                event = "concurrency_lowered",
                operation,
                duration_ms = super::millis(took),
                at_once = after,
                "the server is busy or slow and gets fewer requests at once"
            );
        }
    }

    fn enter(&self) -> Result<Running<'_>, Option<Duration>> {
        let charged = self.hurries.load(Ordering::SeqCst) == 0;
        self.state().enter(charged, self.clock.instant())?;
        Ok(Running { share: self, charged, left: None })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
