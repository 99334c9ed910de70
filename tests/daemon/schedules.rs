use crate::bench::{ACCOUNTS, Bench};

#[tokio::test(start_paused = true)]
async fn accounts_that_tick_together_share_one_reading_of_the_shop() {
    let bench = Bench::start(3, "0 */5 * * * *", |_| {}).await;
    bench.wait(60).await;
    assert_eq!(bench.sweeps(), 1, "at the start");
    bench.wait(10 * 60).await;
    for account in ACCOUNTS {
        let causes: Vec<String> = bench.cycles(account).await.into_iter().map(|cycle| cycle.cause).collect();
        assert_eq!(causes, ["schedule", "schedule", "start"], "{account}");
    }
    assert_eq!(bench.sweeps(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_change_is_on_amazon_after_the_next_tick() {
    let bench = Bench::start(3, "0 */5 * * * *", |_| {}).await;
    bench.wait(60).await;
    bench.stock("SKU-1", 4);
    bench.wait(5 * 60).await;
    for account in ACCOUNTS {
        assert_eq!((bench.shown(account, "SKU-0"), bench.shown(account, "SKU-1")), (Some(7), Some(4)), "{account}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_service_stops_in_time_whatever_is_under_way() {
    let bench = Bench::start(300, "0 */5 * * * *", |_| {}).await;
    bench.wait(20).await;
    assert!(bench.store.backlog(&"one".into(), None).await.unwrap() > 0, "much is left to send");
    assert!(bench.daemon.stop().await);
}
