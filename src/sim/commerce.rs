//! The simulated Commerce server: the routes, their quirks, and what may happen in the shop meanwhile.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use jiff::Timestamp;

use crate::clock::Clock;
use crate::sim::Quantity;
use crate::sim::world::{CommerceWorld, PastTheEnd, Version};

mod actions;
mod auth;
mod change;
mod control;
mod criteria;
mod fault;
mod fields;
mod held;
mod ims;
mod index;
mod inventory;
mod issued;
mod oauth1;
mod orders;
mod params;
mod products;
#[cfg(test)]
mod replay_tests;
mod reply;
mod request;
mod respond;
mod seen;
mod select;
mod serve;
mod shop;
mod stats;
mod stock;
mod stock_items;
mod store;
mod tables;
#[cfg(test)]
mod tests;

pub use change::{ChangeError, MassAction, ProductEdit, Setting, SourceEdit};
pub use fault::{Fault, FaultKind};
pub use stats::{RouteStats, Stats};

use auth::Auth;
use fault::Faults;
use shop::Shop;

/// One simulated shop, shared by the server and whoever changes the world while it runs.
#[derive(Debug)]
pub struct Commerce {
    clock: Clock,
    settings: Settings,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Settings {
    seed: u64,
    version: Version,
    /// Where input limits are on.
    largest_page: Option<i64>,
    past_the_end: PastTheEnd,
    latency: f64,
    /// In the cloud: the first part of every REST path.
    tenant: Option<String>,
}

#[derive(Debug)]
struct Inner {
    shop: Shop,
    auth: Auth,
    faults: Faults,
    stats: Stats,
}

impl Commerce {
    pub fn new(world: &CommerceWorld, clock: Clock) -> Arc<Self> {
        let inner = Inner {
            shop: Shop::new(world, clock.now()),
            auth: Auth::new(world),
            faults: Faults::default(),
            stats: Stats::default(),
        };
        let settings = Settings {
            seed: world.seed,
            version: world.version,
            largest_page: world.input_limits.then_some(world.maximum_page_size),
            past_the_end: world.past_the_end,
            latency: world.latency,
            tenant: world.ims.as_ref().map(|ims| ims.tenant_id.clone()),
        };
        Arc::new(Self { clock, settings, inner: Mutex::new(inner) })
    }

    /// The REST routes, and `/_control/commerce/…` to change the world.
    pub fn router(self: &Arc<Self>) -> Router {
        serve::rest(self).merge(control::router(self))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn set_fault(&self, fault: Fault) {
        self.lock().faults.add(fault);
    }

    pub fn clear_faults(&self) {
        self.lock().faults.clear();
    }

    pub fn stats(&self) -> Stats {
        self.lock().stats.clone()
    }

    /// Counts from 0 again, so that what comes next can be measured alone.
    pub fn reset_stats(&self) {
        self.lock().stats.reset();
    }

    /// The stock that a website sells from.
    pub fn stock_of_website(&self, code: &str) -> Option<u32> {
        self.lock().shop.stock_of(code)
    }

    /// What the salable-quantity and is-salable routes would say of a product that has stock of its own.
    pub fn salable(&self, sku: &str, stock: u32) -> Option<(Quantity, bool)> {
        let inner = self.lock();
        let product = inner.shop.find(sku).filter(|product| !product.is_composite())?;
        let view = inner.shop.view(product, stock);
        drop(inner);
        Some((view.salable_quantity(), view.is_salable()))
    }
}

fn time_text(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn scaled(core_us: u64, latency: f64) -> Duration {
    Duration::from_micros(core_us).mul_f64(latency)
}
