//! How long a great many changes take by both lanes, against the least that arithmetic allows: `cargo bench --bench lanes`
//! prints the table of docs/throughput.md; numbers of changes may be given as arguments. It runs in virtual time.

#![expect(clippy::unwrap_used, reason = "a measurement that fails may panic")]
#![expect(clippy::print_stdout, reason = "its result is what it prints")]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use stocksync::assembly::Assembly;
use stocksync::clock::Clock;
use stocksync::config::Config;
use stocksync::cycle::Order;
use stocksync::sim::Pair;
use stocksync::sim::amazon::Lane;
use stocksync::sim::world::World;
use tokio_util::sync::CancellationToken;

/// Of the simulated account.
const PATCHES_A_SECOND: u64 = 5;
const FEED_TIME: Duration = Duration::from_mins(15);
const MESSAGES: u64 = 25_000;

const WORLD: &str = r#"
seed = 7
[commerce]
integration_bearer_token = "token"
generate = { products = {count}, plain = true }
[amazon]
report_delay = "100ms"
feed_delay = "15m"
apply_delay = "1s"
[[amazon.account]]
seller_id = "A1ACME"
client_id = "client"
client_secret = "secret"
refresh_token = "Atzr|refresh"
region = "eu"
marketplaces = ["DE"]
generate = { listings = {count}, sku = "GEN-{000001}", quantity = 1 }
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
max_load = 1.0
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
    let sizes = if asked.is_empty() { vec![4_000, 20_000, 100_000] } else { asked };
    println!("| changes | by patch | by feed | in both | 429s | took | optimum | ratio | patches alone |");
    println!("|---|---|---|---|---|---|---|---|---|");
    for count in sizes {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_all().start_paused(true).build().unwrap().block_on(measure(count));
    }
}

async fn measure(count: u32) {
    let clock = Clock::starting_at("2026-11-02T08:00:00Z".parse().unwrap());
    let world = WORLD.replace("{count}", &count.to_string());
    let pair = Pair::start(World::parse(&world, Path::new("world.toml")).unwrap(), 0, 0, clock).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let text = CONFIG
        .replace("{folder}", &folder.path().display().to_string())
        .replace("{commerce}", &pair.commerce_url())
        .replace("{amazon}", &pair.amazon_url());
    let config = Config::parse(&text, &folder.path().join("stocksync.toml"), std::iter::empty()).unwrap();
    let store = Assembly::open_store(&config).unwrap();
    let assembly = Assembly::new(Arc::new(config), store, clock, 1).unwrap();
    let work = &assembly.accounts[0];
    let (stores, skus) = (BTreeSet::new(), Vec::new());
    let order = Order { cause: "bench", stores, skus, afresh: false, everything: true, read_since: clock.now() };
    let plan = work.cycle.run(&order).await.unwrap();

    let (started, stop) = (clock.instant(), CancellationToken::new());
    let sending = async {
        loop {
            work.pusher.drain(None, &stop, |_| {}).await.unwrap();
            let waiting = assembly.store.backlog(work.name(), None).await.unwrap();
            if waiting == 0 && assembly.store.open_feeds(work.name()).await.unwrap().is_empty() {
                stop.cancel();
                return;
            }
            clock.sleep(Duration::from_secs(1)).await;
        }
    };
    tokio::join!(work.follower.follow(&stop), sending);
    let took = clock.instant() - started;
    clock.sleep(Duration::from_mins(1)).await;

    let changes = plan.changes.len() as u64;
    let events = pair.amazon.events();
    let by_feed = events.iter().filter(|event| event.lane == Lane::Feed).count() as u64;
    let distinct: BTreeSet<&str> = events.iter().map(|event| event.sku.as_str()).collect();
    let twice = events.len() - distinct.len();
    assert_eq!(distinct.len() as u64, changes, "all were sent");
    for change in &plan.changes {
        let shown = pair.amazon.listing("A1ACME", change.seller_sku.as_str()).unwrap().quantity;
        assert_eq!(shown, Some(change.to.into()), "{} is live", change.seller_sku);
    }
    let best = optimum(changes);
    println!(
        "| {changes} | {} | {by_feed} | {twice} | {} | {} | {} | {:.2} | {} |",
        events.len() as u64 - by_feed,
        pair.amazon.stats().throttled(),
        minutes(took),
        minutes(best),
        took.as_secs_f64() / best.as_secs_f64(),
        minutes(Duration::from_secs(changes / PATCHES_A_SECOND)),
    );
}

/// The least over every number of feeds: these one after the other, and the patches of what is left beside them.
fn optimum(changes: u64) -> Duration {
    let with = |feeds: u64| {
        let patched = Duration::from_secs(changes.saturating_sub(feeds * MESSAGES) / PATCHES_A_SECOND);
        patched.max(FEED_TIME * u32::try_from(feeds).unwrap())
    };
    (0..=changes.div_ceil(MESSAGES)).map(with).min().unwrap()
}

fn minutes(time: Duration) -> String {
    format!("{:.1} min", time.as_secs_f64() / 60.0)
}
