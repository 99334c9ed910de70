//! Everything, exactly: the start of all watching, and what a person gets.

use jiff::Timestamp;
use tokio::sync::mpsc;

use super::{Outcome, Shape, Source, shortened, stored};
use crate::commerce::{ProductRow, Sweep};
use crate::http::Fault;
use crate::model::Tier;
use crate::store::{PageScope, Store, StoreError};

/// The last complete full read: the shape that it was of, and when.
const FULL: &str = "full";

impl Source {
    /// Whether only a full read can serve: there was none of this shape yet.
    pub(super) async fn needs_everything(&self, store: &Store, shape: &Shape) -> Result<bool, StoreError> {
        let Some((read, at)) = store.mark(&self.name, FULL).await? else { return Ok(true) };
        let old = self.clock.now().duration_since(at) >= self.full_sweep_every.try_into().unwrap_or_default();
        Ok(read != shape.text(&self.attributes) || (old && !shape.rolls()))
    }

    pub(super) async fn everything(
        &self,
        store: &Store,
        shape: &Shape,
        started_at: Timestamp,
    ) -> Result<Outcome, StoreError> {
        // Before anything is read: what moves from here on, the next watch will see.
        let begun = self.begin_watching(store, shape).await?;
        let sweep = match self.sweep(store, shape, self.clock.now()).await? {
            Ok(sweep) => sweep,
            Err(fault) => return Ok(Outcome { problem: Some(fault.to_string()), ..Outcome::default() }),
        };
        if sweep.complete && begun {
            store.set_mark(&self.name, FULL, shape.text(&self.attributes), started_at).await?;
            self.restart_window(store, started_at).await?;
        }
        Ok(Outcome {
            complete: sweep.complete,
            watched: false,
            problem: (!sweep.complete).then(|| shortened(&sweep.incomplete_because)),
            products: sweep.products,
        })
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
            let mut from = 0;
            while let Some(rows) = received.recv().await {
                let to = rows.last().map_or(from, |row: &ProductRow| row.product_id);
                let products = rows.into_iter().map(|row| stored(row, Tier::Full, read_at)).collect();
                store.save_products(&self.name, Some(PageScope { from, to: Some(to) }), products).await?;
                from = to;
            }
            Ok::<u64, StoreError>(from)
        };
        let (outcome, last) = tokio::join!(reading, keeping);
        let last = last?;
        if outcome.as_ref().is_ok_and(|sweep| sweep.complete) {
            store.save_products(&self.name, Some(PageScope { from: last, to: None }), Vec::new()).await?;
        }
        Ok(outcome)
    }
}
