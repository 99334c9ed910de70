//! Salable quantities from the export, which leaves products out without a word.

use std::collections::{BTreeMap, BTreeSet};

use super::query::{Query, encode, fits_path};
use super::skus::concerns_one;
use super::{Reader, StockConfig, StockRow, Website, wire};
use crate::http::Fault;
use crate::model::{Decimal, Sku};

/// Which products an export is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Which<'a> {
    /// Those with `after < id <= last`.
    Range {
        after: u64,
        last: u64,
    },
    Ids(&'a [u64]),
    /// Of these, the enabled ones.
    Sellable(&'a [u64]),
}

/// What asking singly said about a managed product that an export left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Confirmed {
    /// Nothing of the website's stock: no source of the product belongs to it.
    NoSource,
    /// The export was wrong to leave it out.
    HasSource {
        salable: Decimal,
        is_salable: bool,
    },
    Unknown(String),
}

impl Which<'_> {
    pub(super) fn filter(self, query: Query) -> Query {
        match self {
            Self::Range { after, last } => query.filter("entity_id", "gt", after).filter("entity_id", "lteq", last),
            Self::Ids(ids) => query.filter("entity_id", "in", joined(ids)),
            Self::Sellable(ids) => query.filter("entity_id", "in", joined(ids)).filter("status", "eq", 1),
        }
    }
}

/// What the export said, by SKU.
#[derive(Debug, Default)]
pub(super) struct Export {
    pub(super) rows: BTreeMap<String, StockRow>,
    /// Why a product that is not named may have been lost on the way.
    pub(super) doubt: Option<String>,
}

impl Export {
    pub(super) fn read(list: &wire::List) -> Self {
        let (rows, flaw) = list.rows::<wire::ExportRow>();
        let mut export = Self { rows: BTreeMap::new(), doubt: flaw.map(|flaw| format!("export: {flaw}")) };
        // The count is of the page, or of everything where that is mended one day; never less than the rows of a whole page.
        if (list.len() as u64) < list.total_count {
            export.doubt = Some(format!("export: {} rows where the server counts {}", list.len(), list.total_count));
        }
        for row in &rows {
            let level = StockRow::level(row);
            let before = export.rows.insert(row.sku.clone(), level.clone());
            if before.is_some_and(|before| before != level) {
                let twice = StockRow::Unknown("the export names the product twice, with different stock".to_owned());
                export.rows.insert(row.sku.clone(), twice);
            }
        }
        export
    }

    /// An export that gave nothing, and why.
    pub(super) fn failed(fault: &Fault) -> Self {
        Self { rows: BTreeMap::new(), doubt: Some(format!("export: {fault}")) }
    }

    /// Doubts an export that names others than was asked for: who knows what it answers.
    pub(super) fn doubt_strangers<'a>(mut self, asked: impl IntoIterator<Item = &'a str>) -> Self {
        let asked: BTreeSet<&str> = asked.into_iter().collect();
        if self.rows.keys().any(|sku| !asked.contains(sku.as_str())) {
            self.doubt.get_or_insert_with(|| "export: names products that were not asked for".to_owned());
        }
        self
    }

    pub(super) fn stock_of(&self, sku: &str, config: Option<StockConfig>) -> StockRow {
        if let Some(row) = self.rows.get(sku) {
            return row.clone();
        }
        match (&self.doubt, config) {
            (Some(doubt), _) => StockRow::Unknown(doubt.clone()),
            (None, Some(config)) if config.managed => StockRow::Absent,
            // Products whose stock is not managed are in every export.
            (None, Some(_)) => StockRow::Unknown("the export leaves out a product without managed stock".to_owned()),
            (None, None) => {
                StockRow::Unknown("the export leaves out a product whose settings are not known".to_owned())
            }
        }
    }
}

