//! A store's settings as the rules and the plan see them. Defaults and ranges: product rules, "Quantity rules".

use jiff::Timestamp;

use super::StoreName;

/// The channel rules of one store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleSettings {
    /// A quantity strictly below becomes 0; `0..=1_000_000`.
    pub out_of_stock_threshold: i64,
    /// `1..=1_000_000`.
    pub maximum_listed_quantity: i64,
    pub maximum_mode: MaximumMode,
    /// What a listing without a finite stock shows; `1..=1_000_000`.
    pub unmanaged_stock_quantity: i64,
    pub backorders: BackorderPolicy,
    /// `1..=100`.
    pub allocation_percent: i64,
    /// `0..=1_000_000`, in listing units.
    pub safety_buffer: i64,
    pub on_missing_product: MissingProduct,
}

impl Default for RuleSettings {
    fn default() -> Self {
        Self {
            out_of_stock_threshold: 0,
            maximum_listed_quantity: 10_000,
            maximum_mode: MaximumMode::Cap,
            unmanaged_stock_quantity: 100,
            backorders: BackorderPolicy::Include,
            allocation_percent: 100,
            safety_buffer: 0,
            on_missing_product: MissingProduct::Keep,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaximumMode {
    /// `min(quantity, maximum)`: never oversells.
    Cap,
    /// Exactly the maximum whenever there is anything to sell.
    Fixed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackorderPolicy {
    Include,
    Exclude,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissingProduct {
    Keep,
    Zero,
}

/// What to do when the deciding stores of an account's countries come to different numbers for one listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountryConflict {
    Oldest,
    Lowest,
    Withhold,
}

/// What one cycle may do to one store before somebody has to agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuardLimits {
    /// Of the store's listings. 0 holds every zero, 100 none.
    pub max_zeroed_percent: u32,
    pub max_zeroed_count: u32,
    /// Of the store's listed units.
    pub max_units_drop_percent: u32,
    /// `None`: as many as there are.
    pub max_changes: Option<u32>,
}

impl Default for GuardLimits {
    fn default() -> Self {
        Self { max_zeroed_percent: 20, max_zeroed_count: 500, max_units_drop_percent: 50, max_changes: None }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Plans and logs; sends nothing.
    Observe,
    Live,
}

/// What precedence compares: the store created first decides; of two created at once, the smaller name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StoreKey {
    pub created_at: Timestamp,
    pub name: StoreName,
}
