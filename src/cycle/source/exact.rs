//! Exact readings of products that are known: those that may have moved, and a part of the rest in its turn.

use std::collections::{BTreeMap, BTreeSet};

use super::tick::{TickError, is_down};
use super::unread::Gap;
use super::{Shape, Source, stored, stored_stock};
use crate::commerce::{Edition, Known, Levels, ProductRow, StockConfig, StockRow};
use crate::http::Fault;
use crate::model::{Backorders, Decimal, ProductType, Sku, Tier, WebsiteCode};
use crate::store::{Cause, Store, StoreError, StoredProduct, StoredStock};

/// Products read exactly in one tick because they may have moved: 22 s of a shop's core. After an import of everything the
/// next ticks go on; what waits keeps its quantity meanwhile.
const SUSPECTS_AT_ONCE: u32 = 5000;
/// Products asked about whole, each with requests of its own.
const SINGLES_AT_ONCE: u32 = 200;
/// A page that fails is halved until it is one product. So many failures without a success between mean that it is the
/// shop: it is left alone until the next tick.
const FAULTS_IN_A_ROW: u32 = 10;

/// What became of the levels of some products.
enum Found {
    /// Kept; these contradict what is known of them.
    Again(Vec<Sku>),
    Fault(Fault),
}

impl Source {
    /// Reads what may have moved: of known products the stock, of the others and of those that contradict what is known
    /// everything.
    pub(super) async fn read_suspects(&self, store: &Store, shape: &Shape) -> Result<(), TickError> {
        store.bound_suspicions(&self.name, self.clock.now()).await?;
        let suspects = store.suspects(&self.name, false, SUSPECTS_AT_ONCE).await?;
        let mut first_fault = None;
        for skus in suspects.chunks(self.reader.levels_at_once() as usize) {
            let known = store.products(&self.name, skus).await?;
            let mut whole: Vec<Sku> = skus.iter().filter(|sku| !known.contains_key(*sku)).cloned().collect();
            let known: Vec<StoredProduct> = known.into_values().collect();
            if shape.rolls() {
                match self.read_or_halve(store, shape, &known, Tier::Exact).await {
                    Err(TickError::Commerce(fault)) if !is_down(&fault) => {
                        first_fault.get_or_insert(fault);
                    }
                    outcome => outcome?,
                }
            } else {
                whole.extend(known.into_iter().map(|product| product.sku));
            }
            store.suspect(&self.name, whole, Cause::Whole, self.clock.now()).await?;
        }
        if suspects.len() == SUSPECTS_AT_ONCE as usize {
            self.others_wait();
        }
        first_fault.map_or(Ok(()), |fault| Err(fault.into()))
    }

    /// Reads everything about those whose stock alone says nothing.
    pub(super) async fn read_whole(&self, store: &Store, shape: &Shape) -> Result<(), TickError> {
        let skus = store.suspects(&self.name, true, SINGLES_AT_ONCE).await?;
        if skus.is_empty() {
            return Ok(());
        }
        if skus.len() == SINGLES_AT_ONCE as usize {
            self.others_wait();
        }
        let read_at = self.clock.now();
        let read = self.read_singly(store, shape, &skus).await??;
        // Orders and dumps name what is no product, or is one no more.
        store.clear_suspects(&self.name, read.missing, read_at).await?;
        if let Some((sku, problem)) = read.unknown.first() {
            tracing::warn!(
                event = "products_unread",
                commerce = %self.name,
                products = read.unknown.len(),
                %sku,
                problem,
                "products could not be read; they keep their quantity on Amazon"
            );
        }
        Ok(())
    }

    fn others_wait(&self) {
        tracing::warn!(
            event = "products_wait",
            commerce = %self.name,
            "more products may have moved than are read in one tick; the others keep their quantity until their turn"
        );
    }

    /// Reads the stock of known products; one that makes its page fail costs only itself.
    pub(super) async fn read_or_halve(
        &self,
        store: &Store,
        shape: &Shape,
        products: &[StoredProduct],
        tier: Tier,
    ) -> Result<(), TickError> {
        let (mut left, mut in_a_row, mut last) = (vec![products], 0, None);
        while let Some(part) = left.pop() {
            match self.read_levels(store, shape, part, tier).await? {
                Found::Again(skus) => {
                    in_a_row = 0;
                    store.suspect(&self.name, skus, Cause::Whole, self.clock.now()).await?;
                }
                Found::Fault(fault) => {
                    in_a_row += 1;
                    if in_a_row == FAULTS_IN_A_ROW || is_down(&fault) {
                        return Err(fault.into());
                    }
                    if part.len() > 1 {
                        let (a, b) = part.split_at(part.len() / 2);
                        left.extend([b, a]);
                    }
                    last = Some(fault);
                }
            }
        }
        last.map_or(Ok(()), |fault| Err(fault.into()))
    }

