use super::*;
use crate::clock::Clock;

/// The time of an attempt in milliseconds, and what it says.
type Seen = (u64, Sign);

/// One attempt after the other.
fn after(most: usize, attempts: &[Seen]) -> (Tempo, Instant) {
    let mut tempo = Tempo::new(most);
    let mut now = Clock::system().instant();
    for (ms, sign) in attempts {
        let took = Duration::from_millis(*ms);
        tempo.observe("products", now, took, *sign);
        now += took;
    }
    (tempo, now)
}

#[test]
fn a_server_in_trouble_gets_half_as_many_and_then_one_more_at_a_time() {
    const BUSY: Seen = (10, Sign::Busy(None));
    const GOOD: Seen = (1000, Sign::Good);
    const SLOW: Seen = (6000, Sign::Good);
    let cases: [(&str, usize, Vec<Seen>, usize); 14] = [
        ("at first", 4, vec![], 4),
        ("none configured", 0, vec![], 1),
        ("busy", 4, vec![BUSY], 2),
        ("busy twice", 4, vec![BUSY; 2], 1),
        ("busy for long", 4, vec![BUSY; 20], 1),
        ("an odd number", 5, vec![BUSY], 2),
        ("nine good answers", 4, [vec![BUSY], vec![GOOD; 9]].concat(), 2),
        ("ten good answers", 4, [vec![BUSY], vec![GOOD; 10]].concat(), 3),
        ("never more than configured", 4, [vec![BUSY], vec![GOOD; 100]].concat(), 4),
        ("no run", 4, [vec![BUSY; 2], vec![GOOD; 9], vec![BUSY], vec![GOOD; 9]].concat(), 1),
        ("slow", 4, [vec![GOOD; 5], vec![SLOW]].concat(), 2),
        ("slow from the start", 4, vec![SLOW; 30], 4),
        ("slow at first is not known to be", 4, [vec![GOOD; 4], vec![SLOW]].concat(), 4),
        ("slow until it is usual", 4, [vec![GOOD; 5], vec![SLOW; 40]].concat(), 4),
    ];
    for (name, most, attempts, expected) in cases {
        assert_eq!(after(most, &attempts).0.at_once(), expected, "{name}");
    }
}

#[test]
fn only_what_is_far_from_usual_and_long_is_slow() {
    for (name, usual_ms, ms, sign, lowered) in [
        ("much slower, but no time at all", 20, 4900, Sign::Good, false),
        ("much slower", 20, 5100, Sign::Good, true),
        ("long, as usual", 10_000, 12_000, Sign::Good, false),
        ("not far from usual", 2000, 7900, Sign::Good, false),
        ("far from usual", 2000, 8100, Sign::Good, true),
        ("no answer after a long time", 1000, 180_000, Sign::Other, true),
        ("no answer at once", 1000, 10, Sign::Other, false),
    ] {
        let attempts = [vec![(usual_ms, Sign::Good); 15], vec![(ms, sign)]].concat();
        assert_eq!(after(4, &attempts).0.at_once() == 2, lowered, "{name}");
    }
}

#[test]
fn what_was_under_way_counts_once() {
    let mut tempo = Tempo::new(8);
    let start = Clock::system().instant();
    for ms in 100..108 {
        tempo.observe("products", start, Duration::from_millis(ms), Sign::Busy(None));
    }
    assert_eq!(tempo.at_once(), 4);
}

#[test]
fn each_operation_has_its_usual_time() {
    let (mut tempo, now) = after(4, &[(1000, Sign::Good); 15]);
    tempo.observe("dump", now, Duration::from_secs(40), Sign::Good);
    assert_eq!(tempo.at_once(), 4);
}

#[test]
fn a_server_that_asks_for_quiet_gets_it_up_to_a_minute() {
    for (told, expected) in [(None, None), (Some(0), None), (Some(7), Some(7)), (Some(86_400), Some(60))] {
        let (tempo, now) = after(4, &[(10, Sign::Busy(told.map(Duration::from_secs)))]);
        assert_eq!(tempo.quiet(now), expected.map(Duration::from_secs), "{told:?}");
        assert_eq!(tempo.quiet(now + Duration::from_mins(1)), None);
    }
    let (mut tempo, now) = after(4, &[(10, Sign::Busy(Some(Duration::from_secs(30))))]);
    tempo.observe("products", now, Duration::ZERO, Sign::Busy(Some(Duration::from_secs(5))));
    assert_eq!(tempo.quiet(now), Some(Duration::from_secs(30)), "the longest counts");
}
