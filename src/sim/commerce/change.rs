//! What people and other systems do to the shop's catalogue, stock and settings.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

use super::shop::{Product, Shop};
use super::stock::DEFAULT_STOCK;
use crate::sim::Quantity;
use crate::sim::world::{ProductWorld, SourceStock, SystemWorld, folded};

const LONGEST_SKU: usize = 64;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    #[error("no product has the SKU {0:?}")]
    UnknownSku(String),
    #[error("a product has the SKU {0:?} already")]
    KnownSku(String),
    #[error("unknown source {0:?}")]
    UnknownSource(String),
    #[error("no stock has the id {0}")]
    UnknownStock(u32),
    #[error("unknown website {0:?}")]
    UnknownWebsite(String),
    #[error("product {0:?} is a composite and has no stock of its own")]
    Composite(String),
    #[error("the stock's sources do not hold {quantity} of {sku:?}")]
    NotEnough { sku: String, quantity: u32 },
    #[error("{quantity} of {sku:?} were not shipped from this stock, or were sent back already")]
    NotShipped { sku: String, quantity: u32 },
    #[error("backorders must be 0, 1 or 2, not {0}")]
    Backorders(u8),
    #[error("a SKU has 1 to 64 characters, unlike {0:?}")]
    BadSku(String),
}

/// What to set of a product; what is absent stays. Null goes back to the system's value.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProductEdit {
    pub name: Option<String>,
    #[serde(rename = "type")]
    pub type_id: Option<String>,
    pub enabled: Option<bool>,
    pub websites: Option<Vec<String>>,
    /// By source code; null takes the source item away.
    pub sources: BTreeMap<String, Option<SourceStock>>,
    #[serde(deserialize_with = "setting")]
    pub manage_stock: Option<Setting<bool>>,
    #[serde(deserialize_with = "setting")]
    pub backorders: Option<Setting<u8>>,
    #[serde(deserialize_with = "setting")]
    pub min_qty: Option<Setting<Quantity>>,
    /// The old flag; the system's value follows the sources.
    #[serde(deserialize_with = "setting")]
    pub legacy_in_stock: Option<Setting<bool>>,
    pub is_qty_decimal: Option<bool>,
    pub attributes: Option<BTreeMap<String, String>>,
    /// By stock id.
    pub reserved: BTreeMap<u32, Quantity>,
    /// Whether `updated_at` moves. When absent it does for the catalogue's part, and not for stock settings and sources.
    pub touch: Option<bool>,
}

/// The product list's action on many products at once: it writes past the product, whose `updated_at` stays.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MassAction {
    pub skus: Vec<String>,
    pub enabled: Option<bool>,
    pub add_websites: Vec<String>,
    pub remove_websites: Vec<String>,
}

/// What to set of a source; what is absent stays.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SourceEdit {
    pub enabled: Option<bool>,
    /// The ids of the stocks that it is linked to.
    pub stocks: Option<Vec<u32>>,
}

/// A product's own value, or the system's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting<T> {
    Own(T),
    System,
}

impl<T> Setting<T> {
    fn own(self) -> Option<T> {
        match self {
            Self::Own(value) => Some(value),
            Self::System => None,
        }
    }
}

fn setting<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Setting<T>>, D::Error> {
    let value = Option::deserialize(deserializer)?;
    Ok(Some(value.map_or(Setting::System, Setting::Own)))
}

impl Shop {
    pub(super) fn product_mut(&mut self, sku: &str) -> Result<&mut Product, ChangeError> {
        self.find_mut(sku).ok_or_else(|| ChangeError::UnknownSku(sku.to_owned()))
    }

    pub(super) fn create(&mut self, product: &ProductWorld, now: Timestamp) -> Result<(), ChangeError> {
        self.check_new_sku(&product.sku)?;
        self.check_places(product.sources.keys(), product.websites.iter().flatten())?;
        self.add(product, now);
        Ok(())
    }

    fn check_new_sku(&self, sku: &str) -> Result<(), ChangeError> {
        let length = sku.trim_matches(' ').chars().count();
        if !(1..=LONGEST_SKU).contains(&length) {
            return Err(ChangeError::BadSku(sku.to_owned()));
        }
        if self.find(sku.trim_matches(' ')).is_some() { Err(ChangeError::KnownSku(sku.to_owned())) } else { Ok(()) }
    }

