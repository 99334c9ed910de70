//! The service: for each account one task that plans on schedule or on request, and one that sends. One account's
//! trouble stays its own.

mod account;
mod standing;
mod ticks;
mod verifying;
mod waiting;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::assembly::Assembly;
use crate::cycle::{Order, Progress};
use crate::model::{AccountName, StoreName};

use account::AccountTask;

/// How long what is under way may take to finish after the stop.
const DRAIN: Duration = Duration::from_secs(8);

/// Asks one account's task for a cycle now.
#[derive(Debug)]
pub struct Request {
    pub order: Order,
    pub progress: Progress,
    /// Also until the feeds have ended that it sends.
    pub wait: bool,
    pub reply: tokio::sync::oneshot::Sender<Result<Done, String>>,
}

/// What became of a request.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Done {
    pub plan_id: String,
    pub changes: u64,
    pub queued: u64,
    pub unchanged: u64,
    pub listings: u64,
    pub withheld: BTreeMap<String, u64>,
    pub accepted: u64,
    pub refused: u64,
    /// On their way in a feed that has not ended.
    pub in_feed: u64,
    /// What guards hold back.
    #[serde(default)]
    pub held: Vec<Held>,
    pub problem: Option<String>,
    pub parked: Option<String>,
}

/// Changes of one store that wait for somebody to release them.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Held {
    /// What `apply` takes.
    pub id: String,
    pub store: StoreName,
    pub changes: u64,
    pub why: String,
}

/// The way to the account tasks.
#[derive(Clone, Debug)]
pub struct Desk {
    pub accounts: BTreeMap<AccountName, mpsc::Sender<Request>>,
    pub stores: BTreeSet<StoreName>,
}

/// Running account tasks. They end when told to; dropping this ends them at once.
#[derive(Debug)]
pub struct Daemon {
    pub desk: Desk,
    tasks: JoinSet<()>,
    stop: CancellationToken,
}

impl Daemon {
    pub fn start(assembly: &Assembly) -> Self {
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let mut accounts = BTreeMap::new();
        assembly.accounts.iter().for_each(|work| work.cycle.announce());
        let started_at = assembly.clock.now();
        for work in &assembly.accounts {
            let (sender, requests) = mpsc::channel(16);
            accounts.insert(work.name().clone(), sender);
            let task = AccountTask::new(work.clone(), Arc::clone(&assembly.config), stop.clone());
            tasks.spawn(task.clone().send());
            tasks.spawn(task.clone().follow());
            tasks.spawn(task.run(requests, started_at));
        }
        let stores = assembly.config.stores.iter().map(|store| store.name().clone()).collect();
        Self { desk: Desk { accounts, stores }, tasks, stop }
    }

    /// Ends only when a task died, which none does by itself.
    pub async fn watch(&mut self) -> String {
        match self.tasks.join_next().await {
            Some(Err(error)) => format!("a task died: {error}"),
            Some(Ok(())) => "a task ended by itself".into(),
            None => std::future::pending().await,
        }
    }

    /// Takes in no more, finishes what is under way, and gives up after the deadline: the state knows what is in doubt.
    pub async fn stop(mut self) -> bool {
        self.stop.cancel();
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        tokio::time::timeout(DRAIN, ended).await.is_ok()
    }
}
