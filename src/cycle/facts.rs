//! Everything that deciding a batch of listings needs to know, fetched at once.

use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};
use std::num::NonZeroU32;

use jiff::Timestamp;

use crate::config::{SkuMapping, StoreConfig};
use crate::model::{
    AccountName, Backorders, CommerceName, Component, Decimal, Listing, MarketplaceId, ProductType, Reading, SellerSku,
    Sku, Source, Stock, WebsiteCode,
};
use crate::store::{Store, StoreError, StoredProduct, StoredStock};

/// What this cycle knows of one Commerce instance.
#[derive(Clone, Debug)]
pub struct ReadState {
    pub started: Timestamp,
    /// Readings from before this are too old to decide by.
    pub fresh_since: Timestamp,
    /// Every product was named: one that is not stored does not exist.
    pub complete: bool,
    pub products: u64,
    pub problem: Option<String>,
    pub websites: BTreeMap<WebsiteCode, u32>,
}

/// An absence that a decision rests on and that was not confirmed singly yet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Doubt {
    Product { commerce: CommerceName, sku: Sku },
    Stock { commerce: CommerceName, website: WebsiteCode, sku: Sku, product_id: u64 },
}

type ByAttribute = BTreeMap<(CommerceName, String), BTreeMap<SellerSku, Vec<Sku>>>;

#[derive(Debug, Default)]
pub(super) struct Facts {
    products: BTreeMap<CommerceName, BTreeMap<Sku, StoredProduct>>,
    by_attribute: ByAttribute,
    elsewhere: BTreeMap<SellerSku, Vec<(AccountName, Vec<MarketplaceId>)>>,
}

/// How a store maps a seller SKU.
pub(super) enum Mapped {
    To(Vec<(Sku, NonZeroU32)>),
    Nothing,
    Ambiguous(Vec<Sku>),
}

impl Facts {
    pub(super) async fn gather(
        store: &Store,
        account: &AccountName,
        stores: &[&StoreConfig],
        listings: &[Listing],
    ) -> Result<Self, StoreError> {
        let names: Vec<SellerSku> = listings.iter().map(|listing| listing.seller_sku.clone()).collect();
        let mut facts = Self::mappings(store, stores, &names).await?;
        let others: BTreeSet<&AccountName> =
            stores.iter().map(|store| &store.account).filter(|name| *name != account).collect();
        if !others.is_empty() {
            let others: Vec<AccountName> = others.into_iter().cloned().collect();
            facts.elsewhere = store.presence(&others, &names).await?;
        }
        let mut wanted: BTreeMap<&CommerceName, BTreeSet<Sku>> = BTreeMap::new();
        for config in stores {
            let skus = wanted.entry(&config.commerce).or_default();
            for name in &names {
                if let Mapped::To(components) = facts.map(config, name) {
                    skus.extend(components.into_iter().map(|(sku, _)| sku));
                }
            }
        }
        for (commerce, skus) in wanted {
            let skus: Vec<Sku> = skus.into_iter().collect();
            facts.products.insert(commerce.clone(), store.products(commerce, &skus).await?);
        }
        Ok(facts)
    }

    /// Only what is needed to map: no products yet.
    pub(super) async fn mappings(
        store: &Store,
        stores: &[&StoreConfig],
        names: &[SellerSku],
    ) -> Result<Self, StoreError> {
        let mut facts = Self::default();
        for config in stores {
            if let SkuMapping::Attribute(code) = &config.seller_sku {
                let key = (config.commerce.clone(), code.clone());
                if let Entry::Vacant(place) = facts.by_attribute.entry(key) {
                    place.insert(store.skus_by_attribute(&config.commerce, code, names).await?);
                }
            }
        }
        Ok(facts)
    }

    pub(super) fn map(&self, store: &StoreConfig, seller_sku: &SellerSku) -> Mapped {
        match &store.seller_sku {
            SkuMapping::Identity => Mapped::To(vec![(seller_sku.as_str().into(), NonZeroU32::MIN)]),
            SkuMapping::Table(table) => match table.components(seller_sku) {
                Some(rows) => Mapped::To(rows.to_vec()),
                None => Mapped::Nothing,
            },
            SkuMapping::Attribute(code) => {
                let key = (store.commerce.clone(), code.clone());
                match self.by_attribute.get(&key).and_then(|found| found.get(seller_sku)).map(Vec::as_slice) {
                    None | Some([]) => Mapped::Nothing,
                    Some([sku]) => Mapped::To(vec![(sku.clone(), NonZeroU32::MIN)]),
                    Some(several) => Mapped::Ambiguous(several.to_vec()),
                }
            }
        }
    }

