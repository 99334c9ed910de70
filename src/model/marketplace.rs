//! Amazon's regions and marketplaces, as its marketplace-ids page lists them.

use std::fmt;

/// An SP-API region: an endpoint group, not a selling account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Region {
    Na,
    Eu,
    Fe,
}

impl Region {
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "na" => Some(Self::Na),
            "eu" => Some(Self::Eu),
            "fe" => Some(Self::Fe),
            _ => None,
        }
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Na => "na",
            Self::Eu => "eu",
            Self::Fe => "fe",
        }
    }

    pub const fn endpoint(self) -> &'static str {
        match self {
            Self::Na => "https://sellingpartnerapi-na.amazon.com",
            Self::Eu => "https://sellingpartnerapi-eu.amazon.com",
            Self::Fe => "https://sellingpartnerapi-fe.amazon.com",
        }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[derive(Debug, PartialEq, Eq)]
pub struct Marketplace {
    pub country: &'static str,
    pub id: &'static str,
    pub region: Region,
}

impl Marketplace {
    /// Finds a marketplace by its country code; `GB` is the United Kingdom's other name.
    pub fn by_country(code: &str) -> Option<&'static Self> {
        let code = if code == "GB" { "UK" } else { code };
        MARKETPLACES.iter().find(|marketplace| marketplace.country == code)
    }

    pub fn by_id(id: &str) -> Option<&'static Self> {
        MARKETPLACES.iter().find(|marketplace| marketplace.id == id)
    }
}

const fn entry(country: &'static str, id: &'static str, region: Region) -> Marketplace {
    Marketplace { country, id, region }
}

pub static MARKETPLACES: [Marketplace; 23] = [
    entry("CA", "A2EUQ1WTGCTBG2", Region::Na),
    entry("US", "ATVPDKIKX0DER", Region::Na),
    entry("MX", "A1AM78C64UM0Y8", Region::Na),
    entry("BR", "A2Q3Y263D00KWC", Region::Na),
    entry("IE", "A28R8C7NBKEWEA", Region::Eu),
    entry("ES", "A1RKKUPIHCS9HS", Region::Eu),
    entry("UK", "A1F83G8C2ARO7P", Region::Eu),
    entry("FR", "A13V1IB3VIYZZH", Region::Eu),
    entry("BE", "AMEN7PMS3EDWL", Region::Eu),
    entry("NL", "A1805IZSGTT6HS", Region::Eu),
    entry("DE", "A1PA6795UKMFR9", Region::Eu),
    entry("IT", "APJ6JRA9NG5V4", Region::Eu),
    entry("SE", "A2NODRKZP88ZB9", Region::Eu),
    entry("ZA", "AE08WJ6YKNBMC", Region::Eu),
    entry("PL", "A1C3SOZRARQ6R3", Region::Eu),
    entry("EG", "ARBP9OOSHTCHU", Region::Eu),
    entry("TR", "A33AVAJ2PDY3EV", Region::Eu),
    entry("SA", "A17E79C6D8DWNP", Region::Eu),
    entry("AE", "A2VIGQ35RCS4UG", Region::Eu),
    entry("IN", "A21TJRUUN4KGV", Region::Eu),
    entry("SG", "A19VAU5U5O7RUS", Region::Fe),
    entry("AU", "A39IBJ37TRP1C6", Region::Fe),
    entry("JP", "A1VC38T7YXB528", Region::Fe),
];
