//! Where something may have moved: the stock index, orders, saved products. Each remembers how far it has come by what
//! Commerce said, never by our clock; windows overlap, for rows commit late.

use std::sync::atomic::Ordering;

use jiff::Timestamp;
use tokio::sync::mpsc;

use super::mark::{Mark, earlier};
use super::tick::{Part, TickError, Trouble};
use super::{Shape, Source, stored};
use crate::commerce::{Edition, ProductRow, Website};
use crate::http::Fault;
use crate::model::{Sku, Tier};
use crate::store::{Cause, IndexChange, IndexRow, SeenOrder, Store, StoreError, StoredProduct};

/// Saved products that are read at once, each with a request for its settings: of more, bulk answers are cheaper, where a
/// setting costs a two-hundredth of that.
const SAVED_AT_ONCE: u64 = 100;
const BULK_IS_CHEAPER_BY: u64 = 200;
/// Of the products saved in the newest second, so many are read again: more come of an import, all of the same second.
const MOST_OF_A_SECOND: usize = 50;
/// An index that lost more than one row of so many is being rebuilt, more likely than not.
const LOST_AT_ONCE: u64 = 5;
/// A smaller index may lose all of it.
const LOST_ANYWAY: u64 = 20;
/// Dumps in a row after which what was lost is believed: no rebuild takes an hour of ticks.
const SHRUNK_FOR_GOOD: u32 = 12;

const SAVES: &str = "saves";
const ORDERS: &str = "orders";

impl Source {
    /// Notes where everything stands before all is read: what moves from here on, the watches see. One that cannot tell
    /// begins with the next tick.
    pub(super) async fn begin_watching(&self, store: &Store, shape: &Shape) -> Result<(), StoreError> {
        let mut ignored = Trouble::default();
        self.watched(Part::Saves, self.mark_of(store, SAVES).await.map(drop), &mut ignored)?;
        self.watched(Part::Orders, self.mark_of(store, ORDERS).await.map(drop), &mut ignored)?;
        self.watched(Part::Index, self.watch_index(store, shape).await, &mut ignored)
    }

    /// Where a watch stands. A mark that is there stays, whatever else is read: what came after it was perhaps read by
    /// nobody. One that is not there is set to the newest change: what was before is left to the rolling sweep.
    async fn mark_of(&self, store: &Store, part: &'static str) -> Result<Mark, TickError> {
        let now = self.clock.now();
        if let Some((text, at)) = store.mark(&self.name, part).await? {
            return Ok(Mark { text, at });
        }
        let newest = if part == SAVES { self.reader.last_save().await? } else { self.reader.last_order().await? };
        let mark = Mark { text: newest.unwrap_or_default(), at: now };
        store.set_mark(&self.name, part, mark.text.clone(), now).await?;
        Ok(mark)
    }

