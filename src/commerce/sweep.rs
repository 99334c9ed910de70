//! Everything, exactly: settings, then products in the order of their ids, then their stock page by page.

use futures_util::stream::FuturesOrdered;
use futures_util::{StreamExt as _, future};
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::configs::Configs;
use super::per_sku::Single;
use super::products::{Asked, Page};
use super::stocks::{Export, Which, is_crash};
use super::{Edition, ProductRow, Reader, StockRow, Wanted, Website, wire};
use crate::http::Fault;

/// More reasons say no more.
const MOST_REASONS: usize = 20;

/// How a sweep went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sweep {
    /// How many products were handed over.
    pub products: u64,
    /// Whether a product that was not handed over does not exist. Even then it is to be confirmed singly.
    pub complete: bool,
    pub incomplete_because: Vec<String>,
    /// Products that the server fails over, by id: they are there, and not read.
    pub unlisted: Vec<u64>,
    pub requests: u64,
    pub started: Timestamp,
    pub finished: Timestamp,
}

/// A page of products with their stock.
#[derive(Debug)]
struct Batch {
    rows: Vec<ProductRow>,
    last: u64,
    flaws: Vec<String>,
    unlisted: Vec<u64>,
}

#[derive(Debug, Default)]
struct Tally {
    products: u64,
    last: u64,
    reasons: Vec<String>,
    unlisted: Vec<u64>,
}

impl Tally {
    /// Passes a batch on. False when nobody takes it.
    async fn hand_over(&mut self, batch: Batch, batches: &mpsc::Sender<Vec<ProductRow>>) -> bool {
        batch.flaws.into_iter().for_each(|flaw| self.flaw(flaw));
        self.unlisted.extend(batch.unlisted);
        self.products += batch.rows.len() as u64;
        self.last = batch.last;
        let taken = batch.rows.is_empty() || batches.send(batch.rows).await.is_ok();
        if !taken {
            self.flaw("nobody takes the products any more".to_owned());
        }
        taken
    }

    fn flaw(&mut self, reason: String) {
        if self.reasons.len() < MOST_REASONS && !self.reasons.contains(&reason) {
            self.reasons.push(reason);
        }
    }
}

impl Reader {
    /// Reads all products into `batches`, in the order of their ids. Memory holds the settings and as many pages as
    /// requests go out at once. Fails only when nothing was read at all; later faults make the sweep incomplete.
    pub async fn sweep(&self, wanted: &Wanted<'_>, batches: &mpsc::Sender<Vec<ProductRow>>) -> Result<Sweep, Fault> {
        let started = self.clock.now();
        let requests = self.client.requests();
        let configs = self.configs(wanted.edition).await?;
        let mut tally = Tally::default();
        configs.flaws.iter().for_each(|flaw| tally.flaw(flaw.clone()));
        self.read_products(wanted, &configs, batches, &mut tally).await;
        self.reconcile(&mut tally).await;
        Ok(Sweep {
            products: tally.products,
            complete: tally.reasons.is_empty(),
            incomplete_because: tally.reasons,
            unlisted: tally.unlisted,
            requests: self.client.requests() - requests,
            started,
            finished: self.clock.now(),
        })
    }

    async fn read_products(
        &self,
        wanted: &Wanted<'_>,
        configs: &Configs,
        batches: &mpsc::Sender<Vec<ProductRow>>,
        tally: &mut Tally,
    ) {
        // The next page is asked for while the stock of the pages before is on its way.
        let mut stocks = FuturesOrdered::new();
        let next = |after| async move {
            self.products_page(&Asked { after, since: None, attributes: wanted.attributes }).await
        };
        let mut page = std::pin::pin!(next(0));
        let mut more = true;
        while more || !stocks.is_empty() {
            tokio::select! {
                biased;
                Some(batch) = stocks.next() => {
                    if !tally.hand_over(batch, batches).await {
                        return;
                    }
                }
                answer = &mut page, if more && stocks.len() < self.concurrency => match answer {
                    Ok(read) => {
                        // Only a page without products is the last: counts lie, and short pages happen.
                        more = !read.products.is_empty();
                        page.set(next(read.last));
                        stocks.push_back(self.with_stock(read, wanted, configs));
                    }
                    Err(fault) => {
                        more = false;
                        tally.flaw(format!("a page of products: {fault}"));
                    }
                },
            }
        }
    }

