//! A request's head, and which route it asks for.

use axum::http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, HOST};
use axum::http::request::Parts;
use axum::http::uri::Authority;

use super::params::decode;

/// What the routes and the signature need of a request, path and query as they were sent.
#[derive(Clone, Debug, Default)]
pub(super) struct Head {
    pub(super) method: String,
    pub(super) scheme: String,
    pub(super) host: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) authorization: Option<String>,
    pub(super) accept: String,
    pub(super) gzip: bool,
}

impl Head {
    pub(super) fn of(parts: &Parts) -> Self {
        let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let host = header(HOST).or_else(|| parts.uri.authority().map(Authority::as_str));
        let forwarded = parts.headers.get("x-forwarded-proto").and_then(|value| value.to_str().ok());
        Self {
            method: parts.method.to_string(),
            scheme: forwarded.unwrap_or("http").to_ascii_lowercase(),
            host: host.unwrap_or_default().to_owned(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            authorization: header(AUTHORIZATION).map(str::to_owned),
            accept: header(ACCEPT).unwrap_or("*/*").to_owned(),
            gzip: header(ACCEPT_ENCODING).is_some_and(|codings| codings.contains("gzip")),
        }
    }

    /// The decoded path segments after `/rest`, or nothing for another path.
    pub(super) fn segments(&self) -> Option<Vec<String>> {
        let path = self.path.strip_prefix("/index.php").unwrap_or(&self.path);
        let rest = path.strip_prefix("/rest")?.strip_prefix('/')?;
        let mut segments: Vec<String> = rest.split('/').map(decode).collect();
        if segments.last().is_some_and(String::is_empty) {
            segments.pop();
        }
        Some(segments)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    Products,
    Product(String),
    Attributes,
    Attribute(String),
    Export(String, String),
    Dump(String, String),
    SalableQuantity(String, String),
    IsSalable(String, String),
    AreSalable,
    StockResolver(String, String),
    Stocks,
    Stock(String),
    Sources,
    Source(String),
    SourceItems,
    Links,
    LowStock,
    StockItem(String),
    StockStatus(String),
    Orders,
    Websites,
    StoreViews,
    StoreConfigs,
    Modules,
    AdminToken,
}

impl Route {
    /// Reads what follows `V1`.
    pub(super) fn parse(method: &str, segments: &[String]) -> Option<Self> {
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let own = |text: &&str| (*text).to_owned();
        if method == "POST" {
            return (segments == ["integration", "admin", "token"]).then_some(Self::AdminToken);
        }
        if method != "GET" {
            return None;
        }
        Some(match segments.as_slice() {
            ["products"] => Self::Products,
            ["products", "attributes"] => Self::Attributes,
            ["products", "attributes", code] => Self::Attribute(own(code)),
            ["products", sku] => Self::Product(own(sku)),
            ["orders"] => Self::Orders,
            ["modules"] => Self::Modules,
            ["store", "websites"] => Self::Websites,
            ["store", "storeViews"] => Self::StoreViews,
            ["store", "storeConfigs"] => Self::StoreConfigs,
            ["stockItems", "lowStock"] => Self::LowStock,
            ["stockItems", sku] => Self::StockItem(own(sku)),
            ["stockStatuses", sku] => Self::StockStatus(own(sku)),
            ["inventory", rest @ ..] => return Self::parse_inventory(rest),
            _ => return None,
        })
    }

    fn parse_inventory(segments: &[&str]) -> Option<Self> {
        let own = |text: &&str| (*text).to_owned();
        Some(match segments {
            ["export-stock-salable-qty", kind, code] => Self::Export(own(kind), own(code)),
            ["dump-stock-index-data", kind, code] => Self::Dump(own(kind), own(code)),
            ["get-product-salable-quantity", sku, stock] => Self::SalableQuantity(own(sku), own(stock)),
            ["is-product-salable", sku, stock] => Self::IsSalable(own(sku), own(stock)),
            ["are-products-salable"] => Self::AreSalable,
            ["stock-resolver", kind, code] => Self::StockResolver(own(kind), own(code)),
            ["stocks"] => Self::Stocks,
            ["stocks", id] => Self::Stock(own(id)),
            ["sources"] => Self::Sources,
            ["sources", code] => Self::Source(own(code)),
            ["source-items"] => Self::SourceItems,
            ["stock-source-links"] => Self::Links,
            _ => return None,
        })
    }

    /// The name that statistics and faults know the route by.
    pub(super) const fn name(&self) -> &'static str {
        self.facts().0
    }

    /// The right it takes; nothing for a route that anyone may ask.
    pub(super) const fn resource(&self) -> Option<&'static str> {
        self.facts().1
    }

    /// Microseconds of a core for each row, as measured.
    pub(super) const fn row_cost_us(&self) -> u64 {
        self.facts().2
    }

    /// One of the multi-source modules' routes.
    pub(super) fn is_inventory(&self) -> bool {
        self.resource().is_some_and(|resource| resource.starts_with("Magento_Inventory"))
    }

    const fn facts(&self) -> (&'static str, Option<&'static str>, u64) {
        match self {
            Self::Products => ("products", Some(PRODUCTS), 4_700),
            Self::Product(_) => ("product", Some(PRODUCTS), 40_000),
            Self::Attributes => ("attributes", Some(ATTRIBUTES), 0),
            Self::Attribute(_) => ("attribute", Some(ATTRIBUTES), 0),
            Self::Export(..) => ("export-stock-salable-qty", Some(STOCK), 4_400),
            Self::Dump(..) => ("dump-stock-index-data", Some(STOCK), 30),
            Self::SalableQuantity(..) => ("get-product-salable-quantity", Some(SALABLE), 18_000),
            Self::IsSalable(..) => ("is-product-salable", Some(SALABLE), 19_000),
            Self::AreSalable => ("are-products-salable", Some(SALABLE), 1_800),
            Self::StockResolver(..) => ("stock-resolver", Some(SALABLE), 0),
            Self::Stocks => ("stocks", Some(STOCK), 0),
            Self::Stock(_) => ("stock", Some(STOCK), 0),
            Self::Sources => ("sources", Some(SOURCE), 0),
            Self::Source(_) => ("source", Some(SOURCE), 0),
            Self::SourceItems => ("source-items", Some(SOURCE), 50),
            Self::Links => ("stock-source-links", Some(LINK), 0),
            Self::LowStock => ("stockItems/lowStock", Some(STOCK_ITEM), 200),
            Self::StockItem(_) => ("stockItems", Some(STOCK_ITEM), 14_000),
            Self::StockStatus(_) => ("stockStatuses", Some(STOCK_ITEM), 23_000),
            Self::Orders => ("orders", Some("Magento_Sales::actions_view"), 1_000),
            Self::Websites => ("store/websites", Some(STORE), 0),
            Self::StoreViews => ("store/storeViews", Some(STORE), 0),
            Self::StoreConfigs => ("store/storeConfigs", Some(STORE), 0),
            Self::Modules => ("modules", Some("Magento_Backend::admin"), 0),
            Self::AdminToken => ("integration/admin/token", None, 0),
        }
    }
}

const PRODUCTS: &str = "Magento_Catalog::products";
const ATTRIBUTES: &str = "Magento_Catalog::attributes_attributes";
const STOCK_ITEM: &str = "Magento_Catalog::catalog_inventory";
const STOCK: &str = "Magento_InventoryApi::stock";
const SOURCE: &str = "Magento_InventoryApi::source";
const LINK: &str = "Magento_InventoryApi::stock_source_link";
const SALABLE: &str = "Magento_InventorySalesApi::stock";
const STORE: &str = "Magento_Backend::store";
