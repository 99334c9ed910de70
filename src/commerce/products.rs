//! Pages of products, in the order of their ids. Each starts after the last id of the one before, so a short page or a
//! repeated row loses nothing.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use super::query::Query;
use super::stocks::joined;
use super::{ProductRow, Reader, Wanted, Website, wire};
use crate::http::Fault;

/// What is needed of a product; the server's work is the same for all of it.
const FIELDS: &str = "id,sku,type_id,status,updated_at,extension_attributes[website_ids]";

/// The products after an id, in the order of their ids.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) after: u64,
    /// The last id of the page; `after` when the page has none.
    pub(super) last: u64,
    /// The page size that the server took.
    pub(super) size: u32,
    pub(super) products: Vec<wire::Product>,
    /// As the server counts, from `after` on.
    pub(super) total: u64,
    /// Why products of this page may be missing.
    pub(super) flaws: Vec<String>,
    /// Products that the server fails over: they are not in it.
    pub(super) unlisted: Vec<u64>,
}

/// Which products a page is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) after: u64,
    /// Only products saved then or later.
    pub(super) since: Option<&'a str>,
    pub(super) attributes: &'a [String],
}

impl Asked<'_> {
    /// Without some, by their ids; what is left is a page.
    pub(super) fn query(&self, without: &[u64]) -> Query {
        let query = Query::new("V1/products").filter("entity_id", "gt", self.after);
        let query = match self.since {
            Some(since) => query.filter("updated_at", "gteq", since),
            None => query,
        };
        let query = if without.is_empty() { query } else { query.filter("entity_id", "nin", joined(without)) };
        with_fields(query.in_order_of_ids(), self.attributes)
    }
}

impl Page {
    pub(super) fn new(after: u64, size: u32, answer: &wire::List) -> Self {
        let (mut products, flaw) = answer.rows::<wire::Product>();
        products.retain(|product| product.id > after);
        products.sort_by_key(|product| product.id);
        products.dedup_by_key(|product| product.id);
        let stuck = products.is_empty() && answer.total_count > 0;
        let stuck = stuck.then(|| format!("none of {} is new", answer.total_count));
        let flaws = flaw.into_iter().chain(stuck).map(|flaw| format!("products after id {after}: {flaw}")).collect();
        let last = products.last().map_or(after, |product| product.id);
        Self { after, last, size, products, total: answer.total_count, flaws, unlisted: Vec::new() }
    }
}

impl Reader {
    pub(super) async fn page_without(&self, asked: &Asked<'_>, without: &[u64]) -> Result<Page, Fault> {
        let query = |size| asked.query(without).first_page(size);
        let (size, answer) = self.client.page::<wire::List>("products", &self.page_size, query).await?;
        Ok(Page::new(asked.after, size, &answer))
    }

    pub(super) fn page_size(&self) -> u32 {
        self.page_size.load(Ordering::Relaxed).max(1)
    }

    /// The products of these ids that there are, without their stock. No more ids than [`Self::levels_at_once`].
    pub async fn products_of(&self, wanted: &Wanted<'_>, ids: &[u64]) -> Result<BTreeMap<u64, ProductRow>, Fault> {
        let size = self.page_size.load(Ordering::Relaxed).max(u32::try_from(ids.len()).unwrap_or(u32::MAX));
        let query = Query::new("V1/products").filter("entity_id", "in", joined(ids)).first_page(size);
        let list: wire::List = self.client.get("products", &with_fields(query, wanted.attributes)).await?;
        let (products, flaw) = list.rows::<wire::Product>();
        let cut = (products.len() as u64) < list.total_count;
        if let Some(flaw) = flaw.or_else(|| cut.then(|| format!("{} of {}", products.len(), list.total_count))) {
            return Err(Fault::nonsense(format!("products: {flaw}")));
        }
        let rows = products.into_iter().map(|product| ProductRow::new(product, wanted.attributes, None));
        Ok(rows.map(|row| (row.product_id, row)).collect())
    }

    /// How many of these products are in a website.
    pub async fn count_members(&self, website: &Website, ids: &[u64]) -> Result<u64, Fault> {
        let query =
            Query::new("V1/products").filter("entity_id", "in", joined(ids)).filter("website_id", "eq", website.id);
        let query = query.first_page(1).with("fields", "total_count");
        Ok(self.client.get::<wire::Count>("products/count", &query).await?.total_count)
    }

    /// How many products the server counts up to an id.
    pub(super) async fn count_up_to(&self, id: u64) -> Result<u64, Fault> {
        let query =
            Query::new("V1/products").filter("entity_id", "lteq", id).first_page(1).with("fields", "total_count");
        Ok(self.client.get::<wire::Count>("products/count", &query).await?.total_count)
    }
}

/// Asks for the needed fields only. Attributes cannot be chosen one by one, so they come all or not at all.
pub(super) fn with_fields(query: Query, attributes: &[String]) -> Query {
    let custom = if attributes.is_empty() { "" } else { ",custom_attributes[attribute_code,value]" };
    query.with("fields", format!("items[{FIELDS}{custom}],total_count"))
}
