//! What a shop's server has to do for us: requests and simulated seconds of a core, by the costs measured on a real one.
//! `cargo bench --bench commerce_load` prints the table of docs/commerce-load.md; product counts may be given as arguments.

#![expect(clippy::unwrap_used, reason = "a measurement that fails may panic")]
#![expect(clippy::print_stdout, reason = "its result is what it prints")]
#![expect(clippy::cast_precision_loss, reason = "shares and means are for people")]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use stocksync::assembly::Assembly;
use stocksync::clock::Clock;
use stocksync::config::Config;
use stocksync::cycle::Order;
use stocksync::sim::Pair;
use stocksync::sim::commerce::Stats;
use stocksync::sim::world::World;
use tempfile::TempDir;

const TICK: Duration = Duration::from_mins(5);
/// An hour of ticks: all stock settings have had their turn.
const TICKS: u32 = 12;
const ROLLING: &str = "6h";
const EXPORT: &str = "export-stock-salable-qty";

const WORLD: &str = r#"
seed = 7
[commerce]
integration_bearer_token = "token"
generate = { products = {products}, plain = true }
[amazon]
report_delay = "100ms"
[[amazon.account]]
seller_id = "A1ACME"
client_id = "client"
client_secret = "secret"
refresh_token = "Atzr|refresh"
region = "eu"
marketplaces = ["DE"]
generate = { listings = 10, sku = "GEN-{000001}", quantity = 1 }
"#;

const CONFIG: &str = r#"
[guards]
max_zeroed_percent = 100
max_zeroed_count = 100000000
max_units_drop_percent = 100
[state]
url = "sqlite:{folder}/state.db"
[[commerce]]
name = "shop"
base_url = "{commerce}"
auth = { method = "bearer", token = "token" }
full_sweep_every = "{rolling}"
[[account]]
name = "acme"
seller_id = "A1ACME"
region = "eu"
client_id = "client"
client_secret = "secret"
refresh_token = "Atzr|refresh"
endpoint = "{amazon}"
token_url = "{amazon}/auth/o2/token"
[[store]]
name = "acme-de"
commerce = "shop"
website = "base"
account = "acme"
country = "DE"
created_at = "2019-03-01T00:00:00Z"
mode = "live"
"#;

fn main() {
    let asked: Vec<u32> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let sizes = if asked.is_empty() { vec![20_000, 100_000] } else { asked };
    println!("| products | a tick | requests | core-seconds | less by |");
    println!("|---|---|---|---|---|");
    for products in sizes {
        table(products);
    }
}

fn table(products: u32) {
    let naive = virtually(async {
        let bench = Bench::start(products).await;
        bench.tick(true, 0).await;
        bench.measure(1, true, 0).await
    });
    let export = naive.routes[EXPORT];
    let naive = Load { requests: export.requests as f64, seconds: export.core_us as f64 / 1e6 };
    row(products, "naive: everything exported", naive, None);
    let (quiet, moving) = virtually(async {
        let bench = Bench::start(products).await;
        bench.tick(false, 0).await;
        bench.tick(false, 0).await;
        let quiet = bench.measure(TICKS, false, 0).await;
        (quiet, bench.measure(TICKS, false, products / 100).await)
    });
    // When nothing moves, only the rolling sweep exports.
    let sweep = quiet.routes[EXPORT];
    for (what, stats) in [("quiet", &quiet), ("1 % moving", &moving)] {
        let all = Load::of(stats);
        let without = Load {
            requests: all.requests - sweep.requests as f64 / f64::from(TICKS),
            seconds: all.seconds - sweep.core_us as f64 / 1e6 / f64::from(TICKS),
        };
        row(products, &format!("{what}, without the rolling sweep"), without, Some(naive));
        row(products, &format!("{what}, rolling sweep every {ROLLING}"), all, Some(naive));
    }
}

#[derive(Clone, Copy)]
struct Load {
    requests: f64,
    seconds: f64,
}

impl Load {
    /// Of one tick.
    fn of(stats: &Stats) -> Self {
        let ticks = f64::from(TICKS);
        let core: u64 = stats.routes.values().map(|route| route.core_us).sum();
        Self { requests: stats.requests() as f64 / ticks, seconds: core as f64 / 1e6 / ticks }
    }
}

fn row(products: u32, what: &str, load: Load, naive: Option<Load>) {
    let less = naive.map_or_else(String::new, |naive| format!("{:.0} times", naive.seconds / load.seconds));
    println!("| {products} | {what} | {:.1} | {:.2} | {less} |", load.requests, load.seconds);
}

struct Bench {
    pair: Pair,
    assembly: Assembly,
    clock: Clock,
    products: u32,
    next: std::cell::Cell<u32>,
    _folder: TempDir,
}

impl Bench {
    async fn start(products: u32) -> Self {
        let clock = Clock::starting_at("2026-11-02T08:00:00Z".parse().unwrap());
        let world = WORLD.replace("{products}", &products.to_string());
        let pair = Pair::start(World::parse(&world, Path::new("world.toml")).unwrap(), 0, 0, clock).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let text = CONFIG
            .replace("{folder}", &folder.path().display().to_string())
            .replace("{commerce}", &pair.commerce_url())
            .replace("{amazon}", &pair.amazon_url())
            .replace("{rolling}", ROLLING);
        let config = Config::parse(&text, &folder.path().join("stocksync.toml"), std::iter::empty()).unwrap();
        let store = Assembly::open_store(&config).unwrap();
        let assembly = Assembly::new(Arc::new(config), store, clock, 1).unwrap();
        Self { pair, assembly, clock, products, next: std::cell::Cell::new(0), _folder: folder }
    }

    async fn tick(&self, everything: bool, moving: u32) {
        // Sales come one after the other.
        for _ in 0..moving {
            // A stride that comes to every product before it comes to one again.
            let number = self.next.get();
            self.next.set((number + 7919) % self.products);
            self.pair.commerce.order(&format!("GEN-{:06}", number + 1), 1, 1).unwrap();
            self.clock.sleep(TICK / moving).await;
        }
        if moving == 0 {
            self.clock.sleep(TICK).await;
        }
        let (stores, skus) = (BTreeSet::new(), Vec::new());
        let order = Order { cause: "bench", stores, skus, afresh: false, everything, read_since: self.clock.now() };
        let plan = self.assembly.accounts[0].cycle.plan(&order).await.unwrap();
        assert_eq!(plan.problem, None);
    }

    async fn measure(&self, ticks: u32, everything: bool, moving: u32) -> Stats {
        self.pair.commerce.reset_stats();
        for _ in 0..ticks {
            self.tick(everything, moving).await;
        }
        self.pair.commerce.stats()
    }
}

fn virtually<T>(work: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().start_paused(true).build().unwrap().block_on(work)
}
