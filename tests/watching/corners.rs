//! What the random runs have shown once, each by itself.

use stocksync::sim::commerce::{Fault, FaultKind};

use super::bench::Variant;
use super::kinds::Kind;
use super::run::Run;

#[tokio::test(start_paused = true)]
async fn a_part_of_the_sweep_that_failed_once_does_not_wait_for_a_whole_turn() {
    let mut run = Run::start(Variant { seed: 21, ..Variant::PLAIN }).await;
    for _ in 0..400 {
        run.bench.shop.make(Kind::ReservedElsewhere);
    }
    // Late in the turn: what is passed over now comes again after the interval.
    for _ in 0..6 {
        run.round(0).await;
    }
    run.bench.shop.commerce.set_fault(Fault::every(FaultKind::Status500).on("export-stock"));
    run.round(0).await;
    run.bench.shop.commerce.clear_faults();
    run.settle().await;
}

#[tokio::test(start_paused = true)]
async fn a_part_of_the_sweep_that_always_fails_stops_no_other() {
    let mut run = Run::start(Variant { seed: 22, ..Variant::PLAIN }).await;
    let bad = Fault { sku: Some("P-00100".to_owned()), ..Fault::every(FaultKind::BadProduct) };
    run.bench.shop.commerce.set_fault(bad);
    for _ in 0..300 {
        run.bench.shop.make(Kind::ReservedElsewhere);
    }
    run.bench.shop.pending.remove("P-00100");
    run.bench.shop.names.remove("P-00100");
    run.settle().await;
}

#[tokio::test(start_paused = true)]
async fn what_an_answer_left_open_is_asked_for_again_at_the_next_tick() {
    for (kind, route) in [
        (Kind::SettingsSaved, "export-stock"),
        (Kind::Switched, "export-stock"),
        (Kind::SettingsSaved, "V1/stockItems/P"),
    ] {
        let mut run = Run::start(Variant { seed: 23, ..Variant::PLAIN }).await;
        for _ in 0..6 {
            run.bench.shop.make(kind);
        }
        run.bench.shop.commerce.set_fault(Fault::every(FaultKind::Html200).on(route));
        run.tick_unseen().await;
        run.bench.shop.commerce.clear_faults();
        run.round(0).await;
        run.nothing_was_missed();
    }
}
