//! The nouns of the product, parsed when they are made. Everything may import this; it imports nothing of ours.

mod decimal;
mod listing;
mod marketplace;
mod names;
mod reading;
mod settings;

pub use decimal::{Decimal, DecimalError};
pub use listing::{Belief, Channel, Known, Listing, Refusal, Unapplied};
pub use marketplace::{MARKETPLACES, Marketplace, Region};
pub use names::{AccountName, CommerceName, MarketplaceId, SellerSku, Sku, StoreName, WebsiteCode};
pub use reading::{Backorders, Component, ProductType, Reading, Source, Stock, Tier};
pub use settings::{
    BackorderPolicy, CountryConflict, GuardLimits, MaximumMode, MissingProduct, Mode, RuleSettings, StoreKey,
};
