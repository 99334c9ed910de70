//! Reading Commerce for every account that shares it: one read at a time, and one for all that are due together.
//!
//! A person gets everything, read exactly. A tick looks where something may have moved, reads that exactly, and a part of
//! the rest in its turn.

mod access;
mod exact;
mod full;
mod mark;
mod settings;
mod shape;
mod sight;
mod system;
mod tick;
mod unread;
mod watch;
mod window;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Mutex;
use tokio::time::Instant;

use self::shape::{Shape, stored, stored_stock};
use self::tick::TickError;
use super::facts::{Doubt, ReadState};
use crate::clock::Clock;
use crate::commerce::{Confirmed, Found, Reader};
use crate::config::{CommerceConfig, SkuMapping, StoreConfig};
use crate::http::{Fault, Http, Hurry};
use crate::model::{CommerceName, Sku, Tier, WebsiteCode};
use crate::store::{Store, StoreError, StoredStock, SweepRecord};

pub use self::access::commerce_access;

/// How long an instance is left alone after a full read, as a share of the time that took. Less, and a shop that takes
/// longer than its schedule leaves is read without a pause; more, and its readings are older than they need be.
const REST: u32 = 4;

/// Every Commerce instance by its name.
#[derive(Debug)]
pub struct Sources(BTreeMap<CommerceName, Source>);

#[derive(Debug)]
struct Source {
    name: CommerceName,
    reader: Reader,
    /// The codes of the websites and attributes that the stores need.
    websites: BTreeSet<WebsiteCode>,
    attributes: Vec<String>,
    full_sweep_every: Duration,
    clock: Clock,
    sight: std::sync::Mutex<sight::Sight>,
    /// Of what rows did not fit, so that it is said once.
    unfit: std::sync::Mutex<BTreeSet<tick::Part>>,
    settings: Mutex<settings::Turn>,
    unread: std::sync::Mutex<Unread>,
    /// Dumps in a row that lacked many rows.
    shrunk: AtomicU32,
    /// Ticks in a row in which the same part of the rolling sweep failed.
    window_tries: AtomicU32,
    /// Full reads in a row that had holes.
    partials: AtomicU32,
    /// The last look at what kind of shop it is.
    shape: std::sync::Mutex<Option<(Instant, Shape)>>,
    /// The newest read. Held while one is under way: whoever needs one meanwhile waits for it.
    newest: Mutex<Option<Newest>>,
}

/// How often in a row an answer about a product left something open.
type Unread = BTreeMap<Sku, u32>;

#[derive(Debug)]
struct Newest {
    read: ReadState,
    full: bool,
    rested: Instant,
}

/// What asking for products one by one came to.
#[derive(Debug, Default)]
struct Singly {
    products: u64,
    missing: Vec<Sku>,
    unknown: Vec<(Sku, String)>,
}

/// What a read came to.
#[derive(Debug, Default)]
struct Outcome {
    /// Whether a product that is not known does not exist.
    complete: bool,
    /// Whether what moved is known: the others' older readings still hold.
    watched: bool,
    problem: Option<String>,
    products: u64,
}

impl Sources {
    pub fn new(commerces: &[CommerceConfig], stores: &[StoreConfig], http: &Arc<Http>, clock: Clock) -> Self {
        let sources = commerces.iter().map(|config| {
            let own = || stores.iter().filter(|store| store.commerce == config.name);
            let attributes: BTreeSet<&String> = own()
                .filter_map(|store| match &store.seller_sku {
                    SkuMapping::Attribute(code) => Some(code),
                    SkuMapping::Identity | SkuMapping::Table(_) => None,
                })
                .collect();
            let source = Source {
                name: config.name.clone(),
                reader: Reader::new(commerce_access(config), Arc::clone(http), clock),
                websites: own().map(|store| store.website.clone()).collect(),
                attributes: attributes.into_iter().cloned().collect(),
                full_sweep_every: config.full_sweep_every,
                clock,
                sight: std::sync::Mutex::default(),
                unfit: std::sync::Mutex::default(),
                settings: Mutex::default(),
                unread: std::sync::Mutex::default(),
                shrunk: AtomicU32::new(0),
                window_tries: AtomicU32::new(0),
                partials: AtomicU32::new(0),
                shape: std::sync::Mutex::default(),
                newest: Mutex::new(None),
            };
            (config.name.clone(), source)
        });
        Self(sources.collect())
    }