impl Reader {
    /// An export of products by id and SKU, but for those that crash it.
    pub(super) async fn export_around_crashes(
        &self,
        website: &Website,
        products: &[(u64, &str)],
        which: for<'a> fn(&'a [u64]) -> Which<'a>,
        members_only: bool,
        size: u32,
    ) -> Result<Export, Fault> {
        let (mut halves, mut whole) = (Halves::of(products), Export::default());
        while let Some(part) = halves.part() {
            let ids: Vec<u64> = part.iter().map(|(id, _)| *id).collect();
            if let Some(export) = halves.take(part, self.export(website, which(&ids), members_only, size).await)? {
                whole.rows.extend(export.rows);
                whole.doubt = whole.doubt.or(export.doubt);
            }
        }
        let unknown = |fault: Fault| StockRow::Unknown(format!("export: {fault}"));
        whole.rows.extend(halves.bad.into_iter().map(|((_, sku), fault)| ((*sku).to_owned(), unknown(fault))));
        Ok(whole)
    }

    /// Asks singly, by another route where there is one, about a managed product that a whole export left out.
    pub async fn confirm_absent_stock(
        &self,
        website: &Website,
        sku: &Sku,
        product_id: u64,
    ) -> Result<Confirmed, Fault> {
        let status = if fits_path(sku.as_str()) { self.status(website, sku.as_str()).await? } else { None };
        let nothing = |status: &wire::StockStatus| status.qty == Decimal::ZERO && status.salable == 0;
        if status.as_ref().is_some_and(|status| status.product_id == Some(product_id) && nothing(status)) {
            return Ok(Confirmed::NoSource);
        }
        let export = self.export_ids(website, &[product_id], 1).await?.doubt_strangers([sku.as_str()]);
        // An export knows no product that was deleted a moment ago either.
        let gone = || "commerce does not name the product any more".to_owned();
        if export.rows.is_empty() && export.doubt.is_none() && status.as_ref().is_none_or(nothing) {
            let named = self.named(Which::Ids(&[product_id]), None).await?;
            let there = named.contains(sku.as_str());
            return Ok(if there { Confirmed::NoSource } else { Confirmed::Unknown(gone()) });
        }
        Ok(match (export.rows.get(sku.as_str()), export.doubt, status) {
            (Some(StockRow::Level { salable, is_salable }), ..) => {
                Confirmed::HasSource { salable: *salable, is_salable: *is_salable }
            }
            (Some(_), ..) => Confirmed::Unknown("the export contradicts itself".to_owned()),
            (None, Some(doubt), _) => Confirmed::Unknown(doubt),
            (None, None, Some(status)) if !nothing(&status) => {
                Confirmed::Unknown("the export leaves out a product that its stock status names".to_owned())
            }
            (None, None, _) => Confirmed::NoSource,
        })
    }

    async fn status(&self, website: &Website, sku: &str) -> Result<Option<wire::StockStatus>, Fault> {
        let query = Query::new(format!("V1/stockStatuses/{sku}")).with("scopeId", website.id);
        match self.client.get("stockStatuses", &query).await {
            Ok(status) => Ok(Some(status)),
            Err(fault) if concerns_one(&fault) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    async fn export_ids(&self, website: &Website, ids: &[u64], size: u32) -> Result<Export, Fault> {
        match self.export(website, Which::Ids(ids), false, size).await {
            Err(fault) if concerns_one(&fault) => Ok(Export::failed(&fault)),
            answer => answer,
        }
    }

    /// Asks one website's export for a page of products. `size` must hold them all: the export has no next page.
    pub(super) async fn export(
        &self,
        website: &Website,
        which: Which<'_>,
        members_only: bool,
        size: u32,
    ) -> Result<Export, Fault> {
        let path = format!("V1/inventory/export-stock-salable-qty/website/{}", encode(website.code.as_str()));
        let query = which.filter(Query::new(path));
        // Products of other websites cost the server as much as ours.
        let query = if members_only { query.filter("website_id", "eq", website.id) } else { query };
        let list: wire::List = self.client.get("export-stock-salable-qty", &query.first_page(size)).await?;
        Ok(Export::read(&list))
    }
}

/// Asks for many at once. Where the server crashes over that, one product is to blame more often than not: it is looked
/// for by halves, so that it holds up no other.
#[derive(Debug)]
pub(super) struct Halves<'a, T> {
    ask: Vec<&'a [T]>,
    crashed: Vec<(&'a [T], Fault)>,
    several: bool,
    answered: bool,
    /// Those nothing is known of, and why.
    pub(super) bad: Vec<(&'a T, Fault)>,
}

impl<'a, T> Halves<'a, T> {
    pub(super) fn of(all: &'a [T]) -> Self {
        Self { ask: vec![all], crashed: Vec::new(), several: all.len() > 1, answered: false, bad: Vec::new() }
    }

    /// What to ask for next.
    pub(super) fn part(&mut self) -> Option<&'a [T]> {
        self.ask.pop()
    }

    /// Takes in what became of a part. Fails where no half is answered: then the server is to blame.
    pub(super) fn take<A>(&mut self, part: &'a [T], answer: Result<A, Fault>) -> Result<Option<A>, Fault> {
        let answer = match answer {
            Err(fault) if is_crash(&fault) && self.several => {
                self.crashed.push((part, fault));
                None
            }
            answer => Some(answer?),
        };
        self.answered |= answer.is_some();
        if self.ask.is_empty() {
            self.split()?;
        }
        Ok(answer)
    }

    fn split(&mut self) -> Result<(), Fault> {
        match std::mem::take(&mut self.crashed).as_slice() {
            [(part, _)] if part.len() > 1 => {
                let (first, second) = part.split_at(part.len() / 2);
                self.ask = vec![second, first];
            }
            [(_, fault), _] if !self.answered => return Err(fault.clone()),
            crashed => {
                let bad = crashed.iter().flat_map(|(part, fault)| part.iter().map(|one| (one, fault.clone())));
                self.bad.extend(bad);
            }
        }
        Ok(())
    }
}

/// The program behind the route ended by an error of its own, over one product or over everything.
pub(super) fn is_crash(fault: &Fault) -> bool {
    fault.status() == Some(500)
}

pub(super) fn joined(ids: &[u64]) -> String {
    let ids: Vec<String> = ids.iter().map(u64::to_string).collect();
    ids.join(",")
}
