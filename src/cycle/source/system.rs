//! The system's stock settings, as the products show them that use them.

use crate::commerce::StockItem;

const PARTS: usize = 4;
/// Stands for what no product has shown.
const UNKNOWN: &str = "-";

/// Each as text: manage stock, backorders, and the threshold as it is in force without and with backorders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct System([Option<String>; PARTS]);

impl System {
    pub(super) fn of(items: &[StockItem]) -> Self {
        let [without, with] = [0, 1].map(|place| items.iter().find_map(|item| item.system.2[place]));
        Self([
            items.iter().find_map(|item| item.system.0).map(|managed| managed.to_string()),
            items.iter().find_map(|item| item.system.1).map(|backorders| format!("{backorders:?}")),
            without.map(|threshold| threshold.to_string()),
            with.map(|threshold| threshold.to_string()),
        ])
    }

    pub(super) fn parse(text: &str) -> Self {
        let parts: Vec<&str> = text.split(' ').collect();
        let Ok(parts) = <[&str; PARTS]>::try_from(parts) else { return Self::default() };
        Self(parts.map(|part| (part != UNKNOWN).then(|| part.to_owned())))
    }

    pub(super) fn text(&self) -> String {
        self.0.each_ref().map(|part| part.as_deref().unwrap_or(UNKNOWN)).join(" ")
    }

    /// What is known of both is not the same.
    pub(super) fn differs(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(own, other)| own.is_some() && other.is_some() && own != other)
    }

    /// With what only the other knows.
    pub(super) fn or(self, other: Self) -> Self {
        let (Self([managed, backorders, without, with]), Self(others)) = (self, other);
        let [other_managed, other_backorders, other_without, other_with] = others;
        Self([
            managed.or(other_managed),
            backorders.or(other_backorders),
            without.or(other_without),
            with.or(other_with),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_both_know_can_differ() {
        for (before, after, expected) in [
            ("true Off 0 0", "true Off 0 0", false),
            ("true Off 0 0", "true Off 0 -4", true),
            ("true Off 0 0", "false - - -", true),
            ("true Off 0 -", "true Off - -4", false),
            ("", "true Off 0 0", false),
            ("Some(true) Some(Off) Some(0)", "false On 3 -4", false),
        ] {
            assert_eq!(System::parse(before).differs(&System::parse(after)), expected, "{before} and {after}");
        }
    }

    #[test]
    fn what_is_known_first_stays_and_survives_its_text() {
        let known = System::parse("true - 0 -").or(System::parse("false On 3 -4"));
        assert_eq!((known.text(), System::parse(&known.text())), ("true On 0 -4".to_owned(), known));
    }
}
