//! The whole program against a shop whose clock may go wrong and an Amazon, in virtual time.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use jiff::{SignedDuration, Timestamp};
use stocksync::assembly::Assembly;
use stocksync::clock::Clock;
use stocksync::config::Config;
use stocksync::cycle::Order;
use stocksync::plan::Plan;
use stocksync::sim::amazon::Amazon;
use stocksync::sim::commerce::Commerce;
use stocksync::sim::serve;
use stocksync::sim::world::World;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::shop::{Shop, product_world, some_items, spare_names};
use super::truth::{SITES, SOURCES, Site, home};

pub(crate) const SELLER: &str = "A1ACME";
const ALL_BUT_ORDERS: [&str; 6] = [
    "Magento_Backend::store",
    "Magento_InventoryApi::stock",
    "Magento_InventoryApi::source",
    "Magento_InventorySalesApi::stock",
    "Magento_Catalog::products",
    "Magento_Catalog::catalog_inventory",
];

/// What is special about a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Variant {
    pub(crate) seed: u64,
    pub(crate) products: usize,
    pub(crate) rounds: u32,
    pub(crate) changes_a_round: u32,
    pub(crate) sweep_every_min: u32,
    pub(crate) index_lag_min: u32,
    /// How far the shop's clock is ahead of ours.
    pub(crate) shop_ahead_min: i64,
    pub(crate) may_read_orders: bool,
}

impl Variant {
    pub(crate) const PLAIN: Self = Self {
        seed: 1,
        products: 900,
        rounds: 8,
        changes_a_round: 170,
        sweep_every_min: 60,
        index_lag_min: 0,
        shop_ahead_min: 0,
        may_read_orders: true,
    };
}

pub(crate) struct Bench {
    pub(crate) shop: Shop,
    pub(crate) amazon: Arc<Amazon>,
    pub(crate) clock: Clock,
    assembly: Option<Assembly>,
    config: Arc<Config>,
    shop_address: SocketAddr,
    client: reqwest::Client,
    _folder: TempDir,
    _servers: JoinSet<()>,
}

impl Bench {
    pub(crate) async fn start(variant: &Variant) -> Self {
        let started: Timestamp = "2026-11-02T08:00:00Z".parse().unwrap();
        let clock = Clock::starting_at(started);
        let shop_clock = Clock::starting_at(started + SignedDuration::from_mins(variant.shop_ahead_min));
        let items = some_items(variant.seed, variant.products);
        let mut world = world(&commerce_text(variant)).commerce;
        world.product = items.iter().map(|(sku, item)| product_world(sku, item)).collect();
        let commerce = Commerce::new(&world, shop_clock);
        let shop = Shop::new(Arc::clone(&commerce), clock, items, variant.seed);
        let amazon = Amazon::new(self::world(&amazon_text(&shop)).amazon, variant.seed, clock);
        let mut servers = JoinSet::new();
        let shop_address = serve_on(&mut servers, commerce.router()).await;
        let amazon_address = serve_on(&mut servers, amazon.router()).await;
        let folder = tempfile::tempdir().unwrap();
        let text = config_text(variant, folder.path(), shop_address, amazon_address);
        let config = Config::parse(&text, &folder.path().join("stocksync.toml"), std::iter::empty());
        let config = Arc::new(config.unwrap_or_else(|error| panic!("{error}\n{text}")));
        let client = reqwest::Client::builder().no_proxy().no_gzip().build().unwrap();
        let mut bench = Self {
            shop,
            amazon,
            clock,
            assembly: None,
            config,
            shop_address,
            client,
            _folder: folder,
            _servers: servers,
        };
        bench.restart();
        bench
    }

    /// A new process on the same state file.
    pub(crate) fn restart(&mut self) {
        self.assembly = None;
        let store = Assembly::open_store(&self.config).unwrap();
        self.assembly = Some(Assembly::new(Arc::clone(&self.config), store, self.clock, 1).unwrap());
    }

    pub(crate) const fn assembly(&self) -> &Assembly {
        self.assembly.as_ref().unwrap()
    }

    pub(crate) fn parts(&mut self) -> (&Assembly, &mut Shop) {
        (self.assembly.as_ref().unwrap(), &mut self.shop)
    }

    pub(crate) async fn wait(&self, time: Duration) {
        self.clock.sleep(time).await;
    }

    pub(crate) fn shown(&self, sku: &str) -> Option<u64> {
        self.amazon.listing(SELLER, sku)?.quantity
    }

