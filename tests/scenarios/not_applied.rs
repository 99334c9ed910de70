//! Amazon accepts and does not apply: found, sent again ever more rarely, set aside, told apart from sales and edits.

use stocksync::reason::Reason;
use stocksync::sim::amazon::{Edit, Operation};

use super::bench::Bench;
use super::scene::Scene;

const LOSES: &str = "quantity = 4, marketplaces = [\"DE\"], loses = true";

/// Every twentieth of the scene's listings accepts everything and applies nothing.
fn every_twentieth_loses(count: u32) -> Scene {
    (1..=count).fold(Scene::new(), |scene, number| {
        let sku = format!("P-{number:05}");
        let scene = scene.product(&sku, 9);
        if number % 20 == 7 { scene.listing_with(&sku, LOSES) } else { scene.listing(&sku, 4) }
    })
}

#[tokio::test(start_paused = true)]
async fn it_is_sent_again_ever_more_rarely_and_set_aside_with_evidence() {
    let bench = Bench::start(every_twentieth_loses(80)).await;
    bench.cycle().await;
    assert_eq!(bench.sent().len(), 80);
    let again = bench.cycles("16h").await;
    let sent: Vec<_> =
        bench.events().into_iter().filter(|event| event.sku == "P-00007").map(|event| event.at).collect();
    let gaps: Vec<i64> = sent.windows(2).map(|pair| pair[1].duration_since(pair[0]).as_mins()).collect();
    // Found 10 minutes after it was accepted; sent at once, then after waits of 10, 20 and 40 minutes, then of 6 hours.
    // The cycles, five minutes apart, add to both.
    assert_eq!(gaps.len(), 6, "{gaps:?}");
    for (gap, least) in gaps.iter().zip([10, 20, 30, 50, 370, 370]) {
        assert!((least..=least + 10).contains(gap), "{gaps:?}");
    }
    // Nothing else is written.
    assert!(again.iter().all(|(sku, quantity)| sku.ends_with('7') && *quantity == 9), "{again:?}");
    assert_eq!(again.len(), 4 * gaps.len());
    let plan = bench.cycle().await;
    assert_eq!((plan.unchanged, plan.withheld.len()), (76, 4));
    for withheld in &plan.withheld {
        assert_eq!(withheld.reason, Reason::NotApplied);
        assert!(withheld.detail.starts_with("accepted 9, shows 4; submission "), "{}", withheld.detail);
        assert!(withheld.detail.contains(" (sent "), "{}", withheld.detail);
    }
    let account = bench.work("acme").name();
    let (count, first) = bench.store().unapplied(account, 2, 3).await.unwrap();
    let names: Vec<&str> = first.iter().map(|(seller_sku, _)| seller_sku.as_str()).collect();
    assert_eq!((count, names), (4, vec!["P-00007", "P-00027", "P-00047"]));
}

#[tokio::test(start_paused = true)]
async fn a_zero_is_sent_again_every_quarter_of_an_hour() {
    let bench = Bench::start(Scene::new().product("MUG", 0).listing_with("MUG", LOSES)).await;
    bench.cycle().await;
    let again = bench.cycles("24h").await.len();
    // Found after 10 minutes at the earliest, and sent after 15 more at the latest, with the cycles between.
    assert!((24 * 60 / 35..=24 * 60 / 20).contains(&again), "{again}");
    bench.on_amazon("MUG", Edit { loses: Some(false), ..Edit::default() });
    bench.cycles("35m").await;
    assert_eq!(bench.shown("MUG"), Some(0));
    assert_eq!(bench.cycles("2h").await, []);
}

#[tokio::test(start_paused = true)]
async fn a_person_who_asks_for_it_has_it_sent_at_once() {
    let bench = Bench::start(Scene::new().product("MUG", 9).listing_with("MUG", LOSES)).await;
    bench.cycle().await;
    bench.cycles("3h").await;
    let before = bench.sent().len();
    bench.on_amazon("MUG", Edit { loses: Some(false), ..Edit::default() });
    bench.work_on("acme", &bench.resync(&["MUG"])).await.unwrap();
    assert_eq!(bench.sent().len(), before + 1);
    bench.cycles("30m").await;
    assert_eq!((bench.shown("MUG"), bench.listing("MUG").await.unapplied), (Some(9), None));
}