    /// Reads the stock of known products and keeps it. Those whose answer contradicts what is known of them have to be
    /// asked about whole.
    async fn read_levels(
        &self,
        store: &Store,
        shape: &Shape,
        products: &[StoredProduct],
        tier: Tier,
    ) -> Result<Found, TickError> {
        let read_at = self.clock.now();
        let mut verdicts: BTreeMap<&Sku, Verdict> =
            products.iter().map(|product| (&product.sku, Verdict::default())).collect();
        for website in shape.websites.iter().filter(|website| website.stock_id.is_some()) {
            let is_in = |product: &StoredProduct| product.website_ids.contains(&website.id);
            let sells = |product: &&StoredProduct| product.enabled && is_in(product);
            let stocked = products.iter().filter(|product| !is_composite(product));
            // Without the export nobody tells whether a product is enabled: those that are not are not asked about.
            let asked: Vec<&StoredProduct> =
                stocked.filter(|product| shape.edition != Edition::PerSku || sells(product)).collect();
            let names: Vec<Known<'_>> = asked.iter().map(|product| known(product)).collect();
            let levels = if names.is_empty() {
                Levels::default()
            } else {
                match self.reader.levels(&self.wanted(shape), website, &names).await {
                    Ok(levels) => levels,
                    Err(fault) => return Ok(Found::Fault(fault)),
                }
            };
            for product in asked {
                let level = levels.rows.get(product.sku.as_str());
                let verdict = verdicts.entry(&product.sku).or_default();
                verdict.take(product, &website.code, sells(&product), level, levels.doubt.is_some());
                verdict.again |= !product.enabled && is_in(product) && has_gap(product, &website.code);
            }
        }
        match self.others_than_known(shape, products, &verdicts).await {
            Ok(others) => {
                for sku in others {
                    verdicts.entry(sku).or_default().again = true;
                }
            }
            Err(fault) => return Ok(Found::Fault(fault)),
        }
        let again = verdicts.iter().filter(|(_, verdict)| verdict.again).map(|(sku, _)| (*sku).clone()).collect();
        let found = verdicts.into_iter().filter(|(_, verdict)| !verdict.again && !verdict.unread);
        let found: Vec<_> = found.map(|(sku, verdict)| (sku.clone(), verdict.stocks)).collect();
        let gaps: Vec<Gap> = found.iter().map(|(sku, stocks)| Gap::of_stocks(sku, stocks.values())).collect();
        store.save_levels(&self.name, tier, read_at, found).await?;
        self.ask_about_gaps(store, shape, gaps).await?;
        Ok(Found::Again(again))
    }

