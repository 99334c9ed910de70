//! Why a quantity is what it is, or why it was not sent. One enum for rules, plan, explain, logs and journal.

use std::fmt;

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident => $code:literal,)*) => {
        /// A reason; its code is part of the public contract.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason { $($(#[$doc])* $name,)* }

        impl Reason {
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            pub fn parse(code: &str) -> Option<Self> {
                match code { $($code => Some(Self::$name),)* _ => None }
            }
        }
    };
}

reasons! {
    // What the rules say, in the order of their steps.
    /// Commerce gave no complete answer about the product; Amazon keeps what it has.
    SourceUnknown => "source_unknown",
    ProductMissing => "product_missing",
    CompositeProduct => "composite_product",
    ProductDisabled => "product_disabled",
    NotInWebsite => "not_in_website",
    NotInStock => "not_in_stock",
    StockNotManaged => "stock_not_managed",
    NotSalable => "not_salable",
    SalableQuantity => "salable_quantity",
    BackordersIncluded => "backorders_included",
    BackordersInfinite => "backorders_infinite",
    BackordersExcluded => "backorders_excluded",
    Pack => "pack",
    Kit => "kit",
    Allocated => "allocated",
    Buffered => "buffered",
    BelowThreshold => "below_threshold",
    Capped => "capped",
    Fixed => "fixed",
    Held => "held",
    Overridden => "overridden",
    // Which store decides.
    /// The countries of an account came to different numbers.
    CountryConflict => "country_conflict",
    // Which listings may be sent anything at all.
    /// Amazon has never shown the listing live.
    ListingUnknown => "listing_unknown",
    FulfilledByAmazon => "fulfilled_by_amazon",
    ChannelUnknown => "channel_unknown",
    /// The store's mapping file does not name the seller SKU.
    NotMapped => "not_mapped",
    /// Two products carry the seller SKU in the mapped attribute.
    MappingAmbiguous => "mapping_ambiguous",
    // Why a change that is due is not sent now.
    /// The store may only lower quantities.
    IncreaseNotAllowed => "increase_not_allowed",
    /// Amazon refused the last attempt; it is tried again after a wait.
    Rejected => "rejected",
    /// Amazon accepted the quantity several times and never showed it.
    NotApplied => "not_applied",
    /// A person paused the store, the account, or everything.
    Paused => "paused",
    // Guards hold the dangerous part of a plan until somebody releases it.
    GuardZeroed => "guard_zeroed",
    GuardUnitsDrop => "guard_units_drop",
    GuardChanges => "guard_changes",
    GuardSourceShrunken => "guard_source_shrunken",
    GuardReadingOld => "guard_reading_old",
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl serde::Serialize for Reason {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}
