//! Builds every part from the configuration. Nothing runs yet.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join_all;
use jiff::Timestamp;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::amazon::{self, Applications};
use crate::clock::Clock;
use crate::config::{AccountConfig, Config, StateUrl};
use crate::cycle::{AccountCycle, CycleError, Event, Firsts, Order, Progress, Sources};
use crate::http::Http;
use crate::model::{AccountName, StoreName};
use crate::plan::Plan;
use crate::push::{Drained, Follower, Landed, Looker, Parked, Pusher, Submitting};
use crate::store::{Outcome, Store, StoreError, Trouble};

/// How long an account whose cycle failed is left alone. Shorter hammers an Amazon that is down; longer, and an account
/// with one tick a day waits for the next.
pub const RETRY_AFTER: Duration = Duration::from_mins(1);

#[derive(Debug, thiserror::Error)]
pub enum AssemblyError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("make an HTTP client (are the system's root certificates installed?): {0}")]
    Http(#[from] reqwest::Error),
}

/// Everything that one process works with.
#[derive(Debug)]
pub struct Assembly {
    pub config: Arc<Config>,
    pub store: Store,
    pub clock: Clock,
    pub accounts: Vec<AccountWork>,
}

/// One account's cycle and its way to Amazon.
#[derive(Clone, Debug)]
pub struct AccountWork {
    pub cycle: AccountCycle,
    pub pusher: Pusher,
    pub follower: Follower,
}

impl Assembly {
    pub fn new(config: Arc<Config>, store: Store, clock: Clock, seed: u64) -> Result<Self, AssemblyError> {
        let http = Arc::new(Http::new(clock, seed)?);
        let sources = Arc::new(Sources::new(&config.commerces, &config.stores, &http, clock));
        let firsts = Firsts::of(config.accounts.iter().map(|account| account.name.clone()));
        let mut applications = Applications::default();
        let accounts = config.accounts.iter().map(|account| {
            let access = amazon_access(account);
            let application = applications.of(&access, clock);
            let client = Arc::new(amazon::Client::under(&application, access, Arc::clone(&http), clock));
            let own = config.stores.iter().filter(|store| store.account == account.name);
            let looker = Looker {
                account: account.name.clone(),
                client: Arc::clone(&client),
                store: store.clone(),
                clock,
                marketplaces: own.map(|store| store.marketplace.id.into()).collect(),
                verify_after: config.push.verify_after,
                tally: Arc::default(),
            };
            let (queued, replan): (Arc<Notify>, Arc<Notify>) = Default::default();
            let submitting: Arc<Submitting> = Arc::default();
            AccountWork {
                follower: Follower {
                    account: account.name.clone(),
                    client: Arc::clone(&client),
                    store: store.clone(),
                    clock,
                    stuck_after: config.push.feed_stuck_after,
                    submitting: Arc::clone(&submitting),
                    queued: Arc::clone(&queued),
                    replan: Arc::clone(&replan),
                },
                pusher: Pusher {
                    account: account.name.clone(),
                    client: Arc::clone(&client),
                    looker: looker.clone(),
                    store: store.clone(),
                    clock,
                    feed_expected_time: config.push.feed_expected_time,
                    queued,
                    submitting,
                    replan,
                },
                cycle: AccountCycle {
                    config: Arc::clone(&config),
                    account: account.clone(),
                    client,
                    looker,
                    sources: Arc::clone(&sources),
                    firsts: firsts.clone(),
                    store: store.clone(),
                    clock,
                    progress: Progress::to_nobody(),
                    sample: Arc::default(),
                },
            }
        });
        Ok(Self { accounts: accounts.collect(), config, store, clock })
    }

    /// Opens the state that the configuration names.
    pub fn open_store(config: &Config) -> Result<Store, StoreError> {
        let StateUrl::Sqlite(path) = &config.state;
        Store::open(path)
    }
}

/// Accounts, and of each the stores that are meant; none named means all of the account's.
pub type Scope = Vec<(AccountName, BTreeSet<StoreName>)>;

impl Assembly {
    /// Does something for every account of the scope, side by side; one that fails does not keep the others from it.
    pub async fn side_by_side<T>(
        &self,
        scope: &Scope,
        order: &Order,
        work: impl AsyncFn(&AccountWork, &Order) -> Result<T, CycleError>,
    ) -> Vec<(AccountName, Result<T, CycleError>)> {
        let meant = |name: &AccountName| scope.iter().find(|(account, _)| account == name);
        let (own, others): (Vec<_>, Vec<_>) = self.accounts.iter().partition(|work| meant(work.name()).is_some());
        let say: BTreeSet<&AccountName> =
            own.iter().flat_map(|work| work.cycle.stores_with_a_say()).map(|store| &store.account).collect();
        let others: Vec<_> = others.into_iter().filter(|other| say.contains(other.name())).collect();
        own.iter().chain(&others).for_each(|work| work.cycle.announce());
        let finding = others.into_iter().map(async |other| {
            if let Err(error) = other.cycle.discover_for_others(order).boxed().await {
                tracing::warn!(
                    event = "discovery_failed",
                    account = %other.name(),
                    %error,
                    "listings of an account beside could not be discovered; it has no say"
                );
            }
        });
        let working = own.into_iter().map(async |one| {
            let stores = meant(one.name()).map(|(_, stores)| stores.clone()).unwrap_or_default();
            let order = Order { stores, ..order.clone() };
            (one.name().clone(), work(one, &order).await)
        });
        futures_util::future::join(join_all(finding), join_all(working)).await.1
    }
}

