//! What happens in the shop: edits, orders, shipments, cancellations, deletions.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

use super::shop::{Order, Product, Shop};
use super::stock::DEFAULT_STOCK;
use crate::sim::Quantity;
use crate::sim::world::{ProductWorld, SourceStock, SystemWorld, folded};

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
    #[error("backorders must be 0, 1 or 2, not {0}")]
    Backorders(u8),
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
    fn product_mut(&mut self, sku: &str) -> Result<&mut Product, ChangeError> {
        self.find_mut(sku).ok_or_else(|| ChangeError::UnknownSku(sku.to_owned()))
    }

    pub(super) fn create(&mut self, product: &ProductWorld, now: Timestamp) -> Result<(), ChangeError> {
        if self.find(&product.sku).is_some() {
            return Err(ChangeError::KnownSku(product.sku.clone()));
        }
        self.check_places(product.sources.keys(), product.websites.iter().flatten())?;
        self.add(product, now);
        Ok(())
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

    /// Saving the catalogue's part moves `updated_at`; stock settings and sources do not.
    pub(super) fn edit(&mut self, sku: &str, edit: &ProductEdit, now: Timestamp) -> Result<(), ChangeError> {
        self.check_places(edit.sources.keys(), edit.websites.iter().flatten())?;
        if let Some(stock) = edit.reserved.keys().find(|stock| !self.stocks.contains_key(stock)) {
            return Err(ChangeError::UnknownStock(*stock));
        }
        if let Some(backorders) = edit.backorders.and_then(Setting::own).filter(|backorders| *backorders > 2) {
            return Err(ChangeError::Backorders(backorders));
        }
        let websites = edit.websites.as_ref().map(|codes| self.website_ids(codes));
        self.attribute_codes.extend(edit.attributes.iter().flat_map(BTreeMap::keys).cloned());
        let product = self.product_mut(sku)?;
        let saved = edit.name.is_some()
            || edit.type_id.is_some()
            || edit.enabled.is_some()
            || websites.is_some()
            || edit.attributes.is_some();
        if saved {
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
        let id = product.id;
        for (code, stock) in &edit.sources {
            self.save_source_item(id, code, *stock);
        }
        Ok(())
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

    pub(super) fn set_quantity(&mut self, sku: &str, source: &str, quantity: Quantity) -> Result<(), ChangeError> {
        let in_stock = self.product_mut(sku)?.sources.get(source).is_none_or(|item| item.stock.in_stock);
        let sources = BTreeMap::from([(source.to_owned(), Some(SourceStock { quantity, in_stock }))]);
        self.edit(sku, &ProductEdit { sources, ..ProductEdit::default() }, Timestamp::UNIX_EPOCH)
    }

    /// Places an order: it reserves where stock is managed. Amazon's orders come whether or not there is stock.
    pub(super) fn order(&mut self, sku: &str, stock: u32, quantity: u32, now: Timestamp) -> Result<u32, ChangeError> {
        let id = self.orders.keys().next_back().map_or(1, |last| last + 1);
        let product = self.stocked(sku, stock)?;
        product.open_orders.push(id);
        let order = Order {
            id,
            stock,
            sku: product.sku.clone(),
            product_type: product.type_id.clone(),
            ordered: quantity,
            shipped: 0,
            canceled: 0,
            created_at: now,
            updated_at: now,
        };
        self.reserve(sku, stock, Quantity::whole(quantity.into()))?;
        self.orders.insert(id, order);
        Ok(id)
    }

    /// Ships the oldest open orders: the unit moves from the reservation to the sources, which never fall below 0.
    pub(super) fn ship(&mut self, sku: &str, stock: u32, quantity: u32, now: Timestamp) -> Result<(), ChangeError> {
        let product = self.stocked(sku, stock)?;
        let id = product.id;
        let managed = self.products.get(&id).is_some_and(|product| self.rules(product).managed);
        if managed && !self.single_stock {
            self.deduct(id, stock, quantity)?;
            self.reserve(sku, stock, -Quantity::whole(quantity.into()))?;
        }
        self.settle_orders(id, stock, quantity, now, |order, part| order.shipped += part);
        Ok(())
    }

    /// Cancels the oldest open orders: what they reserved is salable again.
    pub(super) fn cancel(&mut self, sku: &str, stock: u32, quantity: u32, now: Timestamp) -> Result<(), ChangeError> {
        let id = self.stocked(sku, stock)?.id;
        self.reserve(sku, stock, -Quantity::whole(quantity.into()))?;
        self.settle_orders(id, stock, quantity, now, |order, part| order.canceled += part);
        Ok(())
    }

    fn stocked(&mut self, sku: &str, stock: u32) -> Result<&mut Product, ChangeError> {
        if !self.stocks.contains_key(&stock) {
            return Err(ChangeError::UnknownStock(stock));
        }
        let product = self.product_mut(sku)?;
        if product.is_composite() { Err(ChangeError::Composite(sku.to_owned())) } else { Ok(product) }
    }

    /// Appends a reservation and lets its consumer look whether the default stock's flag still holds.
    fn reserve(&mut self, sku: &str, stock: u32, quantity: Quantity) -> Result<(), ChangeError> {
        let id = self.product_mut(sku)?.id;
        let Some(product) = self.products.get(&id) else { return Ok(()) };
        if !self.rules(product).managed {
            return Ok(());
        }
        if self.single_stock {
            self.take_from_stock_item(id, quantity);
            return Ok(());
        }
        if let Some(product) = self.products.get_mut(&id) {
            *product.reserved.entry(stock).or_default() += quantity;
        }
        if stock == DEFAULT_STOCK {
            let lowered = self.products.get(&id).is_some_and(|product| !self.view(product, stock).is_salable());
            if let Some(product) = self.products.get_mut(&id) {
                product.lowered = lowered;
            }
        }
        Ok(())
    }

    /// Without the inventory modules an order takes at once, below 0 too.
    fn take_from_stock_item(&mut self, id: u32, quantity: Quantity) {
        let Some(product) = self.products.get_mut(&id) else { return };
        let on_default =
            |code: &String| self.sources.get(code).is_some_and(|source| source.stocks.contains(&DEFAULT_STOCK));
        if let Some((_, item)) = product.sources.iter_mut().find(|(code, _)| on_default(code)) {
            item.stock.quantity -= quantity;
        }
    }

    fn deduct(&mut self, id: u32, stock: u32, quantity: u32) -> Result<(), ChangeError> {
        let Some(product) = self.products.get_mut(&id) else { return Ok(()) };
        let counts = |code: &String| {
            self.sources.get(code).is_some_and(|source| source.enabled && source.stocks.contains(&stock))
        };
        let mut left = Quantity::whole(quantity.into());
        let mut after: Vec<(&String, Quantity)> = Vec::new();
        for (code, item) in product.sources.iter().filter(|(code, item)| item.stock.in_stock && counts(code)) {
            let taken = left.min(item.stock.quantity.max(Quantity::ZERO));
            left -= taken;
            after.push((code, item.stock.quantity - taken));
        }
        if left > Quantity::ZERO {
            return Err(ChangeError::NotEnough { sku: product.sku.clone(), quantity });
        }
        let after: Vec<(String, Quantity)> = after.into_iter().map(|(code, held)| (code.clone(), held)).collect();
        for (code, held) in after {
            if let Some(item) = product.sources.get_mut(&code) {
                item.stock.quantity = held;
            }
        }
        Ok(())
    }

    fn settle_orders(&mut self, id: u32, stock: u32, quantity: u32, now: Timestamp, settle: impl Fn(&mut Order, u32)) {
        let Some(product) = self.products.get_mut(&id) else { return };
        let mut left = quantity;
        product.open_orders.retain(|order| {
            let Some(order) = self.orders.get_mut(order) else { return false };
            if order.stock == stock && left > 0 {
                let part = order.open().min(left);
                left -= part;
                settle(order, part);
                order.updated_at = now;
            }
            order.open() > 0
        });
    }

    pub(super) fn delete(&mut self, sku: &str) -> Result<(), ChangeError> {
        let id = self.product_mut(sku)?.id;
        if let Some(product) = self.products.remove(&id) {
            self.by_sku.remove(&folded(&product.sku));
            for item in product.sources.values() {
                self.source_items.remove(&item.id);
            }
        }
        Ok(())
    }

    pub(super) fn set_system(&mut self, system: SystemWorld) -> Result<(), ChangeError> {
        if system.backorders > 2 {
            return Err(ChangeError::Backorders(system.backorders));
        }
        self.system = system;
        Ok(())
    }

    /// A full reindex: new products are known, and the default stock's negative quantities are cut to 0.
    pub(super) fn reindex(&mut self, now: Timestamp) {
        for product in self.products.values_mut() {
            product.indexed_at = product.indexed_at.min(now);
            product.unclamped = false;
        }
    }
}

fn set<T>(slot: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *slot = value;
    }
}
