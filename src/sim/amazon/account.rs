//! A selling account, and its listings as people see and edit them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::foreign::Foreign;
use super::listing::{Availability, DEFAULT_CHANNEL, Listing};
use super::world::{AccountWorld, Country, ListingWorld, Status};
use crate::model::Marketplace;

#[derive(Debug)]
pub(super) struct Account {
    pub(super) seller_id: String,
    pub(super) client_id: String,
    pub(super) client_secret: String,
    pub(super) refresh_token: String,
    pub(super) marketplaces: Vec<&'static Marketplace>,
    /// Where Amazon has taken some of its listings off sale.
    pub(super) suspended: Vec<&'static Marketplace>,
    pub(super) foreign: Foreign,
    pub(super) listings: BTreeMap<String, Listing>,
    /// The SKUs in the order they came, for picking one at random.
    pub(super) skus: Vec<String>,
    pub(super) revoked: bool,
    pub(super) secret_expired: bool,
}

impl Account {
    pub(super) fn new(world: AccountWorld, now: Timestamp) -> Self {
        let mut account = Self {
            seller_id: world.seller_id,
            client_id: world.client_id,
            client_secret: world.client_secret,
            refresh_token: world.refresh_token,
            marketplaces: world.marketplaces,
            suspended: world.suspended,
            foreign: Foreign { share: world.foreign_share, on: world.foreign_on, off: world.foreign_off },
            listings: BTreeMap::new(),
            skus: Vec::new(),
            revoked: false,
            secret_expired: false,
        };
        for listing in world.listings {
            account.add(listing, now);
        }
        if let Some(generate) = world.generate {
            for index in 0..generate.listings {
                let listing = ListingWorld {
                    sku: generate.sku.sku(index),
                    quantity: generate.quantity,
                    channel: generate.channel.clone(),
                    lead_time: generate.lead_time,
                    ..ListingWorld::default()
                };
                account.add(listing, now);
            }
        }
        account
    }

    pub(super) fn add(&mut self, world: ListingWorld, now: Timestamp) {
        let asin = world.asin.unwrap_or_else(|| format!("B{:09}", self.skus.len()));
        let name = world.product_name.unwrap_or_else(|| format!("Product {}", world.sku));
        let marketplaces = match world.marketplaces {
            Some(countries) => countries.iter().map(|country| country.0).collect(),
            None => self.marketplaces.clone(),
        };
        let live = entries(world.channel.as_deref(), world.quantity, world.lead_time);
        let mut listing = Listing::new(asin, name, marketplaces, live, now);
        listing.status = world.status.unwrap_or(listing.status);
        listing.invalid = world.invalid;
        listing.reject_status = world.reject_status;
        listing.loses = world.loses;
        if self.listings.insert(world.sku.clone(), listing).is_none() {
            self.skus.push(world.sku);
        }
    }

    pub(super) fn view(&self, sku: &str) -> Option<ListingView> {
        let listing = self.listings.get(sku)?;
        let entry = listing.merchant().or_else(|| listing.live.first());
        Some(ListingView {
            seller_id: self.seller_id.clone(),
            sku: sku.to_owned(),
            asin: listing.asin.clone(),
            channels: listing.live.iter().map(|entry| entry.channel.clone()).collect(),
            quantity: listing.quantity(),
            lead_time: entry.and_then(|entry| entry.lead_time),
            status: listing.statuses(),
            stranded: listing.stranded,
            marketplaces: listing.marketplaces.iter().map(|marketplace| marketplace.country).collect(),
        })
    }

    pub(super) fn views(&self) -> Vec<ListingView> {
        self.listings.keys().filter_map(|sku| self.view(sku)).collect()
    }

    /// A stranger's edit: it is live at once. Tells what was wrong with it.
    pub(super) fn edit(&mut self, sku: &str, edit: Edit, now: Timestamp) -> Result<(), EditError> {
        if edit.delete {
            self.skus.retain(|one| one != sku);
            return self.listings.remove(sku).map(|_| ()).ok_or(EditError::Unknown);
        }
        if edit.create {
            if self.listings.contains_key(sku) {
                return Err(EditError::Exists);
            }
            self.add(ListingWorld { sku: sku.to_owned(), ..ListingWorld::default() }, now);
        }
        let sold_in = self.marketplaces.clone();
        let listing = self.listings.get_mut(sku).ok_or(EditError::Unknown)?;
        if let Some(countries) = edit.marketplaces {
            let marketplaces: Vec<_> = countries.iter().map(|country| country.0).collect();
            if !marketplaces.iter().all(|one| sold_in.contains(one)) {
                return Err(EditError::NotSoldThere);
            }
            listing.marketplaces = marketplaces;
        }
        if edit.channel.is_some() || edit.quantity.is_some() || edit.lead_time.is_some() {
            let held = listing.live.first().cloned().unwrap_or_default();
            let channel = edit.channel.unwrap_or(held.channel);
            let quantity = edit.quantity.or(held.quantity).unwrap_or(0);
            let lead_time = edit.lead_time.or_else(|| held.lead_time.and_then(|days| days.try_into().ok()));
            listing.set_live(entries(Some(&channel), quantity, lead_time), now);
        }
        listing.name = edit.product_name.unwrap_or_else(|| std::mem::take(&mut listing.name));
        listing.status = edit.status.unwrap_or_else(|| std::mem::take(&mut listing.status));
        listing.loses = edit.loses.unwrap_or(listing.loses);
        if let Some(text) = edit.invalid {
            listing.invalid = Some(text).filter(|text| !text.is_empty());
        }
        if let Some(status) = edit.reject_status {
            listing.reject_status = Some(status).filter(|status| *status != 0);
        }
        listing.updated = now;
        Ok(())
    }
}

fn entries(channel: Option<&str>, quantity: u64, lead_time: Option<u8>) -> Vec<Availability> {
    let lead_time = lead_time.map(u64::from);
    match channel.unwrap_or(DEFAULT_CHANNEL) {
        "absent" => Vec::new(),
        DEFAULT_CHANNEL | "" => vec![Availability {
            channel: DEFAULT_CHANNEL.to_owned(),
            quantity: Some(quantity),
            lead_time,
            restock_date: None,
        }],
        amazon => vec![Availability { channel: amazon.to_owned(), ..Availability::default() }],
    }
}

/// A listing as it is live now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ListingView {
    pub seller_id: String,
    pub sku: String,
    pub asin: String,
    pub channels: Vec<String>,
    /// The merchant's own; FBA listings have none.
    pub quantity: Option<u64>,
    pub lead_time: Option<u64>,
    pub status: Vec<Status>,
    /// An FBA listing that a write turned into a merchant-fulfilled one.
    pub stranded: bool,
    pub marketplaces: Vec<&'static str>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Edit {
    pub create: bool,
    pub delete: bool,
    pub quantity: Option<u64>,
    pub channel: Option<String>,
    pub lead_time: Option<u8>,
    pub marketplaces: Option<Vec<Country>>,
    pub product_name: Option<String>,
    pub status: Option<Vec<Status>>,
    /// Empty: patches are accepted again.
    pub invalid: Option<String>,
    /// 0: patches are answered again.
    pub reject_status: Option<u16>,
    pub loses: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    #[error("no such account")]
    NoAccount,
    #[error("no such listing")]
    Unknown,
    #[error("the listing exists already")]
    Exists,
    #[error("the account does not sell there")]
    NotSoldThere,
}
