//! Where something may have moved: the stock index, orders, stock settings, saved products. Each remembers how far it has
//! come by what Commerce said, never by our clock; windows overlap, for rows commit late.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;

use super::mark::{Mark, earlier};
use super::tick::TickError;
use super::{Shape, Source, stored, stored_stock};
use crate::commerce::{Edition, ProductRow, StockItem, Website};
use crate::http::Fault;
use crate::model::{Decimal, Sku, Tier};
use crate::store::{Cause, IndexChange, IndexRow, SeenOrder, Settings, Store, StoreError, StoredProduct};

/// Of the products saved in the newest second, so many are read again: more come of an import, all of the same second.
const MOST_OF_A_SECOND: usize = 50;
/// An index that lost more than one row of so many is being rebuilt, more likely than not.
const LOST_AT_ONCE: u64 = 5;
/// A smaller index may lose all of it.
const LOST_ANYWAY: u64 = 20;
/// Saved products that are read at once, each with a request for its settings. An import of more is cheaper in bulk.
const SAVED_AT_ONCE: usize = 100;
/// All settings are seen this many times in a turn of the rolling sweep.
const SETTINGS_PER_SWEEP: u32 = 6;
/// Products whose settings went unseen, asked about in one tick.
const UNSEEN_AT_ONCE: u32 = 100;

const SAVES: &str = "saves";
const ORDERS: &str = "orders";
/// The next page of settings; when the first was read.
const SETTINGS: &str = "settings";
/// The system's values as last seen.
const SYSTEM: &str = "system";

impl Source {
    /// Notes where everything stands before all is read. False when it cannot be told: then the next read is a full one.
    pub(super) async fn begin_watching(&self, store: &Store, shape: &Shape) -> Result<bool, StoreError> {
        let now = self.clock.now();
        match self.begin(store, shape, now).await {
            Ok(()) => Ok(true),
            Err(TickError::Store(error)) => Err(error),
            Err(TickError::Commerce(fault)) => {
                tracing::warn!(event = "watch_not_begun", commerce = %self.name, error = %fault, "changes cannot be watched yet");
                Ok(false)
            }
        }
    }

    async fn begin(&self, store: &Store, shape: &Shape, now: Timestamp) -> Result<(), TickError> {
        // A mark that is there stays: what came after it was perhaps not read by anybody.
        if store.mark(&self.name, SAVES).await?.is_none() {
            let last = self.reader.last_save().await?.unwrap_or_default();
            store.set_mark(&self.name, SAVES, last, now).await?;
        }
        if store.mark(&self.name, ORDERS).await?.is_none() {
            match self.reader.last_order().await {
                Err(fault) if is_refused(&fault) => self.go_blind(ORDERS, &fault),
                last => store.set_mark(&self.name, ORDERS, last?.unwrap_or_default(), now).await?,
            }
        }
        self.watch_index(store, shape, now).await
    }

    pub(super) async fn watch_index(&self, store: &Store, shape: &Shape, now: Timestamp) -> Result<(), TickError> {
        if shape.edition != Edition::Export {
            return Ok(());
        }
        for website in shape.websites.iter().filter(|website| website.stock_id.is_some()) {
            store.stage_index(&self.name, &website.code, None).await?;
            match self.stage(store, website).await? {
                // Some releases fail here for ever (tables with a prefix).
                Err(fault) if is_refused(&fault) || fault.status() == Some(500) => {
                    self.go_blind("stock index", &fault);
                    continue;
                }
                staged => staged?,
            }
            let change = store.settle_index(&self.name, &website.code, is_rebuilt, now).await?;
            if is_rebuilt(change) {
                tracing::warn!(
                    event = "index_shrunk",
                    commerce = %self.name,
                    website = %website.code,
                    before = change.before,
                    rows = change.rows,
                    "the stock index lost many rows at once, as while it is rebuilt; the rolling sweep goes on meanwhile"
                );
            }
        }
        Ok(())
    }

    async fn stage(&self, store: &Store, website: &Website) -> Result<Result<(), Fault>, StoreError> {
        let (batches, mut received) = mpsc::channel(2);
        let dumping = async move { self.reader.index(website, &batches).await };
        let staging = async {
            while let Some(rows) = received.recv().await {
                let rows = rows.into_iter();
                let rows = rows.map(|row| IndexRow { sku: row.sku, qty: row.qty, is_salable: row.is_salable });
                store.stage_index(&self.name, &website.code, Some(rows.collect())).await?;
            }
            Ok::<(), StoreError>(())
        };
        let (dumped, staged) = tokio::join!(dumping, staging);
        staged?;
        Ok(dumped)
    }

