//! Salable quantities where the export module is missing: whether they are salable for many, how many one by one.

use std::collections::BTreeMap;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use super::query::{Query, encode, fits_path};
use super::stocks::Export;
use super::{Reader, StockRow, Website, wire};
use crate::http::Fault;
use crate::model::{Decimal, ProductType};

/// 1.8 ms a SKU; the URL has room for no more of the longest.
const AT_ONCE: usize = 30;

/// A product whose level is asked for alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Single<'a> {
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
    /// Like an export of these products: what cannot be asked for is unknown.
    pub(super) async fn levels_singly(&self, website: &Website, products: &[Single<'_>]) -> Result<Export, Fault> {
        let Some(stock) = website.stock_id else {
            return Err(Fault::nonsense(format!("no stock is linked to the website {}", website.code)));
        };
        let (asked, others): (Vec<Single<'_>>, Vec<Single<'_>>) =
            products.iter().partition(|product| product.has_level());
        let nothing = StockRow::Level { salable: Decimal::ZERO, is_salable: true };
        let mut rows: BTreeMap<String, StockRow> =
            others.iter().map(|product| (product.sku.to_owned(), nothing.clone())).collect();
        let skus: Vec<&str> = asked.iter().map(|product| product.sku).collect();
        for chunk in skus.chunks(AT_ONCE) {
            let salable = self.are_salable(stock, chunk).await?;
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
