//! `pause`, `resume`, `hold`, `override`: what people decide beside the configuration, with a reason and an end.

use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::terminal::say;
use super::{Exit, Failure, plan};
use crate::assembly::Assembly;
use crate::clock::Clock;
use crate::config::{Config, parse_duration};
use crate::model::{AccountName, SellerSku, StoreName};
use crate::store::{Pause, Scope, Store, Word};

/// Why, and until when.
#[derive(Debug, clap::Args)]
struct Because {
    /// Why, for whoever looks at it later
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    /// Ends by itself then: a time ("2026-11-30T06:00:00Z", "2026-11-30 06:00" in this machine's zone) or a length of
    /// time ("8h")
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct PauseArgs {
    /// Only this store; without a scope everything is paused
    #[arg(long, value_name = "STORE", conflicts_with = "account")]
    store: Option<StoreName>,
    /// Only this account
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<AccountName>,
    #[command(flatten)]
    because: Because,
}

#[derive(Debug, clap::Args)]
pub(super) struct ResumeArgs {
    /// Only the pause of this store; without a scope every pause ends
    #[arg(long, value_name = "STORE", conflicts_with_all = ["account", "sku"])]
    store: Option<StoreName>,
    /// Only the pause of this account; with `--sku`, only what was said in it
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<AccountName>,
    /// End the hold or the override of this listing; may be given several times
    #[arg(long, value_name = "SKU", value_parser = super::seller_sku)]
    sku: Vec<SellerSku>,
    /// Why, for the log
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
}

#[derive(Debug, clap::Args)]
pub(super) struct HoldArgs {
    /// The listings to leave as they are
    #[arg(value_name = "SELLER_SKU", value_parser = super::seller_sku)]
    seller_skus: Vec<SellerSku>,
    /// The same as an option
    #[arg(long, value_name = "SKU", value_parser = super::seller_sku)]
    sku: Vec<SellerSku>,
    /// Only in this account
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<AccountName>,
    #[command(flatten)]
    because: Because,
}

#[derive(Debug, clap::Args)]
pub(super) struct OverrideArgs {
    /// The listing
    #[arg(value_name = "SELLER_SKU", value_parser = super::seller_sku)]
    seller_sku: SellerSku,
    /// What it shows, whatever the shop and the settings say
    #[arg(value_name = "QUANTITY", value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    quantity: u32,
    /// Only in this account
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<AccountName>,
    #[command(flatten)]
    because: Because,
}

pub(super) async fn pause(args: PauseArgs, config: &Config, clock: Clock) -> Result<Exit, Failure> {
    plan::scope(config, args.store.as_ref(), args.account.as_ref())?;
    let store = Assembly::open_store(config)?;
    let (since, scope) = (clock.now(), scope(args.store, args.account));
    let until = args.because.until(since)?;
    store.pause(Pause { scope: scope.clone(), reason: args.because.reason, since, until }).await?;
    say(&format!("{scope} is paused{}; what is under way still lands", end(until)));
    say("  `stocksync resume` ends it");
    Ok(Exit::Done)
}

pub(super) async fn resume(args: ResumeArgs, config: &Config) -> Result<Exit, Failure> {
    plan::scope(config, args.store.as_ref(), args.account.as_ref())?;
    let store = Assembly::open_store(config)?;
    if !args.sku.is_empty() {
        for seller_sku in &args.sku {
            end_word(&store, args.account.as_ref(), seller_sku).await?;
        }
        return Ok(Exit::Done);
    }
    let scope = scope(args.store, args.account);
    let ended = store.resume(scope.clone()).await?;
    for pause in &ended {
        tracing::info!(event = "resumed", scope = %pause.scope, reason = args.reason, "a pause was ended");
        say(&format!("{} goes on; it is planned anew in the next cycle", pause.scope));
    }
    if ended.is_empty() {
        say(&format!("{scope} is not paused"));
    }
    for pause in store.pauses().await? {
        say(&format!("  still paused: {}{}", pause.scope, end(pause.until)));
    }
    Ok(Exit::Done)
}

async fn end_word(store: &Store, account: Option<&AccountName>, seller_sku: &SellerSku) -> Result<(), Failure> {
    let ended = store.end_words(account, seller_sku).await?;
    if ended.is_empty() {
        say(&format!("{seller_sku} was neither held nor overridden"));
    }
    for word in ended {
        let what = word.quantity.map_or_else(|| "hold".to_owned(), |quantity| format!("override of {quantity}"));
        say(&format!("{seller_sku}: the {what} has ended; its rules decide in the next cycle"));
    }
    Ok(())
}

pub(super) async fn hold(args: HoldArgs, config: &Config, clock: Clock) -> Result<Exit, Failure> {
    plan::scope(config, None, args.account.as_ref())?;
    let skus: Vec<SellerSku> = args.seller_skus.into_iter().chain(args.sku).collect();
    if skus.is_empty() {
        return Err(Failure(Exit::Usage, "name the listing to hold: `stocksync hold SELLER_SKU`".to_owned()));
    }
    let store = Assembly::open_store(config)?;
    let since = clock.now();
    let until = args.because.until(since)?;
    for seller_sku in skus {
        let (account, reason) = (args.account.clone(), args.because.reason.clone());
        store.set_word(Word { account, seller_sku: seller_sku.clone(), quantity: None, reason, since, until }).await?;
        say(&format!("{seller_sku} is held{}: Amazon keeps what it has", end(until)));
        unknown(&store, &seller_sku).await?;
    }
    say("  `stocksync resume --sku SELLER_SKU` ends it");
    Ok(Exit::Done)
}

pub(super) async fn set(args: OverrideArgs, config: &Config, clock: Clock) -> Result<Exit, Failure> {
    plan::scope(config, None, args.account.as_ref())?;
    let store = Assembly::open_store(config)?;
    let since = clock.now();
    let until = args.because.until(since)?;
    let OverrideArgs { seller_sku, quantity, account, because } = args;
    let reason = because.reason;
    let word = Word { account, seller_sku: seller_sku.clone(), quantity: Some(quantity), reason, since, until };
    store.set_word(word).await?;
    say(&format!("{seller_sku} shows {quantity} from the next cycle on{}", end(until)));
    unknown(&store, &seller_sku).await?;
    say(&format!(
        "  `stocksync resync --sku {seller_sku}` sends it now, `stocksync resume --sku {seller_sku}` ends it"
    ));
    Ok(Exit::Done)
}

/// A slip of the pen would hold nothing, for ever.
async fn unknown(store: &Store, seller_sku: &SellerSku) -> Result<(), Failure> {
    if store.listings_named(None, std::slice::from_ref(seller_sku)).await?.is_empty() {
        say("  no account has shown such a listing so far; SKUs are compared byte for byte");
    }
    Ok(())
}

fn scope(store: Option<StoreName>, account: Option<AccountName>) -> Scope {
    match (store, account) {
        (Some(store), _) => Scope::Store(store),
        (None, Some(account)) => Scope::Account(account),
        (None, None) => Scope::All,
    }
}

fn end(until: Option<Timestamp>) -> String {
    until.map_or_else(|| " until it is resumed".to_owned(), |until| format!(" until {until}"))
}

impl Because {
    fn until(&self, now: Timestamp) -> Result<Option<Timestamp>, Failure> {
        let Some(text) = &self.until else { return Ok(None) };
        let wrong = |what: &str| {
            let right = "expected a time such as \"2026-11-30T06:00:00Z\" or a length such as \"8h\"";
            Failure(Exit::Usage, format!("--until {text:?} {what}, {right}"))
        };
        let at = if let Ok(at) = text.parse::<Timestamp>() {
            at
        } else if let Ok(local) = text.parse::<DateTime>() {
            TimeZone::system().to_timestamp(local).map_err(|_| wrong("is no time in this machine's zone"))?
        } else {
            let length: Duration = parse_duration(text).ok_or_else(|| wrong("is no time"))?;
            SignedDuration::try_from(length)
                .ok()
                .and_then(|length| now.checked_add(length).ok())
                .ok_or_else(|| wrong("is too far away"))?
        };
        if at <= now {
            return Err(wrong("has passed"));
        }
        Ok(Some(at))
    }
}
