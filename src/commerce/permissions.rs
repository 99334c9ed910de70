//! What an instance lets us do: each permission proved by one cheap read. Nothing is changed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::{join, join_all};
use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};
use serde::de::{DeserializeOwned, IgnoredAny};

use super::fault::split_advice;
use super::query::{Query, encode, fits_path};
use super::{Reader, wire};
use crate::clock::Clock;
use crate::http::{Call, Fault, Http, Method, Pace, Request, Url};
use crate::model::{StoreName, WebsiteCode};

/// Each question is for one row. A shop that needs longer for that has other trouble than a permission.
const PATIENCE: Duration = Duration::from_mins(1);

const SIGN_IN: &str = "Magento_Backend::admin";
const STORE: &str = "Magento_Backend::store";
const STOCK: &str = "Magento_InventoryApi::stock";
/// Guards the routes that tell quantities one SKU at a time.
const SALES: &str = "Magento_InventorySalesApi::stock";
const PRODUCTS: &str = "Magento_Catalog::products";
const SETTINGS: &str = "Magento_Catalog::catalog_inventory";
/// The name of the same up to 2.4.0.
const OLD_SETTINGS: &str = "Magento_CatalogInventory::cataloginventory";
const ORDERS: &str = "Magento_Sales::actions_view";
const ATTRIBUTES: &str = "Magento_Catalog::attributes_attributes";

/// What the stores expect to find.
#[derive(Clone, Debug, Default)]
pub struct Needs {
    pub websites: BTreeMap<WebsiteCode, Vec<StoreName>>,
    /// The codes of the attributes that hold seller SKUs.
    pub attributes: BTreeSet<String>,
    /// Adobe Commerce as a Cloud Service.
    pub cloud: bool,
}

/// One thing that was tried.
#[derive(Clone, Debug)]
pub struct Permission {
    /// The ACL resource, or what the configuration names.
    pub name: String,
    /// What it is for.
    pub purpose: String,
    /// Without it nothing can be sold from here.
    pub needed: bool,
    pub state: State,
}

#[derive(Clone, Debug)]
pub enum State {
    Granted,
    /// The sign-in is good, and its role lacks the resource.
    Missing,
    /// And why not.
    NotAsked(&'static str),
    Failed(Fault),
    /// The configuration names what is not there; the second text says what to do.
    Misconfigured(String, &'static str),
}

/// Which inventory modules an instance has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edition {
    Cloud,
    MultiSource,
    WithoutExport,
    SingleStock,
}

impl Edition {
    fn of(modules: &[String], cloud: bool) -> Self {
        let has = |name: &str| modules.iter().any(|module| module == name);
        match (has("Magento_InventoryExportStockApi"), has("Magento_InventoryApi")) {
            _ if cloud => Self::Cloud,
            (true, _) => Self::MultiSource,
            (false, true) => Self::WithoutExport,
            (false, false) => Self::SingleStock,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Cloud => "cloud service",
            Self::MultiSource => "multi-source with export",
            Self::WithoutExport => "multi-source without export",
            Self::SingleStock => "single stock",
        }
    }
}

impl Permission {
    fn new(name: impl Into<String>, purpose: impl Into<String>, state: State) -> Self {
        Self { name: name.into(), purpose: purpose.into(), needed: true, state }
    }

    fn optional(self) -> Self {
        Self { needed: false, ..self }
    }
}

impl Permission {
    /// What went wrong, where the row does not say it all.
    pub fn problem(&self) -> Option<String> {
        match &self.state {
            State::Missing if self.name == ORDERS => {
                Some("without it, sales are found by the rolling sweep only".into())
            }
            State::Granted | State::Missing => None,
            State::NotAsked(why) => Some((*why).to_owned()),
            State::Failed(fault) => Some(split_advice(&fault.to_string()).0.to_owned()),
            State::Misconfigured(what, _) => Some(what.clone()),
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match &self.state {
            State::Granted | State::NotAsked(_) => return None,
            State::Missing => {
                let older =
                    if self.name == SETTINGS { format!(" (up to 2.4.0 {OLD_SETTINGS})") } else { String::new() };
                format!(
                    "grant {}{older} in the shop's admin: for an integration under System > Integrations > API, for a \
                     user under System > User Roles",
                    self.name
                )
            }
            State::Misconfigured(_, hint) => (*hint).to_owned(),
            State::Failed(fault) => {
                let text = fault.to_string();
                split_advice(&text).1.unwrap_or_else(|| remedy(fault)).to_owned()
            }
        })
    }
}

fn remedy(fault: &Fault) -> &'static str {
    match (fault, fault.status()) {
        (Fault::Nonsense { .. }, _) => {
            "something else than Commerce's REST API answers: see `base_url`, a maintenance page, or a sign-in before the shop"
        }
        (_, None) => "see that this machine reaches `base_url`: name, port, firewall, certificate",
        (_, Some(403)) => "something before the shop refuses: let this machine pass the firewall or the bot protection",
        (_, Some(429 | 500..)) => "the shop is in trouble: its var/log/exception.log says more; try again later",
        (_, Some(401)) => "sign in again: see the `auth` of this commerce",
        _ => "open the same route in a browser of this machine, and see whether an extension changes it",
    }
}

