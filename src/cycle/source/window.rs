//! The rolling sweep: every product once in a while, a few at every tick, for what no watch can see.

use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::tick::{TickError, is_down};
use super::{Shape, Source};
use crate::model::Tier;
use crate::store::{Store, StoreError};

/// Catalogues that are read whole at every tick: it is one request.
const SMALL: u64 = 300;
/// Products of one tick at most: 22 s of a shop's core. A sweep that is behind must not keep a tick from ending.
const AT_ONCE: u64 = 5000;
/// Ticks in which a part that failed is tried again before the sweep goes past it. One that always fails must not stop it
/// for ever, and one that failed once must not wait for a whole turn.
const TRIES: u32 = 3;
/// How far the rolling sweep has come: the last product id, and when.
const WINDOW: &str = "window";
/// When the turn before this one began, and this one.
const TURN: &str = "turn";
/// The sweep's turn where a watch is blind: what that watch would see is found in this time.
const BLIND_SWEEP_EVERY: Duration = Duration::from_hours(1);

impl Source {
    pub(super) async fn restart_window(&self, store: &Store, began: Timestamp) -> Result<(), StoreError> {
        store.set_mark(&self.name, TURN, began.to_string(), began).await?;
        store.set_mark(&self.name, WINDOW, "0".to_owned(), self.clock.now()).await
    }

    /// Whether nothing was swept for a whole turn: the service was down. Then everything is read at once again.
    pub(super) async fn window_stood_still(&self, store: &Store) -> Result<bool, StoreError> {
        let Some((_, at)) = store.mark(&self.name, WINDOW).await? else { return Ok(true) };
        let since = Duration::try_from(self.clock.now().duration_since(at)).unwrap_or_default();
        Ok(since >= self.full_sweep_every)
    }

    /// Readings from before were missed by a whole turn: too old to decide by. A clock that was put back makes none old.
    pub(super) async fn oldest(&self, store: &Store) -> Result<Timestamp, StoreError> {
        let now = self.clock.now();
        let before: Option<Timestamp> = store.mark(&self.name, TURN).await?.and_then(|(before, _)| before.parse().ok());
        Ok(before.map_or(now, |before| if before > now { Timestamp::MIN } else { before }))
    }

    /// Reads as many products as the time since the last tick asks for, after those of the last tick.
    pub(super) async fn turn_window(&self, store: &Store, shape: &Shape) -> Result<(), TickError> {
        if !shape.rolls() {
            return Ok(());
        }
        let now = self.clock.now();
        let (mut after, turned_at) = match store.mark(&self.name, WINDOW).await? {
            Some((after, at)) => (after.parse().unwrap_or(0), at),
            None => (0, now),
        };
        let total = store.product_count(&self.name).await?;
        let mut due = share(total, now.duration_since(turned_at), self.sweep_every());
        let (mut fault, mut wrapped, mut turned_until) = (None, false, now);
        while due > 0 {
            let most = due.min(u64::from(self.reader.levels_at_once()));
            let products = store.products_after(&self.name, after, u32::try_from(most).unwrap_or(u32::MAX)).await?;
            let Some(last) = products.last() else {
                if std::mem::replace(&mut wrapped, true) {
                    break;
                }
                self.begin_turn(store, now).await?;
                after = 0;
                continue;
            };
            match self.read_or_halve(store, shape, &products, Tier::Sweep).await {
                Err(TickError::Commerce(error)) => {
                    let down = is_down(&error);
                    fault.get_or_insert(error);
                    if down {
                        break;
                    }
                    if self.window_tries.fetch_add(1, Ordering::Relaxed) < TRIES {
                        turned_until = turned_at;
                        break;
                    }
                }
                outcome => outcome?,
            }
            self.window_tries.store(0, Ordering::Relaxed);
            after = last.product_id;
            due = due.saturating_sub(products.len() as u64);
        }
        store.set_mark(&self.name, WINDOW, after.to_string(), turned_until).await?;
        fault.map_or(Ok(()), |fault| Err(fault.into()))
    }

    async fn begin_turn(&self, store: &Store, now: Timestamp) -> Result<(), StoreError> {
        let before = store.mark(&self.name, TURN).await?.map_or(now, |(_, at)| at);
        store.set_mark(&self.name, TURN, before.to_string(), now).await
    }

    fn sweep_every(&self) -> Duration {
        if self.sees_all() { self.full_sweep_every } else { self.full_sweep_every.min(BLIND_SWEEP_EVERY) }
    }
}

/// How many products are due after a time, so that all have their turn in `every`.
fn share(total: u64, since: SignedDuration, every: Duration) -> u64 {
    if total <= SMALL {
        return total;
    }
    let since = Duration::try_from(since).unwrap_or_default().as_millis();
    let due = u128::from(total).saturating_mul(since).div_ceil(every.as_millis().max(1));
    u64::try_from(due).unwrap_or(u64::MAX).min(total).min(AT_ONCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_product_has_its_turn_in_one_interval() {
        let hours = SignedDuration::from_hours;
        let six = Duration::from_hours(6);
        for (total, since, expected) in [
            (100_000, SignedDuration::from_mins(5), 1389),
            (100_000, hours(6), 5000),
            (20_000, SignedDuration::from_mins(5), 278),
            (20_000, SignedDuration::ZERO, 0),
            (20_000, hours(-3), 0),
            (1000, hours(60), 1000),
            (300, SignedDuration::ZERO, 300),
            (7, hours(1), 7),
            (0, hours(1), 0),
        ] {
            assert_eq!(share(total, since, six), expected, "{total} after {since:?}");
        }
    }
}
