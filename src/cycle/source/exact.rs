//! Exact readings of products that are known: those that may have moved, and a part of the rest in its turn.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::tick::TickError;
use super::{Shape, Source, stored_stock};
use crate::commerce::{Edition, Known, StockConfig, StockRow};
use crate::http::Fault;
use crate::model::{Backorders, Decimal, ProductType, Sku, Tier, WebsiteCode};
use crate::store::{Cause, Store, StoreError, StoredProduct, StoredStock};

/// Products read exactly in one tick because they may have moved: 22 s of a shop's core. After an import of everything the
/// next ticks go on; what waits keeps its quantity meanwhile.
const SUSPECTS_AT_ONCE: u32 = 5000;
/// Products asked about whole, each with requests of its own.
const SINGLES_AT_ONCE: usize = 200;
/// Small catalogues are read whole in every tick: a request or two more is no load.
const SMALLEST_WINDOW: u64 = 300;
/// So many pages that fail in one tick are the server's fault: it is left alone until the next.
const FAULTS_AT_MOST: u32 = 3;
/// How far the rolling sweep has come: the last product id, and when.
const WINDOW: &str = "window";
/// The sweep's turn where a watch is blind: what that watch would see is found in this time.
const BLIND_SWEEP_EVERY: Duration = Duration::from_hours(1);

type Levels = BTreeMap<WebsiteCode, StoredStock>;

impl Source {
    pub(super) async fn restart_window(&self, store: &Store, at: Timestamp) -> Result<(), StoreError> {
        store.set_mark(&self.name, WINDOW, "0".to_owned(), at).await
    }

    /// Reads as many products as the time since the last turn asks for, after those of the last turn.
    pub(super) async fn turn_window(&self, store: &Store, shape: &Shape, now: Timestamp) -> Result<(), TickError> {
        if !shape.rolls() {
            return Ok(());
        }
        let (mut after, turned_at) = match store.mark(&self.name, WINDOW).await? {
            Some((after, at)) => (after.parse().unwrap_or(0), at),
            None => (0, now),
        };
        let total = store.product_count(&self.name).await?;
        let mut due = share(total, now.duration_since(turned_at), self.sweep_every());
        let (mut wrapped, mut faults) = (false, Faults::default());
        while due > 0 {
            let most = due.min(u64::from(self.reader.levels_at_once()));
            let products = store.products_after(&self.name, after, u32::try_from(most).unwrap_or(u32::MAX)).await?;
            let Some(last) = products.last() else {
                if std::mem::replace(&mut wrapped, true) {
                    break;
                }
                after = 0;
                continue;
            };
            after = last.product_id;
            due = due.saturating_sub(products.len() as u64);
            let moved = faults.pass(self.read_levels(store, shape, &products, Tier::Sweep).await)?;
            store.suspect(&self.name, moved, Cause::Sweep, self.clock.now()).await?;
        }
        store.set_mark(&self.name, WINDOW, after.to_string(), now).await?;
        faults.end()
    }

    fn sweep_every(&self) -> Duration {
        if self.sees_all() { self.full_sweep_every } else { self.full_sweep_every.min(BLIND_SWEEP_EVERY) }
    }

    /// Reads what may have moved: of known products the stock, of the others and of those that contradict what is known
    /// everything.
    pub(super) async fn read_suspects(&self, store: &Store, shape: &Shape) -> Result<(), TickError> {
        let suspects = store.suspects(&self.name, SUSPECTS_AT_ONCE).await?;
        let (mut singly, mut faults): (Vec<Sku>, Faults) = Default::default();
        for skus in suspects.chunks(self.reader.levels_at_once() as usize) {
            let known = store.products(&self.name, skus).await?;
            singly.extend(skus.iter().filter(|sku| !known.contains_key(*sku)).cloned());
            let (again, products): (Vec<StoredProduct>, Vec<StoredProduct>) =
                known.into_values().partition(|product| product.suspect.as_deref() == Some(Cause::Sweep.as_str()));
            singly.extend(again.into_iter().map(|product| product.sku));
            if shape.rolls() {
                singly.extend(faults.pass(self.read_levels(store, shape, &products, Tier::Exact).await)?);
            } else {
                singly.extend(products.into_iter().map(|product| product.sku));
            }
        }
        let waiting = suspects.len() == SUSPECTS_AT_ONCE as usize || singly.len() > SINGLES_AT_ONCE;
        singly.truncate(SINGLES_AT_ONCE);
        if !singly.is_empty() {
            let read_at = self.clock.now();
            let (_, problems) = self.read_singly(store, shape, &singly).await??;
            // Orders and dumps name what is no product, or is one no more.
            let there: BTreeSet<Sku> = store.products(&self.name, &singly).await?.into_keys().collect();
            let gone = singly.into_iter().filter(|sku| !there.contains(sku)).collect();
            store.clear_suspects(&self.name, gone, read_at).await?;
            if let Some(problem) = problems.first() {
                tracing::warn!(
                    event = "products_unread",
                    commerce = %self.name,
                    products = problems.len(),
                    problem,
                    "products could not be read; they keep their quantity on Amazon"
                );
            }
        }
        if waiting {
            tracing::warn!(
                event = "products_wait",
                commerce = %self.name,
                "more products may have moved than are read in one tick; the others keep their quantity until their turn"
            );
        }
        faults.end()
    }

