//! The shop's data: places, products, source items, reservations and orders.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::held::{Held, SourceItem};
use super::index::Index;
use super::stock::DEFAULT_STOCK;
use crate::sim::Quantity;
use crate::sim::world::{CommerceWorld, Edition, ProductWorld, SourceStock, SystemWorld, folded};

/// Not one of `Shop::websites`.
pub(super) const ADMIN_WEBSITE: u32 = 0;

#[derive(Debug)]
pub(super) struct Website {
    pub(super) code: String,
    pub(super) name: String,
    pub(super) store_view: String,
    /// None where no stock's sales channels name it.
    pub(super) stock_id: Option<u32>,
}

#[derive(Debug)]
pub(super) struct Source {
    pub(super) code: Arc<str>,
    pub(super) name: String,
    pub(super) enabled: bool,
    pub(super) stocks: BTreeSet<u32>,
}

#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Product {
    pub(super) id: u32,
    pub(super) sku: String,
    pub(super) name: String,
    pub(super) type_id: String,
    pub(super) enabled: bool,
    pub(super) websites: BTreeSet<u32>,
    pub(super) manage_stock: Option<bool>,
    pub(super) backorders: Option<u8>,
    pub(super) min_qty: Option<Quantity>,
    pub(super) is_qty_decimal: bool,
    pub(super) qty_increments: Option<u32>,
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) sources: Held,
    pub(super) reserved: BTreeMap<u32, Quantity>,
    pub(super) children: BTreeMap<String, Quantity>,
    pub(super) without_stock_data: bool,
    pub(super) legacy_in_stock: Option<bool>,
    /// An order took the default stock's last unit, and the flag with it.
    pub(super) lowered: bool,
    /// A negative source was saved and no full reindex has cut it to 0 since.
    pub(super) unclamped: bool,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    pub(super) indexed_at: Timestamp,
    pub(super) open_orders: Vec<u32>,
}

impl Product {
    pub(super) fn is_composite(&self) -> bool {
        matches!(self.type_id.as_str(), "configurable" | "bundle" | "grouped")
    }

    /// The default stock's index has a row of it: not while disabled, new, or a composite of nothing.
    pub(super) fn has_legacy_status(&self, now: Timestamp) -> bool {
        self.enabled && self.indexed_at <= now && !(self.is_composite() && self.children.is_empty())
    }

    pub(super) fn reserved(&self, stock: u32) -> Quantity {
        self.reserved.get(&stock).copied().unwrap_or_default()
    }
}

#[derive(Debug)]
pub(super) struct Order {
    pub(super) id: u32,
    pub(super) stock: u32,
    pub(super) sku: String,
    pub(super) product_type: String,
    pub(super) ordered: u32,
    pub(super) shipped: u32,
    pub(super) canceled: u32,
    pub(super) refunded: u32,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

impl Order {
    pub(super) fn open(&self) -> u32 {
        self.ordered.saturating_sub(self.shipped).saturating_sub(self.canceled)
    }
}

#[derive(Debug)]
pub(super) struct Shop {
    pub(super) system: SystemWorld,
    pub(super) edition: Edition,
    pub(super) websites: BTreeMap<u32, Website>,
    pub(super) stocks: BTreeMap<u32, String>,
    pub(super) sources: BTreeMap<String, Source>,
    pub(super) products: BTreeMap<u32, Product>,
    pub(super) by_sku: BTreeMap<String, u32>,
    /// By source item id: product and source code.
    pub(super) source_items: BTreeMap<u32, (u32, Arc<str>)>,
    pub(super) orders: BTreeMap<u32, Order>,
    pub(super) attribute_codes: BTreeSet<String>,
    /// The composites that a SKU is part of.
    pub(super) parents: BTreeMap<String, BTreeSet<u32>>,
    pub(super) index: Index,
    next_product: u32,
    next_source_item: u32,
}

impl Shop {
    pub(super) fn new(world: &CommerceWorld, now: Timestamp) -> Self {
        let mut shop = Self {
            system: world.system,
            edition: world.edition,
            websites: BTreeMap::new(),
            stocks: world.stock.iter().map(|stock| (stock.id, stock.name.clone())).collect(),
            sources: BTreeMap::new(),
            products: BTreeMap::new(),
            by_sku: BTreeMap::new(),
            source_items: BTreeMap::new(),
            orders: BTreeMap::new(),
            attribute_codes: BTreeSet::new(),
            parents: BTreeMap::new(),
            index: Index::new(world.index_lag),
            next_product: 1,
            next_source_item: 1,
        };
        for (place, website) in world.website.iter().enumerate() {
            let usual_view = if place == 0 { "default".to_owned() } else { format!("{}_view", website.code) };
            let store_view = website.store_view.clone().unwrap_or(usual_view);
            let name = website.name.clone().unwrap_or_else(|| website.code.clone());
            let entry = Website { code: website.code.clone(), name, store_view, stock_id: Some(website.stock_id) };
            shop.websites.insert(website.id, entry);
        }
        for source in &world.source {
            let name = source.name.clone().unwrap_or_else(|| source.code.clone());
            let stocks = source.stocks.iter().copied().collect();
            let code = source.code.as_str().into();
            shop.sources.insert(source.code.clone(), Source { code, name, enabled: source.enabled, stocks });
        }
        for product in &world.product {
            let id = shop.add(product, now);
            if let Some(product) = shop.products.get_mut(&id) {
                product.indexed_at = now;
            }
        }
        shop
    }

