//! Seeded buyers who take stock.

use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Amazon;
use super::state::State;
use super::world::BuyerWorld;

/// How often a buyer who wants anything looks before he leaves with nothing.
const LOOKS: usize = 20;

pub(super) async fn run(amazon: Arc<Amazon>, buyers: Vec<BuyerWorld>, seed: u64, stop: CancellationToken) {
    // A stream of its own: what buyers draw must not change what the API draws.
    let mut rng = StdRng::seed_from_u64(seed ^ 0xb0e7);
    let start = amazon.clock.instant();
    let mut visits: Vec<(Instant, BuyerWorld)> =
        buyers.into_iter().map(|buyer| (start + pause(buyer.every, &mut rng), buyer)).collect();
    loop {
        let Some((when, buyer)) = visits.iter_mut().min_by_key(|(when, _)| *when) else {
            return stop.cancelled().await;
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep_until(*when) => {}
        }
        *when += pause(buyer.every, &mut rng);
        buy(&mut amazon.lock(), buyer, &mut rng);
    }
}

/// Between half and one and a half times as long as said.
fn pause(every: Duration, rng: &mut StdRng) -> Duration {
    every.mul_f64(rng.random_range(0.5..1.5)).max(Duration::from_millis(1))
}

fn buy(state: &mut State, buyer: &BuyerWorld, rng: &mut StdRng) {
    let account = match &buyer.seller_id {
        Some(id) => state.account(Some(id)),
        None if state.accounts.is_empty() => None,
        None => Some(rng.random_range(0..state.accounts.len())),
    };
    let Some(account) = account else { return };
    let wanted = match &buyer.sku {
        Some(sku) => Some(sku.clone()),
        None => pick(state, account, rng),
    };
    if let Some(sku) = wanted {
        state.sell(account, &sku, buyer.quantity);
    }
}

fn pick(state: &State, account: usize, rng: &mut StdRng) -> Option<String> {
    let owner = state.accounts.get(account).filter(|owner| !owner.skus.is_empty())?;
    let mut look = || owner.skus.get(rng.random_range(0..owner.skus.len()));
    let for_sale = |sku: &&String| owner.listings.get(*sku).is_some_and(super::listing::Listing::is_for_sale);
    (0..LOOKS).filter_map(|_| look()).find(for_sale).cloned()
}
