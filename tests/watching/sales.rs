//! What customers and other systems buy, reserve and send back.

use std::collections::BTreeMap;

use rand::RngExt;
use stocksync::sim::Quantity;

use super::happen::Done;
use super::kinds::Kind;
use super::shop::Shop;
use super::truth::{Item, SITES};

impl Shop {
    pub(crate) fn sell(&mut self, kind: Kind) -> Done {
        let has = |shop: &Self, sku: &str, item: &Item| {
            let of = |units: &BTreeMap<(String, u32), u32>| {
                SITES.iter().any(|site| units.get(&(sku.to_owned(), site.id)).is_some_and(|units| *units > 0))
            };
            !item.is_composite()
                && match kind {
                    Kind::Ordered => !item.sites.is_empty(),
                    Kind::Cancelled | Kind::Shipped => of(&shop.open),
                    _ => of(&shop.shipped),
                }
        };
        let Some(sku) = self.pick(has) else { return Ok(()) };
        let units = match kind {
            Kind::Ordered => None,
            Kind::Cancelled | Kind::Shipped => Some(&self.open),
            _ => Some(&self.shipped),
        };
        let stocks: Vec<u32> = match units {
            None => self.truth.items[&sku].sites.iter().map(|site| SITES[*site].id).collect(),
            Some(units) => {
                units.iter().filter(|((own, _), units)| *own == sku && **units > 0).map(|((_, id), _)| *id).collect()
            }
        };
        let at = (sku.clone(), stocks[self.rng.random_range(0..stocks.len())]);
        let most = units.map_or(5, |units| units[&at]);
        let quantity = self.rng.random_range(1..=most.min(5));
        self.change(kind, std::slice::from_ref(&sku), |shop| {
            let (commerce, stock) = (&shop.commerce, at.1);
            match kind {
                Kind::Ordered => commerce.order(&sku, stock, quantity).map(drop)?,
                Kind::Cancelled => commerce.cancel(&sku, stock, quantity)?,
                Kind::Shipped => commerce.ship(&sku, stock, quantity)?,
                _ => commerce.refund(&sku, stock, quantity, kind == Kind::Returned)?,
            }
            match kind {
                Kind::Ordered => *shop.open.entry(at).or_default() += quantity,
                Kind::Cancelled => *shop.open.entry(at).or_default() -= quantity,
                Kind::Shipped => {
                    *shop.open.entry(at.clone()).or_default() -= quantity;
                    *shop.shipped.entry(at).or_default() += quantity;
                }
                _ => *shop.shipped.entry(at).or_default() -= quantity,
            }
            Ok(())
        })
    }

    pub(crate) fn reserve(&mut self, kind: Kind) -> Done {
        let more = kind == Kind::ReservedElsewhere;
        let held = |item: &Item| item.foreign.values().any(|held| *held > 0);
        let Some(sku) = self.pick(|shop, _, item| {
            let managed = shop.truth.settings(item).0;
            !item.is_composite() && managed && if more { !item.sites.is_empty() } else { held(item) }
        }) else {
            return Ok(());
        };
        let item = &self.truth.items[&sku];
        let stocks: Vec<u32> = if more {
            item.sites.iter().map(|site| SITES[*site].id).collect()
        } else {
            item.foreign.iter().filter(|(_, held)| **held > 0).map(|(stock, _)| *stock).collect()
        };
        let stock = stocks[self.rng.random_range(0..stocks.len())];
        let quantity = if more { self.rng.random_range(1..4) } else { -self.truth.items[&sku].foreign[&stock] };
        self.change(kind, std::slice::from_ref(&sku), |shop| {
            shop.commerce.reserve(&sku, stock, Quantity::whole(quantity))?;
            *shop.item(&sku).foreign.entry(stock).or_default() += quantity;
            Ok(())
        })
    }
}