    fn next_product(&mut self) -> u32 {
        self.next_product += 1;
        self.next_product - 1
    }

    /// Adds a product, which the index learns of later.
    pub(super) fn add(&mut self, world: &ProductWorld, now: Timestamp) -> u32 {
        let id = self.next_product();
        let websites = world.websites.as_ref().map_or_else(
            || self.websites.keys().next().copied().into_iter().collect(),
            |codes| self.website_ids(codes),
        );
        let product = Product {
            id,
            sku: world.sku.trim_matches(' ').to_owned(),
            name: world.name.clone().unwrap_or_else(|| world.sku.clone()),
            type_id: world.type_id.clone(),
            enabled: world.enabled,
            websites,
            manage_stock: world.manage_stock,
            backorders: world.backorders,
            min_qty: world.min_qty,
            is_qty_decimal: world.is_qty_decimal,
            qty_increments: world.qty_increments,
            attributes: world.attributes.clone(),
            sources: Held::default(),
            reserved: world.reserved.iter().filter_map(|(stock, held)| Some((stock.parse().ok()?, *held))).collect(),
            children: world.children.clone(),
            without_stock_data: world.without_stock_data,
            legacy_in_stock: world.legacy_in_stock,
            lowered: false,
            unclamped: false,
            created_at: now,
            updated_at: now,
            indexed_at: self.index.knows_new_at(now),
            open_orders: Vec::new(),
        };
        self.attribute_codes.extend(product.attributes.keys().cloned());
        for child in product.children.keys() {
            self.parents.entry(folded(child)).or_default().insert(id);
        }
        self.by_sku.insert(folded(&product.sku), id);
        self.products.insert(id, product);
        for (code, stock) in &world.sources {
            self.put_source_item(id, code, *stock);
        }
        id
    }

    /// Gives a product a new id, as deleting it and making it again does.
    pub(super) fn renumber(&mut self, id: u32, now: Timestamp) {
        let Some(mut product) = self.products.remove(&id) else { return };
        product.id = self.next_product();
        (product.created_at, product.updated_at) = (now, now);
        product.indexed_at = self.index.knows_new_at(now);
        for (code, item) in product.sources.iter_mut() {
            self.source_items.remove(&item.id);
            item.id = self.next_source_item;
            self.next_source_item += 1;
            self.source_items.insert(item.id, (product.id, Arc::clone(code)));
        }
        for child in product.children.keys() {
            let parents = self.parents.entry(folded(child)).or_default();
            parents.remove(&id);
            parents.insert(product.id);
        }
        self.by_sku.insert(folded(&product.sku), product.id);
        self.products.insert(product.id, product);
        self.index.forget(id);
    }

    pub(super) fn website_ids(&self, codes: &[String]) -> BTreeSet<u32> {
        self.websites.iter().filter(|(_, website)| codes.contains(&website.code)).map(|(id, _)| *id).collect()
    }

    /// Saves what a source holds; the item is made when the source has none of the product.
    pub(super) fn put_source_item(&mut self, product_id: u32, code: &str, stock: SourceStock) {
        let Some(product) = self.products.get_mut(&product_id) else { return };
        if let Some(item) = product.sources.get_mut(code) {
            item.stock = stock;
            return;
        }
        let code = self.sources.get(code).map_or_else(|| code.into(), |source| Arc::clone(&source.code));
        let id = self.next_source_item;
        self.next_source_item += 1;
        product.sources.insert(Arc::clone(&code), SourceItem { id, stock });
        self.source_items.insert(id, (product_id, code));
    }

    /// Finds a product as most routes do: without regard to case or blanks at the end.
    pub(super) fn find(&self, sku: &str) -> Option<&Product> {
        self.products.get(self.by_sku.get(&folded(sku))?)
    }

    pub(super) fn find_mut(&mut self, sku: &str) -> Option<&mut Product> {
        self.products.get_mut(self.by_sku.get(&folded(sku))?)
    }

    /// Finds a product as the inventory routes do: byte for byte.
    pub(super) fn find_exact(&self, sku: &str) -> Option<&Product> {
        self.find(sku).filter(|product| product.sku == sku)
    }

    /// The stock of a website; its code is compared without case, and the admin website has the default stock.
    pub(super) fn stock_of(&self, website_code: &str) -> Option<u32> {
        if website_code.eq_ignore_ascii_case("admin") {
            return Some(DEFAULT_STOCK);
        }
        self.websites.values().find(|site| site.code.eq_ignore_ascii_case(website_code))?.stock_id
    }

    /// No inventory modules: one quantity per product, which orders take from.
    pub(super) fn single_stock(&self) -> bool {
        self.edition == Edition::SingleStock
    }

    /// The website of a store view: the admin's is 0, and nothing is known of an unknown code.
    pub(super) fn website_of_view(&self, code: &str) -> Option<u32> {
        if code == "all" {
            return Some(ADMIN_WEBSITE);
        }
        let known = self.websites.iter().find(|(_, website)| website.store_view == code);
        known.map(|(id, _)| *id).or_else(|| (code == "default").then_some(ADMIN_WEBSITE))
    }
}
