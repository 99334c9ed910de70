//! The kinds of changes, how often each happens, and who sees it.

use std::fmt;

/// Who finds a change of a kind, and so when it is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Seen {
    /// At the next tick.
    Orders,
    Saves,
    System,
    /// At the first tick when a dump of the stock index shows the product otherwise than the one before.
    Index,
    /// In a turn of all settings.
    Turn,
    /// Not before the rolling sweep comes by.
    Sweep,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Ordered,
    Cancelled,
    Shipped,
    Refunded,
    Returned,
    ReservedElsewhere,
    ReleasedElsewhere,
    Counted,
    Flagged,
    EmptyFlagged,
    SourceItemAdded,
    SourceItemRemoved,
    SourceSwitched,
    SourceLinked,
    Imported,
    Backorders,
    Threshold,
    Managing,
    SettingsSaved,
    Saved,
    Switched,
    Moved,
    Retyped,
    MassSwitched,
    MassSwitchedUnlisted,
    MassMoved,
    Created,
    Deleted,
    DeletedUnlisted,
    Renamed,
    Recreated,
    SystemBackorders,
    SystemThreshold,
    SystemManaging,
}

/// How often of a thousand times, where the round does not say when; an import, an action on many products, or one on all
/// counts each of them.
pub(crate) const KINDS: [(Kind, u32, Seen); 34] = {
    use Kind::*;
    [
        (Ordered, 210, Seen::Orders),
        (Cancelled, 60, Seen::Orders),
        (Shipped, 70, Seen::Orders),
        (Refunded, 20, Seen::Orders),
        (Returned, 30, Seen::Index),
        (ReservedElsewhere, 40, Seen::Sweep),
        (ReleasedElsewhere, 25, Seen::Sweep),
        (Counted, 150, Seen::Index),
        (Flagged, 40, Seen::Index),
        (EmptyFlagged, 12, Seen::Sweep),
        (SourceItemAdded, 15, Seen::Index),
        (SourceItemRemoved, 15, Seen::Index),
        (SourceSwitched, 0, Seen::Index),
        (SourceLinked, 0, Seen::Index),
        (Imported, 3, Seen::Saves),
        (Backorders, 35, Seen::Turn),
        (Threshold, 35, Seen::Turn),
        (Managing, 25, Seen::Turn),
        (SettingsSaved, 45, Seen::Saves),
        (Saved, 15, Seen::Saves),
        (Switched, 35, Seen::Saves),
        (Moved, 35, Seen::Saves),
        (Retyped, 10, Seen::Saves),
        (MassSwitched, 6, Seen::Index),
        (MassSwitchedUnlisted, 4, Seen::Sweep),
        (MassMoved, 6, Seen::Index),
        (Created, 20, Seen::Saves),
        (Deleted, 12, Seen::Index),
        (DeletedUnlisted, 10, Seen::Sweep),
        (Renamed, 12, Seen::Saves),
        (Recreated, 12, Seen::Saves),
        (SystemBackorders, 0, Seen::System),
        (SystemThreshold, 0, Seen::System),
        (SystemManaging, 0, Seen::System),
    ]
};

/// What concerns many products at once comes in its turn, once in three rounds.
pub(crate) const UPHEAVALS: [Kind; 6] = [
    Kind::SystemManaging,
    Kind::SourceSwitched,
    Kind::SystemThreshold,
    Kind::SystemBackorders,
    Kind::SourceLinked,
    Kind::SystemManaging,
];

impl Kind {
    pub(crate) fn seen(self) -> Seen {
        KINDS.iter().find(|(kind, ..)| *kind == self).unwrap().2
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
