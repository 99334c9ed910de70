//! The `[amazon]` section of a world file, checked while it is read.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use jiff::SignedDuration;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::fault::Fault;
use super::operation::Operation;
use super::report_text::ReportShape;
use crate::model::{Marketplace, Region};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AmazonWorld {
    /// Multiplies every documented rate, and the rate header with it; bursts stay.
    #[serde(deserialize_with = "factor")]
    pub speed: f64,
    /// Calls a second granted in place of the documented ones, before the speed; the header tells it.
    pub rates: BTreeMap<Operation, Rate>,
    /// Calls a second granted to an application over all of its accounts, in place of the documented ones, before the
    /// speed; nothing tells them.
    pub application_rates: BTreeMap<Operation, Rate>,
    /// From ACCEPTED to live.
    pub apply_delay: Delay,
    pub report_delay: Delay,
    pub feed_delay: Delay,
    /// From a feed's end to live, in place of the usual delay. Then nothing orders it after or before patches.
    pub feed_apply_delay: Option<Delay>,
    #[serde(deserialize_with = "duration")]
    pub token_lifetime: Duration,
    /// So many of a hundred accepted changes are never applied.
    pub lose_percent: f64,
    pub report: ReportShape,
    #[serde(rename = "account")]
    pub accounts: Vec<AccountWorld>,
    #[serde(rename = "buyer")]
    pub buyers: Vec<BuyerWorld>,
    /// In force from the start.
    #[serde(rename = "fault")]
    pub faults: Vec<Fault>,
}

impl Default for AmazonWorld {
    fn default() -> Self {
        Self {
            speed: 1.0,
            rates: BTreeMap::new(),
            application_rates: BTreeMap::new(),
            apply_delay: Delay::fixed(Duration::from_secs(2)),
            report_delay: Delay::fixed(Duration::from_secs(1)),
            feed_delay: Delay::fixed(Duration::from_mins(2)),
            feed_apply_delay: None,
            token_lifetime: Duration::from_hours(1),
            lose_percent: 0.0,
            report: ReportShape::default(),
            accounts: Vec::new(),
            buyers: Vec::new(),
            faults: Vec::new(),
        }
    }
}

/// One selling account in one region, with the application that it authorized.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "RawAccount")]
pub struct AccountWorld {
    pub seller_id: String,
    pub client_id: String,
    pub client_secret: String,
    pub refresh_token: String,
    pub region: Region,
    pub marketplaces: Vec<&'static Marketplace>,
    /// Of these, where Amazon has taken some of its listings off sale. It is only told.
    pub suspended: Vec<&'static Marketplace>,
    /// The share of every quota that another program of the same application uses up.
    pub foreign_share: f64,
    /// So long it does, and then not for so long, by turns.
    pub foreign_on: Duration,
    pub foreign_off: Duration,
    pub listings: Vec<ListingWorld>,
    pub generate: Option<GenerateWorld>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAccount {
    seller_id: String,
    client_id: String,
    client_secret: String,
    refresh_token: String,
    region: String,
    marketplaces: Vec<Country>,
    #[serde(default)]
    suspended: Vec<Country>,
    #[serde(default)]
    foreign_share: f64,
    #[serde(default, deserialize_with = "duration")]
    foreign_on: Duration,
    #[serde(default, deserialize_with = "duration")]
    foreign_off: Duration,
    #[serde(default, rename = "listing")]
    listings: Vec<ListingWorld>,
    #[serde(default)]
    generate: Option<GenerateWorld>,
}

impl TryFrom<RawAccount> for AccountWorld {
    type Error = String;

