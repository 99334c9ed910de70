//! A running scene: cycles, what happens between them, and what came of it.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use stocksync::assembly::{AccountWork, Assembly, Worked};
use stocksync::clock::Clock;
use stocksync::config::Config;
use stocksync::cycle::{CycleError, Order};
use stocksync::model::{Listing, SellerSku};
use stocksync::plan::{Change, Plan};
use stocksync::push::Drained;
use stocksync::reason::Reason;
use stocksync::sim::amazon::{Edit, Event, Fault, Operation, Stats};
use stocksync::sim::commerce::ProductEdit;
use stocksync::sim::{Pair, Quantity};
use stocksync::store::{JournalEntry, Store, SweepRecord};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::scene::{Scene, seller};

pub(crate) struct Bench {
    pub(crate) pair: Pair,
    pub(crate) assembly: Assembly,
    pub(crate) clock: Clock,
    scene: Scene,
    folder: TempDir,
    started: Timestamp,
    /// Being throttled is no fault of ours here.
    throttled: bool,
    /// So are violations, up to now.
    violated: Cell<bool>,
    /// So are requests with tokens that ended.
    refused: Cell<bool>,
}

impl Bench {
    pub(crate) async fn start(scene: Scene) -> Self {
        let started: Timestamp = "2026-11-02T08:00:00Z".parse().unwrap();
        let clock = Clock::starting_at(started);
        let pair = Pair::start(scene.world(), 0, 0, clock).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let assembly = assemble(scene.config(folder.path(), &pair), clock);
        Self {
            pair,
            assembly,
            clock,
            scene,
            folder,
            started,
            throttled: false,
            violated: Cell::new(false),
            refused: Cell::new(false),
        }
    }

    /// A new process on the same state file; what the old one had in its hands is gone.
    pub(crate) fn restart(&mut self) {
        self.assembly = assemble(self.scene.config(self.folder.path(), &self.pair), self.clock);
    }

    /// A new process with another configuration.
    pub(crate) fn reconfigure(&mut self, change: impl FnOnce(Scene) -> Scene) {
        self.scene = change(self.scene.clone());
        self.restart();
    }

    /// Somebody else uses up the rate: being throttled is no defect here.
    pub(crate) const fn may_be_throttled(&mut self) {
        self.throttled = true;
    }

    /// The scene has looked at them itself.
    pub(crate) fn forgive_violations(&self) {
        self.violated.set(true);
    }

    pub(crate) fn forgive_refusals(&self) {
        self.refused.set(true);
    }

    /// `"5m"`, `"1h 30m"`.
    pub(crate) async fn wait(&self, duration: &str) {
        let duration: SignedDuration = duration.parse().unwrap();
        self.clock.sleep(Duration::try_from(duration).unwrap()).await;
    }

    pub(crate) fn order(&self) -> Order {
        let (stores, skus) = (BTreeSet::new(), Vec::new());
        Order { cause: "test", stores, skus, afresh: false, everything: false, read_since: self.clock.now() }
    }

    /// What `resync` asks for.
    pub(crate) fn resync(&self, skus: &[&str]) -> Order {
        let skus = skus.iter().copied().map(SellerSku::from).collect();
        Order { cause: "resync", skus, afresh: true, everything: true, ..self.order() }
    }

    pub(crate) fn work(&self, account: &str) -> &AccountWork {
        self.assembly.accounts.iter().find(|work| work.name().as_str() == account).unwrap()
    }

    /// One account's cycle with its sending.
    pub(crate) async fn work_on(&self, account: &str, order: &Order) -> Result<Worked, CycleError> {
        self.work(account).once(order, &CancellationToken::new()).await
    }

    /// Sends whatever waits, as the service does beside its cycles.
    pub(crate) async fn drain(&self, account: &str) -> Drained {
        self.work(account).pusher.drain(None, &CancellationToken::new(), |_| {}).await.unwrap()
    }

    /// A cycle of every account, one after the other, and of the first its plan.
    pub(crate) async fn cycle(&self) -> Plan {
        self.cycle_of(&self.order()).await
    }

    /// A cycle in five minutes, and Amazon showing what it sent.
    pub(crate) async fn tick(&self) -> Plan {
        self.wait("5m").await;
        let plan = self.cycle().await;
        self.wait("1m").await;
        plan
    }

    /// A cycle that reads everything, as a person gets it.
    pub(crate) async fn full_cycle(&self) -> Plan {
        self.cycle_of(&Order { everything: true, ..self.order() }).await
    }

    async fn cycle_of(&self, order: &Order) -> Plan {
        let mut plans = Vec::new();
        for work in &self.assembly.accounts {
            plans.push(work.once(order, &CancellationToken::new()).await.unwrap().plan);
        }
        plans.swap_remove(0)
    }

    /// Cycles every five minutes, from now on for so long; gives the quantities that were sent meanwhile.
    pub(crate) async fn cycles(&self, duration: &str) -> Vec<(String, u64)> {
        self.cycles_every("5m", duration).await
    }

    pub(crate) async fn cycles_every(&self, interval: &str, duration: &str) -> Vec<(String, u64)> {
        let duration: SignedDuration = duration.parse().unwrap();
        let (from, end) = (self.events().len(), self.clock.now() + duration);
        while self.clock.now() < end {
            self.wait(interval).await;
            self.cycle().await;
        }
        self.sent().split_off(from)
    }

