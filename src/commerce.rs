//! The source: what a Commerce instance says about its products.
//!
//! An answer that fails, is cut, or does not fit never becomes a number: it makes its products unknown and the sweep
//! incomplete. Being left out of an answer means something only when the answer is known to be whole.

mod auth;
#[cfg(test)]
mod captures_tests;
mod client;
mod configs;
mod culprits;
mod edition;
mod fault;
mod oauth1;
mod pages;
mod per_sku;
pub mod permissions;
mod products;
mod query;
#[cfg(test)]
mod recorded_tests;
mod row;
mod skus;
mod stocks;
mod sweep;
mod tokens;
mod watch;
mod wire;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex};

use crate::clock::Clock;
use crate::http::{Fault, Http, Hurry, Load};
use crate::model::WebsiteCode;
use client::Client;
use query::Query;

pub use auth::Auth;
pub use configs::StockItems;
pub use edition::Edition;
pub use row::{ProductRow, StockConfig, StockItem, StockRow};
pub use skus::{Confirmed, Found, Known, Levels};
pub use sweep::Sweep;
pub use watch::{Changes, IndexRow, OrderRow};

/// How an instance is reached.
#[derive(Clone, Debug)]
pub struct Access {
    /// Without a slash at the end.
    pub base_url: String,
    pub auth: Auth,
    /// Products a page. Above 300 gains nothing, and a server may allow less; it is lowered when the server says so.
    pub page_size: u32,
    /// Requests at once. More than the shop has cores only makes its customers wait.
    pub concurrency: usize,
    /// Time in requests, those at once added up, against time that passes.
    pub max_load_thousandths: u32,
}

/// What is to be read of each product.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    pub edition: Edition,
    /// The websites whose stock is asked for.
    pub websites: &'a [Website],
    /// The codes of the attributes that hold seller SKUs.
    pub attributes: &'a [String],
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Website {
    pub code: WebsiteCode,
    pub id: u32,
    /// None where no stock is linked to it, or the instance knows no stocks.
    pub stock_id: Option<u32>,
}

/// Reads one instance.
#[derive(Debug)]
pub struct Reader {
    client: Client,
    clock: Clock,
    concurrency: usize,
    /// Of products and of the export; lowered to what the server allows.
    page_size: AtomicU32,
    /// Of stock items.
    settings_page_size: AtomicU32,
    culprits: Mutex<culprits::Culprits>,
}

impl Reader {
    pub fn new(access: Access, http: Arc<Http>, clock: Clock) -> Self {
        let concurrency = access.concurrency.max(1);
        let page_size = AtomicU32::new(access.page_size.max(1));
        let client = Client::new(access, http, clock);
        let settings_page_size = AtomicU32::new(configs::PAGE_SIZE);
        let culprits = Mutex::default();
        Self { client, clock, concurrency, page_size, settings_page_size, culprits }
    }

    /// What the instance was asked to do so far.
    pub fn load(&self) -> Load {
        self.client.share().load()
    }

    /// Somebody waits: until this is dropped, no request to the instance waits for `max_load` or is charged to it, not
    /// even one of a read that began before.
    pub fn hurry(&self) -> Hurry<'_> {
        self.client.share().hurry()
    }

    /// Rows of a page of stock items, as it would be asked for now.
    pub fn settings_page_size(&self) -> u32 {
        self.settings_page_size.load(std::sync::atomic::Ordering::Relaxed).max(1)
    }

    /// The websites that sell, in the order of their codes.
    pub async fn websites(&self) -> Result<Vec<Website>, Fault> {
        let sites: Vec<wire::Website> = self.client.get("websites", &Query::new("V1/store/websites")).await?;
        let stocks = self.stocks_of_websites().await?;
        let mut websites: Vec<Website> = sites
            .into_iter()
            // 0 is the back office.
            .filter(|site| site.id != 0)
            .map(|site| Website {
                stock_id: stocks.get(&site.code.to_lowercase()).copied(),
                code: site.code.into(),
                id: site.id,
            })
            .collect();
        websites.sort_by(|a, b| a.code.cmp(&b.code));
        Ok(websites)
    }

    /// By the website's code in lower case, as Commerce compares them.
    async fn stocks_of_websites(&self) -> Result<BTreeMap<String, u32>, Fault> {
        let size = AtomicU32::new(client::SMALL_PAGE);
        let mut stocks = Vec::new();
        for page in 1.. {
            let query = |size| Query::new("V1/inventory/stocks").page(page, size);
            let list = match self.client.page::<wire::List>("stocks", &size, query).await {
                // Without the inventory modules there is nothing to ask.
                Err(fault) if edition::is_no_route(&fault) => return Ok(BTreeMap::new()),
                answer => answer?.1,
            };
            let (rows, flaw) = list.rows::<wire::Stock>();
            if let Some(flaw) = flaw {
                return Err(Fault::nonsense(format!("the list of stocks: {flaw}")));
            }
            let end = rows.is_empty();
            stocks.extend(rows);
            if end || stocks.len() as u64 >= list.total_count {
                break;
            }
        }
        let channels = stocks.into_iter().flat_map(|stock| {
            let channels = stock.extension_attributes.sales_channels.into_iter();
            channels.filter(|channel| channel.kind == "website").map(move |c| (c.code.to_lowercase(), stock.id))
        });
        Ok(channels.collect())
    }
}