    pub(super) async fn watch_index(&self, store: &Store, shape: &Shape) -> Result<(), TickError> {
        if shape.edition != Edition::Export {
            return Ok(());
        }
        let mut shrunk = false;
        for website in shape.websites.iter().filter(|website| website.stock_id.is_some()) {
            store.stage_index(&self.name, &website.code, None).await?;
            self.stage(store, website).await??;
            let change = store.compare_index(&self.name, &website.code).await?;
            let rebuilt = is_rebuilt(change);
            let keep_gone = rebuilt && self.shrunk.load(Ordering::Relaxed) < SHRUNK_FOR_GOOD;
            shrunk |= rebuilt;
            store.settle_index(&self.name, &website.code, change, keep_gone, self.clock.now()).await?;
            if keep_gone && self.shrunk.load(Ordering::Relaxed) == 0 {
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
        let dumps = if shrunk { self.shrunk.load(Ordering::Relaxed).saturating_add(1) } else { 0 };
        self.shrunk.store(dumps, Ordering::Relaxed);
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
    pub(super) async fn watch_orders(&self, store: &Store) -> Result<(), TickError> {
        let mark = self.mark_of(store, ORDERS).await?;
        let since = mark.since(self.clock.now());
        let mut newest = mark.text.clone();
        let (mut orders, mut after) = (Vec::new(), 0);
        loop {
            let page = self.reader.orders_since(&since, after).await?;
            self.unfit(Part::Orders, page.flaw);
            let Some(row) = page.rows.last() else { break };
            after = row.id;
            for order in page.rows {
                newest = newest.max(order.updated_at.clone());
                orders.push(SeenOrder { id: order.id, updated_at: order.updated_at, items: order.items });
            }
            if page.last {
                break;
            }
        }
        let now = self.clock.now();
        store.take_orders(&self.name, orders, newest.clone(), now).await?;
        let mark = mark.moved(newest, now);
        store.forget_orders(&self.name, earlier(&earlier(&mark.text))).await?;
        Ok(store.set_mark(&self.name, ORDERS, mark.text, mark.at).await?)
    }

    /// Saved products come with all that is known of a product; their settings and stock are read at once, or in their
    /// turn when they are many.
    pub(super) async fn watch_saves(&self, store: &Store, shape: &Shape) -> Result<(), TickError> {
        let mark = self.mark_of(store, SAVES).await?;
        let (since, wanted) = (mark.since(self.clock.now()), self.wanted(shape));
        let total = store.product_count(&self.name).await?;
        let at_once = SAVED_AT_ONCE.max(total / BULK_IS_CHEAPER_BY);
        let mut at_once = usize::try_from(at_once).unwrap_or(usize::MAX);
        let (mut newest, mut after) = (mark.text.clone(), 0);
        loop {
            let page = self.reader.saved_since(&wanted, &since, after).await?;
            self.unfit(Part::Saves, page.flaw);
            self.suspect_unlisted(store, &page.unlisted).await?;
            let Some(row) = page.rows.last() else { break };
            after = row.product_id;
            newest = page.rows.iter().filter_map(|row| row.updated_at.clone()).fold(newest, std::cmp::max);
            let mut moved = self.not_seen(store, page.rows, &mark.text).await?;
            let later = moved.split_off(moved.len().min(at_once));
            at_once -= moved.len();
            self.fill_and_keep(store, shape, moved).await?;
            if !later.is_empty() {
                self.want_all_settings(store).await?;
                self.keep_for_later(store, later).await?;
            }
            if page.last {
                break;
            }
        }
        if self.wants_all_settings(store).await? {
            self.watch_settings(store, shape).await?;
        }
        let mark = mark.moved(newest, self.clock.now());
        Ok(store.set_mark(&self.name, SAVES, mark.text, mark.at).await?)
    }

    /// Keeps what saved products are, and that their stock is to be read: the suspicion first, or it could be lost.
    async fn keep_for_later(&self, store: &Store, rows: Vec<ProductRow>) -> Result<(), StoreError> {
        let skus: Vec<Sku> = rows.iter().map(|row| row.sku.clone()).collect();
        let mut known = store.products(&self.name, &skus).await?;
        store.suspect(&self.name, skus, Cause::Product, self.clock.now()).await?;
        let products = rows.into_iter().map(|row| {
            let known = known.remove(&row.sku);
            let fresh = stored(row, Tier::Exact, known.as_ref().map_or(Timestamp::UNIX_EPOCH, |known| known.read_at));
            match known {
                Some(known) => StoredProduct { config: known.config, stocks: known.stocks, tier: known.tier, ..fresh },
                None => fresh,
            }
        });
        store.save_products(&self.name, products.collect()).await
    }

    /// Windows overlap: what was read since it was saved is left out. A second was perhaps not over when it was looked at.
    async fn not_seen(&self, store: &Store, page: Vec<ProductRow>, mark: &str) -> Result<Vec<ProductRow>, StoreError> {
        let skus: Vec<_> = page.iter().map(|row| row.sku.clone()).collect();
        let known = store.products(&self.name, &skus).await?;
        let of_that_second = |row: &ProductRow| row.updated_at.as_deref() == Some(mark);
        let few = page.iter().filter(|row| of_that_second(row)).count() <= MOST_OF_A_SECOND;
        let unseen = |row: &ProductRow| {
            let known = known.get(&row.sku);
            (few && of_that_second(row)) || known.is_none_or(|known| known.updated_at != row.updated_at)
        };
        Ok(page.into_iter().filter(unseen).collect())
    }

    /// Says once that rows do not fit; the others are taken.
    pub(super) fn unfit(&self, part: Part, flaw: Option<String>) {
        let Some(flaw) = flaw else { return };
        if self.unfit.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(part) {
            tracing::warn!(
                event = "rows_unfit",
                commerce = %self.name,
                watch = part.name(),
                flaw,
                "rows that do not fit are left out; the rolling sweep has to see what they would show"
            );
        }
    }
}

fn is_rebuilt(change: IndexChange) -> bool {
    change.gone > LOST_ANYWAY && change.gone > change.before / LOST_AT_ONCE
}
