//! Stock settings that are saved alone touch nothing else that could be watched: all of them are read, page by page, in
//! turns; and all at once when a system's value changed.

use std::collections::HashMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::system::System;
use super::tick::{Part, TickError};
use super::{Shape, Source, stored_stock};
use crate::commerce::{Edition, StockItem};
use crate::model::Sku;
use crate::store::{Cause, Settings, Store, StoreError};

/// All settings are seen this many times in a turn of the rolling sweep.
const PER_SWEEP: u32 = 6;
/// Products whose settings went unseen in a turn, asked about whole.
const UNSEEN_AT_ONCE: usize = 100;
/// Products looked at together.
const BATCH: u32 = 5000;
/// The system's values as last seen by all.
const SYSTEM: &str = "system";
/// All settings have to be read, whatever the turn: there are products that nobody could ask for singly.
const WANTED: &str = "all settings";

/// How far the turn has come. It begins anew with the process.
#[derive(Debug, Default)]
pub(super) struct Turn {
    began: Option<Timestamp>,
    /// Rows before this were read: pages may change their size.
    rows: u64,
    seen: Seen,
}

/// Product ids, in blocks of 64.
#[derive(Debug, Default)]
struct Seen(HashMap<u64, u64>);

impl Seen {
    fn insert(&mut self, id: u64) {
        *self.0.entry(id / 64).or_default() |= 1 << (id % 64);
    }

    fn contains(&self, id: u64) -> bool {
        self.0.get(&(id / 64)).is_some_and(|block| block & (1 << (id % 64)) != 0)
    }
}

struct Page {
    size: u64,
    total: u64,
    system: System,
}

impl Source {
    pub(super) async fn want_all_settings(&self, store: &Store) -> Result<(), StoreError> {
        store.set_mark(&self.name, WANTED, "yes".to_owned(), self.clock.now()).await
    }

    pub(super) async fn wants_all_settings(&self, store: &Store) -> Result<bool, StoreError> {
        Ok(store.mark(&self.name, WANTED).await?.is_some_and(|(wanted, _)| wanted == "yes"))
    }

    pub(super) async fn watch_settings(&self, store: &Store, shape: &Shape) -> Result<(), TickError> {
        let mut turn = self.settings.lock().await;
        let now = self.clock.now();
        let before = store.mark(&self.name, SYSTEM).await?.map(|(system, _)| system).unwrap_or_default();
        let system = System::parse(&before);
        let wanted = self.wants_all_settings(store).await?;
        let mut all = wanted || shape.edition == Edition::StockItems;
        if all {
            *turn = Turn::default();
        }
        let began = *turn.began.get_or_insert(now);
        let mut found = System::default();
        loop {
            let page = self.settings_page(store, shape, &mut turn).await?;
            // A system's value concerns everybody who uses it.
            if page.system.differs(&system) && !all {
                all = true;
                found = System::default();
                *turn = Turn { began: Some(now), ..Turn::default() };
                continue;
            }
            // The first page's: what changes while the others are read is seen at the next tick.
            found = found.or(page.system);
            if turn.rows >= page.total {
                self.end_turn(store, &turn).await?;
                *turn = Turn::default();
                break;
            }
            let due = share(page.total, now.duration_since(began), self.full_sweep_every / PER_SWEEP);
            if !all && turn.rows + page.size > due {
                break;
            }
        }
        drop(turn);
        // Only now: had a page failed, all would have to be read again.
        let found = found.or(system).text();
        if found != before {
            store.set_mark(&self.name, SYSTEM, found, now).await?;
        }
        if wanted {
            store.set_mark(&self.name, WANTED, "no".to_owned(), now).await?;
        }
        Ok(())
    }

    async fn settings_page(&self, store: &Store, shape: &Shape, turn: &mut Turn) -> Result<Page, TickError> {
        let size = u64::from(self.reader.settings_page_size());
        let read = self.reader.stock_items(shape.edition, turn.rows / size + 1).await?;
        self.unfit(Part::Settings, read.flaw);
        // The page that was asked for may have become smaller meanwhile: then it was an earlier one.
        let size = u64::from(read.size).min(size).max(1);
        turn.rows = (turn.rows / size + 1) * size;
        read.items.iter().for_each(|item| turn.seen.insert(item.product_id));
        let system = System::of(&read.items);
        let settings = read.items.into_iter().map(|item| settings(item, shape.edition)).collect();
        let websites = shape.websites.iter().map(|website| website.code.clone()).collect();
        store.check_settings(&self.name, websites, settings, self.clock.now()).await?;
        Ok(Page { size, total: read.total, system })
    }

    /// The pages have no order: a row may have been on none of them.
    async fn end_turn(&self, store: &Store, turn: &Turn) -> Result<(), StoreError> {
        let (mut after, mut unseen): (u64, Vec<Sku>) = (0, Vec::new());
        loop {
            let products = store.stocked_after(&self.name, after, BATCH).await?;
            let Some((last, _)) = products.last() else { break };
            after = *last;
            let missed = products.into_iter().filter(|(id, _)| !turn.seen.contains(*id));
            unseen.extend(missed.map(|(_, sku)| sku).take(UNSEEN_AT_ONCE - unseen.len()));
        }
        store.suspect(&self.name, unseen, Cause::Whole, self.clock.now()).await
    }
}

/// Up to which row to have come after a time, when all are due in `every`.
fn share(rows: u64, since: SignedDuration, every: Duration) -> u64 {
    let since = Duration::try_from(since).unwrap_or_default().as_millis();
    let due = u128::from(rows).saturating_mul(since) / every.as_millis().max(1);
    u64::try_from(due).unwrap_or(u64::MAX).min(rows)
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