    /// Reservations show in no index; orders make them.
    pub(super) async fn watch_orders(&self, store: &Store, now: Timestamp) -> Result<(), TickError> {
        let mark = Mark::of(store.mark(&self.name, ORDERS).await?, now);
        let since = mark.since(now);
        let mut newest = mark.text.clone();
        let mut orders = Vec::new();
        let mut after = 0;
        loop {
            let page = match self.reader.orders_since(&since, after).await {
                Err(fault) if is_refused(&fault) => {
                    self.go_blind(ORDERS, &fault);
                    return Ok(());
                }
                page => page?,
            };
            let Some(last) = page.last() else { break };
            after = last.id;
            for order in page {
                newest = newest.max(order.updated_at.clone());
                orders.push(SeenOrder { id: order.id, updated_at: order.updated_at, skus: order.skus });
            }
        }
        self.see(ORDERS);
        store.take_orders(&self.name, orders, newest.clone(), now).await?;
        let mark = mark.moved(newest, now);
        store.forget_orders(&self.name, earlier(&earlier(&mark.text))).await?;
        Ok(store.set_mark(&self.name, ORDERS, mark.text, mark.at).await?)
    }

    /// Settings that are saved alone touch nothing else that could be watched: all of them, page by page, in turns.
    pub(super) async fn watch_settings(&self, store: &Store, shape: &Shape, now: Timestamp) -> Result<(), TickError> {
        let (mut next, mut begun) = match store.mark(&self.name, SETTINGS).await? {
            Some((page, begun)) => (page.parse().unwrap_or(1), begun),
            None => (1, now),
        };
        let read = self.settings_page(store, shape, next, now).await?;
        // A system's value concerns everybody who uses it; stock items hold the stock itself.
        if read.system_moved || shape.edition == Edition::StockItems {
            self.all_settings(store, shape, now).await?;
            next = read.pages;
            begun = now;
        }
        let due = turns(read.pages, now.duration_since(begun), self.full_sweep_every / SETTINGS_PER_SWEEP);
        next += 1;
        while next <= due {
            self.settings_page(store, shape, next, now).await?;
            next += 1;
        }
        if next > read.pages {
            store.suspect_unseen_settings(&self.name, begun, UNSEEN_AT_ONCE, now).await?;
            (next, begun) = (1, now);
        }
        Ok(store.set_mark(&self.name, SETTINGS, next.to_string(), begun).await?)
    }

    async fn all_settings(&self, store: &Store, shape: &Shape, now: Timestamp) -> Result<(), TickError> {
        let mut page = 1;
        while page <= self.settings_page(store, shape, page, now).await?.pages {
            page += 1;
        }
        Ok(())
    }

    async fn settings_page(&self, store: &Store, shape: &Shape, page: u64, now: Timestamp) -> Result<Seen, TickError> {
        let read = self.reader.stock_items(shape.edition, page).await?;
        if let Some(flaw) = read.flaw {
            return Err(Fault::nonsense(flaw).into());
        }
        let system = system(&read.items);
        let settings = read.items.into_iter().map(|item| settings(item, shape.edition)).collect();
        let websites = shape.websites.iter().map(|website| website.code.clone()).collect();
        store.check_settings(&self.name, websites, settings, now).await?;
        let before = store.mark(&self.name, SYSTEM).await?.map(|(before, _)| before);
        let system_moved = match (&before, system) {
            (Some(before), Some(system)) if *before != system => {
                store.set_mark(&self.name, SYSTEM, system, now).await?;
                true
            }
            (None, Some(system)) => {
                store.set_mark(&self.name, SYSTEM, system, now).await?;
                false
            }
            _ => false,
        };
        Ok(Seen { pages: read.pages, system_moved })
    }

    /// Saved products come with all that is known of a product; their settings and stock are read at once, or in their
    /// turn when they are many.
    pub(super) async fn watch_saves(&self, store: &Store, shape: &Shape, now: Timestamp) -> Result<(), TickError> {
        let mark = Mark::of(store.mark(&self.name, SAVES).await?, now);
        let (since, wanted) = (mark.since(now), self.wanted(shape));
        let (mut newest, mut after, mut at_once) = (mark.text.clone(), 0, SAVED_AT_ONCE);
        let mut many = false;
        loop {
            let page = self.reader.saved_since(&wanted, &since, after).await?;
            let Some(last) = page.last() else { break };
            after = last.product_id;
            newest = page.iter().filter_map(|row| row.updated_at.clone()).fold(newest, std::cmp::max);
            let mut moved = self.not_seen(store, page, &newest).await?;
            let later = moved.split_off(moved.len().min(at_once));
            at_once -= moved.len();
            let read_at = self.clock.now();
            let rows = self.reader.fill(&wanted, moved).await?;
            let products = rows.into_iter().map(|row| stored(row, Tier::Exact, read_at)).collect();
            store.save_products(&self.name, None, products).await?;
            many |= !later.is_empty();
            self.keep_for_later(store, later, now).await?;
        }
        if many {
            self.all_settings(store, shape, now).await?;
        }
        let mark = mark.moved(newest, now);
        Ok(store.set_mark(&self.name, SAVES, mark.text, mark.at).await?)
    }

