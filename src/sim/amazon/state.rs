//! Everything that the simulated Amazon knows, behind one lock.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::account::Account;
use super::bucket::Buckets;
use super::control::SettingsEdit;
use super::documents::Documents;
use super::events::{Event, Sale};
use super::fault::Faults;
use super::feed_queue::Feeds;
use super::lwa::Grant;
use super::operation::Operation;
use super::report_text::ReportShape;
use super::reports::Report;
use super::stats::{Stats, Violation, ViolationKind};
use super::submission::Pending;
use super::world::{AmazonWorld, Delay, Rate};

#[derive(Clone, Copy, Debug)]
pub(super) struct Now {
    pub(super) instant: Instant,
    pub(super) wall: Timestamp,
}

impl Now {
    fn back_to(self, due: Instant) -> Self {
        let wall = self.wall.saturating_sub(self.instant.saturating_duration_since(due)).unwrap_or(self.wall);
        Self { instant: due, wall }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) speed: f64,
    pub(super) rates: BTreeMap<Operation, Rate>,
    pub(super) application_rates: BTreeMap<Operation, Rate>,
    pub(super) apply_delay: Delay,
    pub(super) report_delay: Delay,
    pub(super) feed_delay: Delay,
    pub(super) feed_apply_delay: Option<Delay>,
    pub(super) token_lifetime: Duration,
    pub(super) lose_percent: f64,
    pub(super) report: ReportShape,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) now: Now,
    pub(super) settings: Settings,
    pub(super) accounts: Vec<Account>,
    pub(super) rng: StdRng,
    pub(super) tokens: HashMap<String, Grant>,
    pub(super) buckets: Buckets,
    pub(super) faults: Faults,
    pub(super) stats: Stats,
    pub(super) events: Vec<Event>,
    pub(super) feeds: Feeds,
    pub(super) reports: BTreeMap<String, Report>,
    pub(super) documents: Documents,
    pub(super) listeners: Vec<mpsc::UnboundedSender<Sale>>,
    /// By when they are due, and then as they were accepted.
    pub(super) pending: BTreeMap<(Instant, u64), Pending>,
    sequence: u64,
}

impl State {
    pub(super) fn new(world: AmazonWorld, seed: u64, now: Now) -> Self {
        Self {
            now,
            settings: Settings {
                speed: world.speed,
                rates: world.rates,
                application_rates: world.application_rates,
                apply_delay: world.apply_delay,
                report_delay: world.report_delay,
                feed_delay: world.feed_delay,
                feed_apply_delay: world.feed_apply_delay,
                token_lifetime: world.token_lifetime,
                lose_percent: world.lose_percent,
                report: world.report,
            },
            accounts: world.accounts.into_iter().map(|account| Account::new(account, now.wall)).collect(),
            rng: StdRng::seed_from_u64(seed),
            tokens: HashMap::new(),
            buckets: Buckets::new(now.instant),
            faults: Faults::new(world.faults),
            stats: Stats::default(),
            events: Vec::new(),
            feeds: Feeds::default(),
            reports: BTreeMap::new(),
            documents: Documents::default(),
            listeners: Vec::new(),
            pending: BTreeMap::new(),
            sequence: 0,
        }
    }

    /// Brings the world to this moment: whatever became due since the last look happens, each at its own time.
    pub(super) fn advance(&mut self, now: Now) {
        loop {
            let change = self.pending.first_key_value().map(|(key, _)| key.0);
            let feed = self.feeds.next_step().map(|(due, id)| (due, id.to_owned()));
            match (change, feed) {
                (change, Some((due, id))) if due <= now.instant && change.is_none_or(|change| due < change) => {
                    self.now = now.back_to(due);
                    self.step_feed(&id, due);
                }
                (Some(due), _) if due <= now.instant => {
                    self.now = now.back_to(due);
                    self.apply_next();
                }
                _ => break,
            }
        }
        self.now = now;
    }

    pub(super) fn clear_faults(&mut self) {
        self.faults.clear();
        self.feeds.release(self.now.instant);
    }

    pub(super) fn violated(&mut self, kind: ViolationKind, seller_id: &str, detail: &str) {
        let (seller_id, detail) = (seller_id.to_owned(), detail.to_owned());
        self.stats.violations.push(Violation { at: self.now.wall, kind, seller_id, detail });
    }

    /// Sells at most what is listed, and tells whoever listens.
    pub(super) fn sell(&mut self, account: usize, sku: &str, wanted: u64) -> Option<Sale> {
        let now = self.now.wall;
        let owner = self.accounts.get_mut(account)?;
        let quantity = owner.listings.get_mut(sku).filter(|one| one.is_for_sale()).map(|one| one.take(wanted, now))?;
        let seller_id = owner.seller_id.clone();
        let order = self.rng.random_range(1_000_000..10_000_000);
        let order_id = format!("302-{order}-{:07}", self.rng.random_range(0..10_000_000));
        let sale = Sale { at: now, order_id, seller_id, sku: sku.to_owned(), quantity };
        self.stats.units_sold += quantity;
        self.listeners.retain(|listener| listener.send(sale.clone()).is_ok());
        Some(sale)
    }

    pub(super) fn change_settings(&mut self, edit: SettingsEdit) {
        let settings = &mut self.settings;
        settings.speed = edit.speed.unwrap_or(settings.speed);
        settings.apply_delay = edit.apply_delay.unwrap_or(settings.apply_delay);
        settings.report_delay = edit.report_delay.unwrap_or(settings.report_delay);
        settings.feed_delay = edit.feed_delay.unwrap_or(settings.feed_delay);
        settings.feed_apply_delay = edit.feed_apply_delay.or(settings.feed_apply_delay);
        settings.token_lifetime = edit.token_lifetime.unwrap_or(settings.token_lifetime);
        settings.lose_percent = edit.lose_percent.unwrap_or(settings.lose_percent);
        if let Some(rates) = edit.rates {
            settings.rates = rates;
        }
        if let Some(rates) = edit.application_rates {
            settings.application_rates = rates;
        }
        if let Some(report) = edit.report {
            settings.report = report;
        }
        for account in &mut self.accounts {
            let foreign = &mut account.foreign;
            foreign.share = edit.foreign_share.map_or(foreign.share, |share| share.clamp(0.0, 1.0));
            foreign.on = edit.foreign_on.unwrap_or(foreign.on);
            foreign.off = edit.foreign_off.unwrap_or(foreign.off);
        }
    }

    pub(super) fn account(&self, seller_id: Option<&str>) -> Option<usize> {
        match seller_id {
            Some(id) => self.accounts.iter().position(|account| account.seller_id == id),
            None => (self.accounts.len() == 1).then_some(0),
        }
    }

    pub(super) fn find(&self, seller_id: Option<&str>) -> Option<&Account> {
        self.accounts.get(self.account(seller_id)?)
    }

    pub(super) fn draw(&mut self, delay: Delay) -> Duration {
        self.rng.random_range(delay.min..=delay.max)
    }

    pub(super) const fn next_number(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }

    pub(super) fn random_id(&mut self) -> String {
        uuid::Builder::from_random_bytes(self.rng.random()).into_uuid().to_string()
    }
}
