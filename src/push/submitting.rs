//! Which feed is on its way to Amazon just now: until the order has ended, nobody may wonder what became of it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

#[derive(Debug, Default)]
pub struct Submitting {
    id: Mutex<Option<String>>,
    /// An order has ended, however it did.
    pub(super) ended: Notify,
}

/// One order. It ends when this is dropped.
#[derive(Debug)]
#[must_use = "the order ends when this is dropped"]
pub(super) struct Order<'a>(&'a Submitting);

impl Submitting {
    pub(super) fn begin(&self, id: &str) -> Order<'_> {
        *self.lock() = Some(id.to_owned());
        Order(self)
    }

    pub(super) fn is(&self, id: &str) -> bool {
        self.lock().as_deref() == Some(id)
    }

    fn lock(&self) -> MutexGuard<'_, Option<String>> {
        self.id.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Order<'_> {
    fn drop(&mut self) {
        *self.0.lock() = None;
        self.0.ended.notify_one();
    }
}