    /// Whether Amazon shows the listing's seller SKU where this store sells.
    pub(super) fn shown_in(&self, listing: &Listing, store: &StoreConfig) -> bool {
        let shown = |marketplaces: &[MarketplaceId]| marketplaces.iter().any(|id| id.as_str() == store.marketplace.id);
        if store.account == listing.account {
            return shown(&listing.marketplaces);
        }
        let elsewhere = self.elsewhere.get(&listing.seller_sku);
        elsewhere.is_some_and(|rows| rows.iter().any(|(account, ids)| *account == store.account && shown(ids)))
    }

    /// The stored product behind a component, for `explain`.
    pub(super) fn product(&self, commerce: &CommerceName, sku: &Sku) -> Option<&StoredProduct> {
        self.products.get(commerce)?.get(sku)
    }

    /// What is known of one component for one store, and the doubt that is left.
    pub(super) fn component(
        &self,
        store: &StoreConfig,
        (sku, units): (Sku, NonZeroU32),
        read: &ReadState,
        confirmed: &BTreeSet<Doubt>,
    ) -> (Component, Option<Doubt>) {
        let (source, doubt) = self.source(store, &sku, read);
        let doubt = doubt.filter(|doubt| !confirmed.contains(doubt));
        (Component { sku, units, source }, doubt)
    }

    fn source(&self, store: &StoreConfig, sku: &Sku, read: &ReadState) -> (Source, Option<Doubt>) {
        let problem = || read.problem.clone().unwrap_or_else(|| "its last reading is too old".to_owned());
        let Some(product) = self.product(&store.commerce, sku) else {
            if !read.complete {
                return (Source::Unknown(problem()), None);
            }
            let doubt = Doubt::Product { commerce: store.commerce.clone(), sku: sku.clone() };
            return (Source::Missing, Some(doubt));
        };
        if product.read_at < read.fresh_since {
            return (Source::Unknown(problem()), None);
        }
        if let Some(cause) = &product.suspect {
            let text = format!("it may have moved since it was read ({cause}), and was not read again yet");
            return (Source::Unknown(text), None);
        }
        let Some(website) = read.websites.get(&store.website) else {
            return (Source::Unknown(format!("commerce has no website {}", store.website)), None);
        };
        let product_type = ProductType::parse(&product.type_id);
        let composite = matches!(product_type, ProductType::Composite(_));
        let Some((managed, backorders, min_qty)) = product.config.or_else(|| composite.then(no_config)) else {
            return (Source::Unknown("commerce did not say how its stock is configured".into()), None);
        };
        let in_website = product.website_ids.contains(website);
        let nothing = Stock::NoSource;
        let (stock, doubt) = match product.stocks.get(&store.website).filter(|_| in_website) {
            Some(StoredStock::Level { salable, is_salable }) => {
                (Stock::Level { salable: *salable, is_salable: *is_salable }, None)
            }
            Some(StoredStock::NoSource) => (nothing, None),
            Some(StoredStock::Absent) => {
                let (commerce, website) = (store.commerce.clone(), store.website.clone());
                let doubt = Doubt::Stock { commerce, website, sku: sku.clone(), product_id: product.product_id };
                (nothing, Some(doubt))
            }
            Some(StoredStock::Unknown(problem)) => return (Source::Unknown(problem.clone()), None),
            // Not asked for: the rules are done with it before they come to the stock.
            None if composite || !in_website => (nothing, None),
            None => return (Source::Unknown("its stock was not read".into()), None),
        };
        let reading =
            Reading { product_type, enabled: product.enabled, in_website, managed, backorders, min_qty, stock };
        (Source::Known(reading), doubt)
    }
}

/// Composite products have no stock of their own, and the rules do not look at it.
fn no_config() -> (bool, Backorders, Decimal) {
    (true, Backorders::Off, Decimal::ZERO)
}
