//! The operations that are served: their routes and documented quotas.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Operation {
    /// Login with Amazon; no quota.
    Token,
    GetListingsItem,
    PatchListingsItem,
    SearchListingsItems,
    CreateReport,
    GetReport,
    GetReports,
    CancelReport,
    GetReportDocument,
    CreateFeedDocument,
    CreateFeed,
    GetFeed,
    GetFeeds,
    CancelFeed,
    GetFeedDocument,
    GetMarketplaceParticipations,
}

impl Operation {
    /// Calls a second and burst, for each account and application.
    pub(super) const fn quota(self) -> (f64, u32) {
        match self {
            Self::Token => (f64::MAX, u32::MAX),
            Self::GetListingsItem | Self::PatchListingsItem | Self::SearchListingsItems => (5.0, 5),
            Self::CreateReport | Self::GetReportDocument => (0.0167, 15),
            Self::GetReport | Self::GetFeed | Self::CancelFeed => (2.0, 15),
            Self::GetReports | Self::CancelReport | Self::GetFeeds | Self::GetFeedDocument => (0.0222, 10),
            Self::CreateFeedDocument => (0.5, 15),
            Self::CreateFeed => (0.0083, 15),
            Self::GetMarketplaceParticipations => (0.016, 15),
        }
    }

    /// Calls a second for one application over all of its accounts.
    pub(super) const fn application_rate(self) -> Option<f64> {
        match self {
            Self::GetListingsItem | Self::SearchListingsItems => Some(100.0),
            Self::PatchListingsItem => Some(500.0),
            _ => None,
        }
    }

    pub(super) const fn takes_json(self) -> bool {
        matches!(self, Self::PatchListingsItem | Self::CreateReport | Self::CreateFeedDocument | Self::CreateFeed)
    }
}

/// Where a request goes; the seller and the id are still percent-encoded, as they were sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target<'a> {
    pub(super) operation: Operation,
    pub(super) seller: Option<&'a str>,
    pub(super) id: Option<&'a str>,
}

const LISTINGS: &str = "2021-08-01";
const DOCUMENTS: &str = "2021-06-30";

/// Finds the operation by the raw path: an unencoded slash inside a SKU makes a path that no route knows.
pub(super) fn route<'a>(method: &str, path: &'a str) -> Option<Target<'a>> {
    use Operation as Op;
    let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    let found = |operation, seller, id| Some(Target { operation, seller, id });
    match (method, segments.as_slice()) {
        (_, [.., ""]) => None,
        ("GET", ["listings", LISTINGS, "items", seller]) => found(Op::SearchListingsItems, Some(*seller), None),
        ("GET", ["listings", LISTINGS, "items", seller, sku]) => found(Op::GetListingsItem, Some(*seller), Some(*sku)),
        ("PATCH", ["listings", LISTINGS, "items", seller, sku]) => {
            found(Op::PatchListingsItem, Some(*seller), Some(*sku))
        }
        ("POST", ["reports", DOCUMENTS, "reports"]) => found(Op::CreateReport, None, None),
        ("GET", ["reports", DOCUMENTS, "reports"]) => found(Op::GetReports, None, None),
        ("GET", ["reports", DOCUMENTS, "reports", id]) => found(Op::GetReport, None, Some(*id)),
        ("DELETE", ["reports", DOCUMENTS, "reports", id]) => found(Op::CancelReport, None, Some(*id)),
        ("GET", ["reports", DOCUMENTS, "documents", id]) => found(Op::GetReportDocument, None, Some(*id)),
        ("POST", ["feeds", DOCUMENTS, "documents"]) => found(Op::CreateFeedDocument, None, None),
        ("GET", ["feeds", DOCUMENTS, "documents", id]) => found(Op::GetFeedDocument, None, Some(*id)),
        ("POST", ["feeds", DOCUMENTS, "feeds"]) => found(Op::CreateFeed, None, None),
        ("GET", ["feeds", DOCUMENTS, "feeds"]) => found(Op::GetFeeds, None, None),
        ("GET", ["feeds", DOCUMENTS, "feeds", id]) => found(Op::GetFeed, None, Some(*id)),
        ("DELETE", ["feeds", DOCUMENTS, "feeds", id]) => found(Op::CancelFeed, None, Some(*id)),
        ("GET", ["sellers", "v1", "marketplaceParticipations"]) => found(Op::GetMarketplaceParticipations, None, None),
        _ => None,
    }
}
