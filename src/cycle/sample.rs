//! How many accepted changes a cycle reads back, of those that are not urgent.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::model::{Known, SellerSku};
use crate::push::Drifts;

/// Fifty calls, ten seconds of what Amazon grants: of fewer changes all are read back at once. Of more the rest has its
/// turn in later cycles, and in any case when its belief is older than `verify_every`.
const LEAST: usize = 1000;

/// Grows while Amazon loses what it accepted, and shrinks back when it does not.
#[derive(Debug)]
pub struct Sample(AtomicUsize);

/// One that could be read back.
#[derive(Debug)]
pub(super) struct Unproven {
    pub seller_sku: SellerSku,
    pub accepted: Option<Known>,
}

impl Default for Sample {
    fn default() -> Self {
        Self(AtomicUsize::new(LEAST))
    }
}

impl Sample {
    /// Chosen as by lot, another one for every submission, and the same for the same input.
    pub(super) fn draw(&self, mut unproven: Vec<Unproven>) -> Vec<SellerSku> {
        let size = self.0.load(Ordering::Relaxed);
        if unproven.len() > size {
            unproven.select_nth_unstable_by_key(size, lot);
            unproven.truncate(size);
        }
        unproven.into_iter().map(|one| one.seller_sku).collect()
    }

    pub(super) fn learn(&self, drifts: Drifts) {
        let size = self.0.load(Ordering::Relaxed);
        let next = if drifts.lost > 0 { size.saturating_mul(2) } else { size / 2 };
        self.0.store(next.max(LEAST), Ordering::Relaxed);
    }
}

fn lot(one: &Unproven) -> u64 {
    let mut hasher = DefaultHasher::new();
    one.seller_sku.as_str().hash(&mut hasher);
    one.accepted.map(|accepted| accepted.at.as_millisecond()).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unproven(count: usize) -> Vec<Unproven> {
        (0..count)
            .map(|number| Unproven { seller_sku: format!("P-{number}").as_str().into(), accepted: None })
            .collect()
    }

    #[test]
    fn it_grows_while_changes_are_lost_and_shrinks_back() {
        let sample = Sample::default();
        let drawn = |count| sample.draw(unproven(count)).len();
        assert_eq!((drawn(1000), drawn(9000)), (1000, 1000));
        for expected in [2000, 4000, 8000, 9000, 9000] {
            sample.learn(Drifts { lost: 1, ..Drifts::default() });
            assert_eq!(drawn(9000), expected);
        }
        for expected in [9000, 8000, 4000, 2000, 1000, 1000] {
            sample.learn(Drifts { sale: 7, edit: 1, lost: 0 });
            assert_eq!(drawn(9000), expected);
        }
    }

    #[test]
    fn the_lot_does_not_follow_the_names() {
        let drawn = Sample::default().draw(unproven(10_000));
        let first_half = drawn.iter().filter(|name| name.as_str() < "P-5").count();
        assert!((350..550).contains(&first_half), "{first_half}");
    }
}
