//! Killed without a warning, at any moment: one run later Amazon is right, and nothing is in the way of that run.

use std::os::unix::fs::{FileTypeExt, PermissionsExt};

use stocksync::clock::Clock;

use crate::bench::{Bench, Process, Texts, UNGUARDED, eventually, pause};

const LISTINGS: u64 = 300;

/// 300 changes at 250 a second.
fn bench() -> Bench {
    Bench::with(Texts::many(LISTINGS).with(|texts| {
        texts.speed = 50.0;
        UNGUARDED.clone_into(&mut texts.sections);
    }))
}

fn right(bench: &Bench) -> bool {
    (1..=LISTINGS).all(|n| bench.live(&format!("P-{n:05}")) == 10 + n)
}

/// Starts it, and kills it some time after its first change.
fn kill_while_pushing(bench: &Bench, line: &str, after_ms: u64) {
    let process = bench.start(line);
    let before = bench.patches();
    eventually("the push to begin", || bench.patches() > before);
    pause(after_ms);
    process.kill();
}

#[test]
fn a_resync_after_kills_in_the_middle_of_resyncs_makes_amazon_right() {
    let bench = bench();
    for after_ms in [0, 173, 401] {
        kill_while_pushing(&bench, "resync", after_ms);
        assert!(!right(&bench), "it was killed too late");
    }
    bench.run("resync").ended_with(0);
    eventually("every listing", || right(&bench));
    let sent = bench.written();
    // Each kill left at most 16 changes in doubt, and sixteen more may be sent again for nothing.
    assert!(sent < LISTINGS + 4 * 32, "{sent} were sent");
}

#[test]
fn a_service_after_kills_in_the_middle_of_its_push_makes_amazon_right_in_its_first_cycle() {
    let bench = bench();
    for after_ms in [211, 7] {
        kill_while_pushing(&bench, "run", after_ms);
        assert!(bench.socket().exists(), "the killed service took its socket file away?");
        assert!(!right(&bench), "it was killed too late");
    }
    bench.stock("P-00001", 777);
    bench.stock("P-00300", 0);
    let service = bench.start("run");
    eventually("every listing", || {
        bench.live("P-00001") == 777
            && bench.live("P-00300") == 0
            && (2..LISTINGS).all(|n| bench.live(&format!("P-{n:05}")) == 10 + n)
    });
    assert!(service.is_running());
}

#[test]
fn an_older_value_never_leaves_after_a_kill_once_the_stock_moved() {
    let bench = bench();
    kill_while_pushing(&bench, "resync", 100);
    (1..=LISTINGS).for_each(|n| bench.stock(&format!("P-{n:05}"), 3));
    let before = bench.pair.amazon.events().len();
    bench.run("resync").ended_with(0);
    let later = bench.pair.amazon.events().split_off(before);
    assert!(later.iter().all(|event| event.quantity == Some(3)), "an old value left");
    eventually("every listing", || (1..=LISTINGS).all(|n| bench.live(&format!("P-{n:05}")) == 3));
}

#[test]
fn the_socket_is_there_soon_closed_to_others_and_gone_after_the_end() {
    let bench = Bench::new("A 12", "{ sku = 'A', quantity = 1 }");
    // A socket that nobody serves any more.
    drop(std::os::unix::net::UnixListener::bind(bench.socket()).unwrap());
    let clock = Clock::system();
    let started = clock.instant();
    let service = bench.start("run");
    eventually("the socket", || std::os::unix::net::UnixStream::connect(bench.socket()).is_ok());
    assert!(started.elapsed().as_secs() < 20);
    let file = std::fs::metadata(bench.socket()).unwrap();
    assert!(file.file_type().is_socket());
    assert_eq!(file.permissions().mode() & 0o777, 0o660);
    service.signal("TERM");
    service.end().ended_with(0);
    assert!(!bench.socket().exists());
}

#[test]
fn a_second_service_on_the_same_state_ends_with_4_and_says_who_holds_it() {
    let bench = Bench::new("A 12", "{ sku = 'A', quantity = 1 }");
    let service = bench.service();
    let ran = bench.run("run").ended_with(4);
    assert!(ran.err.contains(&format!("`stocksync run`, process {}", service.id())), "{}", ran.err);
    assert!(bench.socket().exists(), "the second took the first one's socket away");
    bench.run("resync").ended_with(0);
    service.kill();
    let next: Process = bench.service();
    assert!(next.is_running());
}

#[test]
fn something_else_at_the_socket_is_left_alone_and_named() {
    let bench = Bench::new("A 12", "{ sku = 'A', quantity = 1 }");
    std::fs::write(bench.socket(), "precious").unwrap();
    let ran = bench.run("run").ended_with(1);
    assert!(ran.err.contains("control.sock") && ran.err.contains("something else"), "{}", ran.err);
    assert_eq!(std::fs::read_to_string(bench.socket()).unwrap(), "precious");
}
