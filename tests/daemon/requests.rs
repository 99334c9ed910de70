use crate::bench::Bench;

#[tokio::test(start_paused = true)]
async fn a_long_sending_holds_up_neither_the_schedule_nor_another_request() {
    // 300 changes at five a second take a minute.
    let bench = Bench::start(300, "*/10 * * * * *", |_| {}).await;
    let first = bench.ask("one").await;
    bench.wait(15).await;
    let before = bench.cycles("one").await.len();
    bench.wait(20).await;
    let after = bench.cycles("one").await.len();
    assert!(after > before, "{before} cycles, then {after}");
    let second = bench.ask("one").await;
    let (first, second) = (first.await.unwrap().unwrap(), second.await.unwrap().unwrap());
    assert_eq!((first.refused, second.refused), (0, 0));
    bench.wait(3).await;
    assert!((0..300).all(|number| bench.shown("one", &format!("SKU-{number}")) == Some(7)));
}

#[tokio::test(start_paused = true)]
async fn a_request_ends_with_what_was_sent() {
    let bench = Bench::start(20, "0 0 0 1 1 *", |_| {}).await;
    bench.wait(60).await;
    bench.stock("SKU-3", 2);
    let done = bench.ask("one").await.await.unwrap().unwrap();
    assert_eq!((done.queued, done.accepted, done.refused, done.parked), (1, 1, 0, None));
    assert_eq!(done.unchanged, 19);
}

#[tokio::test(start_paused = true)]
async fn who_asks_and_goes_away_leaves_nothing_undone() {
    let bench = Bench::start(20, "0 0 0 1 1 *", |_| {}).await;
    bench.wait(60).await;
    bench.stock("SKU-3", 2);
    drop(bench.ask("one").await);
    bench.wait(30).await;
    assert_eq!(bench.shown("one", "SKU-3"), Some(2));
    let done = bench.ask("one").await.await.unwrap().unwrap();
    assert_eq!(done.unchanged, 20);
}

#[tokio::test(start_paused = true)]
async fn who_waits_is_answered_when_the_service_stops() {
    let bench = Bench::start(300, "0 0 0 1 1 *", |_| {}).await;
    bench.wait(15).await;
    let waiting = bench.ask("one").await;
    bench.wait(10).await;
    assert!(bench.daemon.stop().await);
    waiting.await.unwrap().ok();
}
