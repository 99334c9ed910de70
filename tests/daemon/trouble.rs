use stocksync::sim::amazon::{Fault, FaultKind, Operation, TokenAction};
use stocksync::sim::commerce::{Fault as ShopFault, FaultKind as ShopFaultKind};

use crate::bench::{Bench, seller};

const HOURLY: &str = "0 0 * * * *";

fn refuses_patches(account: &str) -> Fault {
    Fault {
        operation: Some(Operation::PatchListingsItem),
        seller_id: Some(seller(account)),
        ..Fault::new(FaultKind::RoleMissing)
    }
}

#[tokio::test(start_paused = true)]
async fn an_account_whose_sending_failed_is_tried_again_before_its_next_tick() {
    let bench = Bench::start(3, HOURLY, |pair| pair.amazon.fault(refuses_patches("one"))).await;
    bench.wait(30).await;
    let trouble = bench.trouble("one").await.expect("it cannot be worked");
    assert!(trouble.retry_at > bench.now(), "{trouble:?}");
    assert_eq!((bench.shown("one", "SKU-0"), bench.shown("two", "SKU-0")), (Some(9), Some(7)), "the other goes on");
    bench.pair.amazon.clear_faults();
    bench.wait(61 * 60).await;
    assert_eq!((bench.shown("one", "SKU-0"), bench.trouble("one").await), (Some(7), None));
    assert!(bench.cycles("one").await.iter().any(|cycle| cycle.cause == "retry"));
    assert!(bench.cycles("two").await.iter().all(|cycle| cycle.cause != "retry"));
}

#[tokio::test(start_paused = true)]
async fn an_account_whose_cycle_failed_is_tried_again_before_its_next_tick() {
    let revoke = |pair: &stocksync::sim::Pair| pair.amazon.token(&seller("one"), TokenAction::Revoke);
    let bench = Bench::start(3, HOURLY, revoke).await;
    bench.wait(10 * 60).await;
    assert!(bench.trouble("one").await.is_some() && bench.cycles("one").await.is_empty());
    bench.pair.amazon.token(&seller("one"), TokenAction::Restore);
    bench.wait(16 * 60).await;
    assert_eq!((bench.shown("one", "SKU-0"), bench.trouble("one").await), (Some(7), None));
}

#[tokio::test(start_paused = true)]
async fn a_shop_that_could_not_be_read_is_read_again_before_the_next_tick() {
    let down = |pair: &stocksync::sim::Pair| pair.commerce.set_fault(ShopFault::every(ShopFaultKind::Html503));
    let bench = Bench::start(3, HOURLY, down).await;
    bench.wait(10 * 60).await;
    assert!(bench.trouble("one").await.is_some());
    assert_eq!(bench.shown("one", "SKU-0"), Some(9), "amazon keeps what it has");
    bench.pair.commerce.clear_faults();
    bench.wait(16 * 60).await;
    for account in crate::bench::ACCOUNTS {
        assert_eq!((bench.shown(account, "SKU-0"), bench.trouble(account).await), (Some(7), None), "{account}");
    }
}
