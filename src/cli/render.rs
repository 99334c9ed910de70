//! Tables and texts for people. Nothing here decides anything.

use std::collections::BTreeMap;

use comfy_table::presets::NOTHING;
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::plan::{Change, Withheld};

/// In a pipe, and at most: wider tables break in a mail.
const WIDTH: u16 = 100;
/// Narrower columns hold no word any more.
const NARROWEST: u16 = 60;
/// Rows beyond this say nothing more to a person; `--format json` has all of them.
pub(super) const ROWS: usize = 200;
/// Of a text that several rows may say; longer ones fill the screen.
const LONGEST_REPEATED: usize = 60;
/// Of a SKU in a table; longer ones lose their middle.
const LONGEST_SKU: usize = 26;

pub(super) fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>, numbers: &[usize]) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(width());
    table.set_header(header.iter().map(|name| Cell::new(name.to_uppercase())));
    for row in rows {
        table.add_row(row);
    }
    for &column in numbers {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}

/// Of what is printed for people.
pub(super) fn width() -> u16 {
    fitting(Table::new().width())
}

fn fitting(terminal: Option<u16>) -> u16 {
    terminal.map_or(WIDTH, |columns| columns.clamp(NARROWEST, WIDTH))
}

pub(super) fn changes(changes: &[Change]) -> String {
    let rows = changes.iter().take(ROWS).map(|change| {
        let reasons: Vec<&str> = change.reasons.iter().map(|reason| reason.code()).collect();
        vec![
            change.account.to_string(),
            short(change.seller_sku.as_str()),
            change.store.to_string(),
            change.from.map_or_else(|| "?".to_owned(), |from| from.to_string()),
            change.to.to_string(),
            change.priority.as_str().to_owned(),
            match &change.conflict {
                Some(conflict) => format!("{} ({conflict})", reasons.join(", ")),
                None => reasons.join(", "),
            },
        ]
    });
    let header = ["account", "seller sku", "store", "from", "to", "priority", "reasons"];
    with_rest(table(&header, rows, &[3, 4]), changes.len())
}

pub(super) fn withheld(withheld: &[Withheld]) -> String {
    let mut said = BTreeMap::new();
    let rows = withheld.iter().take(ROWS).map(|withheld| {
        vec![
            withheld.account.to_string(),
            short(withheld.seller_sku.as_str()),
            withheld.store.to_string(),
            withheld.reason.to_string(),
            once(&mut said, &withheld.detail),
        ]
    });
    with_rest(table(&["account", "seller sku", "store", "withheld", "detail"], rows, &[]), withheld.len())
}

/// A shop that is down says the same of every product: the first row has it, the others name that one.
fn once<'a>(said: &mut BTreeMap<&'a str, &'a str>, detail: &'a str) -> String {
    let Some((sku, text)) = detail.split_once(": ").filter(|(_, text)| text.len() > LONGEST_REPEATED) else {
        return detail.to_owned();
    };
    if let Some(first) = said.get(text) {
        return format!("{}: as for {}", short(sku), short(first));
    }
    said.insert(text, sku);
    detail.to_owned()
}

fn with_rest(table: String, rows: usize) -> String {
    if rows > ROWS { format!("{table}\n … and {} more (`--format json` shows all)", rows - ROWS) } else { table }
}

/// A time in a zone with its offset; the zone is the store's own.
pub(super) fn time(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %:z").to_string()
}

/// How long ago, or until when, in the largest unit that says enough.
pub(super) fn ago(at: Timestamp, now: Timestamp) -> String {
    let length = length(now.duration_since(at).as_secs().unsigned_abs());
    if at > now { format!("in {length}") } else { format!("{length} ago") }
}

fn length(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// A long name without its middle: the ends tell SKUs apart.
pub(super) fn short(name: &str) -> String {
    let characters: Vec<char> = name.chars().collect();
    if characters.len() <= LONGEST_SKU {
        return name.to_owned();
    }
    let half = LONGEST_SKU / 2;
    let start: String = characters[..half].iter().collect();
    let end: String = characters[characters.len() - half + 1..].iter().collect();
    format!("{start}…{end}")
}

/// Breaks a text at blanks; what follows is set in.
pub(super) fn wrapped(start: &str, text: &str) -> String {
    let width = usize::from(width());
    let (mut lines, mut line) = (String::new(), start.to_owned());
    for word in text.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > width {
            lines.push_str(&line);
            lines.push('\n');
            line = String::from("   ");
        }
        line.push(' ');
        line.push_str(word);
    }
    lines + &line
}

#[cfg(test)]
mod tests {
    use super::{ago, fitting, short};

    #[test]
    fn a_table_is_as_wide_as_the_terminal_within_bounds() {
        for (terminal, expected) in [(None, 100), (Some(80), 80), (Some(250), 100), (Some(20), 60)] {
            assert_eq!(fitting(terminal), expected, "{terminal:?}");
        }
    }

    #[test]
    fn a_long_sku_keeps_both_ends() {
        assert_eq!(short("SHIRT-BLUE-XL"), "SHIRT-BLUE-XL");
        let cut = short("A-VERY-LONG-SELLER-SKU-WITH-A-SIZE-XL");
        assert_eq!(cut, "A-VERY-LONG-S…TH-A-SIZE-XL");
        assert_eq!(cut.chars().count(), 26);
    }

    #[test]
    fn spans_are_told_in_the_unit_that_says_enough() {
        let now = "2026-11-21T12:00:00Z".parse().unwrap();
        for (at, expected) in [
            ("2026-11-21T12:00:00Z", "0 s ago"),
            ("2026-11-21T11:58:30Z", "90 s ago"),
            ("2026-11-21T11:00:00Z", "60 min ago"),
            ("2026-11-20T12:00:00Z", "24 h ago"),
            ("2026-11-11T12:00:00Z", "10 days ago"),
            ("2026-11-21T12:05:00Z", "in 5 min"),
            ("2026-11-21T12:00:00.4Z", "in 0 s"),
        ] {
            assert_eq!(ago(at.parse().unwrap(), now), expected);
        }
    }
}
