//! Three thousand changes at a hundred a second, in real time: the rate that Amazon grants is used and never exceeded.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use stocksync::assembly::Assembly;
use stocksync::clock::Clock;
use stocksync::config::Config;
use stocksync::cycle::Order;
use stocksync::sim::Pair;
use stocksync::sim::amazon::Operation;
use stocksync::sim::world::World;
use tokio_util::sync::CancellationToken;

const LISTINGS: u32 = 3000;
const RATE: f64 = 100.0;

const WORLD: &str = r#"
seed = 5
[commerce]
integration_bearer_token = "token"
generate = { products = 3000, plain = true }
[amazon]
speed = 20.0
report_delay = "100ms"
[[amazon.account]]
seller_id = "A1ACME"
client_id = "client"
client_secret = "secret"
refresh_token = "Atzr|refresh"
region = "eu"
marketplaces = ["DE"]
generate = { listings = 3000, sku = "GEN-{000001}", quantity = 401 }
"#;

const CONFIG: &str = r#"
[state]
url = "sqlite:{folder}/state.db"
[[commerce]]
name = "shop"
base_url = "{commerce}"
auth = { method = "bearer", token = "token" }
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

#[tokio::test(flavor = "multi_thread")]
async fn three_thousand_listings_resync_at_the_granted_rate_without_a_429() {
    let clock = Clock::system();
    let pair = Pair::start(World::parse(WORLD, Path::new("world.toml")).unwrap(), 0, 0, clock).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let text = CONFIG
        .replace("{folder}", &folder.path().display().to_string())
        .replace("{commerce}", &pair.commerce_url())
        .replace("{amazon}", &pair.amazon_url());
    let config = Config::parse(&text, &folder.path().join("stocksync.toml"), std::iter::empty()).unwrap();
    let store = Assembly::open_store(&config).unwrap();
    let assembly = Assembly::new(Arc::new(config), store, clock, 1).unwrap();
    let (stores, skus) = (BTreeSet::new(), Vec::new());
    let order = Order { cause: "resync", stores, skus, afresh: true, read_since: clock.now() };
    let worked = assembly.accounts[0].once(&order, &CancellationToken::new()).await.unwrap();

    assert_eq!(worked.drained.accepted, u64::from(LISTINGS));
    let counts = pair.amazon.stats().calls["A1ACME"][&Operation::PatchListingsItem].clone();
    assert_eq!((counts.calls, counts.throttled), (u64::from(LISTINGS), 0));
    let took = counts.last_granted.unwrap() - counts.first_granted.unwrap();
    let share = f64::from(LISTINGS - 1) / (took.as_secs_f64() * RATE);
    println!("{share:.4} of the granted rate used");
    assert!(share >= 0.97, "{share:.4} of the granted rate used");
}
