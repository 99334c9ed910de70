//! How many requests at once a server bears: fewer when it is busy or slow, then more again, one by one.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use super::LONGEST_TOLD_DELAY;

/// Answers by which an operation's usual time is known. More, and a lasting change stays unusual for longer.
const REMEMBERED: usize = 15;
/// With fewer, one odd answer decides what is usual.
const ENOUGH: usize = 5;
/// So many times the usual is slow. Less, and answers that differ by what was asked count as slow.
const UNUSUAL: u32 = 4;
/// Below this nobody is in trouble, however much faster it was before.
const NEVER_SLOW: Duration = Duration::from_secs(5);
/// Good answers until one more request may run. Fewer, and a server that recovers is pushed over again.
const RUN: u32 = 10;

#[derive(Debug)]
pub(super) struct Tempo {
    most: usize,
    at_once: usize,
    /// Good answers since the last change.
    good: u32,
    /// Requests that were under way then tell nothing new.
    lowered: Option<Instant>,
    quiet_until: Option<Instant>,
    took: HashMap<&'static str, VecDeque<Duration>>,
}

/// What an attempt says about the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Good,
    /// It says that it has too much to do, and perhaps for how long.
    Busy(Option<Duration>),
    /// A refusal, or no answer.
    Other,
}

impl Tempo {
    pub(super) fn new(most: usize) -> Self {
        let most = most.max(1);
        Self { most, at_once: most, good: 0, lowered: None, quiet_until: None, took: HashMap::new() }
    }

    pub(super) fn at_once(&self) -> usize {
        self.at_once
    }

    /// How long the server asked to be left alone.
    pub(super) fn quiet(&self, now: Instant) -> Option<Duration> {
        self.quiet_until?.checked_duration_since(now).filter(|left| !left.is_zero())
    }

    pub(super) fn observe(&mut self, operation: &'static str, left: Instant, took: Duration, sign: Sign) {
        let ended = left + took;
        let slow = took > NEVER_SLOW && self.usual(operation).is_some_and(|usual| took > usual * UNUSUAL);
        match sign {
            Sign::Busy(told) => {
                self.lower(left, ended);
                let quiet_until = told.map(|told| ended + told.min(LONGEST_TOLD_DELAY));
                self.quiet_until = self.quiet_until.max(quiet_until);
            }
            Sign::Good | Sign::Other if slow => self.lower(left, ended),
            Sign::Good => self.raise(),
            Sign::Other => {}
        }
        if sign == Sign::Good {
            let took_before = self.took.entry(operation).or_default();
            took_before.push_back(took);
            if took_before.len() > REMEMBERED {
                took_before.pop_front();
            }
        }
    }

    fn lower(&mut self, left: Instant, now: Instant) {
        self.good = 0;
        if self.lowered.is_none_or(|lowered| left >= lowered) {
            self.at_once = (self.at_once / 2).max(1);
            self.lowered = Some(now);
        }
    }

    fn raise(&mut self) {
        self.good += 1;
        if self.good >= RUN {
            self.good = 0;
            self.at_once = self.most.min(self.at_once + 1);
        }
    }

    /// The median of what an operation took lately.
    fn usual(&self, operation: &str) -> Option<Duration> {
        let mut took: Vec<Duration> = self.took.get(operation)?.iter().copied().collect();
        took.sort_unstable();
        took.get(took.len() / 2).filter(|_| took.len() >= ENOUGH).copied()
    }
}

#[cfg(test)]
#[path = "tempo_tests.rs"]
mod tests;
