//! How an account stands: when it is due, whether it can be worked, and when it is tried again if not.

use jiff::Timestamp;

use super::ticks::Ticks;
use crate::model::AccountName;
use crate::push::Parked;
use crate::store::{Store, StoreError, Trouble};

#[derive(Debug)]
pub(super) struct Standing {
    pub ticks: Ticks,
    store: Store,
    account: AccountName,
    /// Why its last cycle came to nothing.
    cycle: Option<Parked>,
    /// Why its last sending did.
    push: Option<Parked>,
    /// The cause that whoever reads the log knows of, empty for an unknown one: said once, not at every try.
    said: Option<&'static str>,
}

impl Standing {
    pub(super) const fn new(store: Store, account: AccountName, ticks: Ticks) -> Self {
        Self { ticks, store, account, cycle: None, push: None, said: None }
    }

    /// It is tried again in its own time: nothing else wakes it.
    pub(super) const fn is_in_trouble(&self) -> bool {
        self.cycle.is_some() || self.push.is_some()
    }

    /// A cycle ended. That it went well says nothing about a sending that did not.
    pub(super) async fn cycled(&mut self, trouble: Option<Parked>, now: Timestamp) {
        self.cycle.clone_from(&trouble);
        if trouble.is_some() || self.push.is_none() {
            self.note(trouble, false, now).await;
        }
    }

    /// A sending ended, or was seen to work again.
    pub(super) async fn sent(&mut self, trouble: Option<Parked>, now: Timestamp) {
        self.push.clone_from(&trouble);
        if trouble.is_some() || self.cycle.is_none() {
            self.note(trouble, true, now).await;
        }
    }

    async fn note(&mut self, trouble: Option<Parked>, sending: bool, now: Timestamp) {
        let kept = if let Some(trouble) = trouble {
            let parked = trouble.cause.is_some();
            let refused = sending && trouble.cause.is_some_and(|cause| !cause.is_of_sign_in());
            let retry_at = if refused { self.ticks.refused(now) } else { self.ticks.failed(now, parked) };
            self.say(&trouble, sending || parked, retry_at);
            let cause = trouble.code().map(str::to_owned);
            let trouble = Trouble { since: now, cause, text: trouble.text, retry_at };
            self.store.set_trouble(&self.account, Some(trouble)).await
        } else {
            self.ticks.worked();
            self.said = None;
            self.end(now).await
        };
        if let Err(error) = kept {
            tracing::error!(event = "trouble_not_kept", account = %self.account, %error, "trouble could not be kept");
        }
    }

    /// One line for a person when it begins, or becomes something else.
    fn say(&mut self, trouble: &Parked, wants_a_person: bool, retry_at: Timestamp) {
        let cause = trouble.code().unwrap_or_default();
        if wants_a_person && self.said != Some(cause) {
            self.said = Some(cause);
            tracing::error!(
                event = "account_parked",
                account = %self.account,
                cause,
                error = trouble.text,
                %retry_at,
                "account cannot be worked; its changes wait"
            );
        } else {
            let when = if trouble.cause.is_some() { "" } else { ", or on schedule" };
            tracing::info!(event = "account_waits", account = %self.account, cause, %retry_at, "account is tried again then{when}");
        }
    }

    async fn end(&self, now: Timestamp) -> Result<(), StoreError> {
        let Some(was) = self.store.trouble(&self.account).await? else { return Ok(()) };
        self.store.set_trouble(&self.account, None).await?;
        tracing::info!(
            event = "account_works_again",
            account = %self.account,
            cause = was.cause.as_deref().unwrap_or_default(),
            lasted_s = now.duration_since(was.since).as_secs(),
            "account works again"
        );
        Ok(())
    }
}
