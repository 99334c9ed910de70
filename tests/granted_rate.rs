//! In real time: the rate that Amazon grants is used and never exceeded.
//!
//! What Amazon's bucket holds bridges a fifth of a second at the fourfold rate, and 40 ms at the twentyfold one: the
//! latter says something about the product only on a machine that does nothing else, and is asked for by name
//! (`cargo test --test granted_rate -- --ignored`). In virtual time `tests/scenarios/pacing.rs` holds it always.

#[cfg(test)]
mod granted_rate {
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

    const WORLD: &str = r#"
seed = 5
[commerce]
integration_bearer_token = "token"
generate = { products = {listings}, plain = true }
[amazon]
speed = {speed}
report_delay = "100ms"
[[amazon.account]]
seller_id = "A1ACME"
client_id = "client"
client_secret = "secret"
refresh_token = "Atzr|refresh"
region = "eu"
marketplaces = ["DE"]
generate = { listings = {listings}, sku = "GEN-{000001}", quantity = 401 }
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
    async fn six_hundred_changes_use_the_fourfold_rate_without_a_429() {
        resync(600, 4.0).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    #[ignore = "needs a machine that does nothing else"]
    async fn three_thousand_changes_use_the_twentyfold_rate_without_a_429() {
        resync(3000, 20.0).await;
    }

    async fn resync(listings: u32, speed: f64) {
        let clock = Clock::system();
        let world = WORLD.replace("{listings}", &listings.to_string()).replace("{speed}", &format!("{speed:?}"));
        let pair = Pair::start(World::parse(&world, Path::new("world.toml")).unwrap(), 0, 0, clock).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let text = CONFIG
            .replace("{folder}", &folder.path().display().to_string())
            .replace("{commerce}", &pair.commerce_url())
            .replace("{amazon}", &pair.amazon_url());
        let config = Config::parse(&text, &folder.path().join("stocksync.toml"), std::iter::empty()).unwrap();
        let store = Assembly::open_store(&config).unwrap();
        let assembly = Assembly::new(Arc::new(config), store, clock, 1).unwrap();
        let (stores, skus) = (BTreeSet::new(), Vec::new());
        let order = Order { cause: "resync", stores, skus, afresh: true, everything: true, read_since: clock.now() };
        let worked = assembly.accounts[0].once(&order, &CancellationToken::new()).await.unwrap();

        assert_eq!(worked.drained.accepted, u64::from(listings));
        let counts = pair.amazon.stats().calls["A1ACME"][&Operation::PatchListingsItem].clone();
        assert_eq!((counts.calls, counts.throttled), (u64::from(listings), 0));
        let took = counts.last_granted.unwrap() - counts.first_granted.unwrap();
        let share = f64::from(listings - 1) / (took.as_secs_f64() * 5.0 * speed);
        println!("{share:.4} of the granted rate used");
        assert!(share >= 0.97, "{share:.4} of the granted rate used");
    }
}
