//! What Amazon holds about one seller SKU, and how a change alters it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::world::Status;
use crate::model::Marketplace;

pub(super) const DEFAULT_CHANNEL: &str = "DEFAULT";

/// One entry of `fulfillment_availability`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Availability {
    pub(super) channel: String,
    pub(super) quantity: Option<u64>,
    pub(super) lead_time: Option<u64>,
    pub(super) restock_date: Option<String>,
}

impl Availability {
    fn attribute(&self, marketplace: &Marketplace) -> Value {
        let mut entry = Map::new();
        entry.insert("fulfillment_channel_code".to_owned(), json!(self.channel));
        if let Some(quantity) = self.quantity {
            entry.insert("quantity".to_owned(), json!(quantity));
        }
        if let Some(days) = self.lead_time {
            entry.insert("lead_time_to_ship_max_days".to_owned(), json!(days));
        }
        if let Some(date) = &self.restock_date {
            entry.insert("restock_date".to_owned(), json!(date));
        }
        // Amazon shows this and refuses it in a write: a read echoed back is a mistake that must show.
        entry.insert("marketplace_id".to_owned(), json!(marketplace.id));
        Value::Object(entry)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Add,
    Replace,
    Merge,
    Delete,
}

impl Op {
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "add" => Some(Self::Add),
            "replace" => Some(Self::Replace),
            "merge" => Some(Self::Merge),
            "delete" => Some(Self::Delete),
            _ => None,
        }
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Replace => "replace",
            Self::Merge => "merge",
            Self::Delete => "delete",
        }
    }
}

/// One validated entry of one patch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) op: Op,
    pub(super) entry: Availability,
}

impl Change {
    /// `merge` keeps what it does not name; `add` and `replace` take its whole entry, handling time and all.
    fn apply(&self, entries: &mut Vec<Availability>) {
        let held = entries.iter().position(|entry| entry.channel == self.entry.channel);
        match (self.op, held) {
            (Op::Delete, _) => entries.retain(|entry| entry.channel != self.entry.channel),
            (Op::Merge, Some(at)) => {
                if let Some(entry) = entries.get_mut(at) {
                    entry.quantity = self.entry.quantity.or(entry.quantity);
                    entry.lead_time = self.entry.lead_time.or(entry.lead_time);
                    if self.entry.restock_date.is_some() {
                        entry.restock_date.clone_from(&self.entry.restock_date);
                    }
                }
            }
            (_, Some(at)) => {
                if let Some(entry) = entries.get_mut(at) {
                    entry.clone_from(&self.entry);
                }
            }
            (_, None) => entries.push(self.entry.clone()),
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Listing {
    pub(super) asin: String,
    pub(super) name: String,
    pub(super) marketplaces: Vec<&'static Marketplace>,
    pub(super) status: Vec<Status>,
    pub(super) live: Vec<Availability>,
    /// Units left in Amazon's warehouse when a write turned the offer into a merchant-fulfilled one.
    pub(super) stranded: bool,
    /// What was submitted last, for every marketplace that nothing was submitted to since.
    declared: Vec<Availability>,
    /// Each marketplace keeps its own last submission; nobody brings the others up to date.
    declared_in: BTreeMap<&'static str, Vec<Availability>>,
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
    /// When the change accepted last is due: a later one is never applied before it.
    pub(super) last_due: Option<Instant>,
    pub(super) invalid: Option<String>,
    pub(super) reject_status: Option<u16>,
    pub(super) loses: bool,
}

impl Listing {
    pub(super) fn new(
        asin: String,
        name: String,
        marketplaces: Vec<&'static Marketplace>,
        live: Vec<Availability>,
        now: Timestamp,
    ) -> Self {
        Self {
            asin,
            name,
            marketplaces,
            status: vec![Status::Buyable, Status::Discoverable],
            declared: live.clone(),
            live,
            stranded: false,
            declared_in: BTreeMap::new(),
            created: now,
            updated: now,
            last_due: None,
            invalid: None,
            reject_status: None,
            loses: false,
        }
    }

    pub(super) fn is_in(&self, marketplaces: &[&'static Marketplace]) -> bool {
        marketplaces.iter().any(|marketplace| self.marketplaces.contains(marketplace))
    }

    pub(super) fn is_fba(&self) -> bool {
        self.live.iter().any(|entry| entry.channel != DEFAULT_CHANNEL)
    }

    /// The merchant's own live quantity.
    pub(super) fn quantity(&self) -> Option<u64> {
        self.merchant().and_then(|entry| entry.quantity)
    }

    pub(super) fn merchant(&self) -> Option<&Availability> {
        self.live.iter().find(|entry| entry.channel == DEFAULT_CHANNEL)
    }

    pub(super) fn is_for_sale(&self) -> bool {
        self.status.contains(&Status::Buyable) && self.quantity().is_some_and(|quantity| quantity > 0)
    }

    /// BUYABLE needs stock; what Amazon's own warehouse holds is not our business and counts as some.
    pub(super) fn statuses(&self) -> Vec<Status> {
        let in_stock = self.is_fba() || self.quantity().is_some_and(|quantity| quantity > 0);
        self.status.iter().copied().filter(|status| *status != Status::Buyable || in_stock).collect()
    }

    pub(super) fn declare(&mut self, marketplaces: &[&'static Marketplace], changes: &[Change]) {
        for marketplace in marketplaces {
            let entries = self.declared_in.entry(marketplace.id).or_insert_with(|| self.declared.clone());
            for change in changes {
                change.apply(entries);
            }
        }
    }

    pub(super) fn go_live(&mut self, change: &Change, now: Timestamp) {
        let was_fba = self.is_fba();
        change.apply(&mut self.live);
        if was_fba && change.entry.channel == DEFAULT_CHANNEL && change.op != Op::Delete {
            self.live.retain(|entry| entry.channel == DEFAULT_CHANNEL);
            self.stranded = true;
        } else if change.entry.channel != DEFAULT_CHANNEL && change.op != Op::Delete {
            self.live.retain(|entry| entry.channel != DEFAULT_CHANNEL);
        }
        self.updated = now;
    }

    /// Somebody's edit by hand: live at once, and the last submission everywhere.
    pub(super) fn set_live(&mut self, entries: Vec<Availability>, now: Timestamp) {
        self.declared.clone_from(&entries);
        self.declared_in.clear();
        self.live = entries;
        self.updated = now;
    }

    pub(super) fn take(&mut self, wanted: u64, now: Timestamp) -> u64 {
        let entry = self.live.iter_mut().find(|entry| entry.channel == DEFAULT_CHANNEL);
        let Some(quantity) = entry.and_then(|entry| entry.quantity.as_mut()) else { return 0 };
        let sold = wanted.min(*quantity);
        *quantity -= sold;
        self.updated = now;
        sold
    }

    pub(super) fn availability(&self) -> Value {
        let row = |entry: &Availability| match entry.quantity.filter(|_| entry.channel == DEFAULT_CHANNEL) {
            Some(quantity) => json!({"fulfillmentChannelCode": entry.channel, "quantity": quantity}),
            None => json!({"fulfillmentChannelCode": entry.channel}),
        };
        self.live.iter().map(row).collect()
    }

    pub(super) fn attributes(&self, marketplace: &Marketplace) -> Value {
        let declared = self.declared_in.get(marketplace.id).unwrap_or(&self.declared);
        let entries: Vec<Value> = declared.iter().map(|entry| entry.attribute(marketplace)).collect();
        json!({
            "item_name": [{"value": self.name, "marketplace_id": marketplace.id}],
            "fulfillment_availability": entries,
        })
    }
}
