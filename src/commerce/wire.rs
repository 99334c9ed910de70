//! Shapes as Commerce sends them. They never leave this room.

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::model::{Backorders, Decimal};

/// A page of a list. With `fields`, an empty page has `items: null`.
#[derive(Debug, Deserialize)]
pub(super) struct List {
    items: Option<Vec<Box<RawValue>>>,
    /// Of the whole list; of the export, of this page only.
    pub(super) total_count: u64,
}

impl List {
    pub(super) fn len(&self) -> usize {
        self.items.as_ref().map_or(0, Vec::len)
    }

    /// The rows that fit, and what is wrong with the first that does not: one bad row must not cost the page.
    pub(super) fn rows<T: DeserializeOwned>(&self) -> (Vec<T>, Option<String>) {
        let items = self.items.as_deref().unwrap_or_default();
        let mut rows = Vec::with_capacity(items.len());
        let mut flaw = None;
        for (index, item) in items.iter().enumerate() {
            match serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_str(item.get())) {
                Ok(row) => rows.push(row),
                Err(error) => {
                    flaw.get_or_insert_with(|| {
                        format!("row {index} does not fit at {}: {}", error.path(), error.inner())
                    });
                }
            }
        }
        (rows, flaw)
    }
}

/// Only how many there are.
#[derive(Debug, Deserialize)]
pub(super) struct Count {
    pub(super) total_count: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Website {
    pub(super) id: u32,
    pub(super) code: String,
}

/// A stock and the websites that sell from it.
#[derive(Debug, Deserialize)]
pub(super) struct Stock {
    #[serde(rename = "stock_id")]
    pub(super) id: u32,
    pub(super) extension_attributes: StockExtension,
}

#[derive(Debug, Deserialize)]
pub(super) struct StockExtension {
    #[serde(default)]
    pub(super) sales_channels: Vec<SalesChannel>,
}

#[derive(Debug, Deserialize)]
pub(super) struct SalesChannel {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) code: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Product {
    pub(super) id: u64,
    #[serde(deserialize_with = "sku")]
    pub(super) sku: String,
    pub(super) type_id: String,
    /// 1 enabled, 2 disabled.
    pub(super) status: i64,
    pub(super) updated_at: Option<String>,
    pub(super) extension_attributes: ProductExtension,
    #[serde(default)]
    pub(super) custom_attributes: Vec<Attribute>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ProductExtension {
    /// Empty in no website; a row without it does not fit, as it would read the same.
    pub(super) website_ids: Vec<u32>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Attribute {
    #[serde(rename = "attribute_code")]
    pub(super) code: String,
    pub(super) value: serde_json::Value,
}

/// A row of `stockItems` and `lowStock`; the values are effective already.
#[derive(Debug, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "it is as Commerce sends it")]
pub(super) struct StockItem {
    pub(super) product_id: u64,
    pub(super) manage_stock: bool,
    #[serde(deserialize_with = "backorders")]
    pub(super) backorders: Backorders,
    #[serde(deserialize_with = "decimal")]
    pub(super) min_qty: Decimal,
    /// Of the default source; what counts where there are no sources.
    #[serde(default, deserialize_with = "maybe_decimal")]
    pub(super) qty: Option<Decimal>,
    #[serde(default)]
    pub(super) is_in_stock: bool,
    #[serde(default)]
    pub(super) use_config_manage_stock: bool,
    #[serde(default)]
    pub(super) use_config_backorders: bool,
    #[serde(default)]
    pub(super) use_config_min_qty: bool,
}

/// A row of the export.
#[derive(Debug, Deserialize)]
pub(super) struct ExportRow {
    #[serde(deserialize_with = "sku")]
    pub(super) sku: String,
    #[serde(deserialize_with = "decimal")]
    pub(super) qty: Decimal,
    pub(super) is_salable: bool,
}

/// A row of `are-products-salable`.
#[derive(Debug, Deserialize)]
pub(super) struct Salable {
    pub(super) sku: String,
    pub(super) salable: bool,
}

/// A bare number.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Number(#[serde(deserialize_with = "decimal")] pub(super) Decimal);

#[derive(Debug, Deserialize)]
pub(super) struct Order {
    pub(super) entity_id: u64,
    pub(super) updated_at: String,
    pub(super) items: Vec<OrderItem>,
}

#[derive(Debug, Deserialize)]
pub(super) struct OrderItem {
    pub(super) sku: String,
    #[serde(default)]
    pub(super) product_id: Option<u64>,
}

/// Of whatever list: when the row changed.
#[derive(Debug, Deserialize)]
pub(super) struct Changed {
    pub(super) updated_at: String,
}

/// Everything about one SKU. Products outside of the shop front have no id here.
#[derive(Debug, Deserialize)]
pub(super) struct StockStatus {
    pub(super) product_id: Option<u64>,
    /// Cut to whole units.
    #[serde(deserialize_with = "decimal")]
    pub(super) qty: Decimal,
    /// 1 in stock, 0 not.
    #[serde(rename = "stock_status")]
    pub(super) salable: i64,
}

/// Commerce keeps no longer one.
const LONGEST_SKU: usize = 64;

/// An answer with a name that cannot be says nothing about those that it leaves out.
fn sku<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let sku = String::deserialize(deserializer)?;
    if sku.chars().count() > LONGEST_SKU {
        return Err(D::Error::custom(format!("a SKU of more than {LONGEST_SKU} characters")));
    }
    Ok(sku)
}

/// Read from the text of the number, so that no float comes in between. Old releases quote numbers.
fn decimal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    let text = raw.get();
    let number = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    Decimal::parse(number).map_err(D::Error::custom)
}

fn maybe_decimal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Decimal>, D::Error> {
    #[derive(Deserialize)]
    #[serde(transparent)]
    struct Given(#[serde(deserialize_with = "decimal")] Decimal);
    Ok(Option::<Given>::deserialize(deserializer)?.map(|given| given.0))
}

fn backorders<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Backorders, D::Error> {
    match u8::deserialize(deserializer)? {
        0 => Ok(Backorders::Off),
        1 | 2 => Ok(Backorders::On),
        other => Err(D::Error::custom(format!("{other} is no kind of backorders"))),
    }
}
