//! A tick: look where something may have moved, read that exactly, and a part of the rest in its turn.

use super::{Outcome, Shape, Source, shortened};
use crate::http::Fault;
use crate::store::{Store, StoreError};

/// What ends a part of a tick early.
#[derive(Debug, thiserror::Error)]
pub(super) enum TickError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0}")]
    Commerce(#[from] Fault),
}

/// One route may be in trouble by itself, in two parts of a tick; with a third it is the shop.
const HUNG: u32 = 3;

/// What Commerce failed to answer in one tick.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    problems: Vec<String>,
    /// Parts for which the shop was not there.
    hung: u32,
    /// Asking for anything else would only wait as long again.
    down: bool,
}

impl Source {
    /// `turn`: also read the part of all the others that is due.
    pub(super) async fn what_moved(&self, store: &Store, shape: &Shape, turn: bool) -> Result<Outcome, StoreError> {
        let mut trouble = Trouble::default();
        for part in PARTS {
            if trouble.down {
                break;
            }
            let watched = match part {
                Part::Index => self.watch_index(store, shape).await,
                Part::Orders => self.watch_orders(store).await,
                Part::Settings => self.watch_settings(store, shape).await,
                Part::Saves => self.watch_saves(store, shape).await,
            };
            self.watched(part, watched, &mut trouble)?;
        }
        let watched = trouble.problems.is_empty();
        // What cannot be read now stays suspect, or keeps its older reading: it concerns nobody else.
        if !trouble.down {
            trouble.keep(self.read_suspects(store, shape).await, "products that may have moved")?;
        }
        if turn && !trouble.down {
            trouble.keep(self.turn_window(store, shape).await, "rolling sweep")?;
        }
        if !trouble.down {
            trouble.keep(self.read_whole(store, shape).await, "products that are not as they were known")?;
        }
        if !trouble.down && self.wants_all_settings(store).await? {
            trouble.keep(self.watch_settings(store, shape).await, Part::Settings.name())?;
        }
        Ok(Outcome {
            complete: self.knows_all(store).await?,
            watched,
            problem: (!trouble.problems.is_empty()).then(|| shortened(&trouble.problems)),
            // Where anything may have moved, nothing counts as read: it is tried again soon.
            products: if watched { store.product_count(&self.name).await? } else { 0 },
        })
    }
}

/// What is watched, in this order: what is saved is read at once, so what the others say of it is known by then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Index,
    Orders,
    Settings,
    Saves,
}

const PARTS: [Part; 4] = [Part::Index, Part::Orders, Part::Settings, Part::Saves];

impl Part {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Index => "stock index",
            Self::Orders => "orders",
            Self::Settings => "stock settings",
            Self::Saves => "saved products",
        }
    }
}

impl Trouble {
    /// Notes what Commerce failed to answer; a state that cannot be used ends everything.
    pub(super) fn keep(&mut self, outcome: Result<(), TickError>, what: &str) -> Result<(), StoreError> {
        match outcome {
            Ok(()) => Ok(()),
            Err(TickError::Store(error)) => Err(error),
            Err(TickError::Commerce(fault)) => {
                self.hung += u32::from(is_down(&fault));
                self.down = self.hung >= HUNG;
                self.problems.push(format!("{what}: {fault}"));
                Ok(())
            }
        }
    }
}

/// No answer at all, or a gateway's: the shop is not there, whatever it is asked for.
pub(super) fn is_down(fault: &Fault) -> bool {
    matches!(fault, Fault::Exhausted { .. }) && matches!(fault.status(), None | Some(502..=504))
}
