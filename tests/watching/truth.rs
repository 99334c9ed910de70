//! What is true in the shop, worked out from what was done to it. No code of the program is in here: stock comes from the
//! simulator's live chain, everything else from what the test itself wrote.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use stocksync::sim::Quantity;
use stocksync::sim::commerce::Commerce;
use stocksync::sim::world::SystemWorld;

/// A website with its stock, which has the same number, and the country where it sells on Amazon.
pub(crate) struct Site {
    pub(crate) code: &'static str,
    pub(crate) id: u32,
    pub(crate) country: &'static str,
    pub(crate) sources: &'static [&'static str],
}

/// `koeln` serves two stocks, and one stock has two sources.
pub(crate) const SITES: [Site; 3] = [
    Site { code: "base", id: 1, country: "DE", sources: &["default"] },
    Site { code: "eu", id: 2, country: "FR", sources: &["leipzig", "koeln"] },
    Site { code: "outlet", id: 3, country: "IT", sources: &["bremen", "koeln"] },
];
pub(crate) const SOURCES: [&str; 4] = ["default", "leipzig", "koeln", "bremen"];

/// What stands for a product that nothing limits, by the program's documentation.
const STAND_IN: i64 = 100;

/// A product as it was written. What is `None` is the system's.
#[derive(Clone, Debug, Default)]
pub(crate) struct Item {
    pub(crate) type_id: String,
    pub(crate) enabled: bool,
    pub(crate) sites: BTreeSet<usize>,
    pub(crate) managed: Option<bool>,
    pub(crate) backorders: Option<u8>,
    pub(crate) threshold: Option<i64>,
    /// How much when last written, and whether it is in stock.
    pub(crate) sources: BTreeMap<&'static str, (i64, bool)>,
    /// Its id, where it was made again.
    pub(crate) id: Option<u64>,
    /// Held by other systems.
    pub(crate) foreign: BTreeMap<u32, i64>,
}

impl Item {
    pub(crate) fn is_composite(&self) -> bool {
        self.type_id == "bundle"
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) id: Option<u64>,
    pub(crate) type_id: String,
    pub(crate) enabled: bool,
    pub(crate) websites: BTreeSet<u32>,
    /// Managed, backorders, threshold in force. A composite's mean nothing.
    pub(crate) settings: Option<(bool, bool, i64)>,
    /// By website, where it is sold: ten-thousandths and whether they can be sold, or no source at all.
    pub(crate) levels: BTreeMap<&'static str, Option<(i64, bool)>>,
}

/// What a product is, and what its listing should show. A composite's is nobody's to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) product: Option<Known>,
    pub(crate) listed: Option<u64>,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}, listed with {:?}", self.product, self.listed)
    }
}

#[derive(Debug)]
pub(crate) struct Truth {
    pub(crate) items: BTreeMap<String, Item>,
    pub(crate) system: SystemWorld,
    pub(crate) system_threshold: i64,
    /// The stocks of each source that is there.
    pub(crate) links: BTreeMap<&'static str, Vec<u32>>,
}

impl Truth {
    pub(crate) fn new(items: BTreeMap<String, Item>) -> Self {
        let linked = |code| SITES.iter().filter(|site| site.sources.contains(&code)).map(|site| site.id).collect();
        let links = SOURCES.iter().map(|code| (*code, linked(*code))).collect();
        Self { items, system: SystemWorld::default(), system_threshold: 0, links }
    }

    pub(crate) fn expected(&self, commerce: &Commerce, sku: &str) -> Expected {
        let Some(item) = self.items.get(sku) else { return Expected { product: None, listed: Some(0) } };
        let (managed, backorders, threshold) = self.settings(item);
        let sold = || item.sites.iter().map(|site| &SITES[*site]).filter(|_| item.enabled && !item.is_composite());
        let level = |site: &Site| {
            let has_source = item.sources.keys().any(|source| self.links[source].contains(&site.id));
            match (managed, has_source) {
                (false, _) => Some((0, true)),
                (true, false) => None,
                (true, true) => {
                    commerce.salable(sku, site.id).map(|(quantity, salable)| (ten_thousandths(quantity), salable))
                }
            }
        };
        let levels: BTreeMap<_, _> = sold().map(|site| (site.code, level(site))).collect();
        let listed = match levels.get(SITES[home(sku)].code) {
            _ if item.is_composite() => None,
            Some(_) if !managed => Some(STAND_IN),
            Some(Some((quantity, true))) => {
                let whole = quantity.max(&0) / 10_000;
                Some(if backorders && threshold == 0 { whole.max(STAND_IN) } else { whole })
            }
            _ => Some(0),
        };
        let known = Known {
            id: item.id,
            type_id: item.type_id.clone(),
            enabled: item.enabled,
            websites: item.sites.iter().map(|site| SITES[*site].id).collect(),
            settings: (!item.is_composite()).then_some((managed, backorders, threshold)),
            levels,
        };
        Expected { product: Some(known), listed: listed.map(|quantity| u64::try_from(quantity).unwrap()) }
    }

    /// Managed, backorders, and the threshold in force: one above 0 counts without backorders, one below 0 with them.
    pub(crate) fn settings(&self, item: &Item) -> (bool, bool, i64) {
        let backorders = item.backorders.unwrap_or(self.system.backorders) > 0;
        let raw = item.threshold.unwrap_or(self.system_threshold);
        let in_force = if backorders { raw.min(0) } else { raw.max(0) };
        (item.managed.unwrap_or(self.system.manage_stock), backorders, in_force)
    }
}

/// The site where a SKU is listed on Amazon: by its number.
pub(crate) fn home(sku: &str) -> usize {
    let number: usize = sku.rsplit('-').next().unwrap().parse().unwrap();
    number % SITES.len()
}

fn ten_thousandths(quantity: Quantity) -> i64 {
    let text = serde_json::to_string(&quantity).unwrap();
    let (whole, rest) = text.split_once('.').unwrap_or((&text, ""));
    format!("{whole}{rest:0<4}").parse().unwrap()
}
