//! What Amazon shows of a listing, and the one thing we change.

use super::{Client, encode, is_plain, refusal, wire};
use crate::http::{Fault, Method, Pace, json};
use crate::model::{Channel, MarketplaceId, SellerSku};

/// A search takes this many seller SKUs.
const SEARCH_SIZE: usize = 20;

/// A listing as Amazon shows it live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    pub seller_sku: SellerSku,
    pub channel: Channel,
    /// Of the merchant's own stock; FBA rows come without.
    pub quantity: Option<u32>,
}

/// Amazon's answer to a quantity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Submission {
    /// Taken in. Not the same as live.
    Accepted { submission_id: String },
    /// Refused, with HTTP 200.
    Invalid { text: String },
}

impl Client {
    /// What Amazon shows of these seller SKUs in one marketplace. One that is not in the answer is not shown there.
    pub async fn look(&self, marketplace: &MarketplaceId, seller_skus: &[SellerSku]) -> Result<Vec<Live>, Fault> {
        // The list is split at commas, even encoded ones.
        let (mut alone, listable): (Vec<_>, Vec<_>) = seller_skus.iter().partition(|sku| sku.as_str().contains(','));
        let mut found = Vec::with_capacity(seller_skus.len());
        for skus in listable.chunks(SEARCH_SIZE) {
            match self.search(marketplace, skus, &mut found).await {
                // One that Amazon cannot read must not hide the others.
                Err(Fault::Rejected(refusal)) if refusal.status != 403 => alone.extend(skus),
                outcome => outcome?,
            }
        }
        for seller_sku in alone {
            match self.get(marketplace, seller_sku).await {
                Err(Fault::Rejected(refusal)) if !is_plain(seller_sku) => tracing::warn!(
                    event = "listing_not_readable",
                    seller_id = self.access.seller_id,
                    %seller_sku,
                    answer = %refusal,
                    "amazon does not say what it shows of the listing"
                ),
                outcome => take(outcome?, &[seller_sku], &mut found),
            }
        }
        Ok(found)
    }

    async fn search(
        &self,
        marketplace: &MarketplaceId,
        seller_skus: &[&SellerSku],
        found: &mut Vec<Live>,
    ) -> Result<(), Fault> {
        let identifiers: Vec<String> = seller_skus.iter().map(|sku| encode(sku.as_str())).collect();
        let base = format!(
            "{}?marketplaceIds={marketplace}&identifiers={}&identifiersType=SKU&pageSize={SEARCH_SIZE}\
             &includedData=fulfillmentAvailability",
            self.items_url(),
            identifiers.join(","),
        );
        // 20 listings fit one page; a server that pages all the same is followed, and not for ever.
        self.search_pages(&base, SEARCH_SIZE, |items| take(items, seller_skus, found)).await
    }

    /// Every page of a search, `most` of them at most.
    pub(super) async fn search_pages(
        &self,
        base: &str,
        most: usize,
        mut take: impl FnMut(Vec<wire::Item>),
    ) -> Result<(), Fault> {
        let mut url = base.to_owned();
        for _ in 0..most {
            let pace = Pace::Bucket(&self.budget.search);
            let answer = self.call("searchListingsItems", pace, Method::GET, &url, None).await?;
            let results: wire::SearchResults = json(&answer)?;
            take(results.items);
            match results.pagination.and_then(|pagination| pagination.next_token) {
                Some(token) => url = format!("{base}&pageToken={}", encode(&token)),
                None => return Ok(()),
            }
        }
        Err(Fault::nonsense("a search whose pages do not end"))
    }

    async fn get(&self, marketplace: &MarketplaceId, seller_sku: &SellerSku) -> Result<Option<wire::Item>, Fault> {
        let Some(url) = self.item_url(seller_sku) else { return Ok(None) };
        let url = format!("{url}?marketplaceIds={marketplace}&includedData=fulfillmentAvailability");
        let pace = Pace::Bucket(&self.budget.get);
        match self.call("getListingsItem", pace, Method::GET, &url, None).await {
            Ok(answer) => json(&answer).map(Some),
            Err(Fault::Rejected(refusal)) if refusal.status == 404 => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Waits for the permit of the next patch. What to send is chosen after it, so that the best goes.
    pub async fn patch_permit(&self) {
        self.budget.patch.acquire().await;
    }

    /// Sets a merchant-fulfilled quantity; the first attempt's permit was taken with [`Self::patch_permit`].
    pub async fn patch(
        &self,
        marketplace: &MarketplaceId,
        seller_sku: &SellerSku,
        quantity: u32,
    ) -> Result<Submission, Fault> {
        let Some(url) = self.item_url(seller_sku) else {
            return Ok(Submission::Invalid { text: "a URL cannot hold this name: it means a folder".into() });
        };
        let url = format!("{url}?marketplaceIds={marketplace}&issueLocale=en_US");
        let body = serde_json::to_string(&wire::PatchRequest::quantity(quantity))
            .map_err(|error| Fault::nonsense(format!("a patch that cannot be written: {error}")))?;
        let budget = &self.budget.patch;
        // A permit is for now: who has to sign in first takes another.
        let pace = if self.token.is_at_hand(self) { Pace::Granted(budget) } else { Pace::Bucket(budget) };
        let answer = self.call("patchListingsItem", pace, Method::PATCH, &url, Some(body)).await;
        let answer = answer.map_err(|fault| refusal::about_listing(fault, seller_sku))?;
        let response: wire::SubmissionResponse = json(&answer)?;
        match response.status.as_str() {
            "ACCEPTED" => Ok(Submission::Accepted { submission_id: response.submission_id }),
            "INVALID" => Ok(Submission::Invalid { text: words(&response.issues.unwrap_or_default()) }),
            other => Err(Fault::nonsense(format!("submission status {other:?}"))),
        }
    }
}

/// Amazon may find more than was asked, for example by another spelling.
fn take(items: impl IntoIterator<Item = wire::Item>, asked: &[&SellerSku], found: &mut Vec<Live>) {
    for live in items.into_iter().map(live) {
        if asked.contains(&&live.seller_sku) && found.iter().all(|other| other.seller_sku != live.seller_sku) {
            found.push(live);
        }
    }
}

fn live(item: wire::Item) -> Live {
    let availability = item.fulfillment_availability.unwrap_or_default();
    let channel = Channel::from_codes(availability.iter().map(|row| row.fulfillment_channel_code.as_str()));
    let own = availability.iter().find(|row| row.fulfillment_channel_code == "DEFAULT");
    // More than can be told is more than anybody desires.
    let quantity = own.and_then(|row| row.quantity).map(|quantity| u32::try_from(quantity).unwrap_or(u32::MAX));
    Live { seller_sku: item.sku.into(), channel, quantity }
}

fn words(issues: &[wire::Issue]) -> String {
    let errors = issues.iter().filter(|issue| issue.severity == "ERROR");
    let texts: Vec<String> = errors.map(|issue| format!("{} {}", issue.code, issue.message)).collect();
    if texts.is_empty() { "INVALID without an issue".into() } else { texts.join("; ") }
}
