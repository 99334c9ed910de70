//! When a schedule fires, the slow way: every minute of a window of real time is translated to its civil minute, every
//! civil minute is held against the expression. Nothing in here knows what a transition is.

use std::collections::{BTreeSet, HashMap};

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

struct Fields {
    seconds: BTreeSet<i16>,
    minutes: BTreeSet<i16>,
    hours: BTreeSet<i16>,
    days: BTreeSet<i16>,
    months: BTreeSet<i16>,
    weekdays: BTreeSet<i16>,
}

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

impl Fields {
    fn read(expression: &str) -> Self {
        let fields: Vec<&str> = expression.split(' ').collect();
        let [second, minute, hour, day, month, weekday] = fields[..] else { panic!("six fields: {expression}") };
        Self {
            seconds: set(second, 0, 59, &[]),
            minutes: set(minute, 0, 59, &[]),
            hours: set(hour, 0, 23, &[]),
            days: set(day, 1, 31, &[]),
            months: set(month, 1, 12, &MONTHS),
            weekdays: set(weekday, 0, 6, &WEEKDAYS),
        }
    }

    fn contain(&self, minute: DateTime) -> bool {
        self.minutes.contains(&minute.minute().into())
            && self.hours.contains(&minute.hour().into())
            && self.days.contains(&minute.day().into())
            && self.months.contains(&minute.month().into())
            && self.weekdays.contains(&minute.weekday().to_sunday_zero_offset().into())
    }
}

fn set(field: &str, low: i16, high: i16, names: &[&str]) -> BTreeSet<i16> {
    let number = |text: &str| {
        let by_name = names.iter().position(|name| *name == text).map(|at| low + i16::try_from(at).expect("few names"));
        by_name.unwrap_or_else(|| text.parse().expect("a number"))
    };
    let mut all = BTreeSet::new();
    for item in field.split(',') {
        let (range, step) = item.split_once('/').unwrap_or((item, "1"));
        let (from, to) = match range.split_once('-') {
            Some((from, to)) => (number(from), number(to)),
            None if range == "*" => (low, high),
            None if item.contains('/') => (number(range), high),
            None => (number(range), number(range)),
        };
        all.extend((from..=to).step_by(step.parse().expect("a step")));
    }
    all
}

/// A stretch of real time of a zone: its minutes, and the civil minute that a clock on the wall shows in each.
pub(crate) struct Window {
    minutes: Vec<(Timestamp, DateTime)>,
    first_shown: HashMap<DateTime, Timestamp>,
}

impl Window {
    pub(crate) fn new(zone: &TimeZone, from: Timestamp, minutes: i64) -> Self {
        let minutes: Vec<(Timestamp, DateTime)> =
            (0..minutes).map(|n| from + n.minutes()).map(|at| (at, zone.to_datetime(at))).collect();
        let mut first_shown = HashMap::new();
        for (at, civil) in &minutes {
            first_shown.entry(*civil).or_insert(*at);
        }
        Self { minutes, first_shown }
    }

    pub(crate) fn ticks(&self, expression: &str) -> Vec<Timestamp> {
        let fields = Fields::read(expression);
        let ticks: BTreeSet<Timestamp> =
            if fields.hours.len() == 24 { self.by_real_time(&fields) } else { self.once_per_civil_time(&fields) };
        ticks.into_iter().collect()
    }

    fn by_real_time(&self, fields: &Fields) -> BTreeSet<Timestamp> {
        let shown = self.minutes.iter().filter(|(_, civil)| fields.contain(*civil));
        shown.flat_map(|(at, _)| fields.seconds.iter().map(|second| *at + i64::from(*second).seconds())).collect()
    }

    fn once_per_civil_time(&self, fields: &Fields) -> BTreeSet<Timestamp> {
        let mut ticks = BTreeSet::new();
        let (mut civil, last) = (self.minutes[0].1, self.minutes[self.minutes.len() - 1].1);
        while civil <= last {
            if fields.contain(civil) {
                if let Some(at) = self.first_shown.get(&civil) {
                    ticks.extend(fields.seconds.iter().map(|second| *at + i64::from(*second).seconds()));
                } else {
                    // Never shown: the moment at which the wall clock has gone past it.
                    let past = self.minutes.iter().find(|(_, shown)| *shown > civil);
                    ticks.extend(past.map(|(at, _)| *at));
                }
            }
            civil += 1.minute();
        }
        ticks
    }
}
