//! The service over a longer life: what it serves, what it outlives, what it must not wait for.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use stocksync::sim::amazon::TokenAction;

use crate::bench::{Account, Bench, Process, SELLER, Store, Texts, eventually};

fn ticking() -> Texts {
    Texts::new("A 12")
        .account(Account::one("{ sku = 'A', quantity = 1, marketplaces = ['DE'] }"))
        .store(Store::live("de", "DE").every_second())
}

#[test]
fn the_health_port_tells_whether_it_lives_works_and_what_waits() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let bench = Bench::with(ticking().with(|texts| texts.sections = format!("[http]\nlisten = \"{free}\"")));
    let service = bench.service();
    let get = |path: &str| bench.get(&format!("http://{free}{path}"));
    assert_eq!(get("/healthz"), (200, "ok\n".to_owned()));
    eventually("readiness", || get("/readyz").0 == 200);
    let (status, metrics) = get("/metrics");
    assert!(status == 200 && metrics.contains("stocksync_backlog{account=\"one\",priority=\"zero\"} 0"), "{metrics}");
    bench.pair.amazon.token(SELLER, TokenAction::Revoke);
    // Where nothing has to be sent Amazon is not asked: it takes a change to notice.
    bench.stock("A", 3);
    eventually("the trouble", || get("/readyz").0 == 503);
    assert!(get("/readyz").1.contains("one: "), "{:?}", get("/readyz"));
    assert_eq!(get("/healthz").0, 200);
    bench.pair.amazon.token(SELLER, TokenAction::Restore);
    eventually("readiness again", || get("/readyz").0 == 200);
    assert!(service.is_running());
}

#[test]
fn a_reader_of_the_log_that_goes_away_does_not_end_the_service() {
    let bench = Bench::with(ticking());
    let mut child = Command::new(env!("CARGO_BIN_EXE_stocksync"))
        .arg("--config")
        .arg(bench.config())
        .arg("run")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut first).unwrap();
    bench.wait_live("A", 12);
    bench.stock("A", 5);
    bench.wait_live("A", 5);
    assert_eq!(child.try_wait().unwrap(), None);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_long_resync_does_not_keep_the_schedule_waiting() {
    let many = Texts::many(300).with(|texts| {
        texts.speed = 2.0;
        texts.stores[0].schedule = "* * * * * *";
    });
    let bench = Bench::with(many);
    let service = bench.start("run");
    eventually("the first changes", || bench.patches() > 0);
    let resync = bench.start("resync");
    eventually("the resync's cycle", || service.err().contains("cause=\"resync\""));
    bench.stock("P-00150", 0);
    bench.wait_live("P-00150", 0);
    assert!(resync.is_running(), "it ended too soon for this test: {}", resync.out());
    assert!(bench.written() < 250, "the zero came after everything else");
}

#[test]
fn a_resync_in_the_service_ends_when_its_own_changes_are_done() {
    let many = Texts::many(60).with(|texts| {
        texts.speed = 4.0;
        texts.stores[0].schedule = "* * * * * *";
    });
    let bench = Bench::with(many);
    let service = bench.start("run");
    eventually("the service", || service.err().contains("service_started"));
    let ran = bench.run("resync").ended_with(0);
    assert_eq!(bench.written(), 60, "{}", ran.all());
}

#[test]
fn a_service_that_plans_while_it_pushes_sends_each_change_once() {
    let many = Texts::many(150).with(|texts| {
        texts.speed = 8.0;
        texts.apply_delay = "1500ms";
        texts.push = "verify_after = \"3s\"".to_owned();
        texts.stores[0].schedule = "* * * * * *";
    });
    let bench = Bench::with(many);
    let service = bench.start("run");
    eventually("every listing", || (1..=150).all(|n| bench.live(&format!("P-{n:05}")) == 10 + n));
    assert!(service.err().matches("cycle_planned").count() > 3, "{}", service.err());
    assert_eq!(bench.written(), 150);
}

#[test]
fn a_configuration_from_the_environment_counts_and_a_wrong_one_is_named() {
    let bench = Bench::with(ticking());
    let config = bench.config();
    let config = config.to_str().unwrap();
    let start = |env: &[(&str, &str)]| Process::start(["status"], env, bench.folder()).end();
    start(&[("STOCKSYNC_CONFIG", config)]).ended_with(0);
    for (name, value, said) in [
        ("STOCKSYNC__LOG__FILTERR", "info", "STOCKSYNC__LOG__FILTERR"),
        ("STOCKSYNC__LOG__FILTER", "stocksync=loud", "STOCKSYNC__LOG__FILTER"),
        ("STOCKSYNC__PUSH__VERIFY_AFTER", "soon", "STOCKSYNC__PUSH__VERIFY_AFTER"),
    ] {
        let ran = start(&[("STOCKSYNC_CONFIG", config), (name, value)]).ended_with(78);
        assert!(ran.err.contains(said), "{}", ran.err);
    }
    let folder = bench.folder().to_str().unwrap();
    start(&[("STOCKSYNC_CONFIG", folder)]).ended_with(78);
}

#[test]
fn a_state_that_cannot_be_used_is_named() {
    let bench = Bench::with(ticking());
    std::fs::write(bench.path("state.db"), "this is no database, and long enough to be looked at as one: ".repeat(40))
        .unwrap();
    for line in ["run", "resync", "plan", "status", "explain A"] {
        let ran = bench.run(line).ended_with(1);
        assert!(ran.err.contains("state.db") && !ran.err.contains("panicked"), "{line}: {}", ran.err);
    }
    assert_eq!(bench.written(), 0);
}