    /// Reads the named products; or everything; or, for a tick, what may have moved. A read that began at or after `since`
    /// serves.
    pub(super) async fn read(
        &self,
        store: &Store,
        commerce: &CommerceName,
        named: Option<&[Sku]>,
        everything: bool,
        since: Timestamp,
    ) -> Result<ReadState, StoreError> {
        let Some(source) = self.0.get(commerce) else {
            let problem = Some(format!("{commerce} is not configured"));
            let websites = BTreeMap::new();
            let started = since;
            return Ok(ReadState { started, fresh_since: since, complete: false, products: 0, problem, websites });
        };
        // Somebody waits for it.
        let _hurry = (everything || named.is_some()).then(|| source.reader.hurry());
        match named {
            Some(skus) => source.read_named(store, skus).await,
            None => source.read_all(store, everything, since).await,
        }
    }

    /// Until these are dropped, no read of the instances waits for `max_load`: somebody waits for it.
    pub(super) fn hurry<'a>(&'a self, commerces: impl Iterator<Item = &'a CommerceName>) -> Vec<Hurry<'a>> {
        commerces.filter_map(|commerce| Some(self.0.get(commerce)?.reader.hurry())).collect()
    }

    /// Whether an independent request confirms an absence. What it finds instead is kept.
    pub(super) async fn confirm(&self, store: &Store, doubt: &Doubt) -> Result<bool, StoreError> {
        let (Doubt::Product { commerce, .. } | Doubt::Stock { commerce, .. }) = doubt;
        let Some(source) = self.0.get(commerce) else { return Ok(false) };
        let outcome = match doubt {
            Doubt::Product { sku, .. } => source.confirm_product(store, sku).await?,
            Doubt::Stock { website, sku, product_id, .. } => {
                source.confirm_stock(store, website, sku, *product_id).await?
            }
        };
        Ok(outcome.unwrap_or_else(|fault| {
            tracing::warn!(event = "absence_unconfirmed", %commerce, error = %fault, "an absence was not confirmed");
            false
        }))
    }
}

impl Source {
    async fn read_all(&self, store: &Store, everything: bool, since: Timestamp) -> Result<ReadState, StoreError> {
        let mut newest = self.newest.lock().await;
        if let Some(Newest { read, full, rested }) = &*newest {
            // One from the future is older than it looks: the clock was put back.
            let serves = read.started >= since && read.started <= self.clock.now();
            if serves && (*full || !everything) {
                return Ok(read.clone());
            }
            if *full && !everything {
                self.clock.sleep(rested.saturating_duration_since(self.clock.instant())).await;
            }
        }
        let (started, started_at) = (self.clock.instant(), self.clock.now());
        let load = self.reader.load();
        let shape = self.shape(store).await?;
        let full = match &shape {
            Ok(shape) => everything || self.needs_everything(store, shape).await?,
            Err(_) => false,
        };
        let outcome = match &shape {
            Ok(shape) if full => self.everything(store, shape, started_at).await?,
            Ok(shape) => self.what_moved(store, shape, true).await?,
            Err(fault) => Outcome { problem: Some(fault.to_string()), ..Outcome::default() },
        };
        // Where a watch came to nothing, anything may have moved: only what was read just now counts.
        let read = ReadState {
            started: started_at,
            fresh_since: if outcome.watched { self.oldest(store).await?.min(started_at) } else { started_at },
            complete: outcome.complete,
            products: outcome.products,
            problem: outcome.problem,
            websites: match &shape {
                Ok(shape) => shape.ids.clone(),
                Err(_) => store.websites(&self.name).await?,
            },
        };
        let load = self.reader.load() - load;
        let record = SweepRecord {
            full,
            edition: shape.as_ref().map_or_else(|_| String::new(), |shape| self.reader.describe(shape.edition)),
            fresh_since: read.fresh_since,
            requests: load.requests,
            busy: load.busy,
            started_at,
            finished_at: self.clock.now(),
            complete: read.complete && read.problem.is_none(),
            products: read.products,
            problem: read.problem.clone(),
            last_complete_at: None,
            last_complete_products: None,
        };
        self.say(&record);
        store.save_sweep(&self.name, record).await?;
        let finished = self.clock.instant();
        let rested = if full { finished + (finished - started) / REST } else { finished };
        *newest = Some(Newest { read: read.clone(), full, rested });
        drop(newest);
        Ok(read)
    }

    fn say(&self, read: &SweepRecord) {
        let duration = read.finished_at.duration_since(read.started_at).as_millis();
        let duration_ms = i64::try_from(duration).unwrap_or(i64::MAX);
        let busy_ms = u64::try_from(read.busy.as_millis()).unwrap_or(u64::MAX);
        let tier = if read.full { "full" } else { "watch" };
        match &read.problem {
            None => tracing::info!(
                event = "commerce_read",
                commerce = %self.name,
                tier,
                edition = read.edition,
                products = read.products,
                requests = read.requests,
                busy_ms,
                duration_ms,
                "commerce read"
            ),
            Some(problem) if read.products == 0 || read.edition.is_empty() => tracing::error!(
                event = "commerce_read_failed",
                commerce = %self.name,
                tier,
                requests = read.requests,
                duration_ms,
                error = problem,
                "commerce could not be read; every listing keeps its quantity on Amazon"
            ),
            Some(problem) => tracing::warn!(
                event = "commerce_read_incomplete",
                commerce = %self.name,
                tier,
                edition = read.edition,
                products = read.products,
                requests = read.requests,
                busy_ms,
                duration_ms,
                problem,
                "commerce was read incompletely; what is missing keeps its quantity on Amazon"
            ),
        }
    }

