//! Whether the account may do what it is to do: one cheap read of each kind. Nothing is created.

use super::reports::REPORT;
use super::{Client, wire};
use crate::http::{Fault, Method, Pace, json};
use crate::model::MarketplaceId;

impl Client {
    /// Asks for one listing of a marketplace.
    pub async fn may_search(&self, marketplace: &MarketplaceId) -> Result<(), Fault> {
        let url = format!(
            "{}?marketplaceIds={marketplace}&pageSize=1&includedData=fulfillmentAvailability",
            self.items_url()
        );
        let pace = Pace::Bucket(&self.budget.search);
        let answer = self.call("searchListingsItems", pace, Method::GET, &url, None).await?;
        json::<wire::SearchResults>(&answer).map(|_| ())
    }

    /// Asks which reports there are.
    pub async fn may_read_reports(&self) -> Result<(), Fault> {
        let url = format!("{}/reports/2021-06-30/reports?reportTypes={REPORT}&pageSize=1", self.access.endpoint);
        // Once in the life of a process: nothing to pace.
        self.call("getReports", Pace::None, Method::GET, &url, None).await.map(|_| ())
    }
}
