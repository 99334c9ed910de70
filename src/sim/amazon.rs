//! Amazon, simulated: Login with Amazon, Listings Items, Feeds, Reports, Sellers, and the quirks that bite.
//!
//! It shares no type with the client: a shared wire type would hide a shared mistake.

mod account;
mod answer;
mod api;
mod bucket;
mod buyers;
mod control;
mod documents;
mod events;
mod fault;
mod feed_document;
mod feed_queue;
mod feed_report;
mod feeds;
mod foreign;
mod items;
mod listing;
mod lwa;
mod operation;
mod patch;
mod query;
mod report_text;
mod reports;
mod search;
mod sellers;
mod state;
mod stats;
mod submission;
mod world;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub use account::{Edit, EditError, ListingView};
pub use control::{SettingsEdit, TokenAction};
pub use events::{Event, Lane, Outcome, Sale};
pub use fault::{Fault, FaultKind};
pub use operation::Operation;
pub use report_text::{Charset, Header, ReportShape};
pub use stats::{Counts, Stats, Violation, ViolationKind};
pub use world::{
    AccountWorld, AmazonWorld, BuyerWorld, Country, Delay, GenerateWorld, ListingWorld, Pattern, Rate, Status,
};

use crate::clock::Clock;
use account::Account;
use state::{Now, State};

/// An Amazon of its own. Nothing runs in it: what is due is applied whenever somebody looks.
#[derive(Debug)]
pub struct Amazon {
    clock: Clock,
    seed: u64,
    buyers: Vec<BuyerWorld>,
    state: Mutex<State>,
}

impl Amazon {
    pub fn new(world: AmazonWorld, seed: u64, clock: Clock) -> Arc<Self> {
        let buyers = world.buyers.clone();
        let state = State::new(world, seed, now(clock));
        Arc::new(Self { clock, seed, buyers, state: Mutex::new(state) })
    }

    pub fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/auth/o2/token", post(lwa::token))
            .route("/_documents/{ticket}", get(documents::download).put(documents::upload))
            .layer(DefaultBodyLimit::disable())
            .nest("/_control/amazon", control::router())
            .fallback(api::call)
            .with_state(Arc::clone(self))
    }

    /// Lets the world's buyers buy until stopped.
    pub async fn run_buyers(self: Arc<Self>, stop: CancellationToken) {
        let (buyers, seed) = (self.buyers.clone(), self.seed);
        buyers::run(self, buyers, seed, stop).await;
    }

    /// Every sale from now on, in order.
    pub fn on_sale(&self) -> mpsc::UnboundedReceiver<Sale> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.lock().listeners.push(sender);
        receiver
    }

    pub fn listing(&self, seller_id: &str, sku: &str) -> Option<ListingView> {
        self.lock().find(Some(seller_id))?.view(sku)
    }

    pub fn set_listing(&self, seller_id: &str, sku: &str, edit: Edit) -> Result<(), EditError> {
        let mut state = self.lock();
        let at = state.account(Some(seller_id)).ok_or(EditError::NoAccount)?;
        let now = state.now.wall;
        state.accounts.get_mut(at).ok_or(EditError::NoAccount)?.edit(sku, edit, now)
    }

    /// Sells what is listed, at most so many.
    pub fn sell(&self, seller_id: &str, sku: &str, quantity: u64) -> Option<Sale> {
        let mut state = self.lock();
        let account = state.account(Some(seller_id))?;
        state.sell(account, sku, quantity)
    }

    pub fn fault(&self, fault: Fault) {
        self.lock().faults.add(fault);
    }

    pub fn clear_faults(&self) {
        self.lock().clear_faults();
    }

    pub fn token(&self, seller_id: &str, action: TokenAction) {
        let mut state = self.lock();
        let Some(at) = state.account(Some(seller_id)) else { return };
        if matches!(action, TokenAction::Revoke | TokenAction::ExpireAll) {
            state.expire_tokens(at);
        }
        if let Some(account) = state.accounts.get_mut(at) {
            match action {
                TokenAction::Revoke => account.revoked = true,
                TokenAction::ExpireSecret => account.secret_expired = true,
                TokenAction::Restore => (account.revoked, account.secret_expired) = (false, false),
                TokenAction::ExpireAll => {}
            }
        }
    }

    pub fn change_settings(&self, edit: SettingsEdit) {
        self.lock().change_settings(edit);
    }

    pub fn stats(&self) -> Stats {
        self.lock().stats.clone()
    }

    pub fn events(&self) -> Vec<Event> {
        self.lock().events.clone()
    }

    fn seller(&self, seller_id: Option<&str>) -> Result<String, EditError> {
        self.lock().find(seller_id).map(|account| account.seller_id.clone()).ok_or(EditError::NoAccount)
    }

    fn read_listings(&self, seller_id: &str) -> Vec<ListingView> {
        self.lock().find(Some(seller_id)).map(Account::views).unwrap_or_default()
    }

    /// The world as of now. A poisoned lock is a test that failed elsewhere; it must not hide that.
    fn lock(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.advance(now(self.clock));
        state
    }
}

fn now(clock: Clock) -> Now {
    Now { instant: clock.instant(), wall: clock.now() }
}
