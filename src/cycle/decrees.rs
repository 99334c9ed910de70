//! What people decided beside the configuration: which stores send, what is paused, what is held or set by hand.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::config::{Config, StoreConfig};
use crate::model::{AccountName, Listing, Mode, SellerSku, StoreName};
use crate::rules::quantity::Manual;
use crate::store::{LiveStore, Pause, Store, StoreError, Word};

/// Who decided that a store sends.
pub const BY_APPLY: &str = "apply";
const BY_CONFIG: &str = "config";

#[derive(Debug, Default)]
pub struct Decrees {
    live: BTreeSet<StoreName>,
    /// Stores that would send if their state were not another pair's.
    pub strangers: BTreeMap<StoreName, LiveStore>,
    pauses: Vec<Pause>,
    words: BTreeMap<SellerSku, Vec<Word>>,
}

impl Decrees {
    pub async fn load(config: &Config, store: &Store) -> Result<Self, StoreError> {
        let known = store.live_stores().await?;
        let mut decrees = Self { pauses: store.pauses().await?, ..Self::default() };
        for one in &config.stores {
            let (name, pair) = (one.name().clone(), pair(config, one));
            match known.get(&name) {
                Some(live) if (live.base_url.as_str(), live.seller_id.as_str()) != pair => {
                    decrees.strangers.insert(name, live.clone());
                }
                Some(live) if live.decided == BY_APPLY => drop(decrees.live.insert(name)),
                _ if one.mode == Mode::Live => drop(decrees.live.insert(name)),
                _ => {}
            }
        }
        for word in store.words().await? {
            decrees.words.entry(word.seller_sku.clone()).or_default().push(word);
        }
        Ok(decrees)
    }

    pub fn is_live(&self, store: &StoreConfig) -> bool {
        self.live.contains(store.name())
    }

    pub fn pause(&self, account: &AccountName, store: &StoreName) -> Option<&Pause> {
        self.pauses.iter().find(|pause| pause.scope.covers(account, store))
    }

    /// The word on a listing; one for its account before one for all.
    pub fn word(&self, listing: &Listing) -> Option<&Word> {
        let words = self.words.get(&listing.seller_sku)?;
        let own = words.iter().find(|word| word.account.as_ref() == Some(&listing.account));
        own.or_else(|| words.iter().find(|word| word.account.is_none()))
    }

    pub(super) fn manual(&self, listing: &Listing) -> Manual {
        match self.word(listing).map(|word| word.quantity) {
            None => Manual::None,
            Some(None) => Manual::Held,
            Some(Some(quantity)) => Manual::Override(quantity),
        }
    }

    /// Those that are live by the configuration: for which pair that is. From then on the configuration decides.
    pub(super) async fn remember(&self, config: &Config, store: &Store, now: Timestamp) -> Result<(), StoreError> {
        let known = store.live_stores().await?;
        let by_config = |one: &&StoreConfig| {
            let said = known.get(one.name()).is_some_and(|live| live.decided == BY_CONFIG);
            one.mode == Mode::Live && self.is_live(one) && !said
        };
        for one in config.stores.iter().filter(by_config) {
            store.go_live(one.name(), decided(config, one, BY_CONFIG, now)).await?;
        }
        Ok(())
    }
}

/// Going live, for the pair that the configuration names.
pub fn decided(config: &Config, store: &StoreConfig, how: &str, now: Timestamp) -> LiveStore {
    let (base_url, seller_id) = pair(config, store);
    LiveStore { since: now, decided: how.to_owned(), base_url: base_url.to_owned(), seller_id: seller_id.to_owned() }
}

/// The shop and the seller that a store joins.
fn pair<'a>(config: &'a Config, store: &StoreConfig) -> (&'a str, &'a str) {
    let shop = config.commerces.iter().find(|commerce| commerce.name == store.commerce);
    let seller = config.accounts.iter().find(|account| account.name == store.account);
    (shop.map_or("", |shop| shop.base_url.as_str()), seller.map_or("", |seller| seller.seller_id.as_str()))
}