    /// Those that are not in the shop as they are known: gone, or enabled, disabled or moved by who passes the product by.
    /// To be named by one website's answer says that a product is there, and nothing of where else.
    async fn others_than_known<'a>(
        &self,
        shape: &Shape,
        products: &'a [StoredProduct],
        verdicts: &BTreeMap<&Sku, Verdict>,
    ) -> Result<Vec<&'a Sku>, Fault> {
        let all = shape.edition == Edition::PerSku || self.are_moved(shape, products).await?;
        let listed = |product: &StoredProduct| product.suspect.as_deref() == Some("listed");
        let doubtful = products.iter().filter(|product| all || listed(product) || !verdicts[&product.sku].named);
        let doubtful: Vec<&StoredProduct> = doubtful.collect();
        if doubtful.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<u64> = doubtful.iter().map(|product| product.product_id).collect();
        let rows = self.reader.products_of(&self.wanted(shape), &ids).await?;
        let other = |product: &&StoredProduct| !rows.get(&product.product_id).is_some_and(|row| is_same(product, row));
        Ok(doubtful.into_iter().filter(other).map(|product| &product.sku).collect())
    }

    /// Whether a website has more or fewer of these products than are known to be in it. With one website alone, who is
    /// in it is named by its answer or by none.
    async fn are_moved(&self, shape: &Shape, products: &[StoredProduct]) -> Result<bool, Fault> {
        let ids: Vec<u64> = products.iter().map(|product| product.product_id).collect();
        for website in shape.websites.iter().filter(|_| shape.websites.len() > 1 && !ids.is_empty()) {
            let known = products.iter().filter(|product| product.website_ids.contains(&website.id)).count();
            if self.reader.count_members(website, &ids).await? != known as u64 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Adds settings and stock to products that were named without, and keeps all of it.
    pub(super) async fn fill_and_keep(
        &self,
        store: &Store,
        shape: &Shape,
        rows: Vec<ProductRow>,
    ) -> Result<(), TickError> {
        let read_at = self.clock.now();
        let rows = self.reader.fill(&self.wanted(shape), rows).await?;
        let products = rows.into_iter().map(|row| stored(row, Tier::Exact, read_at)).collect();
        Ok(self.keep(store, shape, products).await?)
    }

    /// Keeps products that were asked about whole. Settings that could not be asked for singly are those that are known.
    pub(super) async fn keep(
        &self,
        store: &Store,
        shape: &Shape,
        mut products: Vec<StoredProduct>,
    ) -> Result<(), StoreError> {
        let bare: Vec<Sku> =
            products.iter().filter(|product| product.config.is_none()).map(|product| product.sku.clone()).collect();
        let known = store.products(&self.name, &bare).await?;
        // Stock items hold the stock: with them, all have to be read for one that could not be asked for.
        let mut all = !bare.is_empty() && !shape.rolls();
        for product in products.iter_mut().filter(|product| product.config.is_none()) {
            if let Some(known) = known.get(&product.sku) {
                product.config = known.config;
                if !shape.rolls() {
                    product.stocks.clone_from(&known.stocks);
                }
            }
            all |= product.config.is_none() && !is_composite(product);
        }
        if all {
            self.want_all_settings(store).await?;
        }
        // Settings that are known stand in for those that could not be asked for: their turn comes, and levels that
        // contradict them are noticed.
        let gaps: Vec<Gap> = products.iter().map(|product| Gap::of(product, is_composite(product))).collect();
        store.save_products(&self.name, products).await?;
        self.ask_about_gaps(store, shape, gaps).await
    }
}

/// What all websites' answers say about a product.
#[derive(Debug, Default)]
struct Verdict {
    stocks: BTreeMap<WebsiteCode, StoredStock>,
    named: bool,
    /// It is not as it is known.
    again: bool,
    /// Nothing is said about it.
    unread: bool,
}

impl Verdict {
    fn take(
        &mut self,
        product: &StoredProduct,
        website: &WebsiteCode,
        sells: bool,
        level: Option<&StockRow>,
        doubtful: bool,
    ) {
        self.named |= level.is_some();
        let before = product.stocks.get(website);
        match level {
            Some(level) if sells => {
                let level = stored_stock(level.clone());
                self.again |= before != Some(&level) && contradicts(product, &level);
                self.stocks.insert(website.clone(), level);
            }
            Some(_) => self.again = true,
            None if doubtful => self.unread = true,
            None if sells => self.again |= !matches!(before, Some(StoredStock::Absent | StoredStock::NoSource)),
            None => {}
        }
    }
}

fn is_same(product: &StoredProduct, row: &ProductRow) -> bool {
    let websites = |ids: &[u32]| ids.iter().copied().collect::<BTreeSet<u32>>();
    (&product.sku, &product.type_id, product.enabled) == (&row.sku, &row.type_id, row.enabled)
        && websites(&product.website_ids) == websites(&row.website_ids)
}

/// Of a product that is disabled no answer about stock says what was left open.
fn has_gap(product: &StoredProduct, website: &WebsiteCode) -> bool {
    matches!(product.stocks.get(website), Some(StoredStock::Unknown(_)))
}

fn is_composite(product: &StoredProduct) -> bool {
    matches!(ProductType::parse(&product.type_id), ProductType::Composite(_))
}

fn known(product: &StoredProduct) -> Known<'_> {
    Known {
        product_id: product.product_id,
        sku: product.sku.as_str(),
        type_id: &product.type_id,
        config: config(product),
    }
}

fn config(product: &StoredProduct) -> Option<StockConfig> {
    product.config.map(|(managed, backorders, min_qty)| StockConfig { managed, backorders, min_qty })
}

/// Whether a level does not go with the settings that are known: then those have changed, and nobody said so. Nothing to
/// sell that is salable all the same is how the export shows stock that is not managed, and infinite backorders.
fn contradicts(product: &StoredProduct, level: &StoredStock) -> bool {
    let StoredStock::Level { salable, is_salable } = level else { return false };
    let limitless = *is_salable && *salable <= Decimal::ZERO;
    match config(product) {
        None => true,
        Some(config) if !config.managed => !(limitless && *salable == Decimal::ZERO),
        Some(config) => limitless && !(config.backorders == Backorders::On && config.min_qty == Decimal::ZERO),
    }
}
