//! What an attempt waits for before it leaves.

use tokio::time::Instant;

use super::share::Running;
use super::{Answer, Bucket, Share};

const RATE_HEADER: &str = "x-amzn-ratelimit-limit";

#[derive(Clone, Copy, Debug)]
pub enum Pace<'a> {
    None,
    /// So many a second.
    Bucket(&'a Bucket),
    /// The same, and the first attempt's permit is taken already: whoever chooses what to send under a permit chooses
    /// the best at that moment.
    Granted(&'a Bucket),
    /// So many at once, and so much time in all.
    Share(&'a Share),
}

/// Held until the attempt has ended.
#[derive(Debug)]
pub struct Permit<'a>(Option<Running<'a>>);

impl Permit<'_> {
    /// Time counts from here, to when the permit is dropped.
    pub(super) fn leave(&mut self, now: Instant) {
        if let Some(running) = &mut self.0 {
            running.leave(now);
        }
    }
}

impl<'a> Pace<'a> {
    pub async fn acquire(&self, attempt: u32) -> Permit<'a> {
        match self {
            Self::None => Permit(None),
            Self::Granted(_) if attempt == 1 => Permit(None),
            Self::Bucket(bucket) | Self::Granted(bucket) => {
                bucket.acquire().await;
                Permit(None)
            }
            Self::Share(share) => Permit(Some(share.acquire().await)),
        }
    }

    /// Follows the rate that an answer states, and slows down when it says that we are too fast.
    pub(super) fn learn(&self, answer: &Answer, sent_at: Instant) {
        let (Self::Bucket(bucket) | Self::Granted(bucket)) = self else { return };
        if let Some(rate) = answer.header(RATE_HEADER).and_then(|text| text.trim().parse().ok()) {
            bucket.observe(rate);
        }
        if answer.status == 429 {
            bucket.refused(answer, sent_at);
        }
    }
}
