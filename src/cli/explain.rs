//! `explain`: everything a support person needs to answer for one quantity.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::terminal::say;
use super::{Exit, Failure, Format, render};
use crate::assembly::Assembly;
use crate::clock::Clock;
use crate::config::Config;
use crate::cycle::{Explanation, Say, explain};
use crate::model::{Backorders, Listing, SellerSku, StoreName};
use crate::plan::{Judgement, Need};
use crate::rules::quantity::Outcome;
use crate::store::{DriftRecord, StoredProduct, StoredStock};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Amazon's name for the listing
    #[arg(value_name = "SELLER_SKU", value_parser = super::seller_sku)]
    seller_sku: SellerSku,
    /// Only where this store has a say
    #[arg(long, value_name = "STORE")]
    store: Option<StoreName>,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) async fn run(args: Args, config: &Config, clock: Clock) -> Result<Exit, Failure> {
    super::plan::scope(config, args.store.as_ref(), None)?;
    let store = Assembly::open_store(config)?;
    let now = clock.now();
    let mut found = explain(config, &store, &args.seller_sku, now).await?;
    if let Some(name) = &args.store {
        found.retain(|explanation| explanation.says.iter().any(|say| say.store == name.as_str()));
    }
    match args.format {
        Format::Json => {
            let rows: Vec<_> = found.iter().map(|explanation| json(explanation, now)).collect();
            say(&format!("{:#}", serde_json::json!({ "seller_sku": args.seller_sku, "listings": rows })));
        }
        Format::Table => {
            for (index, explanation) in found.iter().enumerate() {
                if index > 0 {
                    say("");
                }
                print(explanation, config, now);
            }
        }
    }
    if found.is_empty() {
        let hint = "hint: SKUs are compared byte for byte; `stocksync plan --sku SKU` asks Amazon anew";
        return Err(Failure(Exit::Failed, format!("no account shows a listing {:?}\n{hint}", args.seller_sku)));
    }
    Ok(Exit::Done)
}

fn json(explanation: &Explanation, now: Timestamp) -> serde_json::Value {
    let listing = &explanation.listing;
    let known = |known: Option<crate::model::Known>| {
        known.map(|known| serde_json::json!({ "quantity": known.quantity, "at": known.at }))
    };
    let stores = explanation.says.iter().enumerate().map(|(index, saying)| {
        let steps = saying.decision.steps.iter().map(|step| {
            serde_json::json!({ "step": step.number, "text": step.text, "quantity": step.value })
        });
        serde_json::json!({
            "store": saying.store,
            "account": saying.account,
            "country": saying.country,
            "created_at": saying.created_at,
            "decides": explanation.winner == Some(index),
            "why": saying.why,
            "readings": saying.products.iter().map(|(sku, units, product)| serde_json::json!({
                "sku": sku,
                "units": units,
                "reading": product.as_ref().map(|product| reading(product, saying)),
                "read_at": product.as_ref().map(|product| product.read_at),
                "tier": product.as_ref().map(|product| product.tier.as_str()),
            })).collect::<Vec<_>>(),
            "quantity": saying.decision.outcome.quantity(),
            "withheld": match saying.decision.outcome { Outcome::Withheld(reason) => Some(reason), Outcome::Quantity(_) => None },
            "detail": saying.decision.detail,
            "reasons": saying.decision.reasons,
            "steps": steps.collect::<Vec<_>>(),
        })
    });
    let decision = explanation.verdict.as_ref().map(|verdict| &verdict.decision);
    serde_json::json!({
        "account": listing.account,
        "marketplaces": listing.marketplaces,
        "live": listing.live,
        "channel": listing.channel.code(),
        "desired": decision.and_then(|decision| decision.outcome.quantity()),
        "reasons": decision.map(|decision| &decision.reasons),
        "conflict": explanation.verdict.as_ref().and_then(|verdict| verdict.conflict.as_ref()).map(ToString::to_string),
        "believed": known(listing.belief.believed()),
        "accepted": known(listing.belief.accepted),
        "observed": known(listing.belief.observed),
        "in_doubt": listing.belief.in_doubt,
        "in_feed": listing.in_feed,
        "stores": stores.collect::<Vec<_>>(),
        "next": next(explanation, now),
        "waiting": explanation.slot.as_ref().map(|slot| serde_json::json!({
            "quantity": slot.quantity, "priority": slot.priority, "since": slot.since,
        })),
        "not_applied": listing.unapplied.as_ref().map(|unapplied| serde_json::json!({
            "times": unapplied.times, "found_at": unapplied.found_at, "evidence": unapplied.evidence,
        })),
        "drift": explanation.drift,
        "history": explanation.journal,
    })
}

