//! What an account lets us do, and where it sells, as rows.

use std::sync::Arc;

use futures_util::future::join;

use super::online::{Row, Verdict};
use crate::amazon::{Cause, Client, Participation};
use crate::assembly;
use crate::clock::Clock;
use crate::config::{AccountConfig, StoreConfig};
use crate::http::{Fault, Http};
use crate::model::{Marketplace, MarketplaceId};

const SIGN_IN: (&str, &str) = ("Login with Amazon", "sign-in");
const SELLERS: (&str, &str) = ("getMarketplaceParticipations", "countries of the stores");
const SEARCH: (&str, &str) = ("searchListingsItems", "listings (role Product Listing)");
const REPORTS: (&str, &str) = ("getReports", "finding listings (same role)");

pub(super) async fn check(account: &AccountConfig, stores: &[StoreConfig], http: &Arc<Http>, clock: Clock) -> Vec<Row> {
    let own: Vec<&StoreConfig> = stores.iter().filter(|store| store.account == account.name).collect();
    let client = Client::new(assembly::amazon_access(account), Arc::clone(http), clock);
    let signed_in = client.sign_in().await;
    let sign_in = row(account, SIGN_IN, &signed_in, |fault| sign_in_hint(account, fault));
    if signed_in.is_err() {
        let others = [SELLERS, SEARCH, REPORTS].map(|what| unasked(account, what, "the sign-in comes first"));
        return std::iter::once(sign_in).chain(others).collect();
    }
    let reads = join(client.participations(), client.may_read_reports());
    let (search, (selling, reports)) = Box::pin(join(search(account, &client, &own), reads)).await;
    let mut sellers = row(account, SELLERS, &selling, |_| {
        "the application may lack a role for the Sellers API; without it nobody checks the countries of the stores"
            .into()
    });
    sellers.needed = false;
    let mut rows = vec![sign_in, sellers];
    rows.extend(selling.iter().flat_map(|selling| own.iter().filter_map(|store| country(account, store, selling))));
    rows.push(search);
    rows.push(row(account, REPORTS, &reports, |fault| call_hint(account, fault)));
    rows
}

async fn search(account: &AccountConfig, client: &Client, stores: &[&StoreConfig]) -> Row {
    let Some(store) = stores.first() else { return unasked(account, SEARCH, "no store is of this account") };
    let marketplace = MarketplaceId::from(store.marketplace.id);
    row(account, SEARCH, &client.may_search(&marketplace).await, |fault| call_hint(account, fault))
}

/// A store in a country where the account does not sell, or where Amazon keeps some of its listings from selling.
fn country(account: &AccountConfig, store: &StoreConfig, selling: &[Participation]) -> Option<Row> {
    let there = selling.iter().find(|one| one.marketplace.as_str() == store.marketplace.id);
    if there.is_some_and(|there| !there.suspended) {
        return None;
    }
    let (name, country) = (store.name(), store.country());
    let (verdict, problem, hint) = if there.is_some() {
        (
            Verdict::Warning,
            format!(
                "Amazon has suspended listings of the account in {country}; their quantities are kept all the same"
            ),
            "see Seller Central > Performance > Account Health".to_owned(),
        )
    } else {
        (
            Verdict::Misconfigured,
            format!("store {name} is for {country}, where the account does not sell; it sells {}", countries(selling)),
            "set `country` of the store to one of them, or `account` to the one that sells there".to_owned(),
        )
    };
    Some(Row {
        name: account.name.to_string(),
        permission: format!("marketplace {country}"),
        purpose: format!("store {name}"),
        needed: true,
        verdict,
        problem: Some(problem),
        hint: Some(hint),
    })
}

fn countries(selling: &[Participation]) -> String {
    let ids = selling.iter().map(|one| one.marketplace.as_str());
    let mut countries: Vec<&str> = ids.map(|id| Marketplace::by_id(id).map_or(id, |known| known.country)).collect();
    countries.sort_unstable();
    if countries.is_empty() { "nowhere".to_owned() } else { format!("in {}", countries.join(", ")) }
}

fn row<T>(
    account: &AccountConfig,
    (permission, purpose): (&str, &str),
    answer: &Result<T, Fault>,
    hint: impl FnOnce(&Fault) -> String,
) -> Row {
    let fault = answer.as_ref().err();
    let cause = fault.and_then(Cause::of);
    let verdict = match fault {
        None => Verdict::Ok,
        Some(_) if cause == Some(Cause::WrongRegion) => Verdict::Misconfigured,
        Some(Fault::Rejected(refusal)) if refusal.status == 403 => Verdict::Missing,
        Some(_) => Verdict::Failed,
    };
    Row {
        name: account.name.to_string(),
        permission: permission.to_owned(),
        purpose: purpose.to_owned(),
        needed: true,
        verdict,
        problem: fault.map(|fault| {
            let text = fault.to_string();
            cause.map_or_else(|| text.clone(), |cause| cause.without_advice(&text))
        }),
        hint: fault.map(|fault| cause.map_or_else(|| hint(fault), |cause| cause.advice().to_owned())),
    }
}

fn unasked(account: &AccountConfig, (permission, purpose): (&str, &str), why: &str) -> Row {
    Row {
        name: account.name.to_string(),
        permission: permission.to_owned(),
        purpose: purpose.to_owned(),
        needed: true,
        verdict: Verdict::NotAsked,
        problem: Some(why.to_owned()),
        hint: None,
    }
}

fn sign_in_hint(account: &AccountConfig, fault: &Fault) -> String {
    match fault.status() {
        Some(400..=499) => "see what Login with Amazon says about it: the application or its credentials".to_owned(),
        _ => format!("see that this machine reaches {}, and try again", account.token_url),
    }
}

fn call_hint(account: &AccountConfig, fault: &Fault) -> String {
    match fault.status() {
        Some(403) => {
            "see the application's roles in Seller Central > Apps and Services > Develop Apps, and what lies between"
                .to_owned()
        }
        Some(400 | 404) => format!("see that `seller_id` is the account's merchant token, now {}", account.seller_id),
        Some(429 | 500..) => "Amazon is in trouble or busy: try again in some minutes".to_owned(),
        _ => format!("see that this machine reaches {}", account.endpoint),
    }
}