    fn failed(&self, fault: &Fault, websites: BTreeMap<WebsiteCode, u32>, started: Timestamp) -> ReadState {
        tracing::error!(
            event = "commerce_read_failed",
            commerce = %self.name,
            tier = "named",
            error = %fault,
            "commerce could not be read; every listing keeps its quantity on Amazon"
        );
        let problem = Some(fault.to_string());
        ReadState { started, fresh_since: started, complete: false, products: 0, problem, websites }
    }

    async fn read_named(&self, store: &Store, skus: &[Sku]) -> Result<ReadState, StoreError> {
        let started = self.clock.now();
        let shape = match self.shape(store).await? {
            Ok(shape) => shape,
            Err(fault) => return Ok(self.failed(&fault, store.websites(&self.name).await?, started)),
        };
        let read = match self.read_singly(store, &shape, skus).await? {
            Ok(read) => read,
            Err(fault) => return Ok(self.failed(&fault, shape.ids, started)),
        };
        // Somebody waits for it: settings that could not be asked for singly are looked up in all of them.
        if self.wants_all_settings(store).await? {
            match self.watch_settings(store, &shape).await {
                Ok(()) => {}
                Err(TickError::Store(error)) => return Err(error),
                Err(TickError::Commerce(fault)) => return Ok(self.failed(&fault, shape.ids, started)),
            }
        }
        let problems: Vec<String> = read.unknown.into_iter().map(|(_, problem)| problem).collect();
        let problem = (!problems.is_empty()).then(|| shortened(&problems));
        let (complete, websites, products) = (problem.is_none(), shape.ids, read.products);
        Ok(ReadState { started, fresh_since: started, complete, products, problem, websites })
    }

    /// Asks for these products and for everything about them.
    async fn read_singly(
        &self,
        store: &Store,
        shape: &Shape,
        skus: &[Sku],
    ) -> Result<Result<Singly, Fault>, StoreError> {
        let read_at = self.clock.now();
        let found = match self.reader.read_skus(&self.wanted(shape), skus).await {
            Ok(found) => found,
            Err(fault) => return Ok(Err(fault)),
        };
        let (mut products, mut read) = (Vec::new(), Singly::default());
        for (sku, found) in found {
            match found {
                Found::Product(row) => products.push(stored(*row, Tier::Exact, read_at)),
                Found::Missing => {
                    store.forget_product(&self.name, &sku).await?;
                    read.missing.push(sku);
                }
                Found::Unknown(problem) => read.unknown.push((sku, problem)),
            }
        }
        read.products = products.len() as u64;
        self.keep(store, shape, products).await?;
        Ok(Ok(read))
    }

    async fn confirm_product(&self, store: &Store, sku: &Sku) -> Result<Result<bool, Fault>, StoreError> {
        let read = self.read_named(store, std::slice::from_ref(sku)).await?;
        Ok(Ok(read.complete && read.products == 0))
    }

    async fn confirm_stock(
        &self,
        store: &Store,
        website: &WebsiteCode,
        sku: &Sku,
        product_id: u64,
    ) -> Result<Result<bool, Fault>, StoreError> {
        let known = match self.recent_shape(store).await? {
            Ok(shape) => shape.websites.into_iter().find(|known| known.code == *website),
            Err(fault) => return Ok(Err(fault)),
        };
        let Some(known) = known else { return Ok(Ok(false)) };
        let confirmed = match self.reader.confirm_absent_stock(&known, sku, product_id).await {
            Ok(confirmed) => confirmed,
            Err(fault) => return Ok(Err(fault)),
        };
        let stock = match confirmed {
            Confirmed::NoSource => StoredStock::NoSource,
            Confirmed::HasSource { salable, is_salable } => StoredStock::Level { salable, is_salable },
            Confirmed::Unknown(problem) => StoredStock::Unknown(problem),
        };
        let no_source = stock == StoredStock::NoSource;
        store.save_stock(&self.name, sku, website, stock).await?;
        Ok(Ok(no_source))
    }
}

/// The first few reasons; a broken shop has thousands.
fn shortened(reasons: &[String]) -> String {
    let shown = reasons.iter().take(3).cloned().collect::<Vec<_>>().join("; ");
    if reasons.len() > 3 { format!("{shown}; and {} more", reasons.len() - 3) } else { shown }
}