fn print(explanation: &Explanation, config: &Config, now: Timestamp) {
    let listing = &explanation.listing;
    let winner = explanation.winner.and_then(|index| explanation.says.get(index));
    let zone = winner
        .and_then(|winner| config.stores.iter().find(|store| store.name().as_str() == winner.store))
        .map_or(TimeZone::UTC, |store| store.schedule.zone().clone());
    say(&format!("listing {} of account {}", listing.seller_sku, listing.account));
    print_listing(listing, &zone, now);
    if let Some(drift) = &explanation.drift {
        let (at, what) = (render::time(drift.at, &zone), drift_in_words(drift));
        say(&format!("  last drift: {} in place of {} at {at}, {what}", drift.shown, drift.expected));
    }
    for (index, saying) in explanation.says.iter().enumerate() {
        say("");
        print_say(saying, explanation.winner == Some(index), &zone, now);
    }
    say("");
    if let Some(verdict) = &explanation.verdict {
        let reasons: Vec<&str> = verdict.decision.reasons.iter().map(|reason| reason.code()).collect();
        match verdict.decision.outcome {
            Outcome::Quantity(quantity) => say(&format!("desired: {quantity} ({})", reasons.join(", "))),
            Outcome::Withheld(reason) => say(&format!("desired: no number ({reason}); Amazon keeps what it has")),
        }
        if let Some(conflict) = &verdict.conflict {
            say(&format!("  the account's countries disagree: {conflict}"));
        }
    }
    say(&format!("next: {}", next(explanation, now)));
    if !explanation.journal.is_empty() {
        say("\nsent lately:");
        let rows = explanation.journal.iter().map(|entry| {
            vec![
                render::time(entry.at, &zone),
                entry.from.map_or_else(|| "?".into(), |from| from.to_string()),
                entry.quantity.to_string(),
                entry.outcome.clone(),
                entry.detail.clone().or_else(|| entry.submission_id.clone()).unwrap_or_default(),
            ]
        });
        say(&render::table(&["when", "from", "to", "outcome", "Amazon's answer"], rows, &[1, 2]));
    }
}

fn print_listing(listing: &Listing, zone: &TimeZone, now: Timestamp) {
    let countries: Vec<&str> = listing
        .marketplaces
        .iter()
        .map(|id| crate::model::Marketplace::by_id(id.as_str()).map_or(id.as_str(), |marketplace| marketplace.country))
        .collect();
    let channel = if listing.channel.code().is_empty() { "unknown" } else { listing.channel.code() };
    say(&format!("  shown in: {}    channel: {channel}", countries.join(", ")));
    let told = |what: &str, known: Option<crate::model::Known>| {
        if let Some(known) = known {
            let at = render::time(known.at, zone);
            say(&format!("  {what}: {} since {at} ({})", known.quantity, render::ago(known.at, now)));
        }
    };
    told("believed", listing.belief.believed());
    told("  accepted by Amazon", listing.belief.accepted);
    told("  seen live on Amazon", listing.belief.observed);
    if let Some(quantity) = listing.in_feed {
        say(&format!(
            "  on its way in a feed: {quantity}; until that has ended, only a drop to zero is sent beside it"
        ));
    } else if let Some(quantity) = listing.belief.in_doubt {
        say(&format!("  in doubt: {quantity} was sent and no answer came; it is sent again"));
    }
    if let Some(refusal) = &listing.refusal {
        let at = render::time(refusal.retry_at, zone);
        say(&format!("  refused {} time(s), next try {at}: {}", refusal.failures, refusal.text));
    }
    if let Some(unapplied) = &listing.unapplied {
        let at = render::time(unapplied.found_at, zone);
        say(&format!("  not applied {} time(s), last seen {at}: {}", unapplied.times, unapplied.evidence));
    }
}

