//! How an account stands: when it is due, whether it can be worked, and when it is tried again if not.

use jiff::Timestamp;

use super::ticks::Ticks;
use crate::model::AccountName;
use crate::store::{Store, Trouble};

#[derive(Debug)]
pub(super) struct Standing {
    pub ticks: Ticks,
    store: Store,
    account: AccountName,
    /// Why its last cycle came to nothing.
    cycle: Option<String>,
    /// Why its last sending did.
    push: Option<String>,
}

impl Standing {
    pub(super) const fn new(store: Store, account: AccountName, ticks: Ticks) -> Self {
        Self { ticks, store, account, cycle: None, push: None }
    }

    /// A cycle ended. That it went well says nothing about a sending that did not.
    pub(super) async fn cycled(&mut self, trouble: Option<String>, now: Timestamp) {
        self.cycle.clone_from(&trouble);
        if trouble.is_some() || self.push.is_none() {
            self.note(trouble, now).await;
        }
    }

    /// A sending ended, or was seen to work again.
    pub(super) async fn sent(&mut self, trouble: Option<String>, now: Timestamp) {
        self.push.clone_from(&trouble);
        if trouble.is_some() || self.cycle.is_none() {
            self.note(trouble, now).await;
        }
    }

    async fn note(&mut self, trouble: Option<String>, now: Timestamp) {
        let trouble = if let Some(text) = trouble {
            let retry_at = self.ticks.failed(now);
            tracing::info!(event = "account_waits", account = %self.account, %retry_at, "account is tried again then, or on schedule");
            Some(Trouble { since: now, text, retry_at })
        } else {
            self.ticks.worked();
            None
        };
        if let Err(error) = self.store.set_trouble(&self.account, trouble).await {
            tracing::error!(event = "trouble_not_kept", account = %self.account, %error, "trouble could not be kept");
        }
    }
}