/// What a one-off cycle of one account came to.
#[derive(Debug)]
pub struct Worked {
    pub plan: Plan,
    pub drained: Drained,
}

impl AccountWork {
    pub fn name(&self) -> &AccountName {
        &self.pusher.account
    }

    /// The same work, telling `progress` what happens.
    #[must_use]
    pub fn watched(&self, progress: Progress) -> Self {
        let mut work = self.clone();
        work.cycle.progress = progress;
        work
    }

    /// One cycle without the sending. Whether the account could be worked is kept, for `status`.
    pub async fn plan(&self, order: &Order) -> Result<Plan, CycleError> {
        let store = &self.pusher.store;
        match self.cycle.run(order).boxed().await {
            Ok(plan) => {
                store.set_trouble(self.name(), None).await?;
                Ok(plan)
            }
            Err(error) => {
                let parked = Parked { cause: error.wants_a_person(), text: error.to_string() };
                // Where the state itself is the trouble, the first error says more.
                self.keep_trouble(parked).await.ok();
                Err(error)
            }
        }
    }

    async fn keep_trouble(&self, parked: Parked) -> Result<(), StoreError> {
        let since = self.cycle.clock.now();
        let retry_at = since.saturating_add(RETRY_AFTER).unwrap_or(Timestamp::MAX);
        let cause = parked.code().map(str::to_owned);
        self.pusher.store.set_trouble(self.name(), Some(Trouble { since, cause, text: parked.text, retry_at })).await
    }

    /// One cycle and its sending, for a process that does nothing else.
    pub async fn once(&self, order: &Order, stop: &CancellationToken) -> Result<Worked, CycleError> {
        self.once_and_wait(order, false, stop).await
    }

    /// The same; with `wait`, until the feeds have ended that it sent.
    pub async fn once_and_wait(
        &self,
        order: &Order,
        wait: bool,
        stop: &CancellationToken,
    ) -> Result<Worked, CycleError> {
        let began = self.cycle.clock.now();
        let catching_up = async {
            self.pusher.recover().await?;
            self.follower.look().await?;
            self.plan(order).await
        };
        let plan = tokio::select! {
            plan = catching_up => plan?,
            () = stop.cancelled() => return Err(CycleError::Interrupted),
        };
        let progress = &self.cycle.progress;
        let mut drained = self.pusher.drain(Some(&plan.id), stop, |landed| progress.send(sent(&landed))).await?;
        if let Some(parked) = &drained.parked {
            self.keep_trouble(parked.clone()).await?;
        }
        if wait && drained.in_feed > 0 {
            self.follower.finish(&plan.id, stop).await?;
            let store = &self.pusher.store;
            let (accepted, refused) = store.feed_outcomes(&plan.id, began).await?;
            drained.in_feed = store.in_feeds(&plan.id).await?;
            drained.accepted += accepted;
            drained.refused += refused;
        }
        Ok(Worked { plan, drained })
    }
}

/// A landed change as an event.
pub fn sent(landed: &Landed) -> Event {
    let outcome = match &landed.outcome {
        Outcome::Accepted { .. } => "accepted".to_owned(),
        Outcome::Rejected { text, .. } => format!("refused: {text}"),
        Outcome::NoAnswer { text, .. } => format!("no answer: {text}"),
        Outcome::NotSent => "not sent".to_owned(),
        Outcome::InFeed { .. } => "in a feed".to_owned(),
        Outcome::Withdrawn { reason } => format!("not sent: {reason}"),
    };
    Event::Sent {
        account: landed.slot.account.clone(),
        seller_sku: landed.slot.seller_sku.clone(),
        from: landed.slot.from,
        to: landed.slot.quantity,
        outcome,
    }
}

/// How the configuration says that an account is reached.
pub fn amazon_access(account: &AccountConfig) -> amazon::Access {
    amazon::Access {
        seller_id: account.seller_id.clone(),
        endpoint: account.endpoint.clone(),
        token_url: account.token_url.clone(),
        client_id: account.client_id.clone(),
        client_secret: account.client_secret.clone(),
        refresh_token: account.refresh_token.clone(),
    }
}