fn drift_in_words(drift: &DriftRecord) -> &'static str {
    match drift.cause.as_str() {
        "lost" if drift.shown > drift.expected => "for amazon did not apply what it accepted",
        "lost" => "for amazon did not apply what it accepted, or sold it at once",
        "sale" => "for some were sold",
        _ => "for somebody else set it",
    }
}

fn print_say(saying: &Say, decides: bool, zone: &TimeZone, now: Timestamp) {
    let mark = if decides { "*" } else { " " };
    let created = render::time(saying.created_at, zone);
    say(&format!(
        "{mark} store {} ({}, account {}, created {created}): {}",
        saying.store, saying.country, saying.account, saying.why
    ));
    for (sku, units, product) in &saying.products {
        let times = if *units > 1 { format!("{units} x ") } else { String::new() };
        match product {
            None => say(&format!("    {times}{sku}: no reading")),
            Some(product) => {
                let age = render::ago(product.read_at, now);
                say(&format!("    {times}{sku}: {} ({} read {age})", reading(product, saying), product.tier.as_str()));
            }
        }
    }
    let rows = saying.decision.steps.iter().map(|step| {
        let value = step.value.map_or_else(String::new, |value| value.to_string());
        vec![format!("    step {}", step.number), step.text.clone(), value]
    });
    if !saying.decision.steps.is_empty() {
        say(&render::table(&["    rule", "what happened", "quantity"], rows, &[2]));
    } else if let Some(detail) = &saying.decision.detail {
        say(&format!("    {detail}"));
    }
}

fn reading(product: &StoredProduct, saying: &Say) -> String {
    let mut parts = vec![product.type_id.clone(), if product.enabled { "enabled" } else { "disabled" }.to_owned()];
    match &product.config {
        Some((false, ..)) => parts.push("stock not managed".into()),
        Some((true, Backorders::Off, min_qty)) => parts.push(format!("managed, no backorders, threshold {min_qty}")),
        Some((true, Backorders::On, min_qty)) => parts.push(format!("managed, backorders, threshold {min_qty}")),
        None => parts.push("stock settings unknown".into()),
    }
    let website = &saying.website;
    parts.push(match product.stocks.get(website.as_str()) {
        Some(StoredStock::Level { salable, is_salable: true }) => format!("salable {salable} in {website}"),
        Some(StoredStock::Level { salable, is_salable: false }) => format!("not salable ({salable}) in {website}"),
        Some(StoredStock::Absent | StoredStock::NoSource) => format!("no source in the stock of {website}"),
        Some(StoredStock::Unknown(problem)) => format!("stock of {website} unknown: {problem}"),
        None => format!("not in {website}"),
    });
    parts.join(", ")
}

/// What happens next, in a sentence.
fn next(explanation: &Explanation, now: Timestamp) -> String {
    if let Some(slot) = &explanation.slot {
        let waited = render::ago(slot.since, now);
        return format!("{} waits to be sent ({}, queued {waited})", slot.quantity, slot.priority.as_str());
    }
    match &explanation.judgement {
        None => "nothing: no configured store sells where Amazon shows it".into(),
        Some(Judgement::Unchanged) => "nothing: Amazon has the right quantity".into(),
        Some(Judgement::Look(need)) => match need {
            Need::NothingBelieved => "Amazon is asked what it shows".into(),
            Need::ReadingMoved => "Amazon is asked what it shows: the stock moved since that was last known".into(),
            Need::Unconfirmed(_) => "Amazon is asked whether it shows the accepted quantity".into(),
            Need::TooOld => "Amazon is asked what it shows: that was long ago".into(),
        },
        Some(Judgement::Change(_)) if !explanation.live => "nothing is sent: the deciding store observes".into(),
        Some(Judgement::Change(due)) => format!("sent in the next cycle ({})", due.priority.as_str()),
        Some(Judgement::Withheld(reason, detail)) if detail.is_empty() => format!("withheld: {reason}"),
        Some(Judgement::Withheld(reason, detail)) => format!("withheld: {reason}: {detail}"),
    }
}
