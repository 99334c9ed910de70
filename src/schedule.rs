//! Cron -> the next tick, given `now`. Nothing in here asks what time it is.
//!
//! Around a change of the clocks: a schedule that fires in every hour follows real time (both passes of a repeated hour,
//! nothing in a skipped one); one with fixed hours fires once for each civil time, in the first pass of a repeated hour
//! and at the end of a skipped one.
//!
//! The `cron` crate reads expressions and knows the calendar. It is never shown a zone: with one that changes its clocks
//! it skips days, fires twice, and looks back. It gets civil time dressed as UTC, and the zone is applied here.

mod expression;
mod zone;

use std::time::Duration;

use chrono::DateTime;
use cron::TimeUnitSpec;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A cron expression in a time zone.
///
/// Day and weekday must both match: `0 0 6 1 * MON` is a Monday that is the first of its month.
#[derive(Clone, Debug)]
pub struct Schedule {
    expression: String,
    cron: cron::Schedule,
    zone: TimeZone,
    zone_name: String,
    every_hour: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum ScheduleError {
    #[error(
        "schedule `{expression}`: expected 6 fields, `second minute hour day month weekday`, \
         with a year after them if wanted, or 5 without the second; found {count}"
    )]
    FieldCount { expression: String, count: usize },
    #[error(
        "{field} `{text}` is not understood: write {range}, `*`, a list `a,b`, a range upwards `a-b` or a step `*/n`"
    )]
    Field { field: &'static str, text: String, range: &'static str },
    #[error(
        "weekday `{text}` is a number: 1 is Monday in a crontab and Sunday elsewhere; write names, such as `MON-FRI`"
    )]
    NumericWeekday { text: String },
    #[error("schedule `{expression}` never fires: no such date exists")]
    NeverFires { expression: String },
    #[error(transparent)]
    Cron(#[from] cron::error::Error),
    #[error("unknown time zone `{zone}`{}", zone::hint(.nearest.as_deref()))]
    UnknownZone { zone: String, nearest: Option<String> },
}

impl Schedule {
    /// Reads 6 or 7 fields, `second minute hour day month weekday [year]`; 5 fields are a crontab's and fire at second 0.
    pub fn parse(expression: &str, zone: &str) -> Result<Self, ScheduleError> {
        let cron = expression::parse(expression)?;
        let found = zone::find(zone)?;
        let zone_name = found.iana_name().unwrap_or(zone).to_owned();
        let every_hour = cron.hours().is_all();
        let schedule = Self { expression: expression.to_owned(), cron, zone: found, zone_name, every_hour };
        if schedule.civil_at_or_after(0).is_none() {
            return Err(ScheduleError::NeverFires { expression: expression.to_owned() });
        }
        Ok(schedule)
    }

    /// The expression as it was written.
    pub fn expression(&self) -> &str {
        &self.expression
    }

    pub fn zone_name(&self) -> &str {
        &self.zone_name
    }

    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The first tick later than `now`; none when the years of the expression are over.
    pub fn next_after(&self, now: Timestamp) -> Option<Timestamp> {
        let next_second = floor_second(now) + 1;
        let mut period = Period::at(&self.zone, floor_second(now))?;
        let mut from = self.first_civil(&period).max(next_second + period.offset);
        loop {
            // A civil time before the period's own first one lies in the gap that the period starts with.
            let tick = (self.civil_at_or_after(from)? - period.offset).max(period.start);
            let Some(end) = period.end.filter(|end| tick >= *end) else {
                return Timestamp::from_second(tick).ok();
            };
            period = Period::at(&self.zone, end)?;
            from = self.first_civil(&period);
        }
    }

    /// The next `n` ticks after `now`, fewer when the years of the expression end.
    pub fn upcoming(&self, now: Timestamp, n: usize) -> Vec<Timestamp> {
        std::iter::successors(self.next_after(now), |tick| self.next_after(*tick)).take(n).collect()
    }

    /// Whether a tick fell in the time after `last` up to and including `now`. However many did, they are caught up once.
    pub fn missed_since(&self, last: Timestamp, now: Timestamp) -> bool {
        self.next_after(last).is_some_and(|tick| tick <= now)
    }

    /// The civil time from which a period answers for ticks. With fixed hours it takes over where the period before it
    /// left off, which covers a gap and passes over the repetition of a fold.
    fn first_civil(&self, period: &Period) -> i64 {
        period.start + if self.every_hour { period.offset } else { period.offset_before }
    }

    /// In seconds of civil time since 1970-01-01T00:00, as are all civil times in here.
    fn civil_at_or_after(&self, civil: i64) -> Option<i64> {
        let before = DateTime::from_timestamp(civil - 1, 0)?;
        self.cron.after(&before).next().map(|tick| tick.timestamp())
    }
}

/// A stretch of real time, in seconds since 1970-01-01T00:00Z, in which a zone keeps one offset from UTC.
struct Period {
    start: i64,
    /// The start of the next one.
    end: Option<i64>,
    offset: i64,
    offset_before: i64,
}

impl Period {
    /// The period that contains `second`.
    fn at(zone: &TimeZone, second: i64) -> Option<Self> {
        let at = |second| Timestamp::from_second(second).ok();
        let offset_at = |second| Some(i64::from(zone.to_offset(at(second)?).seconds()));
        let previous = zone.preceding(at(second + 1)?).next().map(|transition| transition.timestamp().as_second());
        let start = previous.unwrap_or(Timestamp::MIN.as_second());
        let end = zone.following(at(second)?).next().map(|transition| transition.timestamp().as_second());
        let offset = offset_at(second)?;
        Some(Self { start, end, offset, offset_before: offset_at(start - 1).unwrap_or(offset) })
    }
}

fn floor_second(timestamp: Timestamp) -> i64 {
    timestamp.as_second() - i64::from(timestamp.subsec_nanosecond() < 0)
}

/// How long after a tick a store starts, so that stores with one schedule do not start at one moment: a fixed share of
/// `interval`, the time to the tick after, that depends on the name alone. Below a tenth of the interval and 30 s.
pub fn jitter(name: &str, interval: Duration) -> Duration {
    let spread = u64::try_from((interval / 10).min(Duration::from_secs(30)).as_nanos()).unwrap_or(0);
    Duration::from_nanos(fnv1a(name).checked_rem(spread).unwrap_or(0))
}

/// The 64-bit FNV-1a hash: the standard library's hashers may change from one release to the next.
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
