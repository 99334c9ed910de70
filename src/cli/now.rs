//! One cycle now: in the running service when there is one, else here, under the same lock.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;

use futures_util::{FutureExt, StreamExt};
use tokio_util::sync::CancellationToken;

use super::plan;
use super::terminal::{Bar, StopSignals};
use super::{Exit, Failure};
use crate::assembly::{Assembly, Scope, Worked};
use crate::clock::Clock;
use crate::config::{Config, StateUrl};
use crate::control::{Line, ResyncRequest};
use crate::cycle::{CycleError, Event, Order, Progress};
use crate::daemon::Done;
use crate::lease::{Lease, LeaseError};
use crate::model::{AccountName, SellerSku};
use crate::reason::Reason;

/// What is asked for.
#[derive(Debug)]
pub(super) struct Ask {
    /// The command, for whoever is told who holds the lock.
    pub command: &'static str,
    pub scope: Scope,
    pub skus: Vec<SellerSku>,
    /// Believe nothing and read everything; else like a tick.
    pub afresh: bool,
    pub wait: bool,
    pub quiet: bool,
}

pub(super) type Outcomes = BTreeMap<AccountName, Result<Done, String>>;

impl Ask {
    pub(super) async fn work(self, config: &Arc<Config>, clock: Clock) -> Result<Outcomes, Failure> {
        let StateUrl::Sqlite(state) = &config.state;
        match Lease::take(state, self.command) {
            Ok(lease) => {
                let outcomes = self.here(config, clock).await?;
                drop(lease);
                Ok(outcomes)
            }
            Err(LeaseError::Held { holder, .. }) => {
                if UnixStream::connect(&config.control_socket).is_err() {
                    return Err(Failure(Exit::Held, format!("{holder} works on this state, and takes no requests")));
                }
                self.in_service(&config.control_socket).await
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Works in this process, every account side by side.
    async fn here(&self, config: &Arc<Config>, clock: Clock) -> Result<Outcomes, Failure> {
        let store = Assembly::open_store(config)?;
        let assembly = Assembly::new(Arc::clone(config), store, clock, plan::seed())?;
        let (events, mut progress) = tokio::sync::mpsc::unbounded_channel();
        let mut signals = StopSignals::new()?;
        let stop = CancellationToken::new();
        let order = Order {
            cause: self.command,
            stores: BTreeSet::new(),
            skus: self.skus.clone(),
            afresh: self.afresh,
            everything: self.afresh,
            read_since: clock.now(),
        };
        let working = assembly.side_by_side(&self.scope, &order, async |work, order| {
            work.watched(Progress::to(events.clone())).once_and_wait(order, self.wait, &stop).boxed().await.map(done)
        });
        let bar = Bar::new(!self.quiet);
        let mut working = std::pin::pin!(working);
        loop {
            tokio::select! {
                biased;
                Some(event) = progress.recv() => show(&bar, &event),
                outcomes = &mut working => {
                    while let Ok(event) = progress.try_recv() {
                        show(&bar, &event);
                    }
                    let told = |(account, outcome): (_, Result<_, CycleError>)| (account, outcome.map_err(|error| error.to_string()));
                    return Ok(outcomes.into_iter().map(told).collect());
                }
                () = signals.told() => {
                    if stop.is_cancelled() {
                        return Err(Failure(Exit::Failed, "stopped by force".into()));
                    }
                    stop.cancel();
                }
            }
        }
    }

    /// Asks the service and shows what it says meanwhile.
    async fn in_service(self, socket: &Path) -> Result<Outcomes, Failure> {
        let request = ResyncRequest { accounts: self.scope, skus: self.skus, wait: self.wait, as_a_tick: !self.afresh };
        let mut lines = crate::control::ask(socket, &request).await?;
        let bar = Bar::new(!self.quiet);
        let mut outcomes = Outcomes::new();
        while let Some(line) = lines.next().await {
            match line? {
                Line::Progress(event) => show(&bar, &event),
                Line::Done { account, done } => {
                    outcomes.insert(account, Ok(done));
                }
                Line::Failed { account, error } => {
                    outcomes.insert(account, Err(error));
                }
            }
        }
        for (account, _) in request.accounts {
            outcomes.entry(account).or_insert_with(|| Err("the service went away before it answered".into()));
        }
        Ok(outcomes)
    }
}

fn done(worked: Worked) -> Done {
    let Worked { plan, drained } = worked;
    let done = Done {
        accepted: drained.accepted,
        refused: drained.refused,
        in_feed: drained.in_feed,
        parked: drained.parked.map(|parked| parked.text),
        ..Done::of(&plan)
    };
    // What the plan queued and is not among these was found to need nothing, or waits for an open feed.
    let left = done.queued.saturating_sub(done.accepted + done.refused + done.in_feed);
    let interrupted = (drained.stopped && left > 0)
        .then(|| format!("interrupted: {left} changes were not sent; the next cycle sends them"));
    Done { parked: done.parked.or(interrupted), ..done }
}

/// Not where Amazon could not be worked to the end, nor where Commerce said nothing that decides any listing.
pub(super) fn worked(done: &Done) -> bool {
    let unread = done.problem.is_some() && done.changes + done.unchanged == 0;
    let undecided = done.withheld.get(Reason::SourceUnknown.code()).is_some_and(|count| *count > 0);
    done.parked.is_none() && !(unread && undecided)
}

fn show(bar: &Bar, event: &Event) {
    match event {
        Event::Discovering { account } => bar.message(format!("{account}: asking Amazon for its listings")),
        Event::Reading { commerce } => bar.message(format!("{commerce}: reading")),
        Event::Read { commerce, products } => bar.message(format!("{commerce}: {products} products read")),
        Event::Looked { account, listings } => bar.message(format!("{account}: {listings} listings looked at")),
        Event::Planned { queued, .. } => bar.expect(*queued),
        Event::Sent { seller_sku, to, .. } => {
            bar.step();
            bar.message(format!("{seller_sku} = {to}"));
        }
    }
}
