//! A tick: look where something may have moved, read that exactly, and a part of the rest in its turn.

use jiff::Timestamp;

use super::{Outcome, Shape, Source, shortened};
use crate::http::Fault;
use crate::store::{Store, StoreError};

/// What ends a tick's reading early.
#[derive(Debug, thiserror::Error)]
pub(super) enum TickError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0}")]
    Commerce(#[from] Fault),
}

impl Source {
    pub(super) async fn what_moved(&self, store: &Store, shape: &Shape, now: Timestamp) -> Result<Outcome, StoreError> {
        let mut problems = Vec::new();
        // One after the other: each goes on where it can when another cannot.
        keep(self.watch_index(store, shape, now).await, "stock index", &mut problems)?;
        keep(self.watch_orders(store, now).await, "orders", &mut problems)?;
        keep(self.watch_settings(store, shape, now).await, "stock settings", &mut problems)?;
        keep(self.watch_saves(store, shape, now).await, "saved products", &mut problems)?;
        let watched = problems.is_empty();
        // What cannot be read now stays suspect, or keeps its older reading: it concerns nobody else.
        keep(self.turn_window(store, shape, now).await, "rolling sweep", &mut problems)?;
        keep(self.read_suspects(store, shape).await, "products that may have moved", &mut problems)?;
        Ok(Outcome {
            complete: true,
            watched,
            problem: (!problems.is_empty()).then(|| shortened(&problems)),
            products: store.product_count(&self.name).await?,
        })
    }
}

/// Notes what Commerce failed to answer; a state that cannot be used ends everything.
fn keep(outcome: Result<(), TickError>, what: &str, problems: &mut Vec<String>) -> Result<(), StoreError> {
    match outcome {
        Ok(()) => Ok(()),
        Err(TickError::Store(error)) => Err(error),
        Err(TickError::Commerce(fault)) => {
            problems.push(format!("{what}: {fault}"));
            Ok(())
        }
    }
}
