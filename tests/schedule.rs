//! The scheduler against a brute force that shares no code with it, around the changes of clocks in many zones.

#[path = "schedule/brute.rs"]
mod brute;

use std::time::Duration;

use brute::Window;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use proptest::prelude::*;
use stocksync::schedule::{Schedule, ScheduleError, jitter};

/// Zones and the days on which their clocks change: by an hour, half an hour, two hours, a day; at night, at midnight.
const CHANGES: &[(&str, &[&str])] = &[
    ("America/New_York", &["2026-03-08", "2026-11-01", "2045-03-12"]),
    ("Europe/Berlin", &["2026-03-29", "2026-10-25", "2045-10-29"]),
    ("Europe/London", &["2026-03-29", "2026-10-25"]),
    ("Africa/Cairo", &["2026-04-24", "2026-10-30"]),
    ("Africa/Casablanca", &["2026-02-15", "2026-03-22"]),
    ("Australia/Lord_Howe", &["2026-04-05", "2026-10-04"]),
    ("Antarctica/Troll", &["2026-03-29", "2026-10-25"]),
    ("Pacific/Apia", &["2011-12-30", "2012-04-01"]),
    ("America/Sao_Paulo", &["2018-11-04", "2019-02-17"]),
    ("Asia/Kolkata", &["2026-06-15"]),
];

const EXPRESSIONS: &[&str] = &[
    "0 */5 * * * *",
    "0 */15 * * * *",
    "30 0 * * * *",
    "0 7/20 0-23 * * *",
    "15,45 59 * * * *",
    "0 0 * * * SUN",
    "0 0 0 * * *",
    "0 30 0 * * *",
    "0 30 1 * * *",
    "30 30 1 * * *",
    "0 15 2 * * *",
    "0 30 2 * * *",
    "59 59 2 * * *",
    "0 0 3 * * *",
    "0 30 23 * * *",
    "0 0,30 1-3 * * *",
    "0 */10 2 * * *",
    "0 0 */2 * * *",
    "0 0 */6 * * SUN",
    "*/20 30 0,2 * * *",
    "0 0 9 * * MON-FRI",
    "0 30 1 25-31 MAR,OCT *",
    "0 0 2 1 * *",
    "0 30 2 8 3 SUN",
];

const WINDOW_MINUTES: i64 = 4 * 24 * 60;

