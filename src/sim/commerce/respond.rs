//! From a request's head to an answer. No await: the whole answer is one look at the shop.

use std::time::Duration;

use axum::http::StatusCode;

use super::criteria::{Criteria, Habits, path_int};
use super::fault::{Fault, Quirks};
use super::fields::Fields;
use super::ims::TOKEN_PATH;
use super::params::Params;
use super::reply::{JSON, Reply};
use super::request::{Head, Route};
use super::shop::{ADMIN_WEBSITE, Shop};
use super::stats::{Cost, Work};
use super::{Commerce, Inner, inventory, products, scaled, stock_items, store, tables};
use crate::sim::world::Edition;

/// An answer, when it leaves, and whether its connection survives it.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) reply: Reply,
    pub(super) delay: Duration,
    pub(super) fault: Option<Fault>,
}

/// A request that has found its route.
struct Asked<'a> {
    head: &'a Head,
    body: &'a [u8],
    route: &'a Route,
    /// The website of the store view that is asked.
    store: u32,
    quirks: Quirks,
}

impl Commerce {
    pub(super) fn respond(&self, head: &Head, body: &[u8]) -> Outcome {
        let mut inner = self.lock();
        inner.stats.gzip_requests += u64::from(head.gzip);
        let fault = inner.faults.take(&head.path);
        if let Some(reply) = fault.as_ref().and_then(Fault::instead) {
            inner.stats.count("failed", Work::default(), Cost::REFUSED);
            return Outcome { reply, delay: Duration::ZERO, fault };
        }
        let (route, reply) = match self.route_of(head, &inner) {
            Ok((route, store)) => {
                let quirks = fault.as_ref().map(Fault::quirks).unwrap_or_default();
                let asked = Asked { head, body, route: &route, store, quirks };
                let reply = self.answer(&mut inner, &asked).unwrap_or_else(|refusal| refusal);
                (Some(route), reply)
            }
            Err(reply) => (None, reply),
        };
        let (name, cost) = route.as_ref().map_or(("unknown", Cost::REFUSED), |route| (route.name(), route.cost()));
        let core_us = inner.stats.count(name, reply.work, cost);
        let delay = scaled(core_us, self.settings.latency) + fault.as_ref().map(Fault::delay).unwrap_or_default();
        inner.stats.keep_busy(delay + fault.as_ref().map(Fault::drip).unwrap_or_default());
        drop(inner);
        let reply = match &fault {
            Some(fault) => fault.spoil(reply),
            None => reply,
        };
        Outcome { reply, delay, fault }
    }

    fn route_of(&self, head: &Head, inner: &Inner) -> Result<(Route, u32), Reply> {
        if head.accept.contains("text/html") && !head.accept.contains("json") {
            let title = "There has been an error processing your request";
            return Err(Reply::html(StatusCode::INTERNAL_SERVER_ERROR, title));
        }
        if !matches!(head.method.as_str(), "GET" | "POST" | "PUT" | "DELETE") {
            let message = format!("The {} HTTP method is not supported.", head.method);
            return Err(Reply::message(StatusCode::METHOD_NOT_ALLOWED, &message));
        }
        if self.settings.tenant.is_some() && head.path == TOKEN_PATH {
            return if head.method == "POST" { Ok((Route::ImsToken, ADMIN_WEBSITE)) } else { Err(Reply::no_route()) };
        }
        let (store, segments) = self.place_of(head, inner)?;
        let route = match segments.split_first() {
            Some((version, rest)) if version == "V1" => Route::parse(&head.method, rest),
            _ => None,
        };
        route
            .filter(|route| self.has_route(inner.shop.edition, route))
            .map(|route| (route, store))
            .ok_or_else(Reply::no_route)
    }

    /// The website of the store view that is asked, and the path from the version on. The view stands in the path, or
    /// in a header in the cloud.
    fn place_of(&self, head: &Head, inner: &Inner) -> Result<(u32, Vec<String>), Reply> {
        let refused = || Reply::message(StatusCode::BAD_REQUEST, "Specified request cannot be processed.");
        if let Some(tenant) = &self.settings.tenant {
            let store = head.store.as_deref().unwrap_or("all");
            let segments = head.segments(tenant).ok_or_else(Reply::no_route)?;
            return Ok((inner.shop.website_of_view(store).ok_or_else(refused)?, segments));
        }
        let mut segments = head.segments("rest").unwrap_or_default();
        let first = segments.first().ok_or_else(refused)?;
        if is_version(first) {
            return Ok((ADMIN_WEBSITE, segments));
        }
        let store = inner.shop.website_of_view(first).ok_or_else(refused)?;
        segments.remove(0);
        Ok((store, segments))
    }

