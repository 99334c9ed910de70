//! A request's head, and which route it asks for.

use axum::http::HeaderName;
use axum::http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, HOST};
use axum::http::request::Parts;
use axum::http::uri::Authority;

use super::params::decode;
use super::stats::Cost;

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
    /// The store view, where the path does not name it.
    pub(super) store: Option<String>,
    pub(super) api_key: Option<String>,
    pub(super) org_id: Option<String>,
}

impl Head {
    pub(super) fn of(parts: &Parts) -> Self {
        let header = |name: HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let own = |name| header(HeaderName::from_static(name)).map(str::to_owned);
        let host = header(HOST).or_else(|| parts.uri.authority().map(Authority::as_str));
        Self {
            method: parts.method.to_string(),
            scheme: own("x-forwarded-proto").unwrap_or_else(|| "http".to_owned()).to_ascii_lowercase(),
            host: host.unwrap_or_default().to_owned(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            authorization: header(AUTHORIZATION).map(str::to_owned),
            accept: header(ACCEPT).unwrap_or("*/*").to_owned(),
            gzip: header(ACCEPT_ENCODING).is_some_and(|codings| codings.contains("gzip")),
            store: own("store"),
            api_key: own("x-api-key"),
            org_id: own("x-gw-ims-org-id"),
        }
    }

    /// The decoded path segments after `root`, or nothing for another path.
    pub(super) fn segments(&self, root: &str) -> Option<Vec<String>> {
        let path = self.path.strip_prefix("/index.php").unwrap_or(&self.path);
        let rest = path.strip_prefix('/')?.strip_prefix(root)?.strip_prefix('/')?;
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
    ImsToken,
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

    pub(super) const fn cost(&self) -> Cost {
        self.facts().2
    }

    /// One of the multi-source modules' routes.
    pub(super) fn is_inventory(&self) -> bool {
        self.resource().is_some_and(|resource| resource.starts_with("Magento_Inventory"))
    }

    const fn facts(&self) -> (&'static str, Option<&'static str>, Cost) {
        match self {
            Self::Products => ("products", Some(PRODUCTS), Cost { request_us: 110_000, row_us: 4_500 }),
            Self::Product(_) => ("product", Some(PRODUCTS), small(40_000)),
            Self::Attributes => ("attributes", Some(ATTRIBUTES), small(0)),
            Self::Attribute(_) => ("attribute", Some(ATTRIBUTES), small(0)),
            Self::Export(..) => ("export-stock-salable-qty", Some(STOCK), Cost { request_us: 110_000, row_us: 4_200 }),
            Self::Dump(..) => ("dump-stock-index-data", Some(STOCK), small(30)),
            Self::SalableQuantity(..) => ("get-product-salable-quantity", Some(SALABLE), small(18_000)),
            Self::IsSalable(..) => ("is-product-salable", Some(SALABLE), small(19_000)),
            Self::AreSalable => ("are-products-salable", Some(SALABLE), Cost { request_us: 45_000, row_us: 1_700 }),
            Self::StockResolver(..) => ("stock-resolver", Some(SALABLE), small(0)),
            Self::Stocks => ("stocks", Some(STOCK), small(0)),
            Self::Stock(_) => ("stock", Some(STOCK), small(0)),
            Self::Sources => ("sources", Some(SOURCE), small(0)),
            Self::Source(_) => ("source", Some(SOURCE), small(0)),
            Self::SourceItems => ("source-items", Some(SOURCE), Cost { request_us: 45_000, row_us: 35 }),
            Self::Links => ("stock-source-links", Some(LINK), small(0)),
            Self::LowStock => ("stockItems/lowStock", Some(STOCK_ITEM), Cost { request_us: 45_000, row_us: 150 }),
            Self::StockItem(_) => ("stockItems", Some(STOCK_ITEM), small(14_000)),
            Self::StockStatus(_) => ("stockStatuses", Some(STOCK_ITEM), small(23_000)),
            Self::Orders => ("orders", Some("Magento_Sales::actions_view"), small(1_000)),
            Self::Websites => ("store/websites", Some(STORE), small(0)),
            Self::StoreViews => ("store/storeViews", Some(STORE), small(0)),
            Self::StoreConfigs => ("store/storeConfigs", Some(STORE), small(0)),
            Self::Modules => ("modules", Some("Magento_Backend::admin"), small(0)),
            Self::AdminToken => ("integration/admin/token", None, small(0)),
            Self::ImsToken => ("ims/token", None, small(0)),
        }
    }
}

/// What a request takes before its first row: signing in, routing and, for lists of products, counting them all.
const fn small(row_us: u64) -> Cost {
    Cost { request_us: 25_000, row_us }
}

const PRODUCTS: &str = "Magento_Catalog::products";
const ATTRIBUTES: &str = "Magento_Catalog::attributes_attributes";
const STOCK_ITEM: &str = "Magento_Catalog::catalog_inventory";
const STOCK: &str = "Magento_InventoryApi::stock";
const SOURCE: &str = "Magento_InventoryApi::source";
const LINK: &str = "Magento_InventoryApi::stock_source_link";
const SALABLE: &str = "Magento_InventorySalesApi::stock";
const STORE: &str = "Magento_Backend::store";
