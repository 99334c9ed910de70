//! Amazon accepts and does not apply: what the service does about it, and what it says.

use crate::bench::{Account, Bench, Store, Texts, eventually};

#[test]
fn what_amazon_never_applies_is_sent_again_set_aside_and_shown() {
    let lost = r#"{ sku = "LOST", quantity = 4, marketplaces = ["DE"], loses = true }"#;
    let fine = r#"{ sku = "FINE", quantity = 4, marketplaces = ["DE"] }"#;
    let texts = Texts::new("LOST 9\nFINE 9").account(Account::one(&format!("{lost}, {fine}")));
    let texts = texts.store(Store::live("de", "DE").every_second()).with(|texts| {
        texts.apply_delay = "100ms";
        texts.push = "verify_after = \"1s\"\nverify_every = \"1h\"".to_owned();
    });
    let bench = Bench::with(texts);
    let service = bench.start("run");
    let account = || bench.run("status --format json").ended_with(0).json()["accounts"][0].clone();
    eventually("three losses", || account()["not_applied"]["listings"][0]["times"].as_u64() >= Some(3));
    let shown = account();
    assert_eq!(shown["not_applied"]["count"], 1, "{shown}");
    let listing = &shown["not_applied"]["listings"][0];
    assert_eq!(listing["seller_sku"], "LOST");
    let evidence = listing["evidence"].as_str().unwrap();
    assert!(evidence.starts_with("accepted 9, shows 4; submission "), "{evidence}");
    assert_eq!(shown["drift_in_24h"]["lost"], 1, "{shown}");
    eventually("it is withheld", || account()["last_cycle"]["withheld"]["not_applied"] == 1);
    let text = bench.run("status").ended_with(0).out;
    assert!(text.contains("not applied by amazon: 1 listing, the first:\n    LOST: "), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert!(service.err().contains("look at the listing in Seller Central"), "{}", service.err());

    let explained = bench.run("explain LOST").ended_with(0).out;
    assert!(explained.contains("last drift: 4 in place of 9"), "{explained}");
    assert!(explained.contains("amazon did not apply what it accepted"), "{explained}");
    assert!(
        explained.contains("not applied ") && explained.contains("accepted 9, shows 4; submission "),
        "{explained}"
    );
    assert_eq!(bench.sent("FINE"), [9]);
    assert!(bench.sent("LOST").len() >= 3);
}
