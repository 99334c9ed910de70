//! A few products now: hot reads, and the single questions that make an absence believable.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::Ordering;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use super::per_sku::Single;
use super::products::with_fields;
use super::query::{Query, encode, fits_path};
use super::stocks::{Export, Halves, Which};
use super::{Edition, ProductRow, Reader, StockConfig, StockItem, StockRow, Wanted, Website, wire};
use crate::http::Fault;
use crate::model::Sku;

pub use super::stocks::Confirmed;

/// Shops refuse URLs of 8 kB; the rest of the URL and the signature need room too.
const LONGEST_QUERY: usize = 6000;
const MOST_PER_QUERY: usize = 50;

/// With more that fail, it is the server.
const MOST_FAILURES: u32 = 3;

/// Ids in one URL.
const MOST_IDS: u32 = 300;

/// A product that is known but for its stock.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    pub product_id: u64,
    pub sku: &'a str,
    pub type_id: &'a str,
    pub config: Option<StockConfig>,
}

/// The stock of products, by SKU.
#[derive(Clone, Debug, Default)]
pub struct Levels {
    pub rows: BTreeMap<String, StockRow>,
    /// Why a product that is not named may have been lost on the way.
    pub doubt: Option<String>,
}

/// What became of a SKU that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    Product(Box<ProductRow>),
    /// Named neither by a complete answer nor when asked for alone.
    Missing,
    Unknown(String),
}

/// Products by their exact SKU, and the SKUs that could not be asked for.
#[derive(Debug, Default)]
struct Lookup {
    products: BTreeMap<Sku, wire::Product>,
    absent: Vec<Sku>,
    unknown: BTreeMap<Sku, String>,
}

impl Reader {
    /// Reads some products by SKU, whatever characters it is made of. Every SKU asked for is in the answer, once.
    pub async fn read_skus(&self, wanted: &Wanted<'_>, skus: &[Sku]) -> Result<BTreeMap<Sku, Found>, Fault> {
        let skus: BTreeSet<&Sku> = skus.iter().collect();
        let mut lookup = Lookup::default();
        // Half a page: SKUs that differ in case only come along.
        let most = MOST_PER_QUERY.min(self.page_size.load(Ordering::Relaxed) as usize / 2).max(1);
        // Two parameters with their long keys, and the SKU as it travels.
        for chunk in chunks(skus, most, |sku| 180 + encoded_length(sku.as_str())) {
            self.look_up(wanted, &chunk, &mut lookup).await?;
        }
        let mut missing = Vec::new();
        for sku in std::mem::take(&mut lookup.absent) {
            self.look_up(wanted, &[&sku], &mut lookup).await?;
            if lookup.absent.pop().is_some() {
                missing.push((sku, Found::Missing));
            }
        }
        let items = self.items_of(wanted.edition, &lookup.products).await?;
        let unknown = lookup.unknown.into_iter().map(|(sku, why)| (sku, Found::Unknown(why)));
        let mut found: BTreeMap<Sku, Found> = missing.into_iter().chain(unknown).collect();
        let rows = lookup.products.into_values().map(|product| {
            let config = items.get(&product.id).map(|item| item.config);
            ProductRow::new(product, wanted.attributes, config)
        });
        for row in self.with_stocks_of(wanted, rows.collect(), &items).await? {
            found.insert(row.sku.clone(), Found::Product(Box::new(row)));
        }
        Ok(found)
    }

    /// Adds settings and stock to products that were named without.
    pub async fn fill(&self, wanted: &Wanted<'_>, mut rows: Vec<ProductRow>) -> Result<Vec<ProductRow>, Fault> {
        let names: Vec<(&Sku, u64)> = rows.iter().map(|row| (&row.sku, row.product_id)).collect();
        let items = self.items(wanted.edition, &names).await?;
        for row in &mut rows {
            row.config = items.get(&row.product_id).map(|item| item.config);
        }
        self.with_stocks_of(wanted, rows, &items).await
    }

