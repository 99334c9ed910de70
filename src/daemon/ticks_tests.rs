use jiff::{SignedDuration, Timestamp};

use super::{Tick, Ticks};
use crate::model::StoreName;
use crate::schedule::Schedule;

/// Seconds after ten o'clock.
fn at(seconds: i64) -> Timestamp {
    let ten: Timestamp = "2026-11-21T10:00:00Z".parse().unwrap();
    ten + SignedDuration::from_secs(seconds)
}

fn ticks(stores: &[(&str, &str)]) -> Ticks {
    let stores = stores.iter().map(|(name, cron)| ((*name).into(), Schedule::parse(cron, "UTC").unwrap()));
    Ticks::new("acme".into(), stores, at(0))
}

/// Begun and well since so many seconds after ten.
fn running(stores: &[(&str, &str)], begun: i64) -> Ticks {
    let mut ticks = ticks(stores);
    let start = ticks.next(at(begun)).unwrap();
    ticks.begun(&start, at(begun));
    ticks
}

fn names(tick: &Tick) -> Vec<&str> {
    tick.stores.iter().map(StoreName::as_str).collect()
}

const EVERY_5_MIN: &str = "0 */5 * * * *";
const HOURLY: &str = "0 0 * * * *";

#[test]
fn the_first_cycle_is_at_the_start_and_for_everybody() {
    let tick = ticks(&[("de", EVERY_5_MIN), ("fr", HOURLY)]).next(at(3)).unwrap();
    assert_eq!((tick.cause, tick.nominal, tick.at), ("start", at(0), at(3)));
    assert_eq!(names(&tick), ["de", "fr"]);
}

#[test]
fn stores_of_one_schedule_go_together_at_a_little_more_than_its_time() {
    let ticks = running(&[("de", EVERY_5_MIN), ("fr", EVERY_5_MIN), ("it", HOURLY)], 1);
    let tick = ticks.next(at(2)).unwrap();
    assert_eq!((tick.cause, tick.nominal, tick.late), ("schedule", at(300), None));
    assert!(tick.at >= at(300) && tick.at < at(330), "{tick:?}");
    assert_eq!(names(&tick), ["de", "fr"]);
}

#[test]
fn a_store_whose_tick_has_come_goes_along_whatever_its_schedule() {
    let ticks = running(&[("de", EVERY_5_MIN), ("it", HOURLY)], 3400);
    let tick = ticks.next(at(3400)).unwrap();
    assert_eq!((tick.nominal, names(&tick)), (at(3600), vec!["de", "it"]));
}

#[test]
fn accounts_of_one_schedule_share_the_nominal_time_and_not_the_moment() {
    let of = |account: &str| {
        let stores = [("de".into(), Schedule::parse(EVERY_5_MIN, "UTC").unwrap())];
        let mut ticks = Ticks::new(account.into(), stores.into_iter(), at(0));
        let start = ticks.next(at(0)).unwrap();
        ticks.begun(&start, at(0));
        ticks.next(at(0)).unwrap()
    };
    let (one, other) = (of("acme-eu"), of("acme-na"));
    assert_eq!(one.nominal, other.nominal);
    assert_ne!(one.at, other.at);
}

#[test]
fn ticks_that_came_during_a_cycle_are_caught_up_once_and_said_to_be_late() {
    let mut ticks = running(&[("de", EVERY_5_MIN)], 1);
    // The cycle of 10:05 took until 10:22.
    let first = ticks.next(at(1)).unwrap();
    ticks.begun(&first, first.at);
    let tick = ticks.next(at(1320)).unwrap();
    assert_eq!((tick.nominal, tick.at), (at(600), at(1320)));
    let late = tick.late.unwrap();
    assert!(late > SignedDuration::from_secs(680) && late <= SignedDuration::from_secs(720), "{late}");
    ticks.begun(&tick, tick.at);
    let tick = ticks.next(at(1321)).unwrap();
    assert_eq!((tick.nominal, tick.late), (at(1500), None));
}

#[test]
fn schedules_of_seconds_keep_their_pace() {
    let mut ticks = running(&[("de", "*/5 * * * * *")], 1);
    let mut nominal = Vec::new();
    let mut now = at(1);
    for _ in 0..4 {
        let tick = ticks.next(now).unwrap();
        assert!(tick.at.duration_since(tick.nominal) < SignedDuration::from_millis(500), "{tick:?}");
        ticks.begun(&tick, tick.at);
        nominal.push(tick.nominal);
        now = tick.at + SignedDuration::from_secs(2);
    }
    assert_eq!(nominal, [at(5), at(10), at(15), at(20)]);
}

#[test]
fn a_clock_that_was_put_back_silences_nobody() {
    let ticks = running(&[("de", EVERY_5_MIN)], 7200);
    assert_eq!(ticks.next(at(10)).unwrap().nominal, at(300));
}

#[test]
fn an_account_that_could_not_be_worked_is_tried_again_after_growing_waits() {
    let mut ticks = running(&[("de", HOURLY), ("fr", HOURLY)], 1);
    let mut now = 1;
    for wait in [60, 120, 300, 900] {
        assert_eq!(ticks.failed(at(now), false), at(now + wait));
        let tick = ticks.next(at(now)).unwrap();
        assert_eq!((tick.cause, tick.nominal, tick.at), ("retry", at(now + wait), at(now + wait)));
        assert_eq!(names(&tick), ["de", "fr"]);
        now += wait;
        ticks.begun(&tick, at(now));
    }
    // The next would come after the schedule's.
    ticks.failed(at(now), false);
    ticks.failed(at(now), false);
    let tick = ticks.next(at(now)).unwrap();
    assert_eq!((tick.cause, tick.nominal), ("schedule", at(3600)));
}

#[test]
fn one_that_waits_for_a_person_is_not_tried_on_schedule_and_half_an_hour_apart_at_most() {
    let mut ticks = running(&[("de", "*/5 * * * * *")], 1);
    let mut now = 1;
    for wait in [10, 60, 300, 900, 1800, 1800] {
        assert_eq!(ticks.failed(at(now), true), at(now + wait));
        let tick = ticks.next(at(now)).unwrap();
        assert_eq!((tick.cause, tick.at, tick.late), ("retry", at(now + wait), None));
        now += wait;
        ticks.begun(&tick, at(now));
    }
    // Somebody asks for it, in vain.
    ticks.asked();
    assert_eq!(ticks.failed(at(now), true), at(now + 10));
    // Once it works the schedule counts again, and what was missed is not made up for.
    ticks.begun(&ticks.next(at(now)).unwrap(), at(now + 60));
    ticks.worked();
    let tick = ticks.next(at(now + 61)).unwrap();
    assert_eq!((tick.cause, tick.late), ("schedule", None));
}

#[test]
fn a_sending_that_was_refused_is_not_tried_before_its_changes_may_go_again() {
    let mut ticks = running(&[("de", HOURLY)], 1);
    assert_eq!(ticks.refused(at(1)), at(61));
    assert_eq!(ticks.refused(at(61)), at(361));
}

#[test]
fn what_works_again_starts_from_the_shortest_wait() {
    let mut ticks = running(&[("de", HOURLY)], 1);
    ticks.failed(at(1), false);
    ticks.failed(at(61), false);
    ticks.worked();
    assert_eq!(ticks.next(at(62)).unwrap().cause, "schedule");
    assert_eq!(ticks.failed(at(100), false), at(160));
}

#[test]
fn schedules_that_ended_are_over() {
    let ticks = running(&[("de", "0 0 0 1 1 * 2026")], 1);
    assert_eq!(ticks.next(at(2)), None);
}
