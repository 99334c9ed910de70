//! The rates against the simulator, whose buckets count exactly.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use stocksync::sim::amazon::{Amazon, Fault, FaultKind, Operation, Rate, SettingsEdit, TokenAction};
use tokio::task::JoinSet;

use crate::bench::Bench;
use crate::stub::{Stub, de, refusal, reply, skus};

impl Bench {
    /// Patches as fast as permits come, as the pusher does, and answers that take `latency_ms`.
    async fn push(&self, seconds: u64, latency_ms: u64) {
        self.amazon.clear_faults();
        self.amazon.fault(Fault { ms: latency_ms, ..Fault::new(FaultKind::Slow) });
        let mut flights = JoinSet::new();
        let pushing = async {
            for n in 0.. {
                if flights.len() >= 16 {
                    flights.join_next().await;
                }
                self.client.patch_permit().await;
                let (client, sku) = (Arc::clone(&self.client), format!("SKU-{:05}", 1 + n % 100));
                flights.spawn(async move { client.patch(&de(), &sku.as_str().into(), n).await });
            }
        };
        let _: Result<(), _> = tokio::time::timeout(Duration::from_secs(seconds), pushing).await;
        flights.shutdown().await;
    }

    /// Calls and 429s since the last look.
    fn counts(&self) -> (u64, u64) {
        let stats = self.amazon.stats();
        (stats.calls(Operation::PatchListingsItem), stats.throttled())
    }
}

/// The rate header's word in place of the documented rates.
fn grant(amazon: &Amazon, patches_a_second: f64) {
    let rates = BTreeMap::from([(Operation::PatchListingsItem, Rate(patches_a_second))]);
    amazon.change_settings(SettingsEdit { rates: Some(rates), ..SettingsEdit::default() });
}

#[tokio::test(start_paused = true)]
async fn a_rate_of_our_own_is_used_up_without_a_429() {
    for latency_ms in [0, 300, 2000] {
        let bench = Bench::start("").await;
        bench.push(60, latency_ms).await;
        let (calls, throttled) = bench.counts();
        assert!((285..=304).contains(&calls), "{latency_ms} ms: {calls}");
        assert_eq!(throttled, 0, "{latency_ms} ms");
        let most = bench.amazon.stats().calls["A1SELLER"][&Operation::PatchListingsItem].most_in_a_second;
        assert!(most <= 10, "{most} in a second");
    }
}

#[tokio::test(start_paused = true)]
async fn the_granted_rate_is_followed_up_and_down() {
    let bench = Bench::start("").await;
    let mut sent = 0;
    for (granted, expected) in [(5.0, 100), (20.0, 400), (1.0, 20), (5.0, 100)] {
        grant(&bench.amazon, granted);
        // The first answer tells; what is under way then may still be too much.
        bench.push(15, 100).await;
        let (before, throttled) = bench.counts();
        bench.push(20, 100).await;
        let (after, throttled_after) = bench.counts();
        let calls = after - before;
        assert!(calls.abs_diff(expected) <= expected / 20 + 10, "{granted}/s: {calls}");
        assert_eq!(throttled_after, throttled, "{granted}/s");
        assert!((bench.client.patch_rate() - granted).abs() < 1e-9, "{}", bench.client.patch_rate());
        sent += throttled_after;
    }
    assert!(sent <= 20, "{sent} 429s");
}

#[tokio::test(start_paused = true)]
async fn beside_a_foreign_consumer_few_are_too_many_and_most_of_the_rest_is_used() {
    let bench = Bench::start("foreign_share = 0.4").await;
    bench.push(60, 300).await;
    let before = bench.counts();
    bench.push(400, 300).await;
    let after = bench.counts();
    let (calls, throttled) = (after.0 - before.0, after.1 - before.1);
    assert!(throttled * 100 <= calls, "{throttled} of {calls}");
    // 5 a second less 40 %, and some of that for finding out.
    assert!(calls >= 930, "{calls} of 1200");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_ends_on_the_way_brings_no_429() {
    let bench = Bench::start("").await;
    bench.push(30, 300).await;
    bench.amazon.token("A1SELLER", TokenAction::ExpireAll);
    bench.push(30, 2000).await;
    assert_eq!(bench.counts().1, 0);
}

#[tokio::test(start_paused = true)]
async fn a_rate_that_makes_no_sense_is_not_followed() {
    const RATES: [&str; 12] = ["0", "0.0", "-1", "NaN", "inf", "1e999", "5001", "0.004", "fast", "2,5", "", " 2.5 "];
    let stub = Stub::start(|asked| {
        let rate = RATES[asked.nth - 1];
        let body = r#"{"sku":"A","status":"ACCEPTED","submissionId":"s"}"#;
        (asked.operation == "patchListingsItem").then(|| reply(200, &[("x-amzn-RateLimit-Limit", rate)], body))
    })
    .await;
    let client = stub.client();
    for rate in RATES {
        client.patch(&de(), &"A".into(), 1).await.unwrap();
        let expected = if rate == " 2.5 " { 2.5 } else { 5.0 };
        assert!((client.patch_rate() - expected).abs() < 1e-9, "{rate}: {}", client.patch_rate());
    }
}

#[tokio::test(start_paused = true)]
async fn each_operation_has_its_own_rate() {
    let stub = Stub::start(|asked| match asked.operation {
        "searchListingsItems" if asked.nth == 1 => Some(refusal(429, "QuotaExceeded", "slowly", "")),
        "searchListingsItems" => Some(reply(200, &[("x-amzn-RateLimit-Limit", "1.0")], r#"{"items":[]}"#)),
        _ => None,
    })
    .await;
    let client = stub.client();
    client.look(&de(), &skus(&["A"])).await.unwrap();
    assert_eq!(stub.count("searchListingsItems"), 2);
    assert!((client.patch_rate() - 5.0).abs() < 1e-9);
}
