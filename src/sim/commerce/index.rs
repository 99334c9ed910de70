//! The stock index as it was last refreshed: some time behind the shop, or not there at all.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use jiff::Timestamp;

use super::shop::{Product, Shop};
use super::stock::DEFAULT_STOCK;
use crate::sim::Quantity;
use crate::sim::world::folded;

/// How long a new product is in the catalogue before the index has it: the indexers' cron runs each minute.
const NEW_PRODUCT_DELAY: Duration = Duration::from_mins(1);

#[derive(Debug)]
pub(super) struct Index {
    lag: Duration,
    rebuilding: bool,
    /// What the index still says of products that changed: each entry until its time, the oldest first.
    behind: BTreeMap<u32, VecDeque<(Timestamp, Entry)>>,
}

/// One product's rows.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    websites: BTreeSet<u32>,
    enabled: bool,
    pub(super) managed: bool,
    /// Stock, quantity, salable.
    rows: Vec<(u32, Quantity, bool)>,
}

impl Entry {
    pub(super) fn row(&self, website: u32, stock: u32) -> Option<(Quantity, bool)> {
        let listed = is_listed(&self.websites, self.enabled, website, stock);
        let row = self.rows.iter().find(|(own, ..)| *own == stock).filter(|_| listed)?;
        Some((row.1, row.2))
    }
}

/// Disabled products are left out of the default stock only.
fn is_listed(websites: &BTreeSet<u32>, enabled: bool, website: u32, stock: u32) -> bool {
    websites.contains(&website) && (enabled || stock != DEFAULT_STOCK)
}

impl Index {
    pub(super) const fn new(lag: Duration) -> Self {
        Self { lag, rebuilding: false, behind: BTreeMap::new() }
    }

    pub(super) fn knows_new_at(&self, now: Timestamp) -> Timestamp {
        now.saturating_add(self.lag.max(NEW_PRODUCT_DELAY)).unwrap_or(Timestamp::MAX)
    }

    pub(super) const fn is_rebuilding(&self) -> bool {
        self.rebuilding
    }

    pub(super) fn forget(&mut self, id: u32) {
        self.behind.remove(&id);
    }

    /// Drops what is no longer said.
    pub(super) fn catch_up(&mut self, now: Timestamp) {
        self.behind.retain(|_, held| {
            held.retain(|(until, _)| now < *until);
            !held.is_empty()
        });
    }

    /// What it says of a product that it has not caught up with.
    pub(super) fn outdated(&self, id: u32, now: Timestamp) -> Option<&Entry> {
        self.behind.get(&id)?.iter().find(|(until, _)| now < *until).map(|(_, entry)| entry)
    }
}

impl Shop {
    /// The row of an index that has caught up.
    pub(super) fn row_now(&self, product: &Product, website: u32, stock: u32) -> Option<(Quantity, bool)> {
        is_listed(&product.websites, product.enabled, website, stock).then(|| self.index_row(product, stock)).flatten()
    }

    fn entry(&self, product: &Product) -> Entry {
        let stocks = self.stocks.keys().filter_map(|stock| {
            let (quantity, salable) = self.index_row(product, *stock)?;
            Some((*stock, quantity, salable))
        });
        Entry {
            websites: product.websites.clone(),
            enabled: product.enabled,
            managed: self.rules(product).managed,
            rows: stocks.collect(),
        }
    }

    fn index_row(&self, product: &Product, stock: u32) -> Option<(Quantity, bool)> {
        if product.is_composite() {
            let salable = || (Quantity::ZERO, self.composite_salable(product, stock));
            return (!product.children.is_empty()).then(salable);
        }
        self.view(product, stock).index_row()
    }

    /// To be called before a product changes: the index goes on saying what it says now, also of its composites.
    pub(super) fn index_falls_behind(&mut self, id: u32, now: Timestamp) {
        if self.index.lag.is_zero() {
            return;
        }
        let parents = self.products.get(&id).and_then(|product| self.parents.get(&folded(&product.sku)));
        let ids: Vec<u32> = parents.into_iter().flatten().copied().chain([id]).collect();
        for id in ids {
            self.hold_entry(id, now);
        }
    }

    /// To be called before anything changes that all products are seen through.
    pub(super) fn whole_index_falls_behind(&mut self, now: Timestamp) {
        if self.index.lag.is_zero() {
            return;
        }
        let ids: Vec<u32> = self.products.keys().copied().collect();
        for id in ids {
            self.hold_entry(id, now);
        }
    }

    fn hold_entry(&mut self, id: u32, now: Timestamp) {
        let Some(entry) = self.products.get(&id).map(|product| self.entry(product)) else { return };
        let until = now.saturating_add(self.index.lag).unwrap_or(Timestamp::MAX);
        let held = self.index.behind.entry(id).or_default();
        held.retain(|(until, _)| now < *until);
        // Of two changes at one time only the state before both was ever in the index.
        if held.back().is_none_or(|(last, _)| *last < until) {
            held.push_back((until, entry));
        }
    }

    /// A full reindex: new products are known, nothing is behind, and the default stock's negative quantities are cut
    /// to 0.
    pub(super) fn reindex(&mut self, now: Timestamp) {
        for product in self.products.values_mut() {
            product.indexed_at = product.indexed_at.min(now);
            product.unclamped = false;
        }
        self.index.behind.clear();
        self.index.rebuilding = false;
    }

    /// From now on the index is empty, until it is whole again.
    pub(super) fn empty_index(&mut self) {
        self.index.rebuilding = true;
    }
}

#[cfg(test)]
#[path = "index_tests.rs"]
mod tests;
