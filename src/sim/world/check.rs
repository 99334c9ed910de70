//! What a world file may get wrong beyond its shape.

use std::collections::{BTreeMap, BTreeSet};

use super::fold::folded;
use super::raw::{CommerceWorld, ProductWorld};
use super::sign_in::{Ims, Integration};

#[derive(Debug)]
pub(super) struct Problem {
    pub(super) place: String,
    pub(super) problem: String,
}

impl Problem {
    fn new(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { place: place.into(), problem: problem.into() }
    }
}

/// OAuth refuses keys of any other length before it looks at them.
const KEY_LENGTH: usize = 32;
const TYPES: [&str; 7] = ["simple", "virtual", "downloadable", "configurable", "bundle", "grouped", "giftcard"];

struct Names<'a> {
    websites: BTreeSet<&'a str>,
    sources: BTreeSet<&'a str>,
    stocks: BTreeSet<u32>,
}

pub(super) fn check(world: &CommerceWorld) -> Result<(), Problem> {
    for integration in world.oauth.iter().chain(&world.other_oauth) {
        check_integration(integration)?;
    }
    if let Some(ims) = &world.ims {
        check_ims(ims)?;
    }
    if world.system.backorders > 2 {
        return Err(Problem::new("commerce.system.backorders", "must be 0, 1 or 2"));
    }
    if !(world.latency.is_finite() && world.latency >= 0.0) {
        return Err(Problem::new("commerce.latency", "must be 0 or more"));
    }
    if world.maximum_page_size < 1 {
        return Err(Problem::new("commerce.maximum_page_size", "must be 1 or more"));
    }
    let names = check_places(world)?;
    let mut seen = BTreeMap::new();
    for (index, product) in world.product.iter().enumerate() {
        check_product(product, &names).map_err(|problem| Problem::new(place_of(index, product), problem))?;
        if let Some(other) = seen.insert(folded(&product.sku), index) {
            let problem = format!(
                "the same SKU as product {} ({:?}): Commerce ignores case, accents and blanks at the end",
                other + 1,
                world.product.get(other).map_or("", |other| other.sku.as_str()),
            );
            return Err(Problem::new(place_of(index, product), problem));
        }
    }
    Ok(())
}

fn place_of(index: usize, product: &ProductWorld) -> String {
    format!("commerce.product {} ({:?})", index + 1, product.sku)
}

fn check_integration(integration: &Integration) -> Result<(), Problem> {
    let keys = [("consumer_key", &integration.consumer_key), ("access_token", &integration.access_token)];
    for (key, value) in keys {
        if value.len() != KEY_LENGTH {
            return Err(Problem::new(format!("commerce.oauth.{key}"), format!("must have {KEY_LENGTH} characters")));
        }
    }
    Ok(())
}

/// The tenant is one part of a path that nothing else here answers on.
fn check_ims(ims: &Ims) -> Result<(), Problem> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if ims.tenant_id.is_empty() || !ims.tenant_id.chars().all(plain) || matches!(ims.tenant_id.as_str(), "rest" | "ims")
    {
        return Err(Problem::new(
            "commerce.ims.tenant_id",
            "must be letters, digits and dashes, not \"rest\" or \"ims\"",
        ));
    }
    Ok(())
}

fn check_places(world: &CommerceWorld) -> Result<Names<'_>, Problem> {
    let mut names = Names { websites: BTreeSet::new(), sources: BTreeSet::new(), stocks: BTreeSet::new() };
    for stock in &world.stock {
        if stock.id == 0 || !names.stocks.insert(stock.id) {
            return Err(Problem::new("commerce.stock", format!("id {} is 0 or there twice", stock.id)));
        }
    }
    let mut ids = BTreeSet::new();
    for website in &world.website {
        let place = || format!("commerce.website {:?}", website.code);
        if website.id == 0 || !ids.insert(website.id) || !names.websites.insert(&website.code) {
            return Err(Problem::new(place(), "its id is 0, or id or code is there twice"));
        }
        if !names.stocks.contains(&website.stock_id) {
            return Err(Problem::new(place(), format!("no stock has the id {}", website.stock_id)));
        }
    }
    for source in &world.source {
        let place = || format!("commerce.source {:?}", source.code);
        if !names.sources.insert(&source.code) {
            return Err(Problem::new(place(), "its code is there twice"));
        }
        if let Some(stock) = source.stocks.iter().find(|stock| !names.stocks.contains(stock)) {
            return Err(Problem::new(place(), format!("no stock has the id {stock}")));
        }
    }
    Ok(names)
}

fn check_product(product: &ProductWorld, names: &Names<'_>) -> Result<(), String> {
    if product.sku.is_empty() || product.sku.trim_matches(' ') != product.sku || product.sku.chars().count() > 64 {
        return Err("a SKU has 1 to 64 characters and no blanks around it".to_owned());
    }
    if !TYPES.contains(&product.type_id.as_str()) {
        return Err(format!("unknown type {:?}, expected one of {}", product.type_id, TYPES.join(", ")));
    }
    if let Some(code) = product.websites.iter().flatten().find(|code| !names.websites.contains(code.as_str())) {
        return Err(format!("unknown website {code:?}"));
    }
    if let Some(code) = product.sources.keys().find(|code| !names.sources.contains(code.as_str())) {
        return Err(format!("unknown source {code:?}"));
    }
    if let Some(stock) =
        product.reserved.keys().find(|stock| !stock.parse().is_ok_and(|id: u32| names.stocks.contains(&id)))
    {
        return Err(format!("reserved: no stock has the id {stock:?}"));
    }
    if product.backorders.is_some_and(|backorders| backorders > 2) {
        return Err("backorders must be 0, 1 or 2".to_owned());
    }
    Ok(())
}
