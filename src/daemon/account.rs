//! One account's two tasks.

use std::sync::Arc;

use futures_util::FutureExt;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::standing::Standing;
use super::ticks::{Tick, Ticks};
use super::verifying::Verifying;
use super::waiting::Waiting;
use super::{Done, Held, Request};
use crate::assembly::AccountWork;
use crate::config::Config;
use crate::cycle::{CycleError, Order};
use crate::plan::{HeldBack, Plan};
use crate::push::{Landed, Parked};
use crate::store::{Outcome, StoreError};

#[derive(Clone, Debug)]
pub(super) struct AccountTask {
    work: AccountWork,
    config: Arc<Config>,
    landings: broadcast::Sender<Landed>,
    /// How the last sending ended: why the rest was not tried.
    parked: watch::Sender<Option<Parked>>,
    /// Whether a cycle has succeeded since the start.
    planned: watch::Sender<bool>,
    verifying: Arc<Verifying>,
    stop: CancellationToken,
}

impl AccountTask {
    pub(super) fn new(work: AccountWork, config: Arc<Config>, stop: CancellationToken) -> Self {
        let (landings, _) = broadcast::channel(1024);
        let (parked, planned) = (watch::Sender::new(None), watch::Sender::new(false));
        let verifying = Arc::new(Verifying::new(&config));
        Self { work, config, landings, parked, planned, verifying, stop }
    }

    /// Plans: at start, on schedule, on request, and again after a failure. Never two cycles of one account at once, for
    /// it is this one loop.
    pub(super) async fn run(self, mut requests: mpsc::Receiver<Request>, started_at: Timestamp) {
        let clock = self.work.cycle.clock;
        let own = self.config.stores.iter().filter(|store| store.account == *self.work.name());
        let schedules = own.map(|store| (store.name().clone(), store.schedule.clone()));
        let ticks = Ticks::new(self.work.name().clone(), schedules, started_at);
        let mut standing = Standing::new(self.work.pusher.store.clone(), self.work.name().clone(), ticks);
        let mut parked = self.parked.subscribe();
        let mut finishing = JoinSet::new();
        // What was asked for during a tick.
        let mut asked = None;
        loop {
            let due = standing.ticks.next(clock.now());
            let wake = due.as_ref().map_or(Timestamp::MAX, |tick| tick.at);
            let look_at = self.verifying.due().filter(|_| !standing.is_in_trouble()).unwrap_or(Timestamp::MAX);
            let cycled = tokio::select! {
                biased;
                () = self.stop.cancelled() => break,
                Some(finished) = finishing.join_next() => {
                    if let Err(error) = finished {
                        tracing::error!(event = "request_died", account = %self.work.name(), %error, "a request died");
                    }
                    continue;
                }
                Ok(()) = parked.changed() => {
                    let trouble = parked.borrow_and_update().clone();
                    standing.sent(trouble, clock.now()).await;
                    continue;
                }
                Some(request) = next(&mut asked, &mut requests) => {
                    // A person may have put right what was wrong.
                    standing.ticks.asked();
                    self.work.cycle.client.forget_refusal();
                    self.serve(request, &mut finishing).await
                }
                // What a feed did not do is planned as it is now, never as it was.
                () = self.work.follower.replan.notified() => {
                    self.tick(Tick::now("feed", clock.now()), &mut requests, &mut asked).await
                }
                () = self.verifying.sooner() => continue,
                () = clock.sleep_until(look_at), if look_at < wake => {
                    // Something may have been looked at, or accepted, since.
                    let now = clock.now();
                    if self.verifying.due().is_none_or(|at| at > now) {
                        continue;
                    }
                    self.tick(Tick::now("verify", now), &mut requests, &mut asked).await
                }
                () = clock.sleep_until(wake) => {
                    let Some(tick) = due else { continue };
                    standing.ticks.begun(&tick, clock.now());
                    self.tick(tick, &mut requests, &mut asked).await
                }
            };
            let Some(trouble) = cycled else { break };
            standing.cycled(trouble, clock.now()).await;
        }
        while finishing.join_next().await.is_some() {}
    }

