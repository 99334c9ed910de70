//! What people decide: releasing what a guard holds, going live, pausing, holding, setting by hand.

use crate::bench::{Bench, Store, Texts, eventually};

/// Forty products with 10 + n each, as Amazon shows them.
fn forty() -> Bench {
    let bench = Bench::with(Texts::many(40));
    bench.run("resync").ended_with(0);
    eventually("every listing", || (1..=40).all(|n| bench.live(&sku(n)) == 10 + n));
    bench
}

fn sku(number: u64) -> String {
    format!("P-{number:05}")
}

#[test]
fn a_held_plan_is_told_by_resync_and_status_and_released_by_apply() {
    let bench = forty();
    (1..=30).for_each(|n| bench.stock(&sku(n), 0));
    bench.stock(&sku(31), 5);
    let ran = bench.run("resync").ended_with(0);
    eventually("what is not dangerous", || bench.live(&sku(31)) == 5);
    assert_eq!(bench.live(&sku(1)), 11);
    let status = bench.run("status --format json").ended_with(0).json();
    let held = &status["held_plans"][0];
    let release = held["release"].as_str().unwrap().to_owned();
    assert_eq!((&held["changes"], &held["guards"][0]["guard"]), (&30.into(), &"guard_zeroed".into()), "{status}");
    let text = bench.run("status").ended_with(0).out;
    assert!(ran.all().contains(&release) && text.contains(&release), "{} {text}", ran.all());
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");

    let plan = bench.run("plan --format json").ended_with(0).json();
    assert_eq!(plan["withheld"].as_array().unwrap().len(), 30);
    assert_eq!(plan["withheld"][0]["reason"], "guard_zeroed");

    // One of them is back meanwhile: it is not sent.
    bench.stock(&sku(7), 17);
    let applied = bench.run(release.strip_prefix("stocksync ").unwrap()).ended_with(0);
    eventually("the zeroes", || (1..=30).all(|n| bench.live(&sku(n)) == if n == 7 { 17 } else { 0 }));
    assert!(applied.out.contains("of 30 released changes 29 are still true, 1 are not"), "{}", applied.out);
    assert_eq!(bench.sent(&sku(7)), [17]);
    let written = bench.written();
    bench.run(release.strip_prefix("stocksync ").unwrap()).ended_with(0);
    assert_eq!(bench.written(), written, "a second time sends nothing");
    assert_eq!(bench.run("status --format json").json()["held_plans"], serde_json::json!([]));
}

#[test]
fn a_running_service_releases_a_held_plan_too() {
    let bench = Bench::with(Texts::many(40).with(|texts| texts.stores[0].schedule = "* * * * * *"));
    let service = bench.start("run");
    eventually("every listing", || (1..=40).all(|n| bench.live(&sku(n)) == 10 + n));
    (1..=40).for_each(|n| bench.stock(&sku(n), 0));
    let held = || bench.run("status --format json").json()["held_plans"][0]["changes"].clone();
    eventually("all of it to be held", || held() == 40);
    let id = bench.run("status --format json").json()["held_plans"][0]["id"].as_str().unwrap().to_owned();
    assert!(service.err().contains(&format!("stocksync apply {id}")), "{}", service.err());
    bench.run(&format!("apply {id}")).ended_with(0);
    eventually("the zeroes", || (1..=40).all(|n| bench.live(&sku(n)) == 0));
}

#[test]
fn what_nobody_knows_cannot_be_applied() {
    let bench = forty();
    let ran = bench.run("apply nothing-like-this").ended_with(1);
    assert!(ran.err.contains("no held plan and no file nothing-like-this; nothing is held"), "{}", ran.err);
    std::fs::write(bench.path("plan.json"), "{}").unwrap();
    let file = bench.path("plan.json");
    let ran = bench.run(&format!("apply {}", file.display())).ended_with(1);
    assert!(ran.err.contains("plan --out"), "{}", ran.err);
}

#[test]
fn a_plan_from_a_file_makes_an_observing_store_live() {
    let world = Texts::many(3).with(|texts| texts.stores[0].mode = "observe");
    let bench = Bench::with(world);
    bench.run("resync").ended_with(0);
    assert_eq!(bench.written(), 0);
    let file = bench.path("plan.json").display().to_string();
    bench.run(&format!("plan --out {file}")).ended_with(0);
    let ran = bench.run(&format!("apply {file}")).ended_with(0);
    assert!(ran.out.contains("is live from now on"), "{}", ran.out);
    eventually("every listing", || (1..=3).all(|n| bench.live(&sku(n)) == 10 + n));
    bench.stock(&sku(1), 4);
    bench.run("resync").ended_with(0);
    bench.wait_live(&sku(1), 4);
    assert_eq!(bench.run("status --format json").json()["stores"][0]["mode"], "live");
}

