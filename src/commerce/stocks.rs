//! Salable quantities from the export, which leaves products out without a word.

use std::collections::{BTreeMap, BTreeSet};

use super::query::{Query, encode};
use super::{Reader, StockConfig, StockRow, Website, wire};
use crate::http::Fault;

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
    /// Asks one website's export for a page of products. `size` must hold them all: the export has no next page.
    pub(super) async fn export(
        &self,
        website: &Website,
        which: Which<'_>,
        members_only: bool,
        size: u32,
    ) -> Result<Export, Fault> {
        let path = format!("V1/inventory/export-stock-salable-qty/website/{}", encode(website.code.as_str()));
        let query = Query::new(path);
        let query = match which {
            Which::Range { after, last } => query.filter("entity_id", "gt", after).filter("entity_id", "lteq", last),
            Which::Ids(ids) => query.filter("entity_id", "in", joined(ids)),
            Which::Sellable(ids) => query.filter("entity_id", "in", joined(ids)).filter("status", "eq", 1),
        };
        // Products of other websites cost the server as much as ours.
        let query = if members_only { query.filter("website_id", "eq", website.id) } else { query };
        let list: wire::List = self.client.get("export-stock-salable-qty", &query.first_page(size)).await?;
        Ok(Export::read(&list))
    }
}

pub(super) fn joined(ids: &[u64]) -> String {
    let ids: Vec<String> = ids.iter().map(u64::to_string).collect();
    ids.join(",")
}
