//! A product as it was read.

use super::stocks::Export;
use super::{Website, wire};
use crate::model::{Backorders, Decimal, Sku, WebsiteCode};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductRow {
    pub product_id: u64,
    pub sku: Sku,
    pub type_id: String,
    pub enabled: bool,
    pub website_ids: Vec<u32>,
    /// The wanted attributes that the product has, by code.
    pub attributes: Vec<(String, String)>,
    /// As Commerce writes it: UTC, without saying so. Stock moves do not touch it.
    pub updated_at: Option<String>,
    /// None when Commerce did not say.
    pub config: Option<StockConfig>,
    /// For those of the wanted websites that the product is in.
    pub stocks: Vec<(WebsiteCode, StockRow)>,
}

/// Effective settings: the product's own, or the system's where it uses those.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StockConfig {
    pub managed: bool,
    pub backorders: Backorders,
    pub min_qty: Decimal,
}

/// What the export said about a product for one website.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StockRow {
    Level {
        salable: Decimal,
        is_salable: bool,
    },
    /// A whole answer without the managed product: to be confirmed singly before it means that no source belongs to the
    /// website's stock.
    Absent,
    /// No answer, or none that can be relied on; the text says why.
    Unknown(String),
}

impl StockRow {
    pub(super) fn level(row: &wire::ExportRow) -> Self {
        Self::Level { salable: row.qty, is_salable: row.is_salable }
    }
}

impl From<&wire::StockItem> for StockConfig {
    fn from(item: &wire::StockItem) -> Self {
        Self { managed: item.manage_stock, backorders: item.backorders, min_qty: item.min_qty }
    }
}

/// A product's stock item as a bulk answer names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StockItem {
    pub product_id: u64,
    pub config: StockConfig,
    /// The stock itself, where no source holds it.
    pub stock: StockRow,
    /// The system's values, as far as this product uses them: manage stock, backorders, and the threshold as it is in
    /// force without and with backorders, whosever these are.
    pub system: (Option<bool>, Option<Backorders>, [Option<Decimal>; 2]),
}

impl StockItem {
    /// Without the inventory modules backorders are infinite and negative thresholds void: what may be sold is what there
    /// is above a positive threshold.
    pub(super) fn without_sources(item: &wire::StockItem) -> Self {
        let mut config = StockConfig::from(item);
        config.min_qty =
            if config.backorders == Backorders::On { Decimal::ZERO } else { config.min_qty.max(Decimal::ZERO) };
        let stock = match (config.managed, item.qty) {
            (false, _) => StockRow::Level { salable: Decimal::ZERO, is_salable: true },
            (true, None) => StockRow::Unknown("its stock item has no quantity".to_owned()),
            (true, Some(qty)) => {
                let salable = qty.saturating_sub(config.min_qty);
                let enough = config.backorders == Backorders::On || salable > Decimal::ZERO;
                StockRow::Level { salable, is_salable: item.is_in_stock && enough }
            }
        };
        Self { config, stock, ..Self::new(item) }
    }

    pub(super) fn new(item: &wire::StockItem) -> Self {
        let system = (
            item.use_config_manage_stock.then_some(item.manage_stock),
            item.use_config_backorders.then_some(item.backorders),
            [Backorders::Off, Backorders::On]
                .map(|own| (item.use_config_min_qty && item.backorders == own).then_some(item.min_qty)),
        );
        let stock = StockRow::Unknown("its stock item was asked for its settings only".to_owned());
        Self { product_id: item.product_id, config: item.into(), stock, system }
    }
}

impl ProductRow {
    pub(super) fn new(product: wire::Product, attributes: &[String], config: Option<StockConfig>) -> Self {
        let attributes = product
            .custom_attributes
            .into_iter()
            .filter(|attribute| attributes.contains(&attribute.code))
            .filter_map(|attribute| Some((attribute.code, text(attribute.value)?)))
            .collect();
        Self {
            product_id: product.id,
            sku: product.sku.into(),
            type_id: product.type_id,
            enabled: product.status == 1,
            website_ids: product.extension_attributes.website_ids,
            attributes,
            updated_at: product.updated_at,
            config,
            stocks: Vec::new(),
        }
    }

    /// Takes the product's stock out of what the export of each website said.
    pub(super) fn add_stocks<'a>(&mut self, exports: impl IntoIterator<Item = (&'a Website, &'a Export)>) {
        let exports = exports.into_iter().filter(|(website, _)| self.website_ids.contains(&website.id));
        let stocks =
            exports.map(|(website, export)| (website.code.clone(), export.stock_of(self.sku.as_str(), self.config)));
        self.stocks = stocks.collect();
    }
}

/// A seller SKU of digits may come as a number; what is neither text nor number is no SKU.
fn text(value: serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::String(text) => Some(text),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
