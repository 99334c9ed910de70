//! A folder with a configuration and a state, simulators that listen, and the binary to run between them.

mod process;
mod setup;

use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::StreamExt;
use stocksync::clock::Clock;
use stocksync::sim::Pair;
use stocksync::sim::amazon::{Edit, Operation};
use stocksync::sim::world::World;
use stocksync::store::JournalEntry;

pub(crate) use process::{Process, Ran};
pub(crate) use setup::{Account, SECRETS, Store, UNGUARDED, World as Texts};

/// The seller of the first account.
pub(crate) const SELLER: &str = "A1ONE";
/// Nothing here takes longer, unless something hangs.
const PATIENCE: Duration = Duration::from_secs(25);

pub(crate) struct Bench {
    pub(crate) pair: Pair,
    runtime: tokio::runtime::Runtime,
    texts: Texts,
    folder: tempfile::TempDir,
}

impl Bench {
    /// One shop and one live German store of one account.
    pub(crate) fn new(products: &str, listings: &str) -> Self {
        Self::with(Texts::new(products).account(Account::one(listings)).store(Store::live("de", "DE")))
    }

    pub(crate) fn with(texts: Texts) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let world = World::parse(&texts.world(), Path::new("world.toml")).unwrap();
        let pair = runtime.block_on(Pair::start(world, 0, 0, Clock::system())).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let bench = Self { pair, runtime, texts, folder };
        bench.configure(|_| {});
        bench
    }

    /// Writes the configuration anew, changed.
    pub(crate) fn configure(&self, change: impl FnOnce(&mut Texts)) {
        let mut texts = self.texts.clone();
        change(&mut texts);
        let text = texts.config(self.folder.path(), &self.pair.commerce_url(), &self.pair.amazon_url());
        std::fs::write(self.config(), text).unwrap();
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.path("stocksync.toml")
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.path("control.sock")
    }

    /// A command line with the bench's configuration, started.
    pub(crate) fn start(&self, line: &str) -> Process {
        self.start_with(line, &[])
    }

    pub(crate) fn start_with(&self, line: &str, env: &[(&str, &str)]) -> Process {
        let config = self.config();
        let args = ["--config", config.to_str().unwrap()].into_iter().chain(line.split(' '));
        Process::start(args, env, self.folder.path())
    }

    /// The same, to its end.
    pub(crate) fn run(&self, line: &str) -> Ran {
        self.start(line).end()
    }

    /// A running service that has had its first cycle of every account.
    pub(crate) fn service(&self) -> Process {
        let service = self.start("run");
        let accounts = self.texts.accounts.len();
        eventually("the service's first cycles", || {
            assert!(service.is_running(), "the service ended: {}", service.err());
            service.err().matches("cycle_planned").count() >= accounts
        });
        service
    }

    /// The live quantity of a listing of the first account.
    pub(crate) fn live(&self, sku: &str) -> u64 {
        self.live_of(SELLER, sku)
    }

    pub(crate) fn live_of(&self, seller: &str, sku: &str) -> u64 {
        let listing = self.pair.amazon.listing(seller, sku).unwrap_or_else(|| panic!("no listing {sku}"));
        listing.quantity.unwrap_or_else(|| panic!("{sku} has no quantity"))
    }

    pub(crate) fn wait_live(&self, sku: &str, quantity: u64) {
        eventually(&format!("{sku} at {quantity}"), || self.live(sku) == quantity);
    }

    /// Somebody else changes a listing on Amazon.
    pub(crate) fn edit_listing(&self, sku: &str, quantity: u64) {
        self.pair.amazon.set_listing(SELLER, sku, Edit { quantity: Some(quantity), ..Edit::default() }).unwrap();
    }

    pub(crate) fn stock(&self, sku: &str, quantity: i64) {
        self.pair.commerce.set_quantity(sku, "default", stocksync::sim::Quantity::whole(quantity)).unwrap();
    }

    /// How many quantities Amazon took in so far.
    pub(crate) fn written(&self) -> u64 {
        self.pair.amazon.events().len() as u64
    }

    /// How many were sent, whatever became of them: a stall of this machine may cost a 429.
    pub(crate) fn patches(&self) -> u64 {
        self.pair.amazon.stats().calls(Operation::PatchListingsItem)
    }

    /// The quantities that Amazon took in for a SKU, in order.
    pub(crate) fn sent(&self, sku: &str) -> Vec<u64> {
        let events = self.pair.amazon.events();
        events.iter().filter(|event| event.sku == sku).filter_map(|event| event.quantity).collect()
    }

    /// What was kept of everything that reached Amazon for a listing of the first account, newest first.
    pub(crate) fn journal(&self, skus: &[String]) -> Vec<JournalEntry> {
        let store = stocksync::store::Store::open(&self.path("state.db")).unwrap();
        let read = async |sku: &String| store.journal_of(&"one".into(), &sku.as_str().into(), 100).await.unwrap();
        self.runtime.block_on(async {
            let mut entries = Vec::new();
            for sku in skus {
                entries.extend(read(sku).await);
            }
            entries
        })
    }

    /// How many feeds of the first account have not ended.
    pub(crate) fn open_feeds(&self) -> usize {
        let store = stocksync::store::Store::open(&self.path("state.db")).unwrap();
        self.runtime.block_on(store.open_feeds(&"one".into())).unwrap().len()
    }

    /// What the service answers to a resync on its socket, line by line.
    pub(crate) fn ask_service(&self, body: &str) -> Vec<serde_json::Value> {
        let text = self.runtime.block_on(async {
            let bytes = stocksync::http::post_to_socket(&self.socket(), "/v1/resync", body.into()).await.unwrap();
            bytes.map(|chunk| chunk.unwrap().to_vec()).concat().await
        });
        text.split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect()
    }

    /// Status and body.
    pub(crate) fn get(&self, url: &str) -> (u16, String) {
        self.runtime.block_on(async {
            let answer = reqwest::get(url).await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        })
    }
}

impl Drop for Bench {
    /// Whatever a test was about: nothing was done that hurts a merchant or gives a token away.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(format!("{:?}", self.pair.amazon.stats().violations), "[]");
        }
    }
}

/// Waits for something that takes a moment.
pub(crate) fn eventually(what: &str, happens: impl FnMut() -> bool) {
    eventually_within(PATIENCE, what, happens);
}

pub(crate) fn eventually_within(patience: Duration, what: &str, mut happens: impl FnMut() -> bool) {
    let clock = Clock::system();
    let started = clock.instant();
    while !happens() {
        assert!(started.elapsed() < patience, "waited in vain for {what}");
        pause(50);
    }
}

pub(crate) fn pause(millis: u64) {
    std::thread::sleep(Duration::from_millis(millis));
}
