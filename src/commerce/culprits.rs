//! Products over which the list of products fails. Each is found once and left out for a while: it holds up no other.

use std::collections::BTreeMap;
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::products::{Asked, Page};
use super::stocks::is_crash;
use super::{Reader, wire};
use crate::http::Fault;

/// With more, it is the server.
const MOST: usize = 20;
/// How long one is left out of lists. Shorter, and it is looked for again and again, by some twenty requests; longer, and
/// it is overlooked when it is mended and saved.
const LEFT_OUT: Duration = Duration::from_hours(1);
/// How far ids may be apart, as a power of two.
const WIDEST_GAP: u32 = 32;

/// Their ids, and when each was found.
pub(super) type Culprits = BTreeMap<u64, Instant>;

impl Reader {
    /// A page of products, without those that the server fails over.
    pub(super) async fn products_page(&self, asked: &Asked<'_>) -> Result<Page, Fault> {
        let mut found = Vec::new();
        loop {
            let without = self.left_out();
            match self.page_without(asked, &without).await {
                Err(fault) if is_crash(&fault) && without.len() < MOST => {
                    let culprit = self.find_culprit(asked, &without).await?.ok_or(fault)?;
                    self.culprits().insert(culprit, self.clock.instant());
                    found.push(culprit);
                    tracing::warn!(
                        event = "product_unlisted",
                        product_id = culprit,
                        "the server fails over a product in its list of products; it is left out for an hour"
                    );
                }
                Err(fault) => return Err(fault),
                Ok(mut page) => {
                    // Whether one was saved lately is known only of those that were just in the way.
                    page.unlisted = if asked.since.is_some() { found } else { within(&without, &page) };
                    return Ok(page);
                }
            }
        }
    }

    /// The server has answered with this product: it may be listed again.
    pub(super) fn is_no_culprit(&self, product_id: u64) {
        self.culprits().remove(&product_id);
    }

    fn left_out(&self) -> Vec<u64> {
        let now = self.clock.instant();
        let mut culprits = self.culprits();
        culprits.retain(|_, found| now.saturating_duration_since(*found) < LEFT_OUT);
        culprits.keys().copied().collect()
    }

    fn culprits(&self) -> MutexGuard<'_, Culprits> {
        self.culprits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first product that crashes the list; none when it is not a product.
    async fn find_culprit(&self, asked: &Asked<'_>, without: &[u64]) -> Result<Option<u64>, Fault> {
        // No sound server fails over an empty list.
        if self.crashes(asked, without, asked.after, asked.after).await? {
            return Ok(None);
        }
        let (mut sound, mut crashing) = (0, self.page_size());
        let mut before = asked.after;
        while crashing - sound > 1 {
            let size = u32::midpoint(sound, crashing);
            match self.client.get::<wire::List>("products", &asked.query(without).first_page(size)).await {
                Ok(list) => {
                    before = Page::new(asked.after, size, &list).last;
                    sound = size;
                }
                Err(fault) if is_crash(&fault) => crashing = size,
                Err(fault) => return Err(fault),
            }
        }
        let Some(reach) = self.reach(asked, without, before).await? else { return Ok(None) };
        let (mut sound, mut crashing) = (before + reach / 2, before + reach);
        while crashing - sound > 1 {
            let middle = u64::midpoint(sound, crashing);
            if self.crashes(asked, without, before, middle).await? {
                crashing = middle;
            } else {
                sound = middle;
            }
        }
        Ok(Some(crashing))
    }

    /// How many ids after this one make the list crash: within a factor of two, one alone exactly.
    async fn reach(&self, asked: &Asked<'_>, without: &[u64], before: u64) -> Result<Option<u64>, Fault> {
        for power in 0..=WIDEST_GAP {
            let reach = 1 << power;
            if self.crashes(asked, without, before, before + reach).await? {
                return Ok(Some(reach));
            }
        }
        Ok(None)
    }

    /// Whether the server fails over the first of the products with `after < id <= last`.
    async fn crashes(&self, asked: &Asked<'_>, without: &[u64], after: u64, last: u64) -> Result<bool, Fault> {
        let query = Asked { after, ..*asked }.query(without).filter("entity_id", "lteq", last).first_page(1);
        match self.client.get::<wire::List>("products", &query).await {
            Ok(_) => Ok(false),
            Err(fault) if is_crash(&fault) => Ok(true),
            Err(fault) => Err(fault),
        }
    }
}

/// Those that would be on this page; on the last one, which is empty, all that come after it.
fn within(left_out: &[u64], page: &Page) -> Vec<u64> {
    let on_it = |id: &u64| *id > page.after && (page.products.is_empty() || *id <= page.last);
    left_out.iter().copied().filter(on_it).collect()
}