    fn has_module_of(edition: Edition, route: &Route) -> bool {
        match edition {
            Edition::MultiSource => true,
            Edition::WithoutExport => !matches!(route, Route::Export(..) | Route::Dump(..)),
            Edition::SingleStock => !route.is_inventory(),
        }
    }

    fn has_route(&self, edition: Edition, route: &Route) -> bool {
        let in_cloud = self.settings.tenant.is_some();
        Self::has_module_of(edition, route) && !(in_cloud && *route == Route::AdminToken)
    }

    fn answer(&self, inner: &mut Inner, asked: &Asked<'_>) -> Result<Reply, Reply> {
        let (head, now) = (asked.head, self.clock.now());
        match asked.route {
            Route::AdminToken => return inner.auth.sign_in(asked.body, now),
            Route::ImsToken => return inner.auth.sign_in_to_ims(asked.body, now),
            Route::Dump(..) => inner.shop.index.catch_up(now),
            _ => {}
        }
        if let Some(resource) = asked.route.resource() {
            inner.auth.allow(head, resource, now)?;
        }
        let params = Params::parse(&head.query);
        let reply = self.read(&inner.shop, asked, &params)?;
        Ok(match params.text("fields") {
            Some(fields) => project(fields, reply),
            None => reply,
        })
    }

    fn read(&self, shop: &Shop, asked: &Asked<'_>, params: &Params) -> Result<Reply, Reply> {
        let end = self.settings.past_the_end;
        let habits = Habits { largest_page: self.settings.largest_page, quirks: asked.quirks.clone() };
        let required = || Criteria::required(params, &habits);
        let optional = || Criteria::optional(params, &habits);
        match asked.route {
            Route::Products => products::list(shop, &required()?, end),
            Route::Product(sku) => products::single(shop, sku),
            Route::Attributes => Ok(products::attributes(shop, &required()?)),
            Route::Attribute(code) => products::attribute(shop, code),
            Route::Export(kind, code) => inventory::export(shop, &required()?, end, (kind, code)),
            Route::Dump(kind, code) => inventory::dump(shop, self.clock.now(), (kind, code)),
            Route::SalableQuantity(sku, stock) => inventory::salable_quantity(shop, self.settings.version, sku, stock),
            Route::IsSalable(sku, stock) => inventory::is_salable(shop, sku, stock),
            Route::AreSalable => inventory::are_salable(shop, params),
            Route::StockResolver(kind, code) => inventory::stock_resolver(shop, kind, code),
            Route::Stocks => tables::stocks(shop, &optional()?, end),
            Route::Stock(id) => tables::stock(shop, path_int(id)?),
            Route::Sources => tables::sources(shop, &optional()?, end),
            Route::Source(code) => tables::source(shop, code),
            Route::SourceItems => tables::source_items(shop, &required()?, end),
            Route::Links => tables::links(shop, &required()?, end),
            Route::LowStock => stock_items::low_stock(shop, params, asked.quirks.overlap, self.settings.seed),
            Route::StockItem(sku) => stock_items::single(shop, sku),
            Route::StockStatus(sku) => stock_items::status(shop, sku, (params, asked.store), self.clock.now()),
            Route::Orders => tables::orders(shop, &required()?, end),
            Route::Websites => Ok(store::websites(shop)),
            Route::StoreViews => Ok(store::store_views(shop)),
            Route::StoreConfigs => {
                Ok(store::store_configs(shop, &format!("{}://{}/", asked.head.scheme, asked.head.host)))
            }
            Route::Modules => Ok(store::modules(shop.edition)),
            Route::AdminToken | Route::ImsToken => Err(Reply::no_route()),
        }
    }
}

fn is_version(segment: &str) -> bool {
    segment.strip_prefix('V').is_some_and(|number| number.parse::<u32>().is_ok())
}

fn project(fields: &str, mut reply: Reply) -> Reply {
    if reply.content_type == JSON && reply.status == StatusCode::OK {
        reply.body = match (Fields::parse(fields), serde_json::from_slice(&reply.body)) {
            (Some(fields), Ok(value)) => fields.apply(value).to_string().into_bytes(),
            _ => b"[]".to_vec(),
        };
    }
    reply
}