impl State {
    /// Of a read that came after a successful sign-in.
    fn of<T>(answer: Result<T, Fault>) -> Self {
        match answer {
            Ok(_) => Self::Granted,
            Err(Fault::Unauthorized { .. }) => Self::Missing,
            Err(fault) => Self::Failed(fault),
        }
    }
}

impl Reader {
    /// Tries everything that is needed, one row of each.
    pub async fn permissions(&self, needs: &Needs) -> Vec<Permission> {
        let modules: Result<Vec<String>, Fault> = self.ask("modules", Query::new("V1/modules")).await;
        let edition = modules.as_ref().ok().map(|modules| Edition::of(modules, needs.cloud));
        let purpose = edition.map_or_else(|| "sign-in".to_owned(), |edition| format!("sign-in: {}", edition.as_str()));
        // A server error on this route says nothing of the others; whatever else went wrong does.
        let stuck = modules.as_ref().is_err_and(|fault| !matches!(fault.status(), Some(429 | 500..)));
        let mut found = vec![Permission::new(SIGN_IN, purpose, signed_in(modules))];
        if stuck {
            found.extend(unasked(needs));
            return found;
        }
        let tries = join(self.try_websites(needs, edition), self.try_others(needs));
        let (mut of_websites, others) = Box::pin(tries).await;
        found.append(&mut of_websites);
        found.extend(others);
        found
    }

    async fn try_websites(&self, needs: &Needs, edition: Option<Edition>) -> Vec<Permission> {
        let sites = self.ask::<Vec<wire::Website>>("websites", Query::new("V1/store/websites"));
        let (sites, stocks) = join(sites, patiently(self.stocks_of_websites())).await;
        let single = edition == Some(Edition::SingleStock);
        // In a single stock every website sells from it; an edition that is not known may be one.
        let linked = stocks.as_ref().ok().filter(|stocks| !single && (edition.is_some() || !stocks.is_empty()));
        let websites: Vec<Permission> =
            needs.websites.iter().map(|(code, stores)| website(code, stores, sites.as_deref().ok(), linked)).collect();
        let mut usable = needs.websites.keys().zip(&websites);
        let usable = usable.find(|(_, found)| matches!(found.state, State::Granted)).map(|(code, _)| code);
        let levels = self.try_levels(edition, usable, linked).await;
        let of_stocks = if single { State::NotAsked(NO_ROUTE) } else { State::of(stocks) };
        let mut found =
            vec![Permission::new(STORE, WEBSITES, State::of(sites)), Permission::new(STOCK, STOCKS, of_stocks), levels];
        found.extend(websites);
        found
    }

    /// By the route that this edition is read with.
    async fn try_levels(
        &self,
        edition: Option<Edition>,
        website: Option<&WebsiteCode>,
        stocks: Option<&BTreeMap<String, u32>>,
    ) -> Permission {
        let of = |name: &str, state: State| Permission::new(name, LEVELS, state);
        if edition == Some(Edition::SingleStock) {
            return of(STOCK, State::NotAsked(NO_ROUTE));
        }
        let singly = edition == Some(Edition::WithoutExport);
        let name = if singly { SALES } else { STOCK };
        let Some(code) = website else { return of(name, State::NotAsked("no website to ask for")) };
        if !singly {
            let path = format!("V1/inventory/export-stock-salable-qty/website/{}", encode(code.as_str()));
            let query = Query::new(path).filter("entity_id", "gt", 0).first_page(1);
            return of(name, State::of(self.ask::<wire::List>("export-stock-salable-qty", query).await));
        }
        let Some(stock) = stocks.and_then(|stocks| stocks.get(&code.as_str().to_lowercase())) else {
            return of(name, State::NotAsked("the website's stock is not known"));
        };
        // Of a SKU that needs not exist: what is not there is not salable.
        let query = Query::new(format!("V1/inventory/is-product-salable/stocksync/{stock}"));
        of(name, State::of(self.ask::<bool>("is-product-salable", query).await))
    }

    async fn try_others(&self, needs: &Needs) -> Vec<Permission> {
        let one = |path: &str, fields: &str| Query::new(path).first_page(1).with("fields", fields);
        let products = self.ask::<wire::List>("products", one("V1/products", "items[id],total_count"));
        let settings = Query::new("V1/stockItems/lowStock/")
            .with("scopeId", 0)
            .with("qty", 1)
            .with("currentPage", 1)
            .with("pageSize", 1);
        let settings = self.ask::<wire::List>("stockItems/lowStock", settings);
        let orders = self.ask::<wire::List>("orders", one("V1/orders", "items[entity_id],total_count"));
        let attributes = join_all(needs.attributes.iter().map(|code| self.try_attribute(code)));
        let ((products, settings), (orders, attributes)) =
            Box::pin(join(join(products, settings), join(orders, attributes))).await;
        let mut found = vec![
            Permission::new(PRODUCTS, PRODUCTS_FOR, State::of(products)),
            Permission::new(SETTINGS, SETTINGS_FOR, State::of(settings)),
            Permission::new(ORDERS, ORDERS_FOR, State::of(orders)).optional(),
        ];
        found.extend(attributes);
        found
    }

