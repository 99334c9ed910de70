//! What kind of shop it is: asked of the server, never configured.

use std::fmt;

use super::Reader;
use super::query::Query;
use crate::http::Fault;

/// Where quantities come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edition {
    /// Multi-source inventory, salable quantities in bulk.
    Export,
    /// Multi-source inventory without the export module: salable quantities one SKU at a time.
    PerSku,
    /// Multi-source inventory is off: stock items hold the stock.
    StockItems,
}

impl fmt::Display for Edition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Export => "multi-source inventory",
            Self::PerSku => "multi-source inventory without its export module",
            Self::StockItems => "stock items (multi-source inventory is off)",
        })
    }
}

impl Reader {
    /// By the modules that the server runs. Where it does not tell them, its routes have to; so they have where a module is
    /// missing: by a list that is not whole, stock of the old kind would be believed.
    pub async fn edition(&self) -> Result<Edition, Fault> {
        let modules: Vec<String> = match self.client.get("modules", &Query::new("V1/modules")).await {
            Err(Fault::Unauthorized { .. } | Fault::Rejected(_)) => return self.edition_by_routes().await,
            answer => answer?,
        };
        let exports = modules.iter().any(|module| module == "Magento_InventoryExportStockApi");
        if exports { Ok(Edition::Export) } else { self.edition_by_routes().await }
    }

    async fn edition_by_routes(&self) -> Result<Edition, Fault> {
        let stocks = Query::new("V1/inventory/stocks").first_page(1);
        match self.client.get::<serde_json::Value>("stocks", &stocks).await {
            Err(fault) if is_no_route(&fault) => return Ok(Edition::StockItems),
            answer => answer?,
        };
        // Of a website that nobody has: "no linked stock" is said by the export, "no route" where there is none.
        let export = Query::new("V1/inventory/export-stock-salable-qty/website/-").first_page(1);
        match self.client.get::<serde_json::Value>("export-stock-salable-qty", &export).await {
            Err(fault) if is_no_route(&fault) => Ok(Edition::PerSku),
            Ok(_) => Ok(Edition::Export),
            Err(Fault::Rejected(refusal)) if refusal.message.contains("No linked stock") => Ok(Edition::Export),
            Err(fault) => Err(fault),
        }
    }

    /// For people.
    pub fn describe(&self, edition: Edition) -> String {
        if self.client.is_cloud() { format!("cloud service, {edition}") } else { edition.to_string() }
    }
}

/// Said by Commerce itself: a proxy that lets a path not through has other words.
pub(super) fn is_no_route(fault: &Fault) -> bool {
    matches!(fault, Fault::Rejected(refusal) if refusal.status == 404 && refusal.message.contains("match any route"))
}
