//! Who decides: stores that share a seller SKU, and countries that disagree.

use stocksync::reason::Reason;

use super::bench::{Bench, PlanExt};
use super::scene::{Scene, Store, store};

/// Two accounts that sell one seller SKU in Germany, each with a cap of its own.
fn rivals(acme: Store, beta: Store) -> Scene {
    Scene::empty()
        .account("acme")
        .store(acme.with("maximum_listed_quantity = 10"))
        .listing("MUG", 1)
        .account("beta")
        .store(beta.of("beta").with("maximum_listed_quantity = 7"))
        .listing("MUG", 2)
}

async fn shown(scene: Scene) -> (Option<u64>, Option<u64>) {
    let bench = Bench::start(scene).await;
    // Twice: on a fresh state one account may not know yet what the other one lists.
    for _ in 0..2 {
        bench.cycle().await;
        bench.wait("5m").await;
    }
    assert_eq!(bench.cycles("30m").await, []);
    (bench.shown("MUG"), bench.shown_by("beta", "MUG"))
}

#[tokio::test(start_paused = true)]
async fn of_two_accounts_in_one_country_the_older_store_decides_for_both() {
    let older = |acme: &str, beta: &str| {
        rivals(store("acme-de").created(acme), store("beta-de").created(beta)).product("MUG", 80)
    };
    assert_eq!(shown(older("2019-01-01", "2020-01-01")).await, (Some(10), Some(10)));
    assert_eq!(shown(older("2020-01-01", "2019-01-01")).await, (Some(7), Some(7)));
    // At once: the smaller name.
    assert_eq!(shown(older("2020-01-01", "2020-01-01")).await, (Some(10), Some(10)));
    let named = rivals(store("z-de"), store("a-de")).product("MUG", 80);
    assert_eq!(shown(named).await, (Some(7), Some(7)));
}

#[tokio::test(start_paused = true)]
async fn stores_of_different_countries_or_without_the_listing_decide_alone() {
    let scene = rivals(store("acme-de"), store("beta-fr").country("FR").created("2018-01-01")).product("MUG", 80);
    let scene = scene.listing_with("MUG", "quantity = 2, marketplaces = [\"FR\"]");
    assert_eq!(shown(scene).await, (Some(10), Some(7)));
}

#[tokio::test(start_paused = true)]
async fn an_older_store_whose_website_lacks_the_product_loses_to_one_that_carries_it() {
    let (acme, beta) = (store("acme-de").website("eu").created("2018-01-01"), store("beta-de").created("2021-01-01"));
    let scene = rivals(acme, beta);
    assert_eq!(shown(scene.clone().product("MUG", 80)).await, (Some(7), Some(7)));
    // Nobody's website carries it.
    let nowhere = scene.clone().product_with("MUG", "websites = [\"outlet\"], sources = { bremen = 80 }");
    assert_eq!(shown(nowhere).await, (Some(0), Some(0)));
    // Both carry it, and the older one has none left.
    let both = scene.product_with("MUG", "websites = [\"base\", \"eu\"], sources = { default = 80, leipzig = 0 }");
    assert_eq!(shown(both).await, (Some(0), Some(0)));
}

#[tokio::test(start_paused = true)]
async fn a_product_that_moves_to_another_website_changes_hands() {
    let (acme, beta) = (store("acme-de").website("eu").created("2018-01-01"), store("beta-de").created("2021-01-01"));
    let keys = "websites = [\"base\", \"eu\"], sources = { default = 80, leipzig = 80 }";
    let bench = Bench::start(rivals(acme, beta).product_with("MUG", keys)).await;
    bench.cycle().await;
    bench.cycles("5m").await;
    bench.wait("1m").await;
    assert_eq!((bench.shown("MUG"), bench.shown_by("beta", "MUG")), (Some(10), Some(10)));
    let websites = |codes: &[&str]| Some(codes.iter().map(|code| (*code).to_owned()).collect());
    let edit = |codes| stocksync::sim::commerce::ProductEdit { websites: websites(codes), ..Default::default() };
    bench.edit("MUG", &edit(&["base"]));
    bench.cycles("5m").await;
    bench.wait("1m").await;
    assert_eq!((bench.shown("MUG"), bench.shown_by("beta", "MUG")), (Some(7), Some(7)));
    bench.edit("MUG", &edit(&["base", "eu"]));
    bench.cycles("5m").await;
    bench.wait("1m").await;
    assert_eq!((bench.shown("MUG"), bench.shown_by("beta", "MUG")), (Some(10), Some(10)));
}

#[tokio::test(start_paused = true)]
async fn one_account_may_sell_for_two_websites_in_one_country() {
    let scene = Scene::empty()
        .account("acme")
        .store(store("acme-base").created("2019-01-01"))
        .store(store("acme-outlet").website("outlet").created("2022-01-01"))
        .product("MUG", 9)
        .listing("MUG", 1)
        .product_with("RUG", "websites = [\"outlet\"], sources = { bremen = 4 }")
        .listing("RUG", 1)
        .product_with("BOTH", "websites = [\"base\", \"outlet\"], sources = { default = 6, bremen = 5 }")
        .listing("BOTH", 1);
    let bench = Bench::start(scene).await;
    let plan = bench.cycle().await;
    bench.wait("1m").await;
    for (sku, quantity, decider) in [("MUG", 9, "acme-base"), ("RUG", 4, "acme-outlet"), ("BOTH", 6, "acme-base")] {
        assert_eq!(bench.shown(sku), Some(quantity), "{sku}");
        assert_eq!(plan.change(sku).unwrap().store.as_str(), decider, "{sku}");
    }
}

