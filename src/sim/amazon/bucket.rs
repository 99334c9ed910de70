//! Token buckets, counted exactly: a call that comes a nanosecond early is refused.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use super::operation::Operation;

/// What is saved up, as time: a call costs one period, and waiting earns time at the bucket's pace.
#[derive(Debug)]
struct Bucket {
    saved: Duration,
    at: Instant,
}

impl Bucket {
    fn refill(&mut self, period: Duration, burst: u32, pace: f64, now: Instant) {
        let earned = now.saturating_duration_since(self.at).mul_f64(pace);
        self.saved = self.saved.saturating_add(earned).min(period.saturating_mul(burst));
        self.at = now;
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Granted,
    AccountExceeded,
    ApplicationExceeded,
}

/// All buckets, by application, operation and, but for an application's own ceiling, seller.
#[derive(Debug, Default)]
pub(super) struct Buckets(HashMap<(String, Operation, Option<String>), Bucket>);

impl Buckets {
    /// Takes one call from the account's bucket and from the application's, or from neither.
    pub(super) fn take(&mut self, seller: &str, client: &str, asked: Asked, now: Instant) -> Verdict {
        let Asked { operation, pace, application_pace } = asked;
        if operation == Operation::Token {
            return Verdict::Granted;
        }
        let account = (client.to_owned(), operation, Some(seller.to_owned()));
        if !self.has_one(&account, operation.quota(), pace, now) {
            return Verdict::AccountExceeded;
        }
        if let Some(quota) = operation.application_quota() {
            let application = (client.to_owned(), operation, None);
            if !self.has_one(&application, quota, application_pace, now) {
                return Verdict::ApplicationExceeded;
            }
            self.pay(&application, quota.0);
        }
        self.pay(&account, operation.quota().0);
        Verdict::Granted
    }

    fn has_one(
        &mut self,
        key: &(String, Operation, Option<String>),
        quota: (f64, u32),
        pace: f64,
        now: Instant,
    ) -> bool {
        let period = period(quota.0);
        let full = period.saturating_mul(quota.1);
        let bucket = self.0.entry(key.clone()).or_insert(Bucket { saved: full, at: now });
        bucket.refill(period, quota.1, pace, now);
        bucket.saved >= period
    }

    fn pay(&mut self, key: &(String, Operation, Option<String>), rate: f64) {
        if let Some(bucket) = self.0.get_mut(key) {
            bucket.saved = bucket.saved.saturating_sub(period(rate));
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) operation: Operation,
    /// How fast the account's bucket fills against the documented rate.
    pub(super) pace: f64,
    pub(super) application_pace: f64,
}

fn period(rate: f64) -> Duration {
    Duration::from_secs(1).div_f64(rate)
}
