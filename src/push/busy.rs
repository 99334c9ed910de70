//! The listings whose patch is under way: nothing else is sent to them meanwhile, by either lane.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::model::SellerSku;

#[derive(Debug, Default)]
pub(super) struct Busy(Mutex<Vec<SellerSku>>);

impl Busy {
    pub(super) fn add(&self, seller_sku: SellerSku) {
        self.lock().push(seller_sku);
    }

    pub(super) fn remove(&self, seller_sku: &SellerSku) {
        self.lock().retain(|busy| busy != seller_sku);
    }

    pub(super) fn names(&self) -> Vec<SellerSku> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<SellerSku>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