    fn check_places<'a>(
        &self,
        mut sources: impl Iterator<Item = &'a String>,
        mut websites: impl Iterator<Item = &'a String>,
    ) -> Result<(), ChangeError> {
        if let Some(code) = sources.find(|code| !self.sources.contains_key(*code)) {
            return Err(ChangeError::UnknownSource(code.clone()));
        }
        let known = |code: &String| self.websites.values().any(|website| website.code == *code);
        match websites.find(|code| !known(code)) {
            Some(code) => Err(ChangeError::UnknownWebsite(code.clone())),
            None => Ok(()),
        }
    }

    fn check_edit(&self, sku: &str, edit: &ProductEdit) -> Result<u32, ChangeError> {
        self.check_places(edit.sources.keys(), edit.websites.iter().flatten())?;
        if let Some(stock) = edit.reserved.keys().find(|stock| !self.stocks.contains_key(stock)) {
            return Err(ChangeError::UnknownStock(*stock));
        }
        if let Some(backorders) = edit.backorders.and_then(Setting::own).filter(|backorders| *backorders > 2) {
            return Err(ChangeError::Backorders(backorders));
        }
        self.find(sku).map(|product| product.id).ok_or_else(|| ChangeError::UnknownSku(sku.to_owned()))
    }

    pub(super) fn edit(&mut self, sku: &str, edit: &ProductEdit, now: Timestamp) -> Result<(), ChangeError> {
        let id = self.check_edit(sku, edit)?;
        self.apply(id, edit, now);
        Ok(())
    }

    /// Many products at once: all of them, or none.
    pub(super) fn import(&mut self, rows: &[(String, ProductEdit)], now: Timestamp) -> Result<(), ChangeError> {
        let ids: Result<Vec<u32>, ChangeError> = rows.iter().map(|(sku, edit)| self.check_edit(sku, edit)).collect();
        for (id, (_, edit)) in ids?.into_iter().zip(rows) {
            self.apply(id, edit, now);
            if let Some(product) = self.products.get_mut(&id) {
                product.updated_at = now;
            }
        }
        Ok(())
    }

    fn apply(&mut self, id: u32, edit: &ProductEdit, now: Timestamp) {
        self.index_falls_behind(id, now);
        let websites = edit.websites.as_ref().map(|codes| self.website_ids(codes));
        self.attribute_codes.extend(edit.attributes.iter().flat_map(BTreeMap::keys).cloned());
        let Some(product) = self.products.get_mut(&id) else { return };
        let of_the_catalogue = edit.name.is_some()
            || edit.type_id.is_some()
            || edit.enabled.is_some()
            || websites.is_some()
            || edit.attributes.is_some();
        if edit.touch.unwrap_or(of_the_catalogue) {
            product.updated_at = now;
        }
        set(&mut product.name, edit.name.clone());
        set(&mut product.type_id, edit.type_id.clone());
        set(&mut product.enabled, edit.enabled);
        set(&mut product.websites, websites);
        set(&mut product.attributes, edit.attributes.clone());
        set(&mut product.manage_stock, edit.manage_stock.map(Setting::own));
        set(&mut product.backorders, edit.backorders.map(Setting::own));
        set(&mut product.min_qty, edit.min_qty.map(Setting::own));
        set(&mut product.legacy_in_stock, edit.legacy_in_stock.map(Setting::own));
        set(&mut product.is_qty_decimal, edit.is_qty_decimal);
        product.reserved.extend(edit.reserved.iter().map(|(stock, held)| (*stock, *held)));
        for (code, stock) in &edit.sources {
            self.save_source_item(id, code, *stock);
        }
    }

    /// Writes a source item as REST does: seen by the live routes and the old flag at once.
    fn save_source_item(&mut self, id: u32, code: &str, stock: Option<SourceStock>) {
        let on_default = self.sources.get(code).is_some_and(|source| source.stocks.contains(&DEFAULT_STOCK));
        match stock {
            Some(stock) => self.put_source_item(id, code, stock),
            None => self.remove_source_item(id, code),
        }
        let Some(product) = self.products.get_mut(&id).filter(|_| on_default) else { return };
        product.lowered = false;
        product.legacy_in_stock = None;
        product.unclamped = stock.is_some_and(|stock| stock.quantity < Quantity::ZERO);
    }

    fn remove_source_item(&mut self, id: u32, code: &str) {
        if let Some(item) = self.products.get_mut(&id).and_then(|product| product.sources.remove(code)) {
            self.source_items.remove(&item.id);
        }
    }

    pub(super) fn mass_action(&mut self, action: &MassAction, now: Timestamp) -> Result<(), ChangeError> {
        let named = || action.add_websites.iter().chain(&action.remove_websites);
        self.check_places(std::iter::empty(), named())?;
        let unknown = action.skus.iter().find(|sku| self.find(sku).is_none());
        if let Some(sku) = unknown {
            return Err(ChangeError::UnknownSku(sku.clone()));
        }
        let (added, removed) = (self.website_ids(&action.add_websites), self.website_ids(&action.remove_websites));
        for sku in &action.skus {
            let id = self.product_mut(sku)?.id;
            self.index_falls_behind(id, now);
            let product = self.product_mut(sku)?;
            set(&mut product.enabled, action.enabled);
            product.websites.extend(&added);
            product.websites.retain(|website| !removed.contains(website));
        }
        Ok(())
    }

    pub(super) fn edit_source(&mut self, code: &str, edit: &SourceEdit, now: Timestamp) -> Result<(), ChangeError> {
        if let Some(stock) = edit.stocks.iter().flatten().find(|stock| !self.stocks.contains_key(stock)) {
            return Err(ChangeError::UnknownStock(*stock));
        }
        if !self.sources.contains_key(code) {
            return Err(ChangeError::UnknownSource(code.to_owned()));
        }
        self.whole_index_falls_behind(now);
        if let Some(source) = self.sources.get_mut(code) {
            set(&mut source.enabled, edit.enabled);
            set(&mut source.stocks, edit.stocks.as_ref().map(|stocks| stocks.iter().copied().collect::<BTreeSet<_>>()));
        }
        Ok(())
    }

    /// The next dump and export are of the other stock.
    pub(super) fn link_website(&mut self, code: &str, stock: Option<u32>) -> Result<(), ChangeError> {
        if let Some(stock) = stock.filter(|stock| !self.stocks.contains_key(stock)) {
            return Err(ChangeError::UnknownStock(stock));
        }
        let website = self.websites.values_mut().find(|website| website.code == code);
        website.ok_or_else(|| ChangeError::UnknownWebsite(code.to_owned()))?.stock_id = stock;
        Ok(())
    }

    pub(super) fn set_quantity(
        &mut self,
        sku: &str,
        source: &str,
        quantity: Quantity,
        now: Timestamp,
    ) -> Result<(), ChangeError> {
        let in_stock = self.product_mut(sku)?.sources.get(source).is_none_or(|item| item.stock.in_stock);
        let sources = BTreeMap::from([(source.to_owned(), Some(SourceStock { quantity, in_stock }))]);
        self.edit(sku, &ProductEdit { sources, ..ProductEdit::default() }, now)
    }

    /// The product keeps its id and its stock; orders keep the SKU that was ordered.
    pub(super) fn rename(&mut self, sku: &str, to: &str, now: Timestamp) -> Result<(), ChangeError> {
        let (old, new) = (folded(sku), folded(to.trim_matches(' ')));
        // Another spelling of the same SKU is not taken by anybody else.
        if old != new {
            self.check_new_sku(to)?;
        }
        let product = self.product_mut(sku)?;
        to.trim_matches(' ').clone_into(&mut product.sku);
        product.updated_at = now;
        let id = product.id;
        self.by_sku.remove(&old);
        self.by_sku.insert(new.clone(), id);
        let parents = self.parents.remove(&old).unwrap_or_default();
        for parent in &parents {
            let Some(parent) = self.products.get_mut(parent) else { continue };
            let renamed = |child: String| if folded(&child) == old { to.trim_matches(' ').to_owned() } else { child };
            let children = std::mem::take(&mut parent.children).into_iter();
            parent.children = children.map(|(child, wanted)| (renamed(child), wanted)).collect();
        }
        self.parents.insert(new, parents);
        Ok(())
    }

    /// Deletes a product and makes it again: the same SKU under a new id.
    pub(super) fn recreate(&mut self, sku: &str, now: Timestamp) -> Result<u32, ChangeError> {
        let id = self.product_mut(sku)?.id;
        self.renumber(id, now);
        Ok(self.product_mut(sku)?.id)
    }

    pub(super) fn delete(&mut self, sku: &str) -> Result<(), ChangeError> {
        let id = self.product_mut(sku)?.id;
        if let Some(product) = self.products.remove(&id) {
            self.by_sku.remove(&folded(&product.sku));
            self.index.forget(id);
            for (_, item) in product.sources.iter() {
                self.source_items.remove(&item.id);
            }
        }
        Ok(())
    }

    pub(super) fn set_system(&mut self, system: SystemWorld, now: Timestamp) -> Result<(), ChangeError> {
        if system.backorders > 2 {
            return Err(ChangeError::Backorders(system.backorders));
        }
        self.whole_index_falls_behind(now);
        self.system = system;
        Ok(())
    }
}

fn set<T>(slot: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *slot = value;
    }
}
