//! Time zones by name, and the name that was probably meant.

use jiff::tz::{self, TimeZone};

use super::ScheduleError;

pub(super) fn find(name: &str) -> Result<TimeZone, ScheduleError> {
    TimeZone::get(name)
        .ok()
        .filter(|zone| !zone.is_unknown())
        .ok_or_else(|| ScheduleError::UnknownZone { zone: name.to_owned(), nearest: nearest(name) })
}

pub(super) fn hint(nearest: Option<&str>) -> String {
    nearest.map_or_else(
        || ", expected an IANA name such as `Europe/Berlin`".to_owned(),
        |name| format!(", did you mean `{name}`?"),
    )
}

/// The closest name when it is close: the whole of it, or its city.
fn nearest(name: &str) -> Option<String> {
    let wanted = name.trim().to_lowercase().replace(' ', "_");
    let tolerated = wanted.chars().count() / 4;
    tz::db()
        .available()
        .map(|known| known.to_string())
        .filter(|known| !known.starts_with("posix/") && !known.starts_with("right/"))
        .map(|known| {
            let candidate = known.to_lowercase();
            let city = candidate.rsplit('/').next().unwrap_or_default();
            (distance(&wanted, &candidate).min(distance(&wanted, city)), known)
        })
        .filter(|(edits, _)| *edits <= tolerated)
        .min()
        .map(|(_, known)| known)
}

/// How many characters must be put in, left out or replaced to make `b` of `a`.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.chars().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.chars().count()]
}
