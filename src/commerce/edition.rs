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
    /// By the modules that the server runs. Where it does not tell them, its routes have to.
    pub async fn edition(&self) -> Result<Edition, Fault> {
        let modules: Vec<String> = match self.client.get("modules", &Query::new("V1/modules")).await {
            Err(Fault::Unauthorized { .. } | Fault::Rejected(_)) => return self.edition_by_routes().await,
            answer => answer?,
        };
        let runs = |name: &str| modules.iter().any(|module| module == name);
        Ok(if runs("Magento_InventoryExportStockApi") {
            Edition::Export
        } else if runs("Magento_InventorySalesApi") {
            Edition::PerSku
        } else {
            Edition::StockItems
        })
    }

    async fn edition_by_routes(&self) -> Result<Edition, Fault> {
        let stocks = Query::new("V1/inventory/stocks").first_page(1);
        match self.client.get::<serde_json::Value>("stocks", &stocks).await {
            Err(fault) if fault.status() == Some(404) => return Ok(Edition::StockItems),
            answer => answer?,
        };
        // Of a website that nobody has: "no linked stock" is said by the export, "no route" where there is none.
        let export = Query::new("V1/inventory/export-stock-salable-qty/website/-").first_page(1);
        match self.client.get::<serde_json::Value>("export-stock-salable-qty", &export).await {
            Err(Fault::Rejected(refusal)) if refusal.status == 404 && refusal.message.contains("route") => {
                Ok(Edition::PerSku)
            }
            Ok(_) | Err(Fault::Rejected(_)) => Ok(Edition::Export),
            Err(fault) => Err(fault),
        }
    }

    /// For people.
    pub fn describe(&self, edition: Edition) -> String {
        if self.client.is_cloud() { format!("cloud service, {edition}") } else { edition.to_string() }
    }
}
