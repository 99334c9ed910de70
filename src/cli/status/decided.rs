//! What people decided, and what waits for them: held plans, pauses, holds and overrides.

use jiff::Timestamp;

use super::super::render;
use super::super::terminal::say;
use crate::config::{Config, StoreConfig};
use crate::cycle::Decrees;
use crate::store::{HeldPlan, Pause, Scope, Store, StoreError, Word};

pub(super) struct Decided {
    decrees: Decrees,
    held: Vec<HeldPlan>,
    pauses: Vec<Pause>,
    words: Vec<Word>,
}

impl Decided {
    pub(super) async fn load(config: &Config, store: &Store) -> Result<Self, StoreError> {
        Ok(Self {
            decrees: Decrees::load(config, store).await?,
            held: store.held_plans().await?,
            pauses: store.pauses().await?,
            words: store.words().await?,
        })
    }

    /// `live`, `observe`, or `paused`.
    pub(super) fn mode(&self, store: &StoreConfig) -> &'static str {
        if !self.decrees.is_live(store) {
            "observe"
        } else if self.decrees.pause(&store.account, store.name()).is_some() {
            "paused"
        } else {
            "live"
        }
    }

    pub(super) fn json(&self) -> [(&'static str, serde_json::Value); 3] {
        let held = self.held.iter().map(|plan| {
            serde_json::json!({
                "id": plan.id, "account": plan.account, "store": plan.store, "since": plan.since,
                "changes": plan.changes, "guards": plan.guards, "release": release(plan),
            })
        });
        let pauses = self.pauses.iter().map(|pause| {
            let (account, store) = match &pause.scope {
                Scope::All => (None, None),
                Scope::Account(name) => (Some(name.as_str()), None),
                Scope::Store(name) => (None, Some(name.as_str())),
            };
            serde_json::json!({
                "account": account, "store": store, "reason": pause.reason, "since": pause.since, "until": pause.until,
            })
        });
        let words = self.words.iter().map(|word| {
            serde_json::json!({
                "account": word.account, "seller_sku": word.seller_sku, "quantity": word.quantity,
                "reason": word.reason, "since": word.since, "until": word.until,
            })
        });
        [("held_plans", held.collect()), ("pauses", pauses.collect()), ("holds", words.collect())]
    }

    pub(super) fn print(&self, now: Timestamp) {
        for plan in &self.held {
            say("");
            let since = render::ago(plan.since, now);
            say(&format!("held back of store {}: {} changes, since {since}", plan.store, plan.changes));
            for by in &plan.guards {
                say(&format!("  {}: {}", by.guard, by.detail));
            }
            say(&format!("  if they are right: {}", release(plan)));
        }
        if !self.pauses.is_empty() || !self.words.is_empty() {
            say("");
        }
        for pause in &self.pauses {
            say(&format!("paused: {}{}{}", pause.scope, end(pause.until), because(&pause.reason)));
        }
        for word in &self.words {
            let what = word.quantity.map_or_else(|| "held".to_owned(), |quantity| format!("set to {quantity}"));
            say(&format!("{what} by hand: {}{}{}", word.seller_sku, end(word.until), because(&word.reason)));
        }
        for (store, live) in &self.decrees.strangers {
            say(&format!("store {store} sends nothing: this state went live for another shop or seller"));
            say(&format!("  {} and {}; give a copy a state of its own", live.base_url, live.seller_id));
        }
    }
}

fn release(plan: &HeldPlan) -> String {
    format!("stocksync apply {}", plan.id)
}

fn end(until: Option<Timestamp>) -> String {
    until.map_or_else(String::new, |until| format!(" until {until}"))
}

fn because(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(" ({reason})") }
}