    /// Keeps what saved products are, and that their stock is to be read.
    async fn keep_for_later(&self, store: &Store, rows: Vec<ProductRow>, now: Timestamp) -> Result<(), StoreError> {
        let skus: Vec<Sku> = rows.iter().map(|row| row.sku.clone()).collect();
        let mut known = store.products(&self.name, &skus).await?;
        let products = rows.into_iter().map(|row| {
            let known = known.remove(&row.sku);
            let fresh = stored(row, Tier::Exact, known.as_ref().map_or(now, |known| known.read_at));
            match known {
                Some(known) => StoredProduct { config: known.config, stocks: known.stocks, tier: known.tier, ..fresh },
                None => fresh,
            }
        });
        store.save_products(&self.name, None, products.collect()).await?;
        store.suspect(&self.name, skus, Cause::Product, now).await
    }

    /// Windows overlap: what was read since it was saved is left out. A second may not be over when it is looked at.
    async fn not_seen(
        &self,
        store: &Store,
        page: Vec<ProductRow>,
        newest: &str,
    ) -> Result<Vec<ProductRow>, StoreError> {
        let skus: Vec<_> = page.iter().map(|row| row.sku.clone()).collect();
        let known = store.products(&self.name, &skus).await?;
        let last_second = page.iter().filter(|row| row.updated_at.as_deref() == Some(newest)).count();
        let unseen = |row: &ProductRow| {
            let known = known.get(&row.sku);
            let just_now = row.updated_at.as_deref() == Some(newest) && last_second <= MOST_OF_A_SECOND;
            just_now || known.is_none_or(|known| known.updated_at != row.updated_at)
        };
        Ok(page.into_iter().filter(unseen).collect())
    }

    /// Says once that a watch sees nothing; the rolling sweep turns faster then.
    fn go_blind(&self, part: &'static str, fault: &Fault) {
        if self.blind().insert(part) {
            tracing::warn!(
                event = "watch_blind",
                commerce = %self.name,
                watch = part,
                error = %fault,
                "this cannot be watched; changes that only it shows are found by the rolling sweep, which turns faster for it"
            );
        }
    }

    fn see(&self, part: &'static str) {
        self.blind().remove(part);
    }

    pub(super) fn sees_all(&self) -> bool {
        self.blind().is_empty()
    }

    fn blind(&self) -> std::sync::MutexGuard<'_, std::collections::BTreeSet<&'static str>> {
        self.blind.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

struct Seen {
    pages: u64,
    system_moved: bool,
}

fn is_rebuilt(change: IndexChange) -> bool {
    change.gone > LOST_ANYWAY && change.gone > change.before / LOST_AT_ONCE
}

/// Up to which page to have come after a time, when all are due in `every`.
fn turns(pages: u64, since: SignedDuration, every: Duration) -> u64 {
    let since = Duration::try_from(since).unwrap_or_default().as_millis();
    let due = u128::from(pages).saturating_mul(since) / every.as_millis().max(1);
    u64::try_from(due).unwrap_or(u64::MAX).min(pages)
}

/// Not allowed, or not there: asking again changes nothing.
fn is_refused(fault: &Fault) -> bool {
    matches!(fault, Fault::Unauthorized { .. } | Fault::Rejected(_))
}

fn settings(item: StockItem, edition: Edition) -> Settings {
    Settings {
        product_id: item.product_id,
        managed: item.config.managed,
        backorders: item.config.backorders,
        min_qty: item.config.min_qty,
        stock: (edition == Edition::StockItems).then(|| stored_stock(item.stock)),
    }
}

/// The system's values, where any product of the page uses them.
fn system(items: &[StockItem]) -> Option<String> {
    let managed = items.iter().find_map(|item| item.system.0);
    let backorders = items.iter().find_map(|item| item.system.1);
    let min_qty: Option<Decimal> = items.iter().find_map(|item| item.system.2);
    (managed.is_some() && backorders.is_some() && min_qty.is_some())
        .then(|| format!("{managed:?} {backorders:?} {min_qty:?}"))
}