#[tokio::test(start_paused = true)]
async fn changes_that_go_astray_by_chance_are_made_good() {
    let bench = Bench::start(Scene::new().amazon("lose_percent = 5\nspeed = 10").many(2000, 9, 4)).await;
    bench.cycle().await;
    bench.wait("1m").await;
    let astray = |bench: &Bench| (1..=2000).filter(|number| bench.shown(&format!("P-{number:05}")) == Some(4)).count();
    assert!((60..140).contains(&astray(&bench)), "{}", astray(&bench));
    bench.cycles("1h").await;
    assert_eq!(astray(&bench), 0);
}

#[tokio::test(start_paused = true)]
async fn of_many_raises_a_sample_is_read_back_and_a_larger_one_when_some_were_lost() {
    let read_back = async |world: &str| {
        let bench = Bench::start(Scene::new().amazon(&format!("speed = 100\n{world}")).many(2500, 9, 4)).await;
        bench.cycle().await;
        bench.wait("10m").await;
        let mut counts = Vec::new();
        for _ in 0..3 {
            let before = searches(&bench);
            bench.cycle().await;
            counts.push(searches(&bench) - before);
            bench.wait("5m").await;
        }
        counts
    };
    // 1000 listings, 20 a call.
    assert_eq!(read_back("").await, [50, 50, 25]);
    let growing = read_back("lose_percent = 5").await;
    assert!(growing[0] < 60 && growing[1] >= 75, "{growing:?}");
}

#[tokio::test(start_paused = true)]
async fn of_drops_all_are_read_back() {
    let bench = Bench::start(Scene::new().amazon("speed = 100").many(1500, 4, 9)).await;
    bench.cycle().await;
    bench.wait("10m").await;
    let before = searches(&bench);
    bench.cycle().await;
    assert_eq!(searches(&bench) - before, 75);
}

fn searches(bench: &Bench) -> u64 {
    bench.stats().calls(Operation::SearchListingsItems)
}

#[tokio::test(start_paused = true)]
async fn a_sale_an_edit_and_a_lost_submission_are_told_apart() {
    let scene = Scene::new().without_order_import().push("verify_every = \"1h\"");
    let scene = scene.product("SOLD", 9).listing("SOLD", 4).product("EDITED", 9).listing("EDITED", 4);
    let scene = scene.product("LOST", 9).listing_with("LOST", LOSES).product("FINE", 9).listing("FINE", 4);
    let bench = Bench::start(scene).await;
    bench.cycle().await;
    bench.cycles("20m").await;
    bench.sell("SOLD", 2).await;
    bench.on_amazon("EDITED", Edit { quantity: Some(50), ..Edit::default() });
    bench.cycles("1h").await;
    let account = bench.work("acme").name();
    for (sku, expected) in [
        ("SOLD", Some(("sale", 9, 7))),
        ("EDITED", Some(("edit", 9, 50))),
        ("LOST", Some(("lost", 9, 4))),
        ("FINE", None),
    ] {
        let found = bench.store().drift_of(account, &sku.into()).await.unwrap();
        assert_eq!(found.as_ref().map(|drift| (drift.cause.as_str(), drift.expected, drift.shown)), expected, "{sku}");
    }
    assert_eq!([bench.shown("SOLD"), bench.shown("EDITED")], [Some(9), Some(9)]);
}

#[tokio::test(start_paused = true)]
async fn what_is_wanted_no_longer_is_forgotten() {
    let bench = Bench::start(Scene::new().product("MUG", 9).listing_with("MUG", LOSES)).await;
    bench.cycle().await;
    bench.cycles("45m").await;
    assert!(bench.listing("MUG").await.unapplied.is_some_and(|unapplied| unapplied.times >= 2));
    bench.stock("MUG", 4);
    bench.cycles("30m").await;
    assert_eq!(bench.listing("MUG").await.unapplied, None);
}

#[tokio::test(start_paused = true)]
async fn what_sells_out_before_it_is_looked_at_is_not_set_aside() {
    for (imports, interval) in [(false, 5), (true, 5), (true, 15)] {
        let scene = Scene::with_store("maximum_listed_quantity = 1");
        let scene = if imports { scene } else { scene.without_order_import() };
        let bench = Bench::start(scene.product("MUG", 400).listing("MUG", 0)).await;
        bench.cycle().await;
        let mut sold = 0;
        for minute in 1..=(12 * 60) {
            bench.wait("1m").await;
            if minute % interval == 0 {
                bench.cycle().await;
                bench.wait("10s").await;
            }
            if bench.shown("MUG") == Some(1) {
                bench.sell("MUG", 1).await;
                sold += 1;
            }
        }
        // Where nothing tells a sale from a loss, one goes after a look and a wait, ten minutes each, and the cycles between.
        assert!(sold >= 12 * 60 / 35, "imports {imports}, every {interval} minutes: {sold} sold");
    }
}
