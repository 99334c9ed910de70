use std::fmt::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use stocksync::assembly::Assembly;
use stocksync::clock::Clock;
use stocksync::config::Config;
use stocksync::daemon::{Daemon, Done, Request};
use stocksync::model::AccountName;
use stocksync::sim::world::World;
use stocksync::sim::{Pair, Quantity};
use stocksync::store::{CycleRecord, Store, Trouble};
use tempfile::TempDir;
use tokio::sync::oneshot;

const SHOP: &str = r#"
seed = 7

[commerce]
integration_bearer_token = "sample-bearer-token"

[[commerce.stock]]
id = 1
name = "Default Stock"

[[commerce.website]]
code = "base"
id = 1
stock_id = 1
name = "Main Website"

[[commerce.source]]
code = "default"
stocks = [1]

[amazon]
apply_delay = "2s"
report_delay = "5s"
"#;

const CONFIG: &str = r#"
[guards]
max_zeroed_percent = 100
max_zeroed_count = 100000000
max_units_drop_percent = 100
[state]
url = "sqlite:{folder}/state.db"

[control]
socket = "{folder}/control.sock"

[[commerce]]
name = "shop"
base_url = "{commerce}"
auth = { method = "bearer", token = "sample-bearer-token" }
"#;

/// Two accounts that sell the same shop, each with so many listings, and the service at work on them.
pub(crate) struct Bench {
    pub(crate) pair: Pair,
    pub(crate) daemon: Daemon,
    pub(crate) store: Store,
    clock: Clock,
    _folder: TempDir,
}

/// What the program logs.
#[derive(Clone, Default)]
pub(crate) struct Heard(Arc<Mutex<Vec<u8>>>);

impl Heard {
    pub(crate) fn listen(&self) -> tracing::subscriber::DefaultGuard {
        let writer = self.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::INFO)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::set_default(subscriber)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl std::io::Write for Heard {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub(crate) const ACCOUNTS: [&str; 2] = ["one", "two"];

pub(crate) fn name(account: &str) -> AccountName {
    account.into()
}

pub(crate) fn seller(account: &str) -> String {
    format!("A1{}", account.to_uppercase())
}

fn world(listings: usize) -> World {
    let mut text = SHOP.to_owned();
    let mut rows = String::new();
    for number in 0..listings {
        write!(
            text,
            "\n[[commerce.product]]\nsku = \"SKU-{number}\"\nname = \"No. {number}\"\nsources = {{ default = 7 }}\n"
        )
        .unwrap();
        writeln!(rows, "    {{ sku = \"SKU-{number}\", quantity = 9, marketplaces = [\"DE\"] }},").unwrap();
    }
    for account in ACCOUNTS {
        let seller = seller(account);
        write!(
            text,
            "\n[[amazon.account]]\nseller_id = \"{seller}\"\nclient_id = \"id-{account}\"\nclient_secret = \"secret\"\n\
             refresh_token = \"Atzr|{account}\"\nregion = \"eu\"\nmarketplaces = [\"DE\"]\nlisting = [\n{rows}]\n"
        )
        .unwrap();
    }
    World::parse(&text, "world.toml".as_ref()).unwrap()
}

fn config(folder: &TempDir, pair: &Pair, schedule: &str) -> Config {
    let folder = folder.path();
    let mut text =
        CONFIG.replace("{folder}", &folder.display().to_string()).replace("{commerce}", &pair.commerce_url());
    for account in ACCOUNTS {
        let (seller, amazon) = (seller(account), pair.amazon_url());
        write!(
            text,
            "\n[[account]]\nname = \"{account}\"\nseller_id = \"{seller}\"\nregion = \"eu\"\nclient_id = \"id-{account}\"\n\
             client_secret = \"secret\"\nrefresh_token = \"Atzr|{account}\"\nendpoint = \"{amazon}\"\n\
             token_url = \"{amazon}/auth/o2/token\"\n\n[[store]]\nname = \"{account}-de\"\ncommerce = \"shop\"\n\
             website = \"base\"\naccount = \"{account}\"\ncountry = \"DE\"\ncreated_at = \"2019-03-01T00:00:00Z\"\n\
             schedule = \"{schedule}\"\ntime_zone = \"UTC\"\nmode = \"live\"\n"
        )
        .unwrap();
    }
    Config::parse(&text, &folder.join("stocksync.toml"), std::iter::empty()).unwrap()
}

impl Bench {
    pub(crate) async fn start(listings: usize, schedule: &str, prepare: impl FnOnce(&Pair)) -> Self {
        let started: Timestamp = "2026-11-02T08:00:10Z".parse().unwrap();
        let clock = Clock::starting_at(started);
        let pair = Pair::start(world(listings), 0, 0, clock).await.unwrap();
        prepare(&pair);
        let folder = tempfile::tempdir().unwrap();
        let config = Arc::new(config(&folder, &pair, schedule));
        let store = Assembly::open_store(&config).unwrap();
        let assembly = Assembly::new(config, store.clone(), clock, 7).unwrap();
        let daemon = Daemon::start(&assembly);
        Self { pair, daemon, store, clock, _folder: folder }
    }

    pub(crate) async fn wait(&self, seconds: u64) {
        self.clock.sleep(Duration::from_secs(seconds)).await;
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn stock(&self, sku: &str, quantity: i64) {
        self.pair.commerce.set_quantity(sku, "default", Quantity::whole(quantity)).unwrap();
    }

    pub(crate) fn shown(&self, account: &str, sku: &str) -> Option<u64> {
        self.pair.amazon.listing(&seller(account), sku).unwrap().quantity
    }

    /// How often all of the shop was read.
    pub(crate) fn sweeps(&self) -> u64 {
        self.pair.commerce.stats().routes["store/websites"].requests
    }

    pub(crate) async fn cycles(&self, account: &str) -> Vec<CycleRecord> {
        self.store.cycles(&name(account), 1000).await.unwrap()
    }

    pub(crate) async fn trouble(&self, account: &str) -> Option<Trouble> {
        self.store.trouble(&name(account)).await.unwrap()
    }

    /// Asks for a resync of everything.
    pub(crate) async fn ask(&self, account: &str) -> oneshot::Receiver<Result<Done, String>> {
        let (reply, answer) = oneshot::channel();
        let order = stocksync::cycle::Order {
            cause: "resync",
            stores: std::collections::BTreeSet::new(),
            skus: Vec::new(),
            afresh: true,
            everything: true,
            read_since: self.clock.now(),
        };
        let request = Request { order, progress: stocksync::cycle::Progress::to_nobody(), wait: false, reply };
        self.daemon.desk.accounts[&name(account)].send(request).await.unwrap();
        answer
    }
}
