//! The shapes of the world file's `[commerce]` part.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use serde::de::{Deserializer, Error, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Serialize};

use super::sign_in::{AdminUser, Ims, Integration};
use crate::sim::Quantity;

/// The shop: how one signs in, its system settings, and its catalogue.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CommerceWorld {
    #[serde(skip)]
    pub(in crate::sim) seed: u64,
    pub version: Version,
    pub edition: Edition,
    pub oauth: Option<Integration>,
    /// Other integrations of the same shop, whose tokens are not the first one's.
    pub other_oauth: Vec<Integration>,
    /// Works only when set, as in a shop that switched integration tokens as bearer on.
    pub integration_bearer_token: Option<String>,
    pub admin: Option<AdminUser>,
    /// The shop is one of Adobe Commerce as a Cloud Service: no `/rest`, and only tokens of Adobe's sign-in.
    pub ims: Option<Ims>,
    /// What the integration may do; everything when absent. Administrators may do everything.
    pub resources: Option<BTreeSet<String>>,
    pub system: SystemWorld,
    /// Pages of at most `maximum_page_size`, and of 20 when none is asked for.
    pub input_limits: bool,
    pub maximum_page_size: i64,
    pub past_the_end: PastTheEnd,
    /// How long an answer takes, as a share of what was measured: 1 is a two-core server, 0 answers at once.
    pub latency: f64,
    /// How far the stock index is behind the shop, like "60s".
    #[serde(deserialize_with = "duration")]
    pub index_lag: Duration,
    pub website: Vec<WebsiteWorld>,
    pub stock: Vec<StockWorld>,
    pub source: Vec<SourceWorld>,
    pub product: Vec<ProductWorld>,
    pub generate: Option<Generate>,
}

/// The two releases sign differently and differ in one error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Version {
    #[default]
    #[serde(rename = "2.4.7")]
    V2_4_7,
    #[serde(rename = "2.4.8")]
    V2_4_8,
}

/// Which inventory modules the shop runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Edition {
    #[default]
    MultiSource,
    /// Multi-source inventory without the export module.
    WithoutExport,
    /// All inventory modules off: only stock items are left.
    SingleStock,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PastTheEnd {
    #[default]
    Empty,
    /// Releases before 2.4 answer the last page again.
    LastPage,
}

/// The values that products use which have none of their own.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct SystemWorld {
    pub manage_stock: bool,
    /// 0 none, 1 allowed, 2 allowed and the customer is told.
    pub backorders: u8,
    pub min_qty: Quantity,
}

impl Default for SystemWorld {
    fn default() -> Self {
        Self { manage_stock: true, backorders: 0, min_qty: Quantity::ZERO }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebsiteWorld {
    pub code: String,
    pub id: u32,
    pub stock_id: u32,
    pub name: Option<String>,
    /// The code of its one store view; `default` for the first website.
    pub store_view: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StockWorld {
    pub id: u32,
    pub name: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceWorld {
    pub code: String,
    pub name: Option<String>,
    #[serde(default = "yes")]
    pub enabled: bool,
    #[serde(default)]
    pub stocks: Vec<u32>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProductWorld {
    pub sku: String,
    pub name: Option<String>,
    #[serde(rename = "type", default = "simple")]
    pub type_id: String,
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Codes; the first website of the file when absent.
    pub websites: Option<Vec<String>>,
    pub manage_stock: Option<bool>,
    pub backorders: Option<u8>,
    pub min_qty: Option<Quantity>,
    #[serde(default)]
    pub is_qty_decimal: bool,
    pub qty_increments: Option<u32>,
    /// By source code: a quantity, or `{ quantity, in_stock }`.
    #[serde(default)]
    pub sources: BTreeMap<String, SourceStock>,
    /// By stock id: what open orders hold.
    #[serde(default)]
    pub reserved: BTreeMap<String, Quantity>,
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
    /// Of a composite: SKU and how many of it.
    #[serde(default)]
    pub children: BTreeMap<String, Quantity>,
    /// Saved without stock data: the old stock item has no quantity, and `lowStock` leaves it out.
    #[serde(default)]
    pub without_stock_data: bool,
    /// The old in-stock flag, where it lags behind the sources.
    pub legacy_in_stock: Option<bool>,
}

/// What one source holds of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceStock {
    pub quantity: Quantity,
    pub in_stock: bool,
}

/// Products made from the seed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Generate {
    pub products: u32,
    pub prefix: String,
    /// Where the products are sold; the first website when absent.
    pub websites: Option<Vec<String>>,
    /// Only plain, managed products with stock: no odd settings.
    pub plain: bool,
}

impl Default for Generate {
    fn default() -> Self {
        Self { products: 0, prefix: "GEN-".to_owned(), websites: None, plain: false }
    }
}

impl Default for CommerceWorld {
    fn default() -> Self {
        let mut world = Self {
            seed: 0,
            version: Version::default(),
            edition: Edition::default(),
            oauth: None,
            other_oauth: Vec::new(),
            integration_bearer_token: None,
            admin: None,
            ims: None,
            resources: None,
            system: SystemWorld::default(),
            input_limits: false,
            maximum_page_size: 300,
            past_the_end: PastTheEnd::default(),
            latency: 0.0,
            index_lag: Duration::ZERO,
            website: Vec::new(),
            stock: Vec::new(),
            source: Vec::new(),
            product: Vec::new(),
            generate: None,
        };
        world.add_defaults();
        world
    }
}

impl CommerceWorld {
    /// A shop that says nothing about websites, stocks or sources has one of each, as a new installation does.
    pub(super) fn add_defaults(&mut self) {
        if self.stock.is_empty() {
            self.stock.push(StockWorld { id: 1, name: "Default Stock".to_owned() });
        }
        if self.website.is_empty() {
            self.website.push(WebsiteWorld {
                code: "base".to_owned(),
                id: 1,
                stock_id: 1,
                name: None,
                store_view: None,
            });
        }
        if self.source.is_empty() {
            self.source.push(SourceWorld { code: "default".to_owned(), name: None, enabled: true, stocks: vec![1] });
        }
    }
}

impl<'de> Deserialize<'de> for SourceStock {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SourceStockVisitor)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceStockTable {
    quantity: Quantity,
    #[serde(default = "yes")]
    in_stock: bool,
}

struct SourceStockVisitor;

impl<'de> Visitor<'de> for SourceStockVisitor {
    type Value = SourceStock;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a quantity, or { quantity, in_stock }")
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<SourceStock, E> {
        let quantity = Quantity::deserialize(serde::de::value::I64Deserializer::new(value))?;
        Ok(SourceStock { quantity, in_stock: true })
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<SourceStock, E> {
        i64::try_from(value).map_err(E::custom).and_then(|value| self.visit_i64(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<SourceStock, E> {
        let quantity = Quantity::deserialize(serde::de::value::F64Deserializer::new(value))?;
        Ok(SourceStock { quantity, in_stock: true })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<SourceStock, A::Error> {
        let SourceStockTable { quantity, in_stock } = Deserialize::deserialize(MapAccessDeserializer::new(map))?;
        Ok(SourceStock { quantity, in_stock })
    }
}

pub(super) fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    let signed: jiff::SignedDuration =
        text.parse().map_err(|_| D::Error::custom(format_args!("not a duration like \"90s\" or \"5m\": {text:?}")))?;
    Duration::try_from(signed).map_err(|_| D::Error::custom(format_args!("a duration below zero: {text:?}")))
}

fn yes() -> bool {
    true
}

fn simple() -> String {
    "simple".to_owned()
}