    /// The stock of products that are known otherwise, for one website. Where the server can tell, only of those that are
    /// enabled and in the website: being left out then means something even without asking for the product.
    pub async fn levels(
        &self,
        wanted: &Wanted<'_>,
        website: &Website,
        products: &[Known<'_>],
    ) -> Result<Levels, Fault> {
        let export = match wanted.edition {
            Edition::Export => {
                let count = u32::try_from(products.len()).unwrap_or(u32::MAX);
                let size = self.page_size.load(Ordering::Relaxed).max(count);
                let names: Vec<(u64, &str)> = products.iter().map(|one| (one.product_id, one.sku)).collect();
                self.export_around_crashes(website, &names, |ids| Which::Sellable(ids), true, size).await?
            }
            Edition::PerSku => {
                let singles = products.iter().map(|product| Single {
                    product_id: product.product_id,
                    sku: product.sku,
                    type_id: product.type_id,
                    managed: product.config.is_none_or(|config| config.managed),
                });
                self.levels_of_sellable(website, &singles.collect::<Vec<_>>()).await?
            }
            Edition::StockItems => Export::default(),
        };
        // Who knows what it answers.
        let asked: BTreeSet<&str> = products.iter().map(|product| product.sku).collect();
        if export.rows.keys().any(|sku| !asked.contains(sku.as_str())) {
            return Err(Fault::nonsense("export: names products that were not asked for"));
        }
        Ok(Levels { rows: export.rows, doubt: export.doubt })
    }

    /// Whether a product's settings can be asked for by its SKU; else they are only in the answers about all.
    pub fn asks_singly(sku: &Sku) -> bool {
        fits_path(sku.as_str())
    }

    /// How many products [`Self::levels`] takes at a time.
    pub fn levels_at_once(&self) -> u32 {
        self.page_size.load(Ordering::Relaxed).clamp(1, MOST_IDS)
    }

    async fn look_up(&self, wanted: &Wanted<'_>, skus: &[&Sku], lookup: &mut Lookup) -> Result<(), Fault> {
        let mut halves = Halves::of(skus);
        while let Some(part) = halves.part() {
            if let Some(found) = halves.take(part, self.find(wanted, part).await)? {
                lookup.products.extend(found.products);
                lookup.absent.extend(found.absent);
                lookup.unknown.extend(found.unknown);
            }
        }
        lookup.unknown.extend(halves.bad.into_iter().map(|(sku, fault)| ((*sku).clone(), fault.to_string())));
        Ok(())
    }

    async fn find(&self, wanted: &Wanted<'_>, skus: &[&Sku]) -> Result<Lookup, Fault> {
        let mut lookup = Lookup::default();
        let query = |size| {
            let query = Query::new("V1/products").equals_any("sku", skus).first_page(size);
            with_fields(query, wanted.attributes)
        };
        let list = match self.client.page::<wire::List>("products", &self.page_size, query).await {
            Err(fault) if concerns_one(&fault) => {
                lookup.unknown.extend(skus.iter().map(|sku| ((*sku).clone(), fault.to_string())));
                return Ok(lookup);
            }
            answer => answer?.1,
        };
        let (products, flaw) = list.rows::<wire::Product>();
        let cut = (list.len() as u64) < list.total_count;
        let doubt = flaw.or_else(|| cut.then(|| format!("{} of {} products", list.len(), list.total_count)));
        let stranger = products.iter().any(|product| !skus.iter().any(|sku| may_fold_to(&product.sku, sku.as_str())));
        let doubt = doubt.or_else(|| stranger.then(|| "products that were not asked for".to_owned()));
        // Commerce folds case and trims blanks; what it found that way is another SKU.
        let mut products: BTreeMap<Sku, wire::Product> =
            products.into_iter().map(|product| (product.sku.as_str().into(), product)).collect();
        for sku in skus {
            match (products.remove(*sku), &doubt) {
                (Some(product), _) => {
                    self.is_no_culprit(product.id);
                    lookup.products.insert((*sku).clone(), product);
                }
                (None, Some(doubt)) => {
                    lookup.unknown.insert((*sku).clone(), doubt.clone());
                }
                (None, None) => lookup.absent.push((*sku).clone()),
            }
        }
        Ok(lookup)
    }

    async fn items_of(
        &self,
        edition: Edition,
        products: &BTreeMap<Sku, wire::Product>,
    ) -> Result<HashMap<u64, StockItem>, Fault> {
        let names: Vec<(&Sku, u64)> = products.iter().map(|(sku, product)| (sku, product.id)).collect();
        self.items(edition, &names).await
    }

    /// The stock items of these products, one by one. What does not fit a path cannot be asked for.
    async fn items(&self, edition: Edition, products: &[(&Sku, u64)]) -> Result<HashMap<u64, StockItem>, Fault> {
        // All at once here; the client lets out as many as the shop is to bear.
        let mut asked: FuturesUnordered<_> = products
            .iter()
            .filter(|(sku, _)| fits_path(sku.as_str()))
            .map(|(sku, id)| self.stock_item(edition, sku.as_str(), *id))
            .collect();
        let mut items = HashMap::new();
        let mut failures = 0;
        while let Some(item) = asked.next().await {
            match item {
                // One product's trouble is not the others'.
                Err(Fault::Exhausted { .. }) if failures < MOST_FAILURES => failures += 1,
                item => items.extend(item?.map(|item| (item.product_id, item))),
            }
        }
        Ok(items)
    }

    async fn with_stocks_of(
        &self,
        wanted: &Wanted<'_>,
        mut rows: Vec<ProductRow>,
        items: &HashMap<u64, StockItem>,
    ) -> Result<Vec<ProductRow>, Fault> {
        let size = self.page_size.load(Ordering::Relaxed);
        for rows in rows.chunks_mut(MOST_PER_QUERY.min(size as usize)) {
            let mut exports = Vec::new();
            for website in wanted.websites {
                let members: Vec<&ProductRow> =
                    rows.iter().filter(|row| row.website_ids.contains(&website.id)).collect();
                if members.is_empty() || (website.stock_id.is_none() && wanted.edition != Edition::StockItems) {
                    continue;
                }
                exports.push((website, self.stocks_of(wanted.edition, website, &members, items, size).await?));
            }
            for row in rows {
                row.add_stocks(exports.iter().map(|(website, export)| (*website, export)));
            }
        }
        Ok(rows)
    }

    async fn stocks_of(
        &self,
        edition: Edition,
        website: &Website,
        members: &[&ProductRow],
        items: &HashMap<u64, StockItem>,
        size: u32,
    ) -> Result<Export, Fault> {
        match edition {
            Edition::Export => {
                let names: Vec<(u64, &str)> = members.iter().map(|row| (row.product_id, row.sku.as_str())).collect();
                match self.export_around_crashes(website, &names, |ids| Which::Ids(ids), false, size).await {
                    Err(fault) if concerns_one(&fault) => Ok(Export::failed(&fault)),
                    export => Ok(export?.doubt_strangers(members.iter().map(|row| row.sku.as_str()))),
                }
            }
            Edition::PerSku => {
                let singles = members.iter().map(|row| Single {
                    product_id: row.product_id,
                    sku: row.sku.as_str(),
                    type_id: &row.type_id,
                    managed: row.config.is_none_or(|config| config.managed),
                });
                match self.levels_singly(website, &singles.collect::<Vec<_>>()).await {
                    Err(fault) if concerns_one(&fault) => Ok(Export::failed(&fault)),
                    answer => answer,
                }
            }
            Edition::StockItems => {
                let stock = |row: &&ProductRow| Some((row.sku.to_string(), items.get(&row.product_id)?.stock.clone()));
                Ok(Export { rows: members.iter().filter_map(stock).collect(), doubt: None })
            }
        }
    }
}

/// Whether asking for one may find the other. What letters outside of ASCII count as is the database's affair.
fn may_fold_to(found: &str, asked: &str) -> bool {
    let (found, asked) = (found.trim_end_matches(' '), asked.trim_end_matches(' '));
    !found.is_ascii() || !asked.is_ascii() || found.eq_ignore_ascii_case(asked)
}

/// Whether a fault says something about what was asked for, rather than about the server: then others may be asked for.
pub(super) fn concerns_one(fault: &Fault) -> bool {
    matches!(fault, Fault::Rejected(_) | Fault::Nonsense { .. })
}

pub(super) fn encoded_length(sku: &str) -> usize {
    encode(sku).map(str::len).sum()
}

/// Parts that fit a URL each, in order.
pub(super) fn chunks<T>(skus: impl IntoIterator<Item = T>, most: usize, cost: impl Fn(&T) -> usize) -> Vec<Vec<T>> {
    let mut chunks: Vec<Vec<T>> = Vec::new();
    let mut length = 0;
    for sku in skus {
        let cost = cost(&sku);
        length += cost;
        match chunks.last_mut() {
            Some(chunk) if length <= LONGEST_QUERY && chunk.len() < most => chunk.push(sku),
            _ => {
                length = cost;
                chunks.push(vec![sku]);
            }
        }
    }
    chunks
}
