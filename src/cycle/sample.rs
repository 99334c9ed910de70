//! How many accepted changes a cycle reads back, of those that are not urgent.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::model::{Known, SellerSku, StoreName};
use crate::push::Drifts;

/// Fifty calls, ten seconds of what Amazon grants: of fewer changes all are read back at once. Of more the rest has its
/// turn in later cycles, and in any case when its belief is older than `verify_every`.
const LEAST: usize = 1000;
/// Fifty seconds: so long a zero of the same cycle waits at most for what is read back before it.
const MOST: usize = 5000;

/// Grows while Amazon loses what it accepted, and shrinks back when it does not.
#[derive(Debug)]
pub struct Sample {
    size: AtomicUsize,
    drawn: AtomicUsize,
}

/// One that could be read back.
#[derive(Debug)]
pub(super) struct Unproven {
    pub seller_sku: SellerSku,
    /// The one that decides.
    pub store: StoreName,
    pub accepted: Option<Known>,
}

impl Default for Sample {
    fn default() -> Self {
        Self { size: AtomicUsize::new(LEAST), drawn: AtomicUsize::new(0) }
    }
}

impl Sample {
    /// Those that are read back, and the rest. Chosen as by lot, another one for every submission, and the same for the
    /// same input.
    pub(super) fn draw(&self, mut unproven: Vec<Unproven>) -> (Vec<Unproven>, Vec<Unproven>) {
        let size = self.size.load(Ordering::Relaxed);
        self.drawn.store(unproven.len().min(size), Ordering::Relaxed);
        if unproven.len() <= size {
            return (unproven, Vec::new());
        }
        unproven.select_nth_unstable_by_key(size, lot);
        let rest = unproven.split_off(size);
        (unproven, rest)
    }

    /// From what came of the last one. Where none was drawn there is nothing to learn.
    pub(super) fn learn(&self, drifts: Drifts) {
        let drawn = self.drawn.swap(0, Ordering::Relaxed);
        let size = self.size.load(Ordering::Relaxed);
        let next = match drawn {
            0 => return,
            _ if drifts.lost == 0 => size / 2,
            // Not beyond what there was to read back.
            _ => size.max(2 * drawn.min(size)),
        };
        self.size.store(next.clamp(LEAST, MOST), Ordering::Relaxed);
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
        let one = |number| Unproven {
            seller_sku: format!("P-{number}").as_str().into(),
            store: "acme-de".into(),
            accepted: None,
        };
        (0..count).map(one).collect()
    }

    #[test]
    fn it_grows_while_changes_are_lost_and_shrinks_back() {
        let sample = Sample::default();
        let drawn = |count| sample.draw(unproven(count)).0.len();
        let lost = Drifts { lost: 1, ..Drifts::default() };
        assert_eq!((drawn(1000), drawn(9000)), (1000, 1000));
        for expected in [2000, 4000, 5000, 5000] {
            sample.learn(lost);
            assert_eq!(drawn(9000), expected);
        }
        for expected in [2500, 1250, 1000, 1000] {
            sample.learn(Drifts { sale: 7, edit: 1, lost: 0 });
            assert_eq!(drawn(9000), expected);
        }
        // No more than there was, and nothing from a cycle that read nothing back.
        drawn(700);
        sample.learn(lost);
        assert_eq!(drawn(9000), 1400);
        sample.learn(lost);
        sample.learn(Drifts::default());
        sample.learn(Drifts::default());
        assert_eq!(drawn(9000), 2800);
    }

    #[test]
    fn the_lot_does_not_follow_the_names() {
        let (drawn, _) = Sample::default().draw(unproven(10_000));
        let first_half = drawn.iter().filter(|one| one.seller_sku.as_str() < "P-5").count();
        assert!((350..550).contains(&first_half), "{first_half}");
    }
}