    /// Reads the stock of known products and keeps it. Returns those whose answer contradicts what is known of them: they
    /// have to be asked about whole.
    async fn read_levels(
        &self,
        store: &Store,
        shape: &Shape,
        products: &[StoredProduct],
        tier: Tier,
    ) -> Result<Vec<Sku>, TickError> {
        let read_at = self.clock.now();
        let stocked: Vec<&StoredProduct> = products.iter().filter(|product| !is_composite(product)).collect();
        let mut found: BTreeMap<&Sku, Levels> = products.iter().map(|product| (&product.sku, Levels::new())).collect();
        for website in shape.websites.iter().filter(|website| website.stock_id.is_some()) {
            let asked: Vec<Known<'_>> = stocked.iter().map(|product| known(product)).collect();
            if asked.is_empty() {
                break;
            }
            let levels = self.reader.levels(&self.wanted(shape), website, &asked).await?;
            for product in &stocked {
                let sells = product.enabled && product.website_ids.contains(&website.id);
                let level = levels.get(product.sku.as_str());
                let before = product.stocks.get(&website.code);
                match (level, before) {
                    (Some(level), _) if sells && !contradicts(product, level) => {
                        if let Some(found) = found.get_mut(&product.sku) {
                            found.insert(website.code.clone(), stored_stock(level.clone()));
                        }
                    }
                    (None, Some(StoredStock::Absent | StoredStock::NoSource)) if sells => {}
                    (None, _) if !sells => {}
                    // Where disabled products are named too, that they are says nothing.
                    (Some(_), _) if !sells && shape.edition == Edition::PerSku => {}
                    _ => {
                        found.remove(&product.sku);
                    }
                }
            }
        }
        let again = products.iter().filter(|product| !found.contains_key(&product.sku));
        let again: Vec<Sku> = again.map(|product| product.sku.clone()).collect();
        let found = found.into_iter().map(|(sku, levels)| (sku.clone(), levels)).collect();
        store.save_levels(&self.name, tier, read_at, found).await?;
        Ok(again)
    }
}

/// One page that fails costs only its products; several mean that the server does.
#[derive(Debug, Default)]
struct Faults {
    first: Option<Fault>,
    count: u32,
}

impl Faults {
    fn pass(&mut self, read: Result<Vec<Sku>, TickError>) -> Result<Vec<Sku>, TickError> {
        match read {
            Err(TickError::Commerce(fault)) if self.count + 1 < FAULTS_AT_MOST => {
                self.count += 1;
                self.first.get_or_insert(fault);
                Ok(Vec::new())
            }
            read => read,
        }
    }

    fn end(self) -> Result<(), TickError> {
        self.first.map_or(Ok(()), |fault| Err(fault.into()))
    }
}

/// How many products are due after a time, so that all have their turn in `every`.
fn share(total: u64, since: SignedDuration, every: Duration) -> u64 {
    let since = Duration::try_from(since).unwrap_or_default().as_millis();
    let due = u128::from(total).saturating_mul(since).div_ceil(every.as_millis().max(1));
    u64::try_from(due).unwrap_or(u64::MAX).max(SMALLEST_WINDOW).min(total)
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
fn contradicts(product: &StoredProduct, level: &StockRow) -> bool {
    let StockRow::Level { salable, is_salable } = level else { return false };
    let limitless = *is_salable && *salable <= Decimal::ZERO;
    match config(product) {
        None => true,
        Some(config) if !config.managed => !(limitless && *salable == Decimal::ZERO),
        Some(config) => limitless && !(config.backorders == Backorders::On && config.min_qty == Decimal::ZERO),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_product_has_its_turn_in_one_interval() {
        let hours = SignedDuration::from_hours;
        let six = Duration::from_hours(6);
        for (total, since, expected) in [
            (100_000, SignedDuration::from_mins(5), 1389),
            (100_000, hours(6), 100_000),
            (100_000, hours(60), 100_000),
            (20_000, SignedDuration::from_mins(5), 300),
            (20_000, SignedDuration::ZERO, 300),
            (20_000, hours(-3), 300),
            (7, hours(1), 7),
            (0, hours(1), 0),
        ] {
            assert_eq!(share(total, since, six), expected, "{total} after {since:?}");
        }
    }
}
