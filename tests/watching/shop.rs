//! The shop, what happens in it, and what of that was not found yet.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use stocksync::clock::Clock;
use stocksync::sim::commerce::Commerce;
use stocksync::sim::world::ProductWorld;

use super::kinds::{Kind, Seen};
use super::truth::{Expected, Item, SITES, Truth};

/// SKUs that a product may get; Amazon lists them from the beginning.
const SPARE: usize = 400;

/// A change that was not found yet.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) kind: Kind,
    pub(crate) at: Timestamp,
    /// A dump of the stock index has shown it.
    pub(crate) dumped: bool,
    /// A tick has gone by without finding it.
    pub(crate) passed_by: bool,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Count {
    pub(crate) made: u32,
    /// Those that change what can be sold.
    pub(crate) moved: u32,
    /// Not found by the first tick after it.
    pub(crate) late: u32,
}

pub(crate) struct Shop {
    pub(crate) commerce: Arc<Commerce>,
    pub(crate) clock: Clock,
    pub(crate) truth: Truth,
    pub(crate) rng: StdRng,
    pub(crate) pending: BTreeMap<String, Vec<Pending>>,
    pub(crate) counts: BTreeMap<Kind, Count>,
    /// What a listing should have shown before, and until when.
    pub(crate) history: BTreeMap<String, Vec<(Timestamp, u64)>>,
    /// Names that are not taken.
    pub(crate) spare: Vec<String>,
    pub(crate) names: BTreeSet<String>,
    /// Sources that are switched off or tied to nothing.
    pub(crate) off: BTreeSet<&'static str>,
    /// Open and shipped units by SKU and stock.
    pub(crate) open: BTreeMap<(String, u32), u32>,
    pub(crate) shipped: BTreeMap<(String, u32), u32>,
}

pub(crate) fn product_world(sku: &str, item: &Item) -> ProductWorld {
    let codes: Vec<&str> = item.sites.iter().map(|site| SITES[*site].code).collect();
    let source = |(quantity, in_stock): &(i64, bool)| json!({ "quantity": quantity, "in_stock": in_stock });
    let sources: serde_json::Map<String, Value> =
        item.sources.iter().map(|(code, stock)| ((*code).to_owned(), source(stock))).collect();
    let value = json!({ "sku": sku, "type": item.type_id, "enabled": item.enabled, "websites": codes,
        "manage_stock": item.managed, "backorders": item.backorders, "min_qty": item.threshold, "sources": sources });
    serde_json::from_value(value).unwrap()
}

pub(crate) fn some_item(rng: &mut StdRng, home: usize) -> Item {
    let mut sites: BTreeSet<usize> = (0..SITES.len()).filter(|_| rng.random_bool(0.3)).collect();
    if rng.random_bool(0.9) {
        sites.insert(home);
    }
    let mut item = Item { type_id: "simple".to_owned(), enabled: rng.random_bool(0.95), sites, ..Item::default() };
    for site in item.sites.clone() {
        for (place, source) in SITES[site].sources.iter().enumerate() {
            if rng.random_bool(if place == 0 { 0.93 } else { 0.4 }) {
                let quantity = if rng.random_bool(0.1) { 0 } else { rng.random_range(1..40) };
                item.sources.insert(source, (quantity, rng.random_bool(0.9)));
            }
        }
    }
    item.managed = rng.random_bool(0.2).then(|| rng.random_bool(0.4));
    item.backorders = rng.random_bool(0.3).then(|| rng.random_range(0..3));
    item.threshold = rng.random_bool(0.3).then(|| [-10, -3, 0, 2, 5][rng.random_range(0..5)]);
    item
}

/// Products of all sorts.
pub(crate) fn some_items(seed: u64, count: usize) -> BTreeMap<String, Item> {
    let mut rng = StdRng::seed_from_u64(seed);
    (1..=count).map(|number| (format!("P-{number:05}"), some_item(&mut rng, number % SITES.len()))).collect()
}

pub(crate) fn spare_names() -> Vec<String> {
    (1..=SPARE).map(|number| format!("N-{number:05}")).collect()
}

impl Shop {
    pub(crate) fn new(commerce: Arc<Commerce>, clock: Clock, items: BTreeMap<String, Item>, seed: u64) -> Self {
        let (spare, names) = (spare_names(), items.keys().cloned().collect());
        Self {
            commerce,
            clock,
            truth: Truth::new(items),
            rng: StdRng::seed_from_u64(seed ^ 0x5EED),
            pending: BTreeMap::new(),
            counts: BTreeMap::new(),
            history: BTreeMap::new(),
            spare,
            names,
            off: BTreeSet::new(),
            open: BTreeMap::new(),
            shipped: BTreeMap::new(),
        }
    }

    pub(crate) fn expected(&self, sku: &str) -> Expected {
        self.truth.expected(&self.commerce, sku)
    }

    pub(crate) fn made(&self) -> u32 {
        self.counts.values().map(|count| count.made).sum()
    }

    /// A product to which something of the kind may happen. One with a change that only time shows is left alone: another
    /// change would show it.
    pub(crate) fn pick(&mut self, fits: impl Fn(&Self, &str, &Item) -> bool) -> Option<String> {
        let names: Vec<&String> = self.truth.items.keys().collect();
        for _ in 0..200 {
            let sku = names[self.rng.random_range(0..names.len())];
            let hidden = |pending: &Pending| matches!(pending.kind.seen(), Seen::Turn | Seen::Sweep);
            let is_hidden = self.pending.get(sku).is_some_and(|pending| pending.iter().any(hidden));
            if !is_hidden && fits(self, sku, &self.truth.items[sku]) {
                return Some(sku.clone());
            }
        }
        None
    }

    pub(crate) fn pick_several(&mut self, count: usize, fits: impl Fn(&Self, &str, &Item) -> bool) -> Vec<String> {
        let picked: BTreeSet<String> = (0..count).filter_map(|_| self.pick(&fits)).collect();
        picked.into_iter().collect()
    }

    /// Does something to some products, and keeps in mind which of them are others by it.
    pub(crate) fn change<E: std::fmt::Debug>(
        &mut self,
        kind: Kind,
        skus: &[String],
        act: impl FnOnce(&mut Self) -> Result<(), E>,
    ) -> Result<(), E> {
        let before: Vec<Expected> = skus.iter().map(|sku| self.expected(sku)).collect();
        act(self)?;
        let at = self.clock.now();
        for (sku, before) in skus.iter().zip(before) {
            let moved = self.expected(sku) != before;
            let count = self.counts.entry(kind).or_default();
            count.made += 1;
            count.moved += u32::from(moved);
            if moved {
                let pending = Pending { kind, at, dumped: false, passed_by: false };
                self.pending.entry(sku.clone()).or_default().push(pending);
                self.history.entry(sku.clone()).or_default().extend(before.listed.map(|listed| (at, listed)));
            }
        }
        Ok(())
    }

    pub(crate) fn item(&mut self, sku: &str) -> &mut Item {
        self.truth.items.get_mut(sku).unwrap()
    }

    /// Whether the stock index has a row of the product for a site where it is.
    pub(crate) fn is_dumped(&self, item: &Item, site: usize) -> bool {
        let is_on = |source: &&'static str| SITES[site].sources.contains(source) && !self.off.contains(source);
        item.sites.contains(&site) && if site == 0 { item.enabled } else { item.sources.keys().any(is_on) }
    }
}
