//! SIGTERM, SIGINT and SIGHUP.

use stocksync::clock::Clock;
use stocksync::sim::amazon::{Fault, FaultKind, Operation};
use stocksync::sim::commerce;

use crate::bench::{Bench, Store, Texts, eventually, pause};

/// Every accepted change as a line of the log.
const EACH_CHANGE: (&str, &str) = ("STOCKSYNC__LOG__FILTER", "info,stocksync::push=debug");

/// Changes for many seconds.
fn long_push() -> Bench {
    Bench::with(Texts::many(300).with(|texts| texts.speed = 2.0))
}

fn slow_patches(bench: &Bench, ms: u64) {
    let fault = Fault { operation: Some(Operation::PatchListingsItem), ms, ..Fault::new(FaultKind::Slow) };
    bench.pair.amazon.fault(fault);
}

#[test]
fn sigterm_in_a_long_push_finishes_what_is_in_flight_and_ends_with_0_within_10_s() {
    let bench = long_push();
    slow_patches(&bench, 1000);
    let service = bench.start_with("run", &[EACH_CHANGE]);
    eventually("the push to begin", || bench.patches() > 3);
    let clock = Clock::system();
    let asked = clock.instant();
    service.signal("TERM");
    let ran = service.end().ended_with(0);
    assert!(asked.elapsed().as_secs() < 10);
    assert!(ran.err.contains("service_stopped"), "{}", ran.err);
    let (sent, kept) = (bench.written(), ran.err.matches("change_accepted").count() as u64);
    assert_eq!(sent, kept, "something in flight was cut off");
    assert!(sent < 300);
    assert!(!bench.socket().exists());
}

#[test]
fn sigterm_while_amazon_hangs_ends_with_0_within_10_s_and_a_second_one_at_once() {
    let bench = long_push();
    slow_patches(&bench, 60_000);
    let (first, second) = (bench.start("run"), 0);
    eventually("the push to begin", || bench.patches() > second);
    let clock = Clock::system();
    let asked = clock.instant();
    first.signal("TERM");
    first.end().ended_with(0);
    let took = asked.elapsed().as_secs_f32();
    assert!((5.0..10.0).contains(&took), "{took}");

    let before = bench.patches();
    let service = bench.start_with("run", &[EACH_CHANGE]);
    eventually("the push to begin", || bench.patches() > before);
    service.signal("TERM");
    eventually("the drain", || service.err().contains("service_draining"));
    let asked = clock.instant();
    service.signal("TERM");
    let ran = service.end().ended_with(1);
    assert!(asked.elapsed().as_secs() < 2);
    assert!(ran.err.contains("stopped by force"), "{}", ran.err);
    assert!(!bench.socket().exists());
}

#[test]
fn sigterm_while_commerce_or_discovery_hangs_ends_with_0_at_once() {
    for route in ["commerce", "amazon"] {
        let bench = Bench::new("A 12", "{ sku = 'A', quantity = 1 }");
        match route {
            "commerce" => bench
                .pair
                .commerce
                .set_fault(commerce::Fault { ms: 60_000, ..commerce::Fault::every(commerce::FaultKind::Slow) }),
            _ => bench.pair.amazon.fault(Fault { ms: 60_000, ..Fault::new(FaultKind::Slow) }),
        }
        let service = bench.start_with("run", &[EACH_CHANGE]);
        eventually("the service", || service.err().contains("service_started"));
        pause(1500);
        let clock = Clock::system();
        let asked = clock.instant();
        service.signal("TERM");
        service.end().ended_with(0);
        assert!(asked.elapsed().as_secs() < 3, "{route}");
    }
}

#[test]
fn an_interrupt_ends_a_resync_whose_shop_hangs() {
    let bench = Bench::new("A 12", "{ sku = 'A', quantity = 1 }");
    bench.pair.commerce.set_fault(commerce::Fault { ms: 60_000, ..commerce::Fault::every(commerce::FaultKind::Slow) });
    let resync = bench.start("resync --sku A");
    eventually("the shop to be asked", || bench.pair.commerce.stats().requests() > 0);
    let clock = Clock::system();
    let asked = clock.instant();
    resync.signal("INT");
    let ran = resync.end().ended_with(1);
    assert!(asked.elapsed().as_secs() < 3);
    assert!(ran.err.contains("interrupted"), "{}", ran.all());
}

#[test]
fn an_interrupted_resync_finishes_what_is_in_flight_and_says_what_is_left() {
    for name in ["INT", "TERM"] {
        let bench = long_push();
        slow_patches(&bench, 300);
        let resync = bench.start_with("resync", &[EACH_CHANGE]);
        eventually("the push to begin", || bench.patches() > 3);
        resync.signal(name);
        let ran = resync.end().ended_with(1);
        let kept = ran.err.matches("change_accepted").count() as u64;
        assert_eq!(bench.written(), kept, "something in flight was cut off");
        let left = format!("interrupted: {} changes were not sent", 300 - kept);
        assert!(ran.err.contains(&left), "{}", ran.all());
    }
}

#[test]
fn sighup_with_a_bad_configuration_keeps_the_old_one_and_logs_an_error() {
    let bench = Bench::with(
        Texts::new("A 12")
            .account(crate::bench::Account::one("{ sku = 'A', quantity = 1 }"))
            .store(Store::live("de", "DE").every_second()),
    );
    let service = bench.service();
    bench.wait_live("A", 12);
    let good = std::fs::read_to_string(bench.config()).unwrap();
    let busy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    for (bad, said) in [
        ("not toml at all =".to_owned(), "config_kept"),
        (good.replace("maximum", "maximun").replace("\"live\"", "\"livid\""), "livid"),
        (good.replace("state.db", "other.db"), "restart"),
        (format!("[http]\nlisten = \"{}\"\n{good}", busy.local_addr().unwrap()), "listen"),
        (good.replace("control.sock", "stocksync.toml/control.sock"), "socket"),
    ] {
        std::fs::write(bench.config(), bad).unwrap();
        let before = service.err().matches("config_kept").count();
        service.signal("HUP");
        eventually("the error", || service.err().matches("config_kept").count() > before);
        assert!(service.err().contains(said), "{said}: {}", service.err());
        let quantity = bench.live("A") + 1;
        bench.stock("A", quantity.try_into().unwrap());
        bench.wait_live("A", quantity);
    }
    assert!(service.is_running());
}

#[test]
fn sighup_with_a_good_configuration_takes_new_settings_into_effect() {
    let bench = Bench::new("A 12", "{ sku = 'A', quantity = 1 }");
    let service = bench.service();
    bench.wait_live("A", 12);
    bench.configure(|texts| texts.stores[0].rules = "maximum_listed_quantity = 5".to_owned());
    service.signal("HUP");
    bench.wait_live("A", 5);
    bench.configure(|texts| texts.stores[0].mode = "observe");
    service.signal("HUP");
    eventually("the second reload", || service.err().matches("service_started").count() == 3);
    bench.stock("A", 3);
    bench.run("resync").ended_with(0);
    assert_eq!(bench.live("A"), 5);
    service.signal("TERM");
    service.end().ended_with(0);
}

#[test]
fn sigterm_right_after_sighup_is_a_stop_like_any_other() {
    let bench = long_push();
    slow_patches(&bench, 1500);
    let service = bench.start_with("run", &[EACH_CHANGE]);
    eventually("the push to begin", || bench.patches() > 3);
    service.signal("HUP");
    eventually("the drain", || service.err().contains("service_draining"));
    service.signal("TERM");
    service.end().ended_with(0);
    assert!(!bench.socket().exists());
}