    fn try_from(raw: RawAccount) -> Result<Self, String> {
        let region =
            Region::parse(&raw.region).ok_or_else(|| format!("region `{}` is none of `na`, `eu`, `fe`", raw.region))?;
        let marketplaces: Vec<_> = raw.marketplaces.iter().map(|country| country.0).collect();
        if let Some(stranger) = marketplaces.iter().find(|marketplace| marketplace.region != region) {
            return Err(format!("marketplace `{}` is not in region `{region}`", stranger.country));
        }
        for listing in &raw.listings {
            if let Some(absent) = listing.marketplaces.iter().flatten().find(|one| !marketplaces.contains(&one.0)) {
                let country = absent.0.country;
                return Err(format!("listing `{}` is in `{country}`, where the account does not sell", listing.sku));
            }
        }
        if !(0.0..1.0).contains(&raw.foreign_share) {
            return Err("foreign_share is at least 0 and less than 1".to_owned());
        }
        Ok(Self {
            seller_id: raw.seller_id,
            client_id: raw.client_id,
            client_secret: raw.client_secret,
            refresh_token: raw.refresh_token,
            region,
            marketplaces,
            suspended: raw.suspended.iter().map(|country| country.0).collect(),
            foreign_share: raw.foreign_share,
            foreign_on: raw.foreign_on,
            foreign_off: raw.foreign_off,
            listings: raw.listings,
            generate: raw.generate,
        })
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListingWorld {
    pub sku: String,
    pub asin: Option<String>,
    #[serde(default)]
    pub quantity: u64,
    /// `DEFAULT`, `AMAZON_EU` and the like, or `absent` for a listing that shows no channel at all.
    pub channel: Option<String>,
    pub lead_time: Option<u8>,
    /// All of the account's when absent.
    pub marketplaces: Option<Vec<Country>>,
    /// The most the listing can be: BUYABLE also needs a quantity.
    pub status: Option<Vec<Status>>,
    pub product_name: Option<String>,
    /// Patches are answered INVALID with this text.
    pub invalid: Option<String>,
    /// Patches are answered with this HTTP status.
    pub reject_status: Option<u16>,
    /// Patches are accepted and never applied.
    #[serde(default)]
    pub loses: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenerateWorld {
    pub listings: usize,
    #[serde(default)]
    pub sku: Pattern,
    #[serde(default)]
    pub quantity: u64,
    pub channel: Option<String>,
    pub lead_time: Option<u8>,
}

/// Somebody who takes stock now and then: of one listing, or of any.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BuyerWorld {
    pub seller_id: Option<String>,
    pub sku: Option<String>,
    #[serde(deserialize_with = "duration")]
    pub every: Duration,
    #[serde(default = "one")]
    pub quantity: u64,
}

const fn one() -> u64 {
    1
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    Buyable,
    Discoverable,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Country(pub &'static Marketplace);

impl TryFrom<String> for Country {
    type Error = String;

    fn try_from(code: String) -> Result<Self, String> {
        Marketplace::by_country(&code).map(Self).ok_or_else(|| format!("`{code}` is no country with a marketplace"))
    }
}

/// Numbered SKUs: `SKU-{00001}` counts from 1 with five digits.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Pattern {
    before: String,
    first: usize,
    digits: usize,
    after: String,
}

impl Pattern {
    pub fn sku(&self, index: usize) -> String {
        format!("{}{:0width$}{}", self.before, self.first + index, self.after, width = self.digits)
    }
}

impl Default for Pattern {
    fn default() -> Self {
        Self { before: "SKU-".to_owned(), first: 1, digits: 5, after: String::new() }
    }
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let parts = text.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)));
        let Some((before, (number, after))) = parts else {
            return Err(format!("`{text}` names no number like `{{00001}}`"));
        };
        let first = number.parse().map_err(|_| format!("`{{{number}}}` is not a number"))?;
        Ok(Self { before: before.to_owned(), first, digits: number.len(), after: after.to_owned() })
    }
}

/// How long something takes: `"2s"`, or `{ min = "1s", max = "5s" }` for a seeded draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delay {
    pub min: Duration,
    pub max: Duration,
}

impl Delay {
    pub const fn fixed(duration: Duration) -> Self {
        Self { min: duration, max: duration }
    }
}

impl<'de> Deserialize<'de> for Delay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DelayVisitor)
    }
}

struct DelayVisitor;

impl<'de> Visitor<'de> for DelayVisitor {
    type Value = Delay;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration like \"2s\", or its min and max")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Delay, E> {
        parse(text).map(Delay::fixed).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Delay, A::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Bounds {
            #[serde(deserialize_with = "duration")]
            min: Duration,
            #[serde(deserialize_with = "duration")]
            max: Duration,
        }
        let bounds = Bounds::deserialize(de::value::MapAccessDeserializer::new(map))?;
        if bounds.min > bounds.max {
            return Err(de::Error::custom("min is longer than max"));
        }
        Ok(Delay { min: bounds.min, max: bounds.max })
    }
}

fn parse(text: &str) -> Result<Duration, String> {
    let signed: SignedDuration = text.parse().map_err(|error| format!("`{text}` is no duration: {error}"))?;
    Duration::try_from(signed).map_err(|_| format!("`{text}` is negative"))
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
}

fn factor<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let factor = f64::deserialize(deserializer)?;
    if factor > 0.0 && factor <= 1e6 {
        Ok(factor)
    } else {
        Err(de::Error::custom("a speed is above 0, at most a million"))
    }
}

/// Calls a second.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Rate(#[serde(deserialize_with = "factor")] pub f64);

/// A percentage as a probability, whatever was written.
pub(super) fn chance(percent: f64) -> f64 {
    if percent > 0.0 { (percent / 100.0).min(1.0) } else { 0.0 }
}

pub(super) fn duration_if_any<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| parse(&text).map_err(de::Error::custom)).transpose()
}

pub(super) fn factor_if_any<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    factor(deserializer).map(Some)
}
