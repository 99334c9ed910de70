//! Patches that Amazon does not answer, or takes in without a word: sent again, for a quantity is the same twice, and
//! written down once.

use stocksync::sim::amazon::{Fault, FaultKind, Operation};

use super::bench::Bench;
use super::scene::Scene;

const LISTINGS: u32 = 60;

fn sku(number: u32) -> String {
    format!("P-{number:05}")
}

/// A third of the patches meets with this.
fn often(kind: FaultKind, ms: u64) -> Fault {
    let operation = Some(Operation::PatchListingsItem);
    Fault { operation, ms, percent: Some(33.0), ..Fault::new(kind) }
}

#[tokio::test(start_paused = true)]
async fn whatever_becomes_of_answers_the_quantity_is_right_and_the_journal_has_it_once() {
    for (kind, ms) in [
        (FaultKind::AcceptThenDrop, 0),
        (FaultKind::CutBody, 0),
        (FaultKind::Status500, 0),
        (FaultKind::Status503, 0),
        (FaultKind::Html, 0),
        (FaultKind::Slow, 35_000),
    ] {
        let bench = Bench::start(Scene::new().many(LISTINGS, 9, 4)).await;
        bench.fault(often(kind, ms));
        bench.cycle().await;
        let first = bench.stats();
        assert!(first.calls(Operation::PatchListingsItem) > u64::from(LISTINGS) + 10, "{kind:?}: none was hit");
        bench.cycles("30m").await;
        bench.pair.amazon.clear_faults();
        bench.cycles("30m").await;
        for sku in (1..=LISTINGS).map(sku) {
            assert_eq!(bench.shown(&sku), Some(9), "{kind:?} {sku}");
            assert!(bench.sent_of(&sku).iter().all(|sent| *sent == 9), "{kind:?} {sku}");
            let journal = bench.journal(&sku).await;
            let accepted = journal.iter().filter(|entry| entry.outcome == "accepted").count();
            // Where no attempt was answered, Amazon was looked at, and nothing was left to be accepted.
            let unanswered = journal.iter().filter(|entry| entry.outcome != "accepted").count();
            assert!(accepted == 1 || (accepted == 0 && unanswered > 0), "{kind:?} {sku}: {journal:?}");
        }
        let sent = bench.patches();
        assert_eq!(bench.cycles("1h").await, [], "{kind:?}");
        assert_eq!(bench.patches(), sent, "{kind:?}: nothing is left to do");
    }
}