#[test]
fn a_state_that_went_live_for_another_shop_sends_nothing_until_somebody_says_that_it_is_meant() {
    let bench = Bench::with(Texts::many(3));
    bench.run("resync").ended_with(0);
    eventually("every listing", || (1..=3).all(|n| bench.live(&sku(n)) == 10 + n));
    // The same shop by another name is another pair.
    let text = std::fs::read_to_string(bench.config()).unwrap();
    let other = bench.pair.commerce_url().replace("127.0.0.1", "localhost");
    std::fs::write(bench.config(), text.replace(&bench.pair.commerce_url(), &other)).unwrap();
    bench.stock(&sku(1), 4);
    let ran = bench.run("resync").ended_with(0);
    assert!(ran.err.contains("this state went live for another shop or seller"), "{}", ran.err);
    assert_eq!(bench.sent(&sku(1)), [11]);
    let status = bench.run("status").ended_with(0).out;
    assert!(status.contains("sends nothing: this state went live for another shop"), "{status}");
    bench.run("apply --live de").ended_with(0);
    bench.wait_live(&sku(1), 4);
}

#[test]
fn a_pause_holds_everything_until_it_is_resumed_and_survives_a_restart() {
    let bench = Bench::with(Texts::many(3).with(|texts| texts.stores[0].schedule = "* * * * * *"));
    let service = bench.start("run");
    eventually("every listing", || (1..=3).all(|n| bench.live(&sku(n)) == 10 + n));
    let paused = bench.run("pause --reason stocktaking").ended_with(0);
    assert!(paused.out.contains("everything is paused until it is resumed"), "{}", paused.out);
    bench.stock(&sku(1), 4);
    let withheld =
        || bench.run("status --format json").json()["accounts"][0]["last_cycle"]["withheld"]["paused"].clone();
    eventually("it is withheld", || withheld() == 1);
    service.signal("TERM");
    service.end().ended_with(0);
    bench.run("resync").ended_with(0);
    let status = bench.run("status --format json").json();
    assert_eq!(
        (&status["pauses"][0]["reason"], &status["stores"][0]["mode"]),
        (&"stocktaking".into(), &"paused".into())
    );
    assert_eq!(bench.sent(&sku(1)), [11]);
    assert!(bench.run("explain P-00001").out.contains("paused"), "explain");
    bench.run("resume").ended_with(0);
    bench.run("resync").ended_with(0);
    bench.wait_live(&sku(1), 4);
}

#[test]
fn a_pause_of_one_store_leaves_the_others_alone_and_ends_by_itself() {
    let bench = Bench::with(Texts::many(1).store(Store::live("fr", "FR")).with(|texts| {
        texts.stores[0].schedule = "* * * * * *";
    }));
    let service = bench.start("run");
    bench.wait_live(&sku(1), 11);
    bench.run("pause --store de --until 3s").ended_with(0);
    bench.stock(&sku(1), 4);
    let status = bench.run("status").ended_with(0).out;
    assert!(status.contains("paused: store de until "), "{status}");
    bench.wait_live(&sku(1), 4);
    assert!(service.err().contains("pause_ended") || service.err().contains("a pause has ended"), "{}", service.err());
    bench.run("pause --store nowhere").ended_with(2);
    let past = bench.run("pause --until 2001-01-01T00:00:00Z").ended_with(2);
    assert!(past.err.contains("has passed"), "{}", past.err);
}

#[test]
fn a_listing_is_held_or_set_by_hand_until_somebody_ends_that() {
    let bench = forty();
    bench.run("hold P-00001 --reason inspection").ended_with(0);
    bench.run("override P-00002 3 --reason fair").ended_with(0);
    bench.stock(&sku(1), 4);
    bench.stock(&sku(2), 4);
    bench.run("resync").ended_with(0);
    bench.wait_live(&sku(2), 3);
    assert_eq!(bench.live(&sku(1)), 11);
    let explained = bench.run("explain P-00002").ended_with(0).out;
    assert!(explained.contains("overridden"), "{explained}");
    let plan = bench.run("plan --format json").json();
    assert_eq!(plan["withheld"][0]["reason"], "held", "{plan}");
    let status = bench.run("status").ended_with(0).out;
    assert!(
        status.contains("held by hand: P-00001 (inspection)") && status.contains("set to 3 by hand: P-00002 (fair)"),
        "{status}"
    );
    bench.run("resume --sku P-00001 --sku P-00002").ended_with(0);
    bench.run("resync").ended_with(0);
    bench.wait_live(&sku(1), 4);
    bench.wait_live(&sku(2), 4);
}

#[test]
fn the_history_tells_what_was_sent_in_every_format() {
    let bench = forty();
    bench.stock(&sku(3), 1);
    bench.run("resync").ended_with(0);
    let entries = bench.run("history --sku P-00003 --format json").ended_with(0).json();
    let quantities: Vec<u64> =
        entries["entries"].as_array().unwrap().iter().map(|entry| entry["quantity"].as_u64().unwrap()).collect();
    assert_eq!(quantities, [13, 1]);
    assert_eq!(entries["entries"][1]["outcome"], "accepted");
    let lines = bench.run("history --format jsonl --limit 5").ended_with(0).out;
    assert_eq!(lines.lines().filter(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()).count(), 5);
    let csv = bench.run("history --format csv --limit 0").ended_with(0).out;
    assert_eq!(csv.lines().count(), 42, "{csv}");
    assert!(csv.starts_with("at,account,seller_sku,store,from,quantity,"), "{csv}");
    assert!(bench.run("history --since 1h --sku P-00003").ended_with(0).out.contains("P-00003"), "table");
    assert!(bench.run("history --since 2100-01-01T00:00:00Z").ended_with(0).out.contains("nothing was sent"), "future");
    bench.run("history --since soon").ended_with(2);
}
