//! The simulated Commerce server: the routes, their quirks, and what may happen in the shop meanwhile.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use jiff::Timestamp;

use crate::clock::Clock;
use crate::sim::Quantity;
use crate::sim::world::{CommerceWorld, Edition, PastTheEnd, ProductWorld, SystemWorld, Version};

mod auth;
mod change;
mod control;
mod criteria;
mod fault;
mod fields;
mod ims;
mod inventory;
mod issued;
mod oauth1;
mod params;
mod products;
#[cfg(test)]
mod replay_tests;
mod reply;
mod request;
mod respond;
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

pub use change::{ChangeError, ProductEdit, Setting};
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
    edition: Edition,
    input_limits: bool,
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
            edition: world.edition,
            input_limits: world.input_limits,
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

    pub fn create(&self, product: &ProductWorld) -> Result<(), ChangeError> {
        self.lock().shop.create(product, self.clock.now())
    }

    pub fn edit(&self, sku: &str, edit: &ProductEdit) -> Result<(), ChangeError> {
        self.lock().shop.edit(sku, edit, self.clock.now())
    }

    /// Sets what a source holds, in stock unless the source item says otherwise.
    pub fn set_quantity(&self, sku: &str, source: &str, quantity: Quantity) -> Result<(), ChangeError> {
        self.lock().shop.set_quantity(sku, source, quantity)
    }

    /// Places an order and gives its id.
    pub fn order(&self, sku: &str, stock: u32, quantity: u32) -> Result<u32, ChangeError> {
        self.lock().shop.order(sku, stock, quantity, self.clock.now())
    }

    pub fn ship(&self, sku: &str, stock: u32, quantity: u32) -> Result<(), ChangeError> {
        self.lock().shop.ship(sku, stock, quantity, self.clock.now())
    }

    pub fn cancel(&self, sku: &str, stock: u32, quantity: u32) -> Result<(), ChangeError> {
        self.lock().shop.cancel(sku, stock, quantity, self.clock.now())
    }

    pub fn delete(&self, sku: &str) -> Result<(), ChangeError> {
        self.lock().shop.delete(sku)
    }

    pub fn set_system(&self, system: SystemWorld) -> Result<(), ChangeError> {
        self.lock().shop.set_system(system)
    }

    /// A full reindex of the shop.
    pub fn reindex(&self) {
        self.lock().shop.reindex(self.clock.now());
    }

    pub fn set_fault(&self, fault: Fault) {
        self.lock().faults.add(fault);
    }

    pub fn clear_faults(&self) {
        self.lock().faults.clear();
    }

    /// Ends every token that was given for a sign-in at once.
    pub fn revoke_tokens(&self) {
        self.lock().auth.revoke_tokens();
    }

    pub fn stats(&self) -> Stats {
        self.lock().stats.clone()
    }

    pub fn reset_stats(&self) {
        self.lock().stats = Stats::default();
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
