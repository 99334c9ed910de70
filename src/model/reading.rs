//! What Commerce said about a product, as the rules see it.

use std::num::NonZeroU32;

use super::{Decimal, Sku};

/// What is known about one product, for one website.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// No answer, a partial one, an error, or one that does not fit the schema; the text says which.
    Unknown(String),
    /// A complete answer that does not name the product, confirmed singly.
    Missing,
    Known(Reading),
}

/// One product at one time, for one website.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    pub product_type: ProductType,
    pub enabled: bool,
    pub in_website: bool,
    /// Effective: the product's own value, or the system's where the product uses the system's.
    pub managed: bool,
    pub backorders: Backorders,
    /// Commerce's own out-of-stock threshold as stored or effective; never subtract it from the salable quantity again.
    pub min_qty: Decimal,
    pub stock: Stock,
}

/// What the website's stock holds of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stock {
    /// No source of the product belongs to the website's stock, confirmed singly.
    NoSource,
    Level {
        salable: Decimal,
        is_salable: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backorders {
    Off,
    /// Commerce knows two kinds (with and without notifying the customer); for quantities they are one.
    On,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProductType {
    /// `simple`, `virtual`, `downloadable`, and types of extensions, which hold stock of their own.
    Stocked(String),
    /// `configurable`, `bundle`, `grouped`, `giftcard`: no stock of their own.
    Composite(String),
}

impl ProductType {
    pub fn parse(type_id: &str) -> Self {
        match type_id {
            "configurable" | "bundle" | "grouped" | "giftcard" => Self::Composite(type_id.to_owned()),
            _ => Self::Stocked(type_id.to_owned()),
        }
    }

    pub fn as_str(&self) -> &str {
        match self {
            Self::Stocked(text) | Self::Composite(text) => text,
        }
    }
}

/// A product that a listing is made of, and how many units of it one listing unit takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    pub sku: Sku,
    pub units: NonZeroU32,
    pub source: Source,
}

/// How it came that a product was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// With all the others, at once.
    Full,
    /// When the rolling sweep came to it.
    Sweep,
    /// Because a watch saw that it may have moved, or because somebody named it.
    Exact,
}

impl Tier {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Sweep => "sweep",
            Self::Exact => "exact",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Full, Self::Sweep, Self::Exact].into_iter().find(|tier| tier.as_str() == text)
    }
}
