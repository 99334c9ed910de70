//! Products whose answer left something open: they are asked about again at the next tick, for a while.

use super::{Shape, Source};
use crate::commerce::{Edition, Reader};
use crate::model::Sku;
use crate::store::{Cause, Store, StoreError, StoredProduct, StoredStock};

/// Answers in a row that left something open, an hour of ticks. A product that no answer ever fits costs a shop some
/// requests at each; then only the rolling sweep asks for it.
const PATIENCE: u32 = 12;

impl Source {
    /// Takes in what became of products that were asked about whole and are kept by now.
    pub(super) async fn ask_about_gaps(
        &self,
        store: &Store,
        shape: &Shape,
        products: impl IntoIterator<Item = Gap>,
    ) -> Result<(), StoreError> {
        // Without the export there are products whose quantity no route tells: asking again changes nothing.
        if shape.edition != Edition::Export {
            return Ok(());
        }
        let (mut whole, mut stock) = (Vec::new(), Vec::new());
        for gap in products {
            match gap.cause {
                None => drop(self.unread().remove(&gap.sku)),
                Some(cause) if self.is_worth_it(&gap.sku) => {
                    if cause == Cause::Whole { &mut whole } else { &mut stock }.push(gap.sku);
                }
                Some(_) => {}
            }
        }
        store.suspect(&self.name, whole, Cause::Whole, self.clock.now()).await?;
        store.suspect(&self.name, stock, Cause::Product, self.clock.now()).await
    }

    fn is_worth_it(&self, sku: &Sku) -> bool {
        let mut unread = self.unread();
        let times = unread.get(sku).map_or(1, |times| times.saturating_add(1));
        unread.insert(sku.clone(), times);
        drop(unread);
        times <= PATIENCE
    }

    fn unread(&self) -> std::sync::MutexGuard<'_, super::Unread> {
        self.unread.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// A product and how it has to be asked about again.
pub(super) struct Gap {
    sku: Sku,
    cause: Option<Cause>,
}

impl Gap {
    /// Settings that could not be asked for singly are another matter: they come with all of them.
    pub(super) fn of(product: &StoredProduct, composite: bool) -> Self {
        let cause = if product.config.is_none() && !composite {
            Reader::asks_singly(&product.sku).then_some(Cause::Whole)
        } else {
            product.stocks.values().any(is_unknown).then_some(Cause::Product)
        };
        Self { sku: product.sku.clone(), cause }
    }

    pub(super) fn of_stocks<'a>(sku: &Sku, stocks: impl IntoIterator<Item = &'a StoredStock>) -> Self {
        let cause = stocks.into_iter().any(is_unknown).then_some(Cause::Product);
        Self { sku: sku.clone(), cause }
    }
}

const fn is_unknown(stock: &StoredStock) -> bool {
    matches!(stock, StoredStock::Unknown(_))
}
