//! The settings as they came out, for `check-config`: valid TOML, each with where it came from.

use std::fmt::Write;

/// One key with its value as TOML. A secret's value is `"***"` before it gets here.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    /// Which table, or which entry of a list: `store[2]`.
    pub(super) table: String,
    pub(super) header: String,
    pub(super) key: String,
    pub(super) value: String,
    pub(super) origin: String,
}

pub(super) fn render(settings: &[Setting]) -> String {
    let mut text = String::new();
    for (index, table) in settings.chunk_by(|left, right| left.table == right.table).enumerate() {
        let gap = if index == 0 { "" } else { "\n" };
        let _ = writeln!(text, "{gap}{}", table[0].header);
        let lines: Vec<_> = table.iter().map(|setting| format!("{} = {}", setting.key, setting.value)).collect();
        let width = lines.iter().map(|line| line.chars().count()).max().unwrap_or_default().min(60);
        for (line, setting) in lines.iter().zip(table) {
            let _ = writeln!(text, "{line:width$}  # {}", setting.origin);
        }
    }
    text
}
