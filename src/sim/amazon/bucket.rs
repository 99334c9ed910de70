//! Token buckets, counted exactly: a call that comes a nanosecond early is refused.

use std::collections::HashMap;
use std::time::Duration;

use rand::rngs::StdRng;
use tokio::time::Instant;

use super::foreign::{Foreign, Turns};
use super::operation::Operation;

/// What is saved up, as time: a call costs one period, and waiting earns time at the bucket's pace.
#[derive(Debug)]
struct Bucket {
    saved: Duration,
    /// By calls that the foreign consumer made when nothing was left; they are paid first.
    owed: Duration,
    at: Instant,
    foreign: Option<Turns>,
}

/// Calls a second and burst, and how fast it fills against that.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quota {
    pub(super) rate: f64,
    pub(super) burst: u32,
    pub(super) pace: f64,
}

impl Quota {
    fn period(&self) -> Duration {
        Duration::from_secs(1).div_f64(self.rate)
    }
}

impl Bucket {
    fn full(quota: Quota, now: Instant) -> Self {
        Self { saved: quota.period().saturating_mul(quota.burst), owed: Duration::ZERO, at: now, foreign: None }
    }

    fn refill(&mut self, quota: Quota, now: Instant) {
        let earned = now.saturating_duration_since(self.at).mul_f64(quota.pace);
        let paid = earned.min(self.owed);
        self.owed -= paid;
        self.saved =
            self.saved.saturating_add(earned.saturating_sub(paid)).min(quota.period().saturating_mul(quota.burst));
        self.at = now;
    }

    /// What the foreign consumer did until now.
    fn pass(&mut self, quota: Quota, foreign: Foreign, (began, now): (Instant, Instant), rng: &mut StdRng) {
        if foreign.share <= 0.0 {
            self.foreign = None;
            return;
        }
        let every = quota.period().div_f64(quota.pace * foreign.share);
        let mut turns = self.foreign.take().unwrap_or_else(|| Turns::new(self.at, every, rng));
        while let Some(call) = turns.call_until(now, every, rng) {
            self.refill(quota, call);
            if foreign.works(call.saturating_duration_since(began)) {
                let paid = self.saved.min(quota.period());
                self.saved -= paid;
                self.owed += quota.period().saturating_sub(paid);
            }
        }
        self.foreign = Some(turns);
    }

    fn has_one(&self, quota: Quota) -> bool {
        self.saved >= quota.period()
    }

    fn pay(&mut self, quota: Quota) {
        self.saved = self.saved.saturating_sub(quota.period());
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Granted,
    AccountExceeded,
    ApplicationExceeded,
}

/// All buckets, by application, operation and, but for an application's own ceiling, seller.
#[derive(Debug)]
pub(super) struct Buckets {
    began: Instant,
    buckets: HashMap<(String, Operation, Option<String>), Bucket>,
}

impl Buckets {
    pub(super) fn new(now: Instant) -> Self {
        Self { began: now, buckets: HashMap::new() }
    }

    /// Takes one call from the account's bucket and from the application's, or from neither.
    pub(super) fn take(&mut self, seller: &str, client: &str, asked: Asked, now: Instant, rng: &mut StdRng) -> Verdict {
        let Asked { operation, account: quota, application: ceiling, foreign } = asked;
        if operation == Operation::Token {
            return Verdict::Granted;
        }
        let began = self.began;
        let own = (client.to_owned(), operation, Some(seller.to_owned()));
        let account = self.buckets.entry(own.clone()).or_insert_with(|| Bucket::full(quota, now));
        account.pass(quota, foreign, (began, now), rng);
        account.refill(quota, now);
        if !account.has_one(quota) {
            return Verdict::AccountExceeded;
        }
        if let Some(ceiling) = ceiling {
            let shared = (client.to_owned(), operation, None);
            let application = self.buckets.entry(shared).or_insert_with(|| Bucket::full(ceiling, now));
            application.refill(ceiling, now);
            if !application.has_one(ceiling) {
                return Verdict::ApplicationExceeded;
            }
            application.pay(ceiling);
        }
        if let Some(account) = self.buckets.get_mut(&own) {
            account.pay(quota);
        }
        Verdict::Granted
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) operation: Operation,
    pub(super) account: Quota,
    pub(super) application: Option<Quota>,
    pub(super) foreign: Foreign,
}
