//! Accounts whose listings nobody asked for yet. Which store decides depends on what the accounts beside it list, so a
//! first cycle must not decide before they were asked, once, whatever came of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;

use super::{AccountCycle, CycleError, Order};
use crate::config::StoreConfig;
use crate::model::{AccountName, MarketplaceId};

/// Which accounts are about to be asked for their listings for the first time in this process.
#[derive(Clone, Debug, Default)]
pub struct Firsts(Arc<BTreeMap<AccountName, watch::Sender<bool>>>);

impl Firsts {
    pub fn of(accounts: impl Iterator<Item = AccountName>) -> Self {
        Self(Arc::new(accounts.map(|name| (name, watch::Sender::new(false))).collect()))
    }

    fn set(&self, account: &AccountName, coming: bool) {
        if let Some(sender) = self.0.get(account) {
            sender.send_replace(coming);
        }
    }

    async fn wait(&self, account: &AccountName) {
        if let Some(sender) = self.0.get(account) {
            // The sender outlives the wait: this holds it.
            sender.subscribe().wait_for(|coming| !coming).await.ok();
        }
    }
}

impl AccountCycle {
    /// This account is going to be asked: those beside it wait for that, where they need to.
    pub fn announce(&self) {
        self.firsts.set(&self.account.name, true);
    }

    /// Asks for the listings of an account that takes no part, where nobody did yet: those beside it need to know.
    pub async fn discover_for_others(&self, order: &Order) -> Result<(), CycleError> {
        let known = self.store.discovered(&self.account.name).await?;
        let all_known = self.looker.marketplaces.iter().all(|id| known.contains_key(id));
        let outcome = if all_known { Ok(()) } else { self.discover(order).await };
        self.firsts.set(&self.account.name, false);
        outcome
    }

    pub(super) async fn discover_first(&self, order: &Order) -> Result<(), CycleError> {
        let outcome = self.discover(order).await;
        self.firsts.set(&self.account.name, false);
        outcome
    }

    /// Waits for the accounts beside this one whose listings are not known at all and are being asked for.
    pub(super) async fn wait_for_those_beside(&self, stores: &[&StoreConfig]) -> Result<(), CycleError> {
        for store in stores.iter().filter(|store| store.account != self.account.name) {
            let known = self.store.discovered(&store.account).await?;
            if !known.contains_key(&MarketplaceId::from(store.marketplace.id)) {
                self.firsts.wait(&store.account).await;
            }
        }
        Ok(())
    }
}
