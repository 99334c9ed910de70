//! Everything, exactly: the start of all watching, and what a person gets.

use std::sync::atomic::Ordering;

use jiff::Timestamp;
use tokio::sync::mpsc;

use super::{Outcome, Shape, Source, shortened, stored};
use crate::commerce::Sweep;
use crate::http::Fault;
use crate::model::Tier;
use crate::store::{Cause, Store, StoreError};

/// The last full read: whether it was whole and of which shape, and when.
const FULL: &str = "full";
const WHOLE: &str = "whole: ";
const PARTIAL: &str = "partial: ";
/// Full reads with holes that are tried again at the very next tick. A shop may have rows that never fit: then a full read
/// comes only as often as below.
const PATIENCE: u32 = 3;
/// In one turn of the rolling sweep.
const PARTIALS_PER_SWEEP: u32 = 12;

impl Source {
    /// Whether only a full read can serve.
    pub(super) async fn needs_everything(&self, store: &Store, shape: &Shape) -> Result<bool, StoreError> {
        let Some((read, at)) = store.mark(&self.name, FULL).await? else { return Ok(true) };
        let age = self.clock.now().duration_since(at);
        let older = |than: std::time::Duration| age >= than.try_into().unwrap_or_default();
        let shape_text = shape.text(&self.attributes);
        if read == format!("{WHOLE}{shape_text}") {
            return Ok((!shape.rolls() && older(self.full_sweep_every)) || self.window_stood_still(store).await?);
        }
        let partial = read == format!("{PARTIAL}{shape_text}");
        let again =
            self.partials.load(Ordering::Relaxed) < PATIENCE || older(self.full_sweep_every / PARTIALS_PER_SWEEP);
        Ok(!partial || again)
    }

    /// Whether the last full read named every product there is.
    pub(super) async fn knows_all(&self, store: &Store) -> Result<bool, StoreError> {
        Ok(store.mark(&self.name, FULL).await?.is_some_and(|(read, _)| read.starts_with(WHOLE)))
    }

    pub(super) async fn everything(
        &self,
        store: &Store,
        shape: &Shape,
        started_at: Timestamp,
    ) -> Result<Outcome, StoreError> {
        // Before anything is read: what moves from here on, the watches will see.
        self.begin_watching(store, shape).await?;
        let began = self.clock.now();
        let sweep = match self.sweep(store, shape, began).await? {
            Ok(sweep) => sweep,
            Err(fault) => return Ok(Outcome { problem: Some(fault.to_string()), ..Outcome::default() }),
        };
        self.suspect_unlisted(store, &sweep.unlisted).await?;
        if sweep.complete {
            store.forget_unnamed(&self.name, began, sweep.unlisted.clone()).await?;
            self.partials.store(0, Ordering::Relaxed);
        } else {
            self.partials.fetch_add(1, Ordering::Relaxed);
        }
        let whole = if sweep.complete { WHOLE } else { PARTIAL };
        store.set_mark(&self.name, FULL, format!("{whole}{}", shape.text(&self.attributes)), started_at).await?;
        self.restart_window(store, began).await?;
        // It may have taken an hour: what moved meanwhile is read before anything is decided.
        let moved = self.what_moved(store, shape, false).await?;
        let unlisted = sweep.unlisted.iter().map(|id| format!("the server fails over the product of id {id}"));
        let holes: Vec<String> = sweep.incomplete_because.into_iter().chain(unlisted).collect();
        let holes = (!holes.is_empty()).then(|| shortened(&holes));
        Ok(Outcome {
            complete: sweep.complete,
            watched: false,
            problem: holes.or(moved.problem),
            products: sweep.products,
        })
    }

    /// What was known of them is old; they are asked for by name until the server answers.
    pub(super) async fn suspect_unlisted(&self, store: &Store, ids: &[u64]) -> Result<(), StoreError> {
        for id in ids {
            let known = store.products_after(&self.name, id.saturating_sub(1), 1).await?;
            let skus = known.into_iter().filter(|product| product.product_id == *id).map(|product| product.sku);
            store.suspect(&self.name, skus.collect(), Cause::Whole, self.clock.now()).await?;
        }
        Ok(())
    }

    async fn sweep(
        &self,
        store: &Store,
        shape: &Shape,
        read_at: Timestamp,
    ) -> Result<Result<Sweep, Fault>, StoreError> {
        let (batches, mut received) = mpsc::channel(4);
        let wanted = self.wanted(shape);
        let reading = async move {
            let outcome = self.reader.sweep(&wanted, &batches).await;
            drop(batches);
            outcome
        };
        let keeping = async {
            while let Some(rows) = received.recv().await {
                let products = rows.into_iter().map(|row| stored(row, Tier::Full, read_at)).collect();
                store.save_products(&self.name, products).await?;
            }
            Ok::<(), StoreError>(())
        };
        let (outcome, kept) = tokio::join!(reading, keeping);
        kept?;
        Ok(outcome)
    }
}
