//! `GET_MERCHANT_LISTINGS_ALL_DATA` as text: tabs, odd headers, and `?` for what its charset cannot say.

use std::io::Write;

use bytes::Bytes;
use encoding_rs::{Encoding, SHIFT_JIS, UTF_8, WINDOWS_1252};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Deserialize;

use super::account::Account;
use super::listing::{Availability, Listing};
use super::world::Status;
use crate::model::Marketplace;

/// How reports come; the defaults are what Europe and North America give.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReportShape {
    pub header: Header,
    pub charset: Charset,
    pub byte_order_mark: bool,
    pub gzip: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Header {
    #[default]
    Usual,
    /// With the two columns that some accounts see besides.
    Long,
    /// Five columns only.
    Short,
    /// In the language of the marketplace, unless English was asked for.
    German,
    /// The seller's own choice of columns, in an order of its own.
    Custom,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Charset {
    #[default]
    Cp1252,
    #[serde(rename = "UTF-8")]
    Utf8,
    #[serde(rename = "Shift_JIS")]
    ShiftJis,
}

impl Charset {
    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::Cp1252 => "text/plain; charset=Cp1252",
            Self::Utf8 => "text/plain; charset=UTF-8",
            Self::ShiftJis => "text/plain; charset=Shift_JIS",
        }
    }

    const fn encoding(self) -> &'static Encoding {
        match self {
            Self::Cp1252 => WINDOWS_1252,
            Self::Utf8 => UTF_8,
            Self::ShiftJis => SHIFT_JIS,
        }
    }
}

/// English and German names in the order of the file.
const COLUMNS: [(&str, &str); 31] = [
    ("item-name", "Artikelbezeichnung"),
    ("item-description", "Artikelbeschreibung"),
    ("listing-id", "Angebotsnummer"),
    ("seller-sku", "Händler-SKU"),
    ("price", "Preis"),
    ("quantity", "Menge"),
    ("open-date", "Erstellungsdatum"),
    ("image-url", "Bild-URL"),
    ("item-is-marketplace", "Artikel ist Marketplace-Angebot"),
    ("product-id-type", "Produkt-ID-Typ"),
    ("zshop-shipping-fee", "zShop-Versandkosten"),
    ("item-note", "Anmerkung zum Artikel"),
    ("item-condition", "Artikelzustand"),
    ("zshop-category1", "zShop-Kategorie"),
    ("zshop-browse-path", "zShop-Suchpfad"),
    ("zshop-storefront-feature", "zShop-Storefront"),
    ("asin1", "ASIN 1"),
    ("asin2", "ASIN 2"),
    ("asin3", "ASIN 3"),
    ("will-ship-internationally", "Internationaler Versand"),
    ("expedited-shipping", "Expressversand"),
    ("zshop-boldface", "zShop-Fettschrift"),
    ("product-id", "Produkt-ID"),
    ("bid-for-featured-placement", "Gebot für hervorgehobene Platzierung"),
    ("add-delete", "Hinzufügen-Löschen"),
    ("pending-quantity", "Anzahl Bestellungen"),
    ("fulfillment-channel", "Versender"),
    ("merchant-shipping-group", "Versandvorlage des Händlers"),
    ("status", "Status"),
    ("Minimum order quantity", "Mindestbestellmenge"),
    ("Sell remainder", "Rest verkaufen"),
];

const CUSTOM: [&str; 5] = ["product-id", "status", "seller-sku", "product-id-type", "quantity"];
const SHORT: [&str; 5] = ["item-name", "seller-sku", "price", "quantity", "open-date"];

/// The whole document, one row for each offer of each listing in the marketplaces.
pub(super) fn document(account: &Account, asked: &[&'static Marketplace], shape: &ReportShape) -> Bytes {
    let columns = columns(shape.header);
    let title =
        |column: &&(&'static str, &'static str)| if shape.header == Header::German { column.1 } else { column.0 };
    let mut text = columns.iter().map(title).collect::<Vec<_>>().join("\t");
    text.push('\n');
    let nothing = [Availability::default()];
    for (sku, listing) in account.listings.iter().filter(|(_, listing)| listing.is_in(asked)) {
        let offers: &[Availability] = if listing.live.is_empty() { &nothing } else { &listing.live };
        for offer in offers {
            let cells = columns.iter().map(|(name, _)| cell(name, sku, listing, offer));
            text.push_str(&cells.collect::<Vec<_>>().join("\t"));
            text.push('\n');
        }
    }
    compress(encode(&text, shape), shape.gzip)
}

fn columns(header: Header) -> Vec<&'static (&'static str, &'static str)> {
    let all = COLUMNS.iter();
    match header {
        Header::Long => all.collect(),
        Header::Short => all.filter(|(name, _)| SHORT.contains(name)).collect(),
        Header::Custom => CUSTOM.iter().filter_map(|wanted| COLUMNS.iter().find(|(name, _)| name == wanted)).collect(),
        Header::Usual | Header::German => {
            all.filter(|(name, _)| !name.starts_with(|first: char| first.is_ascii_uppercase())).collect()
        }
    }
}

fn cell(column: &str, sku: &str, listing: &Listing, offer: &Availability) -> String {
    let plain = |text: &str| text.replace(['\t', '\n', '\r'], " ");
    match column {
        "item-name" => plain(&listing.name),
        "listing-id" => format!("L{}", listing.asin),
        "seller-sku" => plain(sku),
        "price" => "19.99".to_owned(),
        "quantity" => offer.quantity.map_or_else(String::new, |quantity| quantity.to_string()),
        "open-date" => listing.created.strftime("%d/%m/%Y %H:%M:%S UTC").to_string(),
        "item-is-marketplace" => "y".to_owned(),
        "product-id-type" => "1".to_owned(),
        "item-condition" => "11".to_owned(),
        "asin1" | "product-id" => listing.asin.clone(),
        "pending-quantity" => "0".to_owned(),
        "fulfillment-channel" => offer.channel.clone(),
        "merchant-shipping-group" => "Standard".to_owned(),
        "status" => {
            let statuses = listing.statuses();
            let shown = match (statuses.contains(&Status::Buyable), statuses.is_empty()) {
                (true, _) => "Active",
                (false, true) => "Incomplete",
                (false, false) => "Inactive",
            };
            shown.to_owned()
        }
        _ => String::new(),
    }
}

fn encode(text: &str, shape: &ReportShape) -> Vec<u8> {
    let mut bytes = if shape.byte_order_mark { "\u{feff}".as_bytes().to_vec() } else { Vec::new() };
    if shape.charset == Charset::Utf8 {
        bytes.extend_from_slice(text.as_bytes());
        return bytes;
    }
    let mut buffer = [0; 4];
    for character in text.chars() {
        let character = character.encode_utf8(&mut buffer);
        if character.len() == 1 {
            bytes.extend_from_slice(character.as_bytes());
            continue;
        }
        let (encoded, _, unknown) = shape.charset.encoding().encode(character);
        if unknown { bytes.push(b'?') } else { bytes.extend_from_slice(&encoded) }
    }
    bytes
}

pub(super) fn compress(bytes: Vec<u8>, gzip: bool) -> Bytes {
    if !gzip {
        return bytes.into();
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing into memory cannot fail.
    if encoder.write_all(&bytes).is_err() {
        return bytes.into();
    }
    encoder.finish().unwrap_or_default().into()
}
