//! What an attempt waits for before it leaves.

use tokio::sync::{Semaphore, SemaphorePermit};

use super::{Answer, Bucket};

const RATE_HEADER: &str = "x-amzn-ratelimit-limit";

#[derive(Clone, Copy, Debug)]
pub enum Pace<'a> {
    None,
    /// So many a second.
    Bucket(&'a Bucket),
    /// The same, and the first attempt's permit is taken already: whoever chooses what to send under a permit chooses
    /// the best at that moment.
    Granted(&'a Bucket),
    /// So many at once.
    Slots(&'a Slots),
}

/// Held until the attempt has ended.
#[derive(Debug)]
pub struct Permit<'a>(#[expect(dead_code, reason = "dropping it frees the slot")] Option<SemaphorePermit<'a>>);

impl<'a> Pace<'a> {
    pub async fn acquire(&self, attempt: u32) -> Permit<'a> {
        match self {
            Self::None => Permit(None),
            Self::Granted(_) if attempt == 1 => Permit(None),
            Self::Bucket(bucket) | Self::Granted(bucket) => {
                bucket.acquire().await;
                Permit(None)
            }
            Self::Slots(slots) => Permit(slots.0.acquire().await.ok()),
        }
    }

    /// Follows the rate that an answer states, and slows down when it says that we are too fast.
    pub(super) fn learn(&self, answer: &Answer) {
        let (Self::Bucket(bucket) | Self::Granted(bucket)) = self else { return };
        if let Some(rate) = answer.header(RATE_HEADER).and_then(|text| text.trim().parse().ok()) {
            bucket.observe(rate);
        }
        if answer.status == 429 {
            bucket.penalise();
        }
    }
}

/// A limit on how many requests are under way at once, in the order they asked.
#[derive(Debug)]
pub struct Slots(Semaphore);

impl Slots {
    pub fn new(count: usize) -> Self {
        Self(Semaphore::new(count.clamp(1, Semaphore::MAX_PERMITS)))
    }
}