    async fn with_stock(&self, page: Page, wanted: &Wanted<'_>, configs: &Configs) -> Batch {
        let exports =
            wanted.websites.iter().map(|website| self.levels_of_page(&page, website, wanted.edition, configs));
        let exports = future::join_all(exports).await;
        let mut flaws = page.flaws;
        flaws.extend(exports.iter().filter_map(|export| export.doubt.clone()));
        let rows = page.products.into_iter().map(|product| {
            let config = configs.by_product.get(&product.id).copied();
            let mut row = ProductRow::new(product, wanted.attributes, config);
            row.add_stocks(wanted.websites.iter().zip(&exports));
            row
        });
        Batch { rows: rows.collect(), last: page.last, flaws, unlisted: page.unlisted }
    }

    async fn levels_of_page(&self, page: &Page, website: &Website, edition: Edition, configs: &Configs) -> Export {
        let products = || page.products.iter();
        if edition != Edition::StockItems && website.stock_id.is_none() {
            let unknown = StockRow::Unknown(format!("no stock is linked to the website {}", website.code));
            return Export {
                rows: products().map(|product| (product.sku.clone(), unknown.clone())).collect(),
                doubt: None,
            };
        }
        match edition {
            Edition::Export => self.export_of(page, website).await,
            Edition::StockItems => {
                let stock =
                    |product: &wire::Product| Some((product.sku.clone(), configs.stocks.get(&product.id)?.clone()));
                Export { rows: products().filter_map(stock).collect(), doubt: None }
            }
            Edition::PerSku => {
                let members =
                    products().filter(|product| product.extension_attributes.website_ids.contains(&website.id));
                let asked = members.map(|product| Single {
                    product_id: product.id,
                    sku: &product.sku,
                    type_id: &product.type_id,
                    managed: configs.by_product.get(&product.id).is_none_or(|config| config.managed),
                });
                let asked: Vec<Single<'_>> = asked.collect();
                self.levels_singly(website, &asked).await.unwrap_or_else(|fault| Export::failed(&fault))
            }
        }
    }

    async fn export_of(&self, page: &Page, website: &Website) -> Export {
        let members =
            page.products.iter().filter(|product| product.extension_attributes.website_ids.contains(&website.id));
        let members = members.count();
        if members == 0 {
            return Export::default();
        }
        let ids: Vec<u64> = page.products.iter().map(|product| product.id).collect();
        let which = if page.unlisted.is_empty() {
            Which::Range { after: page.after, last: page.last }
        } else {
            // The export may well know those that the list leaves out.
            Which::Ids(&ids)
        };
        let members_only = members < page.products.len();
        let answer = match self.export(website, which, members_only, page.size).await {
            Err(fault) if is_crash(&fault) => {
                let names: Vec<(u64, &str)> = page.products.iter().map(|one| (one.id, one.sku.as_str())).collect();
                self.export_around_crashes(website, &names, |ids| Which::Ids(ids), members_only, page.size).await
            }
            answer => answer,
        };
        let skus = page.products.iter().map(|product| product.sku.as_str());
        answer.map_or_else(|fault| Export::failed(&fault), |export| export.doubt_strangers(skus))
    }

    /// Compares what was read with what the server counts, without the products that came while we read.
    async fn reconcile(&self, tally: &mut Tally) {
        if tally.products == 0 {
            return tally.flaw("no products at all".to_owned());
        }
        match self.count_up_to(tally.last).await {
            Ok(count) if count > tally.products + tally.unlisted.len() as u64 => tally
                .flaw(format!("{} products up to id {} where the server counts {count}", tally.products, tally.last)),
            Ok(_) => {}
            Err(fault) => tally.flaw(format!("products could not be counted: {fault}")),
        }
    }
}
