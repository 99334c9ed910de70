//! `history`: what was sent to Amazon, when and why, from the journal.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::terminal::say;
use super::{Exit, Failure, plan, render};
use crate::assembly::Assembly;
use crate::clock::Clock;
use crate::config::{Config, parse_duration};
use crate::model::{AccountName, SellerSku, StoreName};
use crate::store::{JournalEntry, JournalFilter};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only this seller SKU
    #[arg(long, value_name = "SKU", value_parser = super::seller_sku)]
    sku: Option<SellerSku>,
    /// Only this store's
    #[arg(long, value_name = "STORE")]
    store: Option<StoreName>,
    /// Only this account's
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<AccountName>,
    /// From then on: a time ("2026-11-30T06:00:00Z") or how long ago ("24h")
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// At most so many rows, the newest; 0 for all
    #[arg(long, value_name = "ROWS", default_value_t = 100)]
    limit: u32,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    #[default]
    Table,
    Json,
    /// One object a line
    Jsonl,
    Csv,
}

const CSV: &str = "at,account,seller_sku,store,from,quantity,reasons,reading,lane,submission_id,outcome,detail";

pub(super) async fn run(args: Args, config: &Config, clock: Clock) -> Result<Exit, Failure> {
    plan::scope(config, args.store.as_ref(), args.account.as_ref())?;
    let since = args.since.as_deref().map(|text| since(text, clock.now())).transpose()?;
    let store = Assembly::open_store(config)?;
    let limit = (args.limit > 0).then_some(args.limit);
    let filter = JournalFilter { seller_sku: args.sku, store: args.store, account: args.account, since, limit };
    let entries = store.journal(filter).await?;
    match args.format {
        Format::Table => print(&entries),
        Format::Json => say(&format!("{:#}", serde_json::json!({ "entries": entries }))),
        Format::Jsonl => {
            for entry in &entries {
                say(&serde_json::to_string(entry)?);
            }
        }
        Format::Csv => {
            say(CSV);
            for entry in &entries {
                say(&csv(entry));
            }
        }
    }
    Ok(Exit::Done)
}

fn since(text: &str, now: Timestamp) -> Result<Timestamp, Failure> {
    let local = |text: &str| TimeZone::system().to_timestamp(text.parse::<DateTime>().ok()?).ok();
    let ago = |text: &str| now.checked_sub(SignedDuration::try_from(parse_duration(text)?).ok()?).ok();
    text.parse().ok().or_else(|| local(text)).or_else(|| ago(text)).ok_or_else(|| {
        let right = "expected a time such as \"2026-11-30T06:00:00Z\" or how long ago, such as \"24h\"";
        Failure(Exit::Usage, format!("--since {text:?} is no time, {right}"))
    })
}

fn print(entries: &[JournalEntry]) {
    if entries.is_empty() {
        say("nothing was sent");
        return;
    }
    let rows = entries.iter().map(|entry| {
        vec![
            render::time(entry.at, &TimeZone::system()),
            render::short(entry.seller_sku.as_str()),
            entry.store.clone(),
            entry.from.map_or_else(|| "?".to_owned(), |from| from.to_string()),
            entry.quantity.to_string(),
            entry.lane.clone(),
            entry.outcome.clone(),
            entry.reasons.join(", "),
        ]
    });
    say(&render::table(&["when", "seller sku", "store", "from", "to", "lane", "outcome", "reasons"], rows, &[3, 4]));
}

fn csv(entry: &JournalEntry) -> String {
    let from = entry.from.map_or_else(String::new, |from| from.to_string());
    let reasons = entry.reasons.join(" ");
    let optional = |text: &Option<String>| text.clone().unwrap_or_default();
    let cells = [
        entry.at.to_string(),
        entry.account.to_string(),
        entry.seller_sku.to_string(),
        entry.store.clone(),
        from,
        entry.quantity.to_string(),
        reasons,
        entry.reading.clone(),
        entry.lane.clone(),
        optional(&entry.submission_id),
        entry.outcome.clone(),
        optional(&entry.detail),
    ];
    cells.map(|cell| quoted(&cell)).join(",")
}

fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn cells_that_would_break_a_row_are_quoted() {
        for (cell, expected) in
            [("A", "A"), ("A,B", "\"A,B\""), ("6\" pan", "\"6\"\" pan\""), ("two\nlines", "\"two\nlines\""), ("", "")]
        {
            assert_eq!(quoted(cell), expected);
        }
    }
}
