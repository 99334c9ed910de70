//! Salable quantities where the export module is missing: whether they are salable for many, how many one by one.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use serde::Deserialize;

use super::query::{Query, encode, fits_path};
use super::skus::{chunks, encoded_length};
use super::stocks::{Export, Which};
use super::{Reader, StockRow, Website, wire};
use crate::http::Fault;
use crate::model::{Decimal, ProductType};

/// 1.8 ms a SKU. The URL has room for fewer of the longest.
const AT_ONCE: usize = 30;
/// A parameter around a SKU.
const PARAMETER: usize = 20;

/// Which product it is.
#[derive(Deserialize)]
struct Named {
    sku: String,
}

/// A product whose level is asked for alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Single<'a> {
    pub(super) product_id: u64,
    pub(super) sku: &'a str,
    pub(super) type_id: &'a str,
    pub(super) managed: bool,
}

impl Single<'_> {
    /// Composites are refused, and what is not managed has no quantity.
    fn has_level(&self) -> bool {
        self.managed && matches!(ProductType::parse(self.type_id), ProductType::Stocked(_))
    }
}

impl Reader {
    /// Like an export of the products of these that are enabled and in the website; the others are left out.
    pub(super) async fn levels_of_sellable(&self, website: &Website, products: &[Single<'_>]) -> Result<Export, Fault> {
        let mut export = self.ask_singly(website, products).await?;
        let ids: Vec<u64> = products.iter().map(|product| product.product_id).collect();
        // Last, as what was deleted while the others were asked for is not salable and there no more.
        let named = self.named(Which::Sellable(&ids), Some(website)).await?;
        export.rows.retain(|sku, _| named.contains(sku));
        Ok(export)
    }

    /// Like an export of these products: what cannot be asked for is unknown, and so is what is gone meanwhile.
    pub(super) async fn levels_singly(&self, website: &Website, products: &[Single<'_>]) -> Result<Export, Fault> {
        let mut export = self.ask_singly(website, products).await?;
        let shut = |sku: &str| matches!(export.rows.get(sku), Some(StockRow::Level { is_salable: false, .. }));
        let ids: Vec<u64> = products.iter().filter(|one| shut(one.sku)).map(|one| one.product_id).collect();
        let named = self.named(Which::Ids(&ids), None).await?;
        for (sku, row) in &mut export.rows {
            if matches!(row, StockRow::Level { is_salable: false, .. }) && !named.contains(sku) {
                *row = StockRow::Unknown("commerce does not name the product any more".to_owned());
            }
        }
        Ok(export)
    }

    /// The exact SKUs of those that there are.
    pub(super) async fn named(&self, which: Which<'_>, website: Option<&Website>) -> Result<BTreeSet<String>, Fault> {
        let (Which::Ids(ids) | Which::Sellable(ids)) = which else { return Ok(BTreeSet::new()) };
        if ids.is_empty() {
            return Ok(BTreeSet::new());
        }
        let query = which.filter(Query::new("V1/products"));
        let query = website.into_iter().fold(query, |query, website| query.filter("website_id", "eq", website.id));
        let query = query.first_page(u32::try_from(ids.len()).unwrap_or(u32::MAX));
        let list: wire::List = self.client.get("products", &query.with("fields", "items[sku],total_count")).await?;
        let (rows, flaw) = list.rows::<Named>();
        let cut = (list.len() as u64) < list.total_count;
        match flaw.or_else(|| cut.then(|| format!("{} rows where the server counts {}", list.len(), list.total_count)))
        {
            Some(flaw) => Err(Fault::nonsense(format!("products: {flaw}"))),
            None => Ok(rows.into_iter().map(|row| row.sku).collect()),
        }
    }

    async fn ask_singly(&self, website: &Website, products: &[Single<'_>]) -> Result<Export, Fault> {
        let Some(stock) = website.stock_id else {
            return Err(Fault::nonsense(format!("no stock is linked to the website {}", website.code)));
        };
        let (asked, others): (Vec<Single<'_>>, Vec<Single<'_>>) =
            products.iter().partition(|product| product.has_level());
        let nothing = StockRow::Level { salable: Decimal::ZERO, is_salable: true };
        let mut rows: BTreeMap<String, StockRow> =
            others.iter().map(|product| (product.sku.to_owned(), nothing.clone())).collect();
        let skus: Vec<&str> = asked.iter().map(|product| product.sku).collect();
        for chunk in chunks(skus, AT_ONCE, |sku| PARAMETER + encoded_length(sku)) {
            let salable = self.are_salable(stock, &chunk).await?;
            // All at once here; the client lets out as many as the shop is to bear.
            let mut asked: FuturesUnordered<_> =
                chunk.iter().map(|sku| self.level_of(stock, sku, salable.get(*sku).copied())).collect();
            while let Some(row) = asked.next().await {
                rows.extend([row?]);
            }
        }
        Ok(Export { rows, doubt: None })
    }

    /// Nothing about any where the route is missing, as before 2.4.
    async fn are_salable(&self, stock: u32, skus: &[&str]) -> Result<BTreeMap<String, bool>, Fault> {
        let mut query = Query::new("V1/inventory/are-products-salable");
        for (index, sku) in skus.iter().enumerate() {
            // Releases sign `skus[10]` in different orders; of one width they are in the same place for all.
            query = query.with(&format!("skus[{index:02}]"), sku);
        }
        match self.client.get::<Vec<wire::Salable>>("are-products-salable", &query.with("stockId", stock)).await {
            Err(Fault::Rejected(refusal)) if refusal.status == 404 => Ok(BTreeMap::new()),
            answer => Ok(answer?.into_iter().map(|row| (row.sku, row.salable)).collect()),
        }
    }

    async fn level_of(&self, stock: u32, sku: &str, is_salable: Option<bool>) -> Result<(String, StockRow), Fault> {
        let path = |route: &str| Query::new(format!("V1/inventory/{route}/{}/{stock}", encode(sku)));
        let level = |salable, is_salable| Ok((sku.to_owned(), StockRow::Level { salable, is_salable }));
        let unknown = |why: String| Ok((sku.to_owned(), StockRow::Unknown(why)));
        let is_salable = match is_salable {
            Some(is_salable) => is_salable,
            None if fits_path(sku) => {
                self.client.get::<bool>("is-product-salable", &path("is-product-salable")).await?
            }
            None => true,
        };
        // The rules look at no number of what is not salable.
        if !is_salable {
            return level(Decimal::ZERO, false);
        }
        if !fits_path(sku) {
            return unknown(
                "without its export module Commerce tells no quantity of a SKU with special characters".to_owned(),
            );
        }
        let route = "get-product-salable-quantity";
        match self.client.get::<wire::Number>(route, &path(route)).await {
            Ok(number) => level(number.0, true),
            // An unknown SKU is an error of the server's in some releases.
            Err(fault @ (Fault::Rejected(_) | Fault::Nonsense { .. } | Fault::Exhausted { .. })) => {
                unknown(format!("salable quantity: {fault}"))
            }
            Err(fault) => Err(fault),
        }
    }
}