    /// Why the account could not be worked, if so; nothing at all when told to stop. Whoever asks meanwhile does not wait
    /// for it at its own pace.
    async fn tick(
        &self,
        tick: Tick,
        requests: &mut mpsc::Receiver<Request>,
        asked: &mut Option<Request>,
    ) -> Option<Option<Parked>> {
        if let Some(late) = tick.late {
            tracing::warn!(
                event = "cycle_late",
                account = %self.work.name(),
                late_ms = i64::try_from(late.as_millis()).unwrap_or(i64::MAX),
                "cycle begins late: the one before took longer than the schedule leaves; what was missed is caught up once"
            );
        }
        let order = Order {
            cause: tick.cause,
            stores: tick.stores,
            skus: Vec::new(),
            afresh: false,
            everything: false,
            read_since: tick.nominal,
        };
        let mut cycle = self.cycle(&self.work, &order).boxed();
        let mut hurry = Vec::new();
        let outcome = loop {
            tokio::select! {
                () = self.stop.cancelled() => return None,
                outcome = &mut cycle => break outcome,
                Some(request) = requests.recv(), if asked.is_none() => {
                    *asked = Some(request);
                    hurry = self.work.cycle.hurry();
                }
            }
        };
        drop(hurry);
        if outcome.is_ok() {
            self.work.pusher.queued.notify_one();
        }
        Some(trouble(&outcome))
    }

    /// The same for somebody who waits for it. The sending is waited for beside, for it may take longer than a schedule.
    async fn serve(&self, request: Request, finishing: &mut JoinSet<()>) -> Option<Option<Parked>> {
        let Request { order, progress, wait, reply } = request;
        let landings = self.landings.subscribe();
        let work = self.work.watched(progress);
        let outcome = tokio::select! {
            () = self.stop.cancelled() => {
                reply.send(Err("the service stops".to_owned())).ok();
                return None;
            }
            outcome = self.cycle(&work, &order) => outcome,
        };
        let trouble = trouble(&outcome);
        match outcome {
            Ok(plan) => {
                let waiting =
                    Waiting::new(work, &plan, landings, self.parked.subscribe(), self.stop.clone()).for_feeds(wait);
                self.work.pusher.queued.notify_one();
                finishing.spawn(async move {
                    let mut reply = reply;
                    let done = tokio::select! {
                        // Whoever asked went away.
                        () = reply.closed() => return,
                        done = waiting.finish() => done,
                    };
                    reply.send(done.map_err(|error| error.to_string())).ok();
                });
            }
            Err(error) => {
                reply.send(Err(error.to_string())).ok();
            }
        }
        Some(trouble)
    }

    async fn cycle(&self, work: &AccountWork, order: &Order) -> Result<Plan, CycleError> {
        self.verifying.begun();
        let outcome = work.cycle.run(order).boxed().await;
        let now = work.cycle.clock.now();
        match &outcome {
            Ok(plan) => {
                let own = self.config.stores.iter().filter(|store| store.account == *work.name()).count();
                let all = order.skus.is_empty() && (order.stores.is_empty() || order.stores.len() == own);
                self.verifying.cycled(plan.look_at, all, now);
                self.planned.send_replace(true);
            }
            Err(_) => self.verifying.failed(now),
        }
        if let Err(error) = &outcome {
            self.tell_failure(order, error);
        }
        if let Err(error) = self.prune().await {
            tracing::error!(event = "journal_not_pruned", %error, "old journal rows could not be taken away");
        }
        outcome
    }

    /// What wants a person is said once, and not here: the account is parked for it.
    fn tell_failure(&self, order: &Order, error: &CycleError) {
        let (account, cause) = (self.work.name(), order.cause);
        if error.wants_a_person().is_some() {
            tracing::info!(event = "cycle_failed", %account, cause, %error, "cycle failed");
        } else {
            tracing::error!(event = "cycle_failed", %account, cause, %error, "cycle failed");
        }
    }

