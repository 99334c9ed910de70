//! Reading Commerce for every account that shares it: one read at a time, and one for all that are due together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::{Mutex, mpsc};
use tokio::time::Instant;

use super::facts::{Doubt, ReadState};
use crate::clock::Clock;
use crate::commerce::{Access, Auth, Confirmed, Found, ProductRow, Reader, StockRow, Sweep, Wanted, Website};
use crate::config::{CommerceAuth, CommerceConfig, SkuMapping, StoreConfig};
use crate::http::{Fault, Http};
use crate::model::{CommerceName, Sku, WebsiteCode};
use crate::store::{PageScope, Store, StoreError, StoredProduct, StoredStock, SweepRecord};

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
    clock: Clock,
    /// The newest full read. Held while one is under way: whoever needs one meanwhile waits for it.
    newest: Mutex<Option<Newest>>,
}

#[derive(Debug)]
struct Newest {
    read: ReadState,
    rested: Instant,
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
                reader: Reader::new(access(config), Arc::clone(http), clock),
                websites: own().map(|store| store.website.clone()).collect(),
                attributes: attributes.into_iter().cloned().collect(),
                clock,
                newest: Mutex::new(None),
            };
            (config.name.clone(), source)
        });
        Self(sources.collect())
    }

    /// Reads the named products, or everything when none is named. A full read that began at or after `since` serves.
    pub(super) async fn read(
        &self,
        store: &Store,
        commerce: &CommerceName,
        named: Option<&[Sku]>,
        since: Timestamp,
    ) -> Result<ReadState, StoreError> {
        let Some(source) = self.0.get(commerce) else {
            let problem = Some(format!("{commerce} is not configured"));
            let websites = BTreeMap::new();
            return Ok(ReadState { fresh_since: since, complete: false, products: 0, problem, websites });
        };
        match named {
            Some(skus) => source.read_named(store, skus).await,
            None => source.read_all(store, since).await,
        }
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
    async fn read_all(&self, store: &Store, since: Timestamp) -> Result<ReadState, StoreError> {
        let mut newest = self.newest.lock().await;
        if let Some(Newest { read, rested }) = &*newest {
            // One from the future is older than it looks: the clock was put back.
            if read.fresh_since >= since && read.fresh_since <= self.clock.now() {
                return Ok(read.clone());
            }
            self.clock.sleep(rested.saturating_duration_since(self.clock.instant())).await;
        }
        let (started, started_at) = (self.clock.instant(), self.clock.now());
        let (read, sweep) = match self.known_websites(store).await? {
            Ok((websites, ids)) => {
                let wanted = Wanted { websites: &websites, attributes: &self.attributes };
                let outcome = self.sweep(store, &wanted, started_at).await?;
                (self.judge(outcome, ids, started_at), true)
            }
            Err(fault) => (self.failed(&fault, store.websites(&self.name).await?, started_at), false),
        };
        let record = SweepRecord {
            started_at,
            finished_at: self.clock.now(),
            complete: read.complete && sweep,
            products: read.products,
            problem: read.problem.clone(),
            last_complete_at: None,
            last_complete_products: None,
        };
        store.save_sweep(&self.name, record).await?;
        let finished = self.clock.instant();
        *newest = Some(Newest { read: read.clone(), rested: finished + (finished - started) / REST });
        drop(newest);
        Ok(read)
    }

    fn judge(
        &self,
        outcome: Result<Sweep, Fault>,
        websites: BTreeMap<WebsiteCode, u32>,
        started_at: Timestamp,
    ) -> ReadState {
        let sweep = match outcome {
            Ok(sweep) => sweep,
            Err(fault) => return self.failed(&fault, websites, started_at),
        };
        let duration_ms = i64::try_from(sweep.finished.duration_since(sweep.started).as_millis()).unwrap_or(i64::MAX);
        let problem = (!sweep.complete).then(|| shortened(&sweep.incomplete_because));
        match &problem {
            None => tracing::info!(
                event = "commerce_read",
                commerce = %self.name,
                products = sweep.products,
                requests = sweep.requests,
                duration_ms,
                "commerce read"
            ),
            Some(problem) => tracing::warn!(
                event = "commerce_read_incomplete",
                commerce = %self.name,
                products = sweep.products,
                requests = sweep.requests,
                duration_ms,
                problem,
                "commerce was read incompletely; what is missing keeps its quantity on Amazon"
            ),
        }
        ReadState { fresh_since: started_at, complete: sweep.complete, products: sweep.products, problem, websites }
    }

    fn failed(&self, fault: &Fault, websites: BTreeMap<WebsiteCode, u32>, started_at: Timestamp) -> ReadState {
        tracing::error!(
            event = "commerce_read_failed",
            commerce = %self.name,
            error = %fault,
            "commerce could not be read; every listing keeps its quantity on Amazon"
        );
        let problem = Some(fault.to_string());
        ReadState { fresh_since: started_at, complete: false, products: 0, problem, websites }
    }

    async fn sweep(
        &self,
        store: &Store,
        wanted: &Wanted<'_>,
        read_at: Timestamp,
    ) -> Result<Result<Sweep, Fault>, StoreError> {
        let (batches, mut received) = mpsc::channel(4);
        let reading = async move {
            let outcome = self.reader.sweep(wanted, &batches).await;
            drop(batches);
            outcome
        };
        let keeping = async {
            let mut from = 0;
            while let Some(rows) = received.recv().await {
                let to = rows.last().map_or(from, |row: &ProductRow| row.product_id);
                let products = rows.into_iter().map(|row| stored(row, read_at)).collect();
                store.save_products(&self.name, Some(PageScope { from, to: Some(to) }), products).await?;
                from = to;
            }
            Ok::<u64, StoreError>(from)
        };
        let (outcome, last) = tokio::join!(reading, keeping);
        let last = last?;
        if outcome.as_ref().is_ok_and(|sweep| sweep.complete) {
            store.save_products(&self.name, Some(PageScope { from: last, to: None }), Vec::new()).await?;
        }
        Ok(outcome)
    }

    async fn read_named(&self, store: &Store, skus: &[Sku]) -> Result<ReadState, StoreError> {
        let started_at = self.clock.now();
        let (websites, ids) = match self.known_websites(store).await? {
            Ok(known) => known,
            Err(fault) => return Ok(self.failed(&fault, store.websites(&self.name).await?, started_at)),
        };
        let wanted = Wanted { websites: &websites, attributes: &self.attributes };
        let found = match self.reader.read_skus(&wanted, skus).await {
            Ok(found) => found,
            Err(fault) => return Ok(self.failed(&fault, ids, started_at)),
        };
        let (mut products, mut problems) = (0, Vec::new());
        for (sku, found) in found {
            match found {
                Found::Product(row) => {
                    products += 1;
                    store.save_products(&self.name, None, vec![stored(*row, started_at)]).await?;
                }
                Found::Missing => store.forget_product(&self.name, &sku).await?,
                Found::Unknown(problem) => problems.push(problem),
            }
        }
        let problem = (!problems.is_empty()).then(|| shortened(&problems));
        Ok(ReadState { fresh_since: started_at, complete: problem.is_none(), products, problem, websites: ids })
    }

    /// The websites that the stores need, as Commerce knows them, and the ids of all.
    async fn known_websites(
        &self,
        store: &Store,
    ) -> Result<Result<(Vec<Website>, BTreeMap<WebsiteCode, u32>), Fault>, StoreError> {
        let all = match self.reader.websites().await {
            Ok(all) => all,
            Err(fault) => return Ok(Err(fault)),
        };
        let ids: BTreeMap<WebsiteCode, u32> = all.iter().map(|website| (website.code.clone(), website.id)).collect();
        store.save_websites(&self.name, ids.iter().map(|(code, id)| (*id, code.clone())).collect()).await?;
        let wanted = all.into_iter().filter(|website| self.websites.contains(&website.code)).collect();
        Ok(Ok((wanted, ids)))
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
        let known = match self.known_websites(store).await? {
            Ok((websites, _)) => websites.into_iter().find(|known| known.code == *website),
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

fn stored(row: ProductRow, read_at: Timestamp) -> StoredProduct {
    let stocks = row.stocks.into_iter().map(|(website, stock)| {
        let stock = match stock {
            StockRow::Level { salable, is_salable } => StoredStock::Level { salable, is_salable },
            StockRow::Absent => StoredStock::Absent,
            StockRow::Unknown(problem) => StoredStock::Unknown(problem),
        };
        (website, stock)
    });
    StoredProduct {
        product_id: row.product_id,
        sku: row.sku,
        type_id: row.type_id,
        enabled: row.enabled,
        website_ids: row.website_ids,
        config: row.config.map(|config| (config.managed, config.backorders, config.min_qty)),
        attributes: row.attributes,
        stocks: stocks.collect(),
        read_at,
    }
}

/// The first few reasons; a broken shop has thousands.
fn shortened(reasons: &[String]) -> String {
    let shown = reasons.iter().take(3).cloned().collect::<Vec<_>>().join("; ");
    if reasons.len() > 3 { format!("{shown}; and {} more", reasons.len() - 3) } else { shown }
}

fn access(config: &CommerceConfig) -> Access {
    let auth = match config.auth.clone() {
        CommerceAuth::OAuth1 { consumer_key, consumer_secret, access_token, access_token_secret } => {
            Auth::OAuth1 { consumer_key, consumer_secret, access_token, access_token_secret }
        }
        CommerceAuth::Bearer { token } => Auth::Bearer { token },
        CommerceAuth::Admin { username, password } => Auth::Admin { username, password },
        CommerceAuth::Ims { client_id, client_secret, org_id, token_url } => {
            Auth::Ims { client_id, client_secret, org_id, token_url }
        }
    };
    Access { base_url: config.base_url.clone(), auth, page_size: config.page_size, concurrency: config.concurrency }
}
