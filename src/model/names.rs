//! Names as types, so that a seller SKU is never handed over where a Commerce SKU is meant.
//! They are compared byte for byte: Commerce folds case and trims blanks, Amazon does not.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self::new(text)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map(Self::from)
            }
        }
    };
}

name!(
    /// One Commerce instance, the scope of every [`Sku`].
    CommerceName
);
name!(
    /// A website's code within a Commerce instance; it resolves to one stock.
    WebsiteCode
);
name!(
    /// A Commerce product's SKU.
    Sku
);
name!(
    /// One Amazon selling account in one SP-API region.
    AccountName
);
name!(
    /// One Amazon store: an account in a country, with its own settings.
    StoreName
);
name!(
    /// Amazon's name for what is sold. One account has one quantity for each.
    SellerSku
);
name!(
    /// Amazon's id of a marketplace, for example `A1PA6795UKMFR9`.
    MarketplaceId
);