    async fn try_attribute(&self, code: &str) -> Permission {
        let absent = || {
            let text = format!("the shop has no product attribute {code:?}");
            State::Misconfigured(text, "name another in `seller_sku = \"attribute:CODE\"`, or create it in the shop")
        };
        let query = Query::new(format!("V1/products/attributes/{code}")).with("fields", "attribute_code");
        // No attribute can have a name that does not fit.
        let answer =
            if fits_path(code) { Some(self.ask::<IgnoredAny>("products/attributes", query).await) } else { None };
        let state = match answer {
            None => absent(),
            Some(Err(fault)) if fault.status() == Some(404) => absent(),
            Some(answer) => State::of(answer),
        };
        // Products come with their attributes anyway: without the right only this check is lost.
        let purpose = format!("attribute {code}");
        Permission::new(ATTRIBUTES, purpose, state).optional()
    }

    async fn ask<T: DeserializeOwned>(&self, operation: &'static str, query: Query) -> Result<T, Fault> {
        patiently(self.client.get(operation, &query)).await
    }
}

const WEBSITES: &str = "websites";
const STOCKS: &str = "stocks of the websites";
const LEVELS: &str = "salable quantities";
const PRODUCTS_FOR: &str = "products";
const SETTINGS_FOR: &str = "stock settings of products";
const ORDERS_FOR: &str = "hearing of sales at once";
const NO_ROUTE: &str = "this edition has no such route";

async fn patiently<T>(answer: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    let late = || Err(Fault::transient(format!("no answer within {} s", PATIENCE.as_secs())));
    tokio::time::timeout(PATIENCE, Box::pin(answer)).await.unwrap_or_else(|_| late())
}

/// Of the first question, which any integration may ask.
fn signed_in(modules: Result<Vec<String>, Fault>) -> State {
    match modules {
        Ok(_) => State::Granted,
        Err(Fault::Rejected(refusal)) if matches!(refusal.status, 300..400 | 404) => {
            State::Misconfigured(refusal.to_string(), "set `base_url` to the shop's final address, without `/rest`")
        }
        Err(fault) => State::Failed(fault),
    }
}

fn unasked(needs: &Needs) -> Vec<Permission> {
    const WHY: State = State::NotAsked("the sign-in comes first");
    let mut rows: Vec<Permission> =
        [(STORE, WEBSITES), (STOCK, STOCKS), (STOCK, LEVELS), (PRODUCTS, PRODUCTS_FOR), (SETTINGS, SETTINGS_FOR)]
            .map(|(name, purpose)| Permission::new(name, purpose, WHY))
            .into();
    rows.push(Permission::new(ORDERS, ORDERS_FOR, WHY).optional());
    rows.extend(needs.websites.iter().map(|(code, stores)| website(code, stores, None, None)));
    rows
}

/// Whether a store's website is there and sells from a stock.
fn website(
    code: &WebsiteCode,
    stores: &[StoreName],
    sites: Option<&[wire::Website]>,
    stocks: Option<&BTreeMap<String, u32>>,
) -> Permission {
    let stores: Vec<&str> = stores.iter().map(StoreName::as_str).collect();
    let stores = stores.join(", ");
    let state = match (sites, stocks) {
        (None, _) => State::NotAsked("the websites are not known"),
        (Some(sites), _) if sites.iter().all(|site| site.id == 0 || site.code != code.as_str()) => {
            let known: Vec<&str> = sites.iter().filter(|site| site.id != 0).map(|site| site.code.as_str()).collect();
            let text =
                format!("the shop has no website {:?} (store {stores}), it has {}", code.as_str(), known.join(", "));
            State::Misconfigured(text, "set `website` of the store to one of them, written exactly so")
        }
        (_, Some(stocks)) if !stocks.contains_key(&code.as_str().to_lowercase()) => {
            let text = format!("no stock is linked to the website {:?} (store {stores})", code.as_str());
            State::Misconfigured(text, "assign the website to a stock in the shop, under Stores > Inventory > Stocks")
        }
        _ => State::Granted,
    };
    Permission::new(format!("website {code}"), format!("store {stores}"), state)
}

/// How far this machine's clock is ahead of the server's, by the `Date` of any answer.
pub async fn ahead_of(base_url: &str, http: &Http, clock: Clock) -> Option<SignedDuration> {
    let url: Url = format!("{base_url}/rest/V1/modules").parse().ok()?;
    let call = Call {
        operation: "clock",
        pace: Pace::None,
        timeout: PATIENCE,
        attempts: 1,
        max_body: 1 << 20,
        renewable: false,
        classify: |_| Ok(()),
    };
    let answer = http.send(&call, |_| std::future::ready(Ok(Request::new(Method::GET, url.clone())))).await.ok()?;
    let there: Timestamp = rfc2822::parse(answer.header("date")?).ok()?.timestamp();
    Some(clock.now().duration_since(there))
}