    /// What a source of `base` holds from now on.
    pub(crate) fn stock(&self, sku: &str, quantity: i64) {
        self.pair.commerce.set_quantity(sku, "default", Quantity::whole(quantity)).unwrap();
    }

    pub(crate) fn edit(&self, sku: &str, edit: &ProductEdit) {
        self.pair.commerce.edit(sku, edit).unwrap();
    }

    /// Amazon sells to a customer; the shop learns of it at once when it imports orders.
    pub(crate) async fn sell(&self, sku: &str, quantity: u64) {
        assert_eq!(self.pair.amazon.sell(&seller("acme"), sku, quantity).unwrap().quantity, quantity);
        // The import is a task of its own.
        self.clock.sleep(Duration::from_millis(10)).await;
    }

    /// A stranger changes a listing of `acme` on Amazon.
    pub(crate) fn on_amazon(&self, sku: &str, edit: Edit) {
        self.pair.amazon.set_listing(&seller("acme"), sku, edit).unwrap();
    }

    pub(crate) fn fault(&self, fault: Fault) {
        self.pair.amazon.fault(fault);
    }

    /// What Amazon shows live.
    pub(crate) fn shown(&self, sku: &str) -> Option<u64> {
        self.shown_by("acme", sku)
    }

    pub(crate) fn shown_by(&self, account: &str, sku: &str) -> Option<u64> {
        self.pair.amazon.listing(&seller(account), sku)?.quantity
    }

    /// Every accepted write, in the order Amazon took them.
    pub(crate) fn events(&self) -> Vec<Event> {
        self.pair.amazon.events()
    }

    pub(crate) fn sent(&self) -> Vec<(String, u64)> {
        self.events().into_iter().map(|event| (event.sku, event.quantity.unwrap())).collect()
    }

    /// The quantities that were sent for one listing, in order.
    pub(crate) fn sent_of(&self, sku: &str) -> Vec<u64> {
        self.sent().into_iter().filter(|(sent, _)| sent == sku).map(|(_, quantity)| quantity).collect()
    }

    pub(crate) fn stats(&self) -> Stats {
        self.pair.amazon.stats()
    }

    pub(crate) fn patches(&self) -> u64 {
        self.stats().calls(Operation::PatchListingsItem)
    }

    pub(crate) const fn store(&self) -> &Store {
        &self.assembly.store
    }

    pub(crate) async fn listing(&self, sku: &str) -> Listing {
        let account = self.assembly.accounts[0].name();
        self.store().listings_named(Some(account), &[sku.into()]).await.unwrap().remove(0)
    }

    /// What the last read of the shop came to.
    pub(crate) async fn last_read(&self) -> SweepRecord {
        self.store().sweep(&"shop".into()).await.unwrap().unwrap()
    }

    pub(crate) async fn journal(&self, sku: &str) -> Vec<JournalEntry> {
        let account = self.assembly.accounts[0].name();
        self.store().journal_of(account, &sku.into(), 100).await.unwrap()
    }

    /// So many minutes after the scene began.
    pub(crate) fn since(&self, minutes: i64) -> Timestamp {
        self.started + SignedDuration::from_mins(minutes)
    }

    pub(crate) fn since_start(&self, at: Timestamp) -> Duration {
        Duration::try_from(at.duration_since(self.started)).unwrap()
    }
}

fn assemble(config: Config, clock: Clock) -> Assembly {
    let store = Assembly::open_store(&config).unwrap();
    Assembly::new(Arc::new(config), store, clock, 1).unwrap()
}

/// Holds for every scene, whatever it is about.
impl Drop for Bench {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let stats = self.pair.amazon.stats();
        assert!(self.violated.get() || stats.violations.is_empty(), "{:?}", stats.violations);
        assert!(self.throttled || stats.throttled() == 0, "throttled {} times", stats.throttled());
        assert!(self.refused.get() || stats.refused == 0, "{} without a route or a token", stats.refused);
    }
}

pub(crate) trait PlanExt {
    fn change(&self, sku: &str) -> Option<&Change>;
    fn why_withheld(&self, sku: &str) -> Option<Reason>;
    fn reasons(&self, sku: &str) -> Vec<Reason>;
    /// The seller SKUs of the changes, in order.
    fn order(&self) -> Vec<&str>;
    fn withheld_reasons(&self) -> BTreeMap<&str, Reason>;
}

impl PlanExt for Plan {
    fn change(&self, sku: &str) -> Option<&Change> {
        self.changes.iter().find(|change| change.seller_sku.as_str() == sku)
    }

    fn why_withheld(&self, sku: &str) -> Option<Reason> {
        self.withheld_reasons().get(sku).copied()
    }

    fn reasons(&self, sku: &str) -> Vec<Reason> {
        self.change(sku).map(|change| change.reasons.clone()).unwrap_or_default()
    }

    fn order(&self) -> Vec<&str> {
        self.changes.iter().map(|change| change.seller_sku.as_str()).collect()
    }

    fn withheld_reasons(&self) -> BTreeMap<&str, Reason> {
        self.withheld.iter().map(|withheld| (withheld.seller_sku.as_str(), withheld.reason)).collect()
    }
}
