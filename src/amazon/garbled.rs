//! Seller SKUs that a report lost characters of: Amazon writes `?` for what its charset cannot say. Such a name must
//! never pass for a listing's own, for Amazon takes in quantities for names that it does not know.

use std::collections::{BTreeMap, BTreeSet};

use super::{Client, encode, wire};
use crate::http::Fault;
use crate::model::{MarketplaceId, SellerSku};

/// A search takes this many ASINs, and answers this many listings a page.
const SEARCH_SIZE: usize = 20;
/// Amazon lets nobody page further than a thousand listings.
const MOST_PAGES: usize = 50;

/// Names as a report has them that may have lost characters, each with the ASINs of its rows.
#[derive(Debug, Default)]
pub(super) struct Garbled(BTreeMap<SellerSku, BTreeSet<String>>);

/// What became of them.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub seller_skus: BTreeSet<SellerSku>,
    /// How many listings no search found, and one of their names.
    pub lost: usize,
    pub example: Option<SellerSku>,
}

impl Garbled {
    pub(super) fn add(&mut self, name: SellerSku, asin: Option<String>) {
        self.0.entry(name).or_default().extend(asin);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Names by ASIN: what a search for the ASIN finds can only be one of these.
    fn by_asin(&self) -> BTreeMap<&str, Vec<&SellerSku>> {
        let mut names: BTreeMap<&str, Vec<&SellerSku>> = BTreeMap::new();
        for (name, asins) in &self.0 {
            for asin in asins {
                names.entry(asin).or_default().push(name);
            }
        }
        names
    }
}

impl Client {
    /// The seller SKUs behind garbled names. One search after the other: sending and looking need the rate as well.
    pub(super) async fn find_garbled(&self, marketplace: &MarketplaceId, garbled: &Garbled) -> Result<Found, Fault> {
        let mut found = Found::default();
        let mut left: BTreeMap<&SellerSku, usize> =
            garbled.0.iter().map(|(name, asins)| (name, asins.len().max(1))).collect();
        let by_asin: Vec<(&str, Vec<&SellerSku>)> = garbled.by_asin().into_iter().collect();
        for some in by_asin.chunks(SEARCH_SIZE) {
            let asins: Vec<&str> = some.iter().map(|(asin, _)| *asin).collect();
            for item in self.search_asins(marketplace, &asins).await? {
                let seller_sku = SellerSku::from(item.sku);
                let Some(name) = some.iter().flat_map(|(_, names)| names).find(|name| may_be(name, &seller_sku)) else {
                    continue;
                };
                if found.seller_skus.insert(seller_sku)
                    && let Some(rows) = left.get_mut(*name)
                {
                    *rows = rows.saturating_sub(1);
                }
            }
        }
        left.retain(|_, rows| *rows > 0);
        // A `?` may also be meant.
        let literally: Vec<SellerSku> =
            left.keys().filter(|name| !found.seller_skus.contains(**name)).map(|name| (*name).clone()).collect();
        for live in self.look(marketplace, &literally).await? {
            left.remove(&live.seller_sku);
            found.seller_skus.insert(live.seller_sku);
        }
        found.lost = left.values().sum();
        found.example = left.into_keys().next().cloned();
        Ok(found)
    }

    async fn search_asins(&self, marketplace: &MarketplaceId, asins: &[&str]) -> Result<Vec<wire::Item>, Fault> {
        match self.search_asin_list(marketplace, asins).await {
            Err(Fault::Rejected(refusal)) if refusal.status != 403 => {}
            outcome => return outcome,
        }
        // One that Amazon cannot read must not hide the others.
        let mut items = Vec::new();
        for asin in asins {
            match self.search_asin_list(marketplace, &[asin]).await {
                Ok(some) => items.extend(some),
                Err(Fault::Rejected(refusal)) if refusal.status != 403 => tracing::debug!(
                    event = "asin_not_searchable",
                    seller_id = self.access.seller_id,
                    asin,
                    answer = %refusal,
                    "amazon does not search for an asin"
                ),
                Err(fault) => return Err(fault),
            }
        }
        Ok(items)
    }

    async fn search_asin_list(&self, marketplace: &MarketplaceId, asins: &[&str]) -> Result<Vec<wire::Item>, Fault> {
        let asins: Vec<String> = asins.iter().map(|asin| encode(asin)).collect();
        let url = format!(
            "{}?marketplaceIds={marketplace}&identifiers={}&identifiersType=ASIN&pageSize={SEARCH_SIZE}\
             &includedData=fulfillmentAvailability",
            self.items_url(),
            asins.join(","),
        );
        let mut items = Vec::new();
        self.search_pages(&url, MOST_PAGES, |page| items.extend(page)).await?;
        Ok(items)
    }
}

/// Whether characters may be missing. Bytes that are not of the charset come out of decoding as U+FFFD.
pub(super) fn is_suspect(name: &SellerSku) -> bool {
    name.as_str().contains(is_lost)
}

const fn is_lost(c: char) -> bool {
    matches!(c, '?' | '\u{fffd}')
}

/// Whether a report may have made `garbled` of a seller SKU: a character outside ASCII may have become one `?`, or one
/// for each of its UTF-16 units or bytes.
fn may_be(garbled: &SellerSku, seller_sku: &SellerSku) -> bool {
    let garbled: Vec<char> = garbled.as_str().chars().collect();
    // Up to where the characters so far may reach.
    let mut ends = BTreeSet::from([0]);
    for real in seller_sku.as_str().chars() {
        ends = ends.into_iter().flat_map(|at| became(&garbled[at..], real).map(move |length| at + length)).collect();
    }
    ends.contains(&garbled.len())
}

/// Of how many characters at the start of `garbled` this one may be the original.
fn became(garbled: &[char], real: char) -> impl Iterator<Item = usize> {
    let same = garbled.first() == Some(&real);
    let lost = garbled.iter().take_while(|c| is_lost(**c)).count();
    let lengths = [1, real.len_utf16(), real.len_utf8()];
    lengths.into_iter().filter(move |length| (*length == 1 && same) || (!real.is_ascii() && *length <= lost))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_garbled_name_is_told_from_the_seller_skus_that_it_cannot_be() {
        for (garbled, seller_sku, expected) in [
            ("??-1", "日本-1", true),
            ("??-1", "日本-2", false),
            ("??", "日", false),
            ("???", "日", true),
            ("?", "日本", false),
            ("Gr??e", "Größe", true),
            ("Größe-?", "Größe-Ж", true),
            ("A?", "A?", true),
            ("A?", "AB", false),
            ("A?", "A", false),
            ("?", "😀", true),
            ("??", "😀", true),
            ("????", "😀", true),
            ("\u{fffd}x", "éx", true),
            ("??????????????????????????????????????x", "日日日日日日日日日日日日日日日日日日日y", false),
        ] {
            assert_eq!(may_be(&garbled.into(), &seller_sku.into()), expected, "{garbled} {seller_sku}");
        }
    }
}