    /// What the stock index says of all products, by website and SKU.
    #[expect(clippy::disallowed_methods, reason = "the test is the client, without pacing and retries")]
    pub(crate) async fn dump(&self) -> BTreeMap<(usize, String), String> {
        let mut rows = BTreeMap::new();
        for (site, Site { code, .. }) in SITES.iter().enumerate() {
            let url = format!("http://{}/rest/V1/inventory/dump-stock-index-data/website/{code}", self.shop_address);
            let text = self.client.get(url).bearer_auth("token").send().await.unwrap().text().await.unwrap();
            let list: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"));
            rows.extend(list.into_iter().map(|row| ((site, row["sku"].as_str().unwrap().to_owned()), row.to_string())));
        }
        rows
    }
}

/// One cycle with its sending.
pub(crate) async fn cycle(assembly: &Assembly) -> Plan {
    let (stores, skus) = (BTreeSet::new(), Vec::new());
    let read_since = assembly.clock.now();
    let order = Order { cause: "test", stores, skus, afresh: false, everything: false, read_since };
    assembly.accounts[0].once(&order, &CancellationToken::new()).await.unwrap().plan
}

async fn serve_on(servers: &mut JoinSet<()>, router: Router) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    servers.spawn(async move { drop(serve(router, listener, CancellationToken::new()).await) });
    address
}

fn world(text: &str) -> World {
    World::parse(text, Path::new("watching.toml")).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn commerce_text(variant: &Variant) -> String {
    let mut text = format!(
        "seed = {}\n[commerce]\nintegration_bearer_token = \"token\"\nlatency = 1.0\nindex_lag = \"{}m\"\n",
        variant.seed, variant.index_lag_min
    );
    if !variant.may_read_orders {
        writeln!(text, "resources = {ALL_BUT_ORDERS:?}").unwrap();
    }
    for Site { code, id, .. } in SITES {
        writeln!(text, "[[commerce.website]]\ncode = \"{code}\"\nid = {id}\nstock_id = {id}").unwrap();
        writeln!(text, "[[commerce.stock]]\nid = {id}\nname = \"{code}\"").unwrap();
    }
    for source in SOURCES {
        let stocks: Vec<u32> = SITES.iter().filter(|site| site.sources.contains(&source)).map(|site| site.id).collect();
        writeln!(text, "[[commerce.source]]\ncode = \"{source}\"\nstocks = {stocks:?}").unwrap();
    }
    text
}

/// Every listing shows what it should, where that is known; there is one for every spare name.
fn amazon_text(shop: &Shop) -> String {
    let names: Vec<String> = shop.names.iter().cloned().chain(spare_names()).collect();
    let row = |sku: &String| {
        let listed = shop.expected(sku).listed.unwrap_or(7);
        format!("{{ sku = \"{sku}\", quantity = {listed}, marketplaces = [\"{}\"] }}", SITES[home(sku)].country)
    };
    let rows: Vec<String> = names.iter().map(row).collect();
    format!(
        "[amazon]\nspeed = 20.0\n[[amazon.account]]\nseller_id = \"{SELLER}\"\nclient_id = \"client\"\n\
         client_secret = \"secret\"\nrefresh_token = \"Atzr|acme\"\nregion = \"eu\"\n\
         marketplaces = [\"DE\", \"FR\", \"IT\"]\nlisting = [\n{}\n]\n",
        rows.join(",\n")
    )
}

fn config_text(variant: &Variant, folder: &Path, shop: SocketAddr, amazon: SocketAddr) -> String {
    let mut text = format!(
        "[guards]\nmax_zeroed_percent = 100\nmax_zeroed_count = 1000000\nmax_units_drop_percent = 100\nmin_source_ratio = 0.0\n\
         [state]\nurl = \"sqlite:{}/state.db\"\n[push]\nverify_every = \"7d\"\nverify_static_every = \"7d\"\n\
         [[commerce]]\nname = \"shop\"\nbase_url = \"http://{shop}\"\n\
         auth = {{ method = \"bearer\", token = \"token\" }}\nfull_sweep_every = \"{}m\"\n\
         [[account]]\nname = \"acme\"\nseller_id = \"{SELLER}\"\nregion = \"eu\"\nclient_id = \"client\"\n\
         client_secret = \"secret\"\nrefresh_token = \"Atzr|acme\"\nendpoint = \"http://{amazon}\"\n\
         token_url = \"http://{amazon}/auth/o2/token\"\n",
        folder.display(),
        variant.sweep_every_min
    );
    for Site { code, country, .. } in SITES {
        writeln!(
            text,
            "[[store]]\nname = \"{code}\"\ncommerce = \"shop\"\nwebsite = \"{code}\"\naccount = \"acme\"\n\
             country = \"{country}\"\nmode = \"live\"\ncreated_at = \"2019-03-01T00:00:00Z\"\n\
             schedule = \"0 */5 * * * *\"\non_missing_product = \"zero\""
        )
        .unwrap();
    }
    text
}