    async fn prune(&self) -> Result<(), StoreError> {
        let keep = SignedDuration::try_from(self.config.journal_keep).unwrap_or(SignedDuration::MAX);
        let now = self.work.cycle.clock.now();
        let until = now.checked_sub(keep).unwrap_or(Timestamp::MIN);
        if until > Timestamp::UNIX_EPOCH {
            self.work.pusher.store.prune_journal(until).await?;
        }
        Ok(())
    }

    /// Follows the feeds that are on their way.
    pub(super) async fn follow(self) {
        self.work.follower.follow(&self.stop).await;
    }

    /// Sends whatever waits. Begins only after the first cycle: what waits from before the start may be out of date.
    pub(super) async fn send(self) {
        let mut planned = self.planned.subscribe();
        tokio::select! {
            () = self.stop.cancelled() => return,
            _ = planned.wait_for(|planned| *planned) => {}
        }
        loop {
            if let Err(error) = self.work.pusher.recover().await {
                tracing::error!(event = "push_failed", account = %self.work.name(), %error, "a feed that was not sent could not be taken back");
            }
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = self.work.pusher.queued.notified() => {}
            }
            let drained = self.work.pusher.drain(None, &self.stop, |landed| {
                if matches!(landed.outcome, Outcome::Accepted { .. }) {
                    self.verifying.accepted(self.work.cycle.clock.now());
                    self.parked.send_if_modified(|parked| parked.take().is_some());
                }
                self.landings.send(landed).ok();
            });
            let parked = match drained.await {
                Ok(drained) if drained.tried_nothing() && self.still_waits().await => continue,
                Ok(drained) => drained.parked,
                Err(error) => {
                    tracing::error!(event = "push_failed", account = %self.work.name(), %error, "sending failed");
                    Some(Parked { cause: None, text: error.to_string() })
                }
            };
            self.parked.send_replace(parked);
        }
    }
}

impl AccountTask {
    /// Whether what the account was parked over still waits for its time: that nothing could be sent is no news then.
    async fn still_waits(&self) -> bool {
        let parked = self.parked.borrow().is_some();
        let now = self.work.cycle.clock.now();
        parked && self.work.pusher.store.waits_after_refusal(self.work.name(), now).await.unwrap_or(true)
    }
}

async fn next(asked: &mut Option<Request>, requests: &mut mpsc::Receiver<Request>) -> Option<Request> {
    match asked.take() {
        Some(request) => Some(request),
        None => requests.recv().await,
    }
}

/// A cycle that came to nothing is worth another before the next tick. One that read a part is not: a shop may have
/// rows that never fit.
fn trouble(outcome: &Result<Plan, CycleError>) -> Option<Parked> {
    match outcome {
        Ok(plan) => {
            let text = plan.problem.clone().filter(|_| plan.products == 0)?;
            Some(Parked { cause: None, text })
        }
        Err(error) => Some(Parked { cause: error.wants_a_person(), text: error.to_string() }),
    }
}

fn held(back: &HeldBack) -> Option<Held> {
    let why: Vec<&str> = back.trips.iter().map(|trip| trip.detail.as_str()).collect();
    Some(Held {
        id: back.id.clone()?,
        store: back.store.clone(),
        changes: back.changes.iter().filter(|change| change.live).count() as u64,
        why: why.join("; "),
    })
}

impl Done {
    pub fn of(plan: &Plan) -> Self {
        let withheld = plan.withheld_by_reason();
        Self {
            plan_id: plan.id.clone(),
            changes: plan.changes.len() as u64,
            queued: plan.changes.iter().filter(|change| change.live).count() as u64,
            unchanged: plan.unchanged,
            listings: plan.listings,
            withheld: withheld.into_iter().map(|(reason, count)| (reason.code().to_owned(), count)).collect(),
            accepted: 0,
            refused: 0,
            in_feed: 0,
            held: plan.held.iter().filter_map(held).collect(),
            problem: plan.problem.clone(),
            parked: None,
        }
    }
}
