//! Which watches see. One that is refused, or fails time and again, must not stop all the others for ever: what only it
//! would show is found by the rolling sweep, which turns faster then.

use std::collections::BTreeMap;
use std::sync::{MutexGuard, PoisonError};

use super::Source;
use super::tick::{Part, TickError, Trouble};
use crate::http::Fault;
use crate::store::StoreError;

/// A watch that failed in so many ticks in a row is not waited for any longer.
const FAILURES: u32 = 3;

/// How often a watch failed in a row.
pub(super) type Sight = BTreeMap<Part, u32>;

impl Source {
    /// Takes in how a watch went. Until it is blind, a failing one means that anything may have moved.
    pub(super) fn watched(
        &self,
        part: Part,
        outcome: Result<(), TickError>,
        trouble: &mut Trouble,
    ) -> Result<(), StoreError> {
        match outcome {
            Ok(()) => {
                self.sight().remove(&part);
                Ok(())
            }
            Err(TickError::Commerce(fault)) => {
                let failures = self.failed_again(part, &fault);
                if failures < FAILURES {
                    return trouble.keep(Err(fault.into()), part.name());
                }
                if failures == FAILURES {
                    tracing::warn!(
                        event = "watch_blind",
                        commerce = %self.name,
                        watch = part.name(),
                        error = %fault,
                        "this cannot be watched; what only it shows is found by the rolling sweep, which turns faster for it"
                    );
                }
                Ok(())
            }
            Err(TickError::Store(error)) => Err(error),
        }
    }

    fn failed_again(&self, part: Part, fault: &Fault) -> u32 {
        let mut sight = self.sight();
        let before = sight.get(&part).copied().unwrap_or_default();
        // A dump is compared with the last one that came: nothing that it would have shown is lost.
        let failures = if is_refused(fault) || part == Part::Index { (before + 1).max(FAILURES) } else { before + 1 };
        sight.insert(part, failures);
        failures
    }

    pub(super) fn sees_all(&self) -> bool {
        self.sight().values().all(|failures| *failures < FAILURES)
    }

    fn sight(&self) -> MutexGuard<'_, Sight> {
        self.sight.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Not allowed, or not there: asking again changes nothing.
fn is_refused(fault: &Fault) -> bool {
    matches!(fault, Fault::Unauthorized { .. } | Fault::Rejected(_))
}
