//! What a cycle tells whoever waits for it.

use tokio::sync::mpsc::UnboundedSender;

use crate::model::{AccountName, CommerceName, SellerSku};

/// One thing that happened, in the order it did.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    Discovering { account: AccountName },
    Reading { commerce: CommerceName },
    Read { commerce: CommerceName, products: u64 },
    Looked { account: AccountName, listings: usize },
    Planned { account: AccountName, changes: u64, queued: u64, unchanged: u64, withheld: u64 },
    Sent { account: AccountName, seller_sku: SellerSku, from: Option<u32>, to: u32, outcome: String },
}

/// Where events go; to nobody, mostly.
#[derive(Clone, Debug, Default)]
pub struct Progress(Option<UnboundedSender<Event>>);

impl Progress {
    pub const fn to_nobody() -> Self {
        Self(None)
    }

    pub const fn to(sender: UnboundedSender<Event>) -> Self {
        Self(Some(sender))
    }

    /// Nobody listening any more is no reason to stop.
    pub fn send(&self, event: Event) {
        if let Some(sender) = &self.0 {
            sender.send(event).ok();
        }
    }
}