fn window_start(zone: &TimeZone, day: &str) -> Timestamp {
    let day: jiff::civil::Date = day.parse().expect("a date");
    zone.to_timestamp((day - 2.days()).at(12, 0, 0, 0)).expect("noon is never skipped")
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn every_tick_is_the_one_that_brute_force_finds() {
    for (zone_name, days) in CHANGES {
        let zone = TimeZone::get(zone_name).unwrap();
        for day in *days {
            let start = window_start(&zone, day);
            let end = start + WINDOW_MINUTES.minutes();
            let window = Window::new(&zone, start, WINDOW_MINUTES);
            for expression in EXPRESSIONS {
                let schedule = Schedule::parse(expression, zone_name).unwrap();
                let expected = window.ticks(expression);
                let before = start - 1.nanosecond();
                let mut ticks = schedule.upcoming(before, expected.len() + 1);
                assert!(ticks.pop_if(|tick| *tick >= end).is_some(), "{expression} {zone_name} {day}: a tick too many");
                assert_eq!(ticks, expected, "{expression} {zone_name} {day}");
            }
        }
    }
}

#[test]
fn a_start_at_any_moment_finds_the_tick_after_it() {
    for (zone_name, days) in CHANGES {
        let zone = TimeZone::get(zone_name).unwrap();
        for day in *days {
            let start = window_start(&zone, day);
            let window = Window::new(&zone, start, WINDOW_MINUTES);
            for expression in EXPRESSIONS.iter().step_by(2) {
                let schedule = Schedule::parse(expression, zone_name).unwrap();
                let ticks = window.ticks(expression);
                // Steps that share no divisor with the clock's: seconds, minutes and fractions all differ.
                let nows = (0..).map(|n| start + (n * 1_507_300).milliseconds());
                for now in nows.take_while(|now| *now < start + WINDOW_MINUTES.minutes()).chain(ticks.iter().copied()) {
                    let Some(expected) = ticks.get(ticks.partition_point(|tick| *tick <= now)) else { continue };
                    assert_eq!(schedule.next_after(now), Some(*expected), "{expression} {zone_name} after {now}");
                    assert!(schedule.missed_since(now, *expected), "{expression} {zone_name} after {now}");
                    assert!(!schedule.missed_since(now, *expected - 1.nanosecond()), "{expression} after {now}");
                }
            }
        }
    }
}

#[test]
fn every_second_follows_real_time_through_a_fold_and_over_a_gap() {
    for (expression, zone, from, seconds) in [
        ("* * * * * *", "America/New_York", "2026-11-01T05:30:00Z", 3 * 3600),
        ("* * * * * *", "America/New_York", "2026-03-08T06:30:00Z", 3600),
        ("* * * * * *", "Australia/Lord_Howe", "2026-04-04T14:45:00Z", 3600),
    ] {
        let schedule = Schedule::parse(expression, zone).unwrap();
        let mut now = at(from);
        for _ in 0..seconds {
            let next = schedule.next_after(now).unwrap();
            assert_eq!(next, now + 1.second(), "{zone}");
            now = next;
        }
    }
}

#[test]
fn a_fixed_hour_fires_once_on_the_day_of_a_change() {
    for (expression, zone, day, expected) in [
        ("0 30 2 * * *", "America/New_York", "2026-03-08", "2026-03-08T03:00:00-04:00"),
        ("0 30 1 * * *", "America/New_York", "2026-11-01", "2026-11-01T01:30:00-04:00"),
        ("0 30 2 * * *", "Europe/Berlin", "2026-03-29", "2026-03-29T03:00:00+02:00"),
        ("0 30 2 * * *", "Europe/Berlin", "2026-10-25", "2026-10-25T02:30:00+02:00"),
        ("0 0 0 * * *", "Africa/Cairo", "2026-04-24", "2026-04-24T01:00:00+03:00"),
        ("0 30 23 * * *", "Africa/Cairo", "2026-10-29", "2026-10-29T23:30:00+03:00"),
        ("0 15 2 * * *", "Australia/Lord_Howe", "2026-10-04", "2026-10-04T02:30:00+11:00"),
        ("0 45 1 * * *", "Australia/Lord_Howe", "2026-04-05", "2026-04-05T01:45:00+11:00"),
        ("0 30 1 * * *", "Antarctica/Troll", "2026-03-29", "2026-03-29T03:00:00+02:00"),
        ("0 0 0 * * *", "America/Sao_Paulo", "2018-11-04", "2018-11-04T01:00:00-02:00"),
    ] {
        let schedule = Schedule::parse(expression, zone).unwrap();
        let ticks: Vec<Timestamp> = schedule
            .upcoming(window_start(schedule.zone(), day), 5)
            .into_iter()
            .filter(|tick| schedule.zone().to_datetime(*tick).date() == day.parse().unwrap())
            .collect();
        assert_eq!(ticks, [at(expected)], "{expression} {zone} {day}");
    }
}

#[test]
fn a_day_that_a_zone_skipped_is_fired_for_at_its_end() {
    let schedule = Schedule::parse("0 0 9 * * *", "Pacific/Apia").unwrap();
    let expected = ["2011-12-29T09:00-10", "2011-12-31T00:00+14", "2011-12-31T09:00+14", "2012-01-01T09:00+14"].map(at);
    assert_eq!(schedule.upcoming(at("2011-12-29T00:00-10"), 4), expected);
}

#[test]
fn rare_dates_are_found_and_years_end() {
    for (expression, now, expected) in [
        ("0 0 12 29 FEB *", "2026-01-01T00:00Z", "2028-02-29T12:00Z"),
        ("0 0 12 29 2 *", "2096-03-01T00:00Z", ""),
        ("0 0 12 29 FEB MON", "2026-01-01T00:00Z", "2044-02-29T12:00Z"),
        ("0 0 * 31 DEC *", "2026-01-01T00:00Z", "2026-12-31T00:00Z"),
        ("0 0 0 1 1 * 2030", "2026-01-01T00:00Z", "2030-01-01T00:00Z"),
        ("0 0 0 1 1 * 2026", "2026-01-01T00:00Z", ""),
        ("59 59 23 31 12 * 2100", "2026-01-01T00:00Z", "2100-12-31T23:59:59Z"),
        ("0 0 0 1 1 *", "1960-06-01T00:00:00.5Z", "1970-01-01T00:00Z"),
        ("0 0 0 1 1 *", "1969-12-31T23:59:59.5Z", "1970-01-01T00:00Z"),
        ("0 5 4 * * SUN", "2026-06-06T00:00Z", "2026-06-07T04:05Z"),
        ("5 4 * * SUN", "2026-06-06T00:00Z", "2026-06-07T04:05Z"),
    ] {
        let expected = Some(expected).filter(|text| !text.is_empty()).map(at);
        let schedule = Schedule::parse(expression, "UTC").unwrap();
        assert_eq!(schedule.next_after(at(now)), expected, "{expression}");
    }
}

#[test]
fn ticks_missed_are_noticed_however_many() {
    let schedule = Schedule::parse("0 0 6 * * *", "UTC").unwrap();
    for (last, now, missed) in [
        ("2026-06-01T06:00Z", "2026-06-01T06:00Z", false),
        ("2026-06-01T06:00Z", "2026-06-02T05:59:59Z", false),
        ("2026-06-01T06:00Z", "2026-06-02T06:00Z", true),
        ("2026-06-01T06:00Z", "2026-07-02T06:00Z", true),
        ("2026-06-01T05:59Z", "2026-06-01T06:00Z", true),
        ("2026-06-05T00:00Z", "2026-06-01T06:00Z", false),
    ] {
        assert_eq!(schedule.missed_since(at(last), at(now)), missed, "{last} {now}");
    }
}

proptest! {
    #[test]
    fn ticks_increase_and_nothing_lies_between_two(
        zone in prop::sample::select(CHANGES), expression in prop::sample::select(EXPRESSIONS),
        seconds in 1_300_000_000_i64..2_500_000_000, nanos in 0..1_000_000_000_i32, share in 0.0..1.0_f64,
    ) {
        let now = Timestamp::new(seconds, nanos).unwrap();
        let schedule = Schedule::parse(expression, zone.0).unwrap();
        let next = schedule.next_after(now).unwrap();
        prop_assert!(next > now);
        let later = now + next.duration_since(now).mul_f64(share);
        prop_assert!(later == next || schedule.next_after(later) == Some(next));
        prop_assert!(schedule.upcoming(now, 4).is_sorted_by(|a, b| a < b));
    }
}

#[test]
fn what_was_written_is_kept_and_the_zone_gets_its_own_spelling() {
    let schedule = Schedule::parse("*/5 * * * *", "europe/berlin").unwrap();
    assert_eq!((schedule.expression(), schedule.zone_name()), ("*/5 * * * *", "Europe/Berlin"));
}

#[test]
fn a_schedule_that_cannot_be_meant_is_refused_with_the_reason() {
    for (expression, part) in [
        ("", "expected 6 fields, `second minute hour day month weekday`"),
        ("@daily", "found 1"),
        ("* * * *", "found 4"),
        ("0 0 0 * * * * *", "found 8"),
        ("60 * * * * *", "second `60` is not understood: write 0-59"),
        ("0 61 * * * *", "minute `61`"),
        ("0 0 24 * * *", "hour `24` is not understood: write 0-23"),
        ("0 0 22-2 * * *", "hour `22-2`"),
        ("0 0 0 0 * *", "day `0`"),
        ("0 0 0 L * *", "day `L`"),
        ("0 0 0 15W * *", "day `15W`"),
        ("0 0 0 * 13 *", "month `13`"),
        ("0 0 0 * FOO *", "month `FOO`"),
        ("0 0 0 * * FRI-MON", "weekday `FRI-MON`"),
        ("0 0 0 * * MON2027", "weekday `MON2027`"),
        ("0 0 0 * * 1", "weekday `1` is a number"),
        ("0 0 0 * * 1-5", "write names, such as `MON-FRI`"),
        ("0 3 * * 0", "weekday `0` is a number"),
        ("0 0 0 * * MON,3", "weekday `MON,3` is a number"),
        ("0 0 0 * * FRI#2", "weekday `FRI#2` is a number"),
        ("0 0 0 * * * 1969", "year `1969`"),
        ("0 */0 * * * *", "minute `*/0`"),
        ("0 1- 5 * * * MON", "minute `1-` is not understood"),
        ("0 1, 5 * * *", "minute `1,`"),
        ("0 ** * * * *", "minute `**`"),
        ("0 0 0 31 2 *", "never fires"),
        ("0 0 0 31 APR,JUN *", "never fires"),
        ("0 0 0 29 2 * 2027", "never fires"),
    ] {
        let error = Schedule::parse(expression, "UTC").expect_err(expression).to_string();
        assert!(error.contains(part), "{expression}: {error}");
        assert!(!error.contains('\n'), "{expression}: {error}");
    }
}

#[test]
fn an_unknown_zone_is_named_with_the_nearest_known_one() {
    for (zone, nearest) in [
        ("Europe/Berlni", Some("Europe/Berlin")),
        ("europe/bern", Some("Europe/Berlin")),
        ("Europe/Atlantis", None),
        ("Berlin", Some("Europe/Berlin")),
        ("New York", Some("America/New_York")),
        ("Asia/Calcuta", Some("Asia/Calcutta")),
        ("Mars/Olympus_Mons", None),
        ("", None),
    ] {
        let error = Schedule::parse("0 0 0 * * *", zone).expect_err(zone);
        assert!(error.to_string().starts_with(&format!("unknown time zone `{zone}`, ")), "{error}");
        let ScheduleError::UnknownZone { nearest: found, .. } = error else { panic!("{error}") };
        assert_eq!(found.as_deref(), nearest, "{zone}");
    }
}

#[test]
fn jitter_is_steady_small_and_spread() {
    let hour = Duration::from_hours(1);
    assert_eq!(jitter("acme-de", hour), jitter("acme-de", hour));
    assert_eq!(jitter("acme-de", Duration::ZERO), Duration::ZERO);
    let names: Vec<String> = (0..600).map(|n| format!("store-{n}")).collect();
    for (interval, limit) in [(hour, 30), (Duration::from_mins(1), 6), (Duration::from_secs(10), 1)] {
        let mut tenths = [0_usize; 10];
        for name in &names {
            let share = jitter(name, interval).as_secs_f64() / f64::from(limit);
            assert!(share < 1.0, "{name} {interval:?}");
            tenths[format!("{share:.2}")[2..3].parse::<usize>().unwrap()] += 1;
        }
        assert!(tenths.iter().all(|stores| (30..=90).contains(stores)), "{interval:?}: {tenths:?}");
    }
}
