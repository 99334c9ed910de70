//! A listings feed as it is uploaded: one header and a message for each quantity.

use bytes::Bytes;

use super::wire;
use crate::model::SellerSku;

/// Amazon refuses a feed of more messages.
const MOST_MESSAGES: u32 = 25_000;
/// Amazon's advice is to stay below 10 MiB; where it refuses is not known.
const MOST_BYTES: usize = (10 << 20) - 1;
const END: &[u8] = b"]}";

/// A feed document that is being written. It holds nothing but the bytes.
#[derive(Debug)]
pub struct FeedDraft {
    bytes: Vec<u8>,
    /// How long it is without a message.
    head: usize,
    messages: u32,
}

/// A feed document with at least one message.
#[derive(Clone, Debug)]
pub struct FeedDocument {
    bytes: Bytes,
    messages: u32,
}

/// Why a draft did not take a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// It goes into the next document.
    Full,
    /// No document can carry it: the seller SKU is empty, or far too long.
    Never,
}

impl FeedDraft {
    pub(super) fn new(seller_id: &str) -> Self {
        let header = wire::FeedHeader { seller_id, version: "2.0", issue_locale: "en_US" };
        let mut bytes = br#"{"header":"#.to_vec();
        // Cannot fail: text into memory.
        let _ = serde_json::to_writer(&mut bytes, &header);
        bytes.extend_from_slice(br#","messages":["#);
        Self { head: bytes.len(), bytes, messages: 0 }
    }

    /// Adds a message that sets the merchant-fulfilled quantity, and gives the id under which the processing report
    /// speaks of it: 1, 2, 3 and so on. Nobody says in which order Amazon works through a feed, so that a listing
    /// belongs into it once.
    pub fn push(&mut self, seller_sku: &SellerSku, quantity: u32) -> Result<u32, Unfit> {
        if seller_sku.as_str().is_empty() {
            return Err(Unfit::Never);
        }
        if self.messages == MOST_MESSAGES {
            return Err(Unfit::Full);
        }
        let before = self.bytes.len();
        if self.messages > 0 {
            self.bytes.push(b',');
        }
        let message_id = self.messages + 1;
        let message = wire::FeedMessage::quantity(message_id, seller_sku.as_str(), quantity);
        let written = serde_json::to_writer(&mut self.bytes, &message).is_ok();
        let added = self.bytes.len() - before;
        if written && self.bytes.len() + END.len() <= MOST_BYTES {
            self.messages = message_id;
            return Ok(message_id);
        }
        self.bytes.truncate(before);
        Err(if self.head + added + END.len() <= MOST_BYTES { Unfit::Full } else { Unfit::Never })
    }

    /// None without a message: Amazon refuses an empty feed.
    pub fn finish(mut self) -> Option<FeedDocument> {
        self.bytes.extend_from_slice(END);
        let Self { bytes, messages, .. } = self;
        (messages > 0).then(|| FeedDocument { bytes: bytes.into(), messages })
    }
}

impl FeedDocument {
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    pub fn messages(&self) -> u32 {
        self.messages
    }
}
