//! What goes first. Amazon takes five changes a second, so order decides who oversells.

use std::time::Duration;

use super::Change;

/// In sending order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Stops overselling altogether.
    Zero,
    /// Stops overselling by some units.
    Drop,
    /// Restarts selling.
    Restart,
    Rest,
}

impl Priority {
    pub const ALL: [Self; 4] = [Self::Zero, Self::Drop, Self::Restart, Self::Rest];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Zero => "zero",
            Self::Drop => "drop",
            Self::Restart => "restart",
            Self::Rest => "rest",
        }
    }

    /// `believed`: the most that Amazon may be showing now.
    pub const fn of(believed: Option<u32>, desired: u32) -> Self {
        match (believed, desired) {
            (_, 0) => Self::Zero,
            (Some(0), _) => Self::Restart,
            (Some(believed), desired) if desired < believed => Self::Drop,
            _ => Self::Rest,
        }
    }

    /// How long a change of this kind may stand behind newer ones of a better kind before it goes first all the same.
    /// Too short, and a backlog of raises delays a zero; too long, and a shop that is busy for ever starves its raises.
    pub const fn patience(self) -> Duration {
        match self {
            Self::Zero => Duration::ZERO,
            Self::Drop => Duration::from_mins(10),
            Self::Restart => Duration::from_hours(6),
            Self::Rest => Duration::from_hours(12),
        }
    }

    pub fn from_index(index: usize) -> Option<Self> {
        Self::ALL.get(index).copied()
    }

    pub const fn index(self) -> usize {
        self as usize
    }
}

impl serde::Serialize for Priority {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Change {
    /// How many units Amazon may oversell, or misses to sell, until this is sent.
    pub fn gap(&self) -> u32 {
        self.from.map_or(self.to, |from| from.abs_diff(self.to))
    }
}

/// Better kinds first, then the larger gap; names last, so that the same input gives the same bytes.
pub fn sort(changes: &mut [Change]) {
    changes.sort_by(|a, b| {
        (a.priority, b.gap(), &a.account, &a.seller_sku).cmp(&(b.priority, a.gap(), &b.account, &b.seller_sku))
    });
}

#[cfg(test)]
#[path = "order_tests.rs"]
mod tests;
