//! How the shop's settings and places make a product's stock be seen.

use super::held::SourceItem;
use super::shop::{Product, Shop};
use super::stock::{DEFAULT_STOCK, Rules, View};
use crate::sim::Quantity;

impl Shop {
    pub(super) fn rules(&self, product: &Product) -> Rules {
        let raw_min_qty = product.min_qty.unwrap_or(self.system.min_qty);
        Rules {
            managed: product.manage_stock.unwrap_or(self.system.manage_stock),
            backorders: product.backorders.unwrap_or(self.system.backorders),
            // Without the inventory modules a threshold below 0 is saved as 0.
            raw_min_qty: if self.single_stock() { raw_min_qty.max(Quantity::ZERO) } else { raw_min_qty },
        }
    }

    pub(super) fn view(&self, product: &Product, stock: u32) -> View {
        let mut view = View {
            rules: self.rules(product),
            is_default_stock: stock == DEFAULT_STOCK,
            assigned: false,
            indexed: false,
            source_in_stock: false,
            held: Quantity::ZERO,
            index_quantity: Quantity::ZERO,
            reserved: product.reserved(stock),
            legacy_in_stock: self.legacy_in_stock(product) && !product.lowered,
        };
        let mut legacy_quantity = Quantity::ZERO;
        for (code, item) in product.sources.iter() {
            let Some(source) = self.sources.get(&**code).filter(|source| source.stocks.contains(&stock)) else {
                continue;
            };
            view.assigned = true;
            view.indexed |= source.enabled;
            legacy_quantity += item.stock.quantity;
            if source.enabled && item.stock.in_stock {
                view.source_in_stock = true;
                view.held += item.stock.quantity;
            }
        }
        // The default stock's index copies the old stock item, in stock or not.
        view.index_quantity = match (view.is_default_stock, product.unclamped) {
            (true, false) => legacy_quantity.max(Quantity::ZERO),
            (true, true) => legacy_quantity,
            (false, _) => view.held,
        };
        view
    }

    /// The old stock item's flag: it follows the default source, and falls when that is saved at exactly 0 without
    /// backorders.
    pub(super) fn legacy_in_stock(&self, product: &Product) -> bool {
        let rules = self.rules(product);
        if let Some(flag) = product.legacy_in_stock {
            return flag || !rules.managed;
        }
        if product.is_composite() || !rules.managed {
            return true;
        }
        let enough = |quantity: Quantity| {
            if self.single_stock() { quantity > rules.min_qty() } else { quantity != Quantity::ZERO }
        };
        self.legacy_items(product)
            .any(|item| item.stock.in_stock && (rules.backorders > 0 || enough(item.stock.quantity)))
    }

    /// What the old stock item is a copy of: the default stock's source.
    pub(super) fn legacy_items<'a>(&'a self, product: &'a Product) -> impl Iterator<Item = &'a SourceItem> {
        let linked = |code: &str| self.sources.get(code).is_some_and(|source| source.stocks.contains(&DEFAULT_STOCK));
        product.sources.iter().filter(move |(code, _)| linked(code)).map(|(_, item)| item)
    }

    /// A composite has no stock of its own: it is salable by its children.
    pub(super) fn composite_salable(&self, product: &Product, stock: u32) -> bool {
        let mut children = product.children.iter().filter_map(|(sku, wanted)| Some((self.find(sku)?, *wanted)));
        let salable = |(child, wanted): (&Product, Quantity)| {
            let view = self.view(child, stock);
            let endless = !view.rules.managed || view.rules.backorders > 0;
            child.enabled && view.is_salable() && (endless || view.salable_quantity() >= wanted)
        };
        if product.legacy_in_stock == Some(false) || product.children.is_empty() {
            return false;
        }
        if product.type_id == "bundle" { children.all(salable) } else { children.any(salable) }
    }
}