/// One listing in Germany (older, 20 in stock) and France (30 in stock).
fn disagreeing(policy: &str) -> Scene {
    Scene::empty()
        .account("acme")
        .account_key(&format!("on_country_conflict = \"{policy}\""))
        .store(store("acme-de").created("2019-01-01"))
        .store(store("acme-fr").country("FR").website("eu").created("2020-01-01"))
        .product_with("MUG", "websites = [\"base\", \"eu\"], sources = { default = 30, leipzig = 20 }")
        .listing_with("MUG", "quantity = 1, marketplaces = [\"DE\", \"FR\"]")
}

#[tokio::test(start_paused = true)]
async fn countries_that_disagree_get_one_number_by_the_accounts_policy() {
    for (policy, expected) in [("oldest", 30), ("lowest", 20)] {
        let bench = Bench::start(disagreeing(policy)).await;
        let plan = bench.cycle().await;
        let change = plan.change("MUG").unwrap();
        assert_eq!(change.reasons, [Reason::SalableQuantity, Reason::CountryConflict], "{policy}");
        assert_eq!(change.conflict.as_deref(), Some("acme-de (DE) 30, acme-fr (FR) 20"), "{policy}");
        assert_eq!((plan.conflicts(), bench.sent_of("MUG")), (1, vec![expected]), "{policy}");
        // And it stays: nobody overwrites anybody.
        assert_eq!(bench.cycles("2h").await, [], "{policy}");
    }
    let bench = Bench::start(disagreeing("withhold")).await;
    let plan = bench.cycle().await;
    assert_eq!((plan.why_withheld("MUG"), bench.sent()), (Some(Reason::CountryConflict), vec![]));
}

#[tokio::test(start_paused = true)]
async fn a_country_whose_website_lacks_the_product_is_no_conflict() {
    for policy in ["oldest", "lowest", "withhold"] {
        let mut scene = Scene::empty().account("acme").account_key(&format!("on_country_conflict = \"{policy}\""));
        scene = scene.store(store("acme-de").website("eu").created("2019-01-01"));
        scene = scene.store(store("acme-fr").country("FR").created("2020-01-01"));
        let scene = scene.product("MUG", 20).listing_with("MUG", "quantity = 1, marketplaces = [\"DE\", \"FR\"]");
        let bench = Bench::start(scene).await;
        let plan = bench.cycle().await;
        assert_eq!((plan.conflicts(), bench.sent_of("MUG")), (0, vec![20]), "{policy}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_lowest_number_moves_from_country_to_country() {
    let bench = Bench::start(disagreeing("lowest")).await;
    bench.cycle().await;
    for (base, expected) in [(5, 5), (30, 20), (0, 0), (20, 20)] {
        bench.stock("MUG", base);
        bench.cycles("5m").await;
        bench.wait("1m").await;
        assert_eq!(bench.shown("MUG"), Some(expected), "{base}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_observing_store_sends_nothing_whether_it_wins_or_loses() {
    let observed = |acme: Store, beta: Store| async {
        let bench = Bench::start(rivals(acme, beta).product("MUG", 80)).await;
        bench.cycle().await;
        bench.cycles("10m").await;
        let plan = bench.cycle().await;
        let planned = plan.change("MUG").map(|change| (change.to, change.live));
        (planned, bench.shown("MUG"), bench.shown_by("beta", "MUG"))
    };
    let (old, young) = ("2018-01-01", "2022-01-01");
    // It wins: its number is planned for both and sent to nobody.
    let outcome = observed(store("acme-de").created(old).observing(), store("beta-de").created(young)).await;
    assert_eq!(outcome, (Some((10, false)), Some(1), Some(2)));
    // It loses: the other account gets the winner's number, its own listing keeps what it has.
    let outcome = observed(store("acme-de").created(young).observing(), store("beta-de").created(old)).await;
    assert_eq!(outcome, (Some((7, false)), Some(1), Some(7)));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_goes_live_sends_what_it_only_planned() {
    let scene = Scene::empty().account("acme").product("MUG", 9).listing("MUG", 1);
    let mut bench = Bench::start(scene.clone().store(store("acme-de").observing())).await;
    assert_eq!(bench.cycles("10m").await, []);
    bench.reconfigure(|_| scene.store(store("acme-de")));
    assert_eq!(bench.cycles("5m").await, [("MUG".to_owned(), 9)]);
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_store_that_is_gone_from_the_configuration_never_leaves() {
    let scene = Scene::empty().account("acme").product("MUG", 9).listing("MUG", 9);
    let both = scene.clone().store(store("acme-de")).store(store("acme-fr").country("FR").created("2022-01-01"));
    let mut bench = Bench::start(both.product("JUG", 4).listing("JUG", 4)).await;
    bench.cycle().await;
    bench.stock("MUG", 5);
    bench.wait("5m").await;
    bench.work("acme").cycle.run(&bench.order()).await.unwrap();
    // Germany is sold by somebody else from now on, or observed.
    bench.reconfigure(|_| scene.store(store("acme-fr").country("FR").created("2022-01-01")));
    bench.cycle().await;
    bench.drain("acme").await;
    assert_eq!(bench.sent(), []);
    assert_eq!(bench.store().backlog(bench.work("acme").name(), None).await.unwrap(), 0);
}
