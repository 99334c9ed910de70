//! What an account lets us do, and where it sells, as rows.

use std::sync::Arc;

use futures_util::future::join;

use super::online::{Row, Verdict};
use crate::amazon::Client;
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
    rows.extend(selling.iter().flat_map(|selling| own.iter().filter_map(|store| not_selling(account, store, selling))));
    rows.push(search);
    rows.push(row(account, REPORTS, &reports, |fault| call_hint(account, fault)));
    rows
}

async fn search(account: &AccountConfig, client: &Client, stores: &[&StoreConfig]) -> Row {
    let Some(store) = stores.first() else { return unasked(account, SEARCH, "no store is of this account") };
    let marketplace = MarketplaceId::from(store.marketplace.id);
    row(account, SEARCH, &client.may_search(&marketplace).await, |fault| call_hint(account, fault))
}

/// A store in a country where the account does not sell.
fn not_selling(account: &AccountConfig, store: &StoreConfig, selling: &[String]) -> Option<Row> {
    if selling.iter().any(|id| id == store.marketplace.id) {
        return None;
    }
    let countries = selling.iter().map(|id| Marketplace::by_id(id).map_or(id.as_str(), |known| known.country));
    let mut countries: Vec<&str> = countries.collect();
    countries.sort_unstable();
    let countries = if countries.is_empty() { "nowhere".to_owned() } else { format!("in {}", countries.join(", ")) };
    Some(Row {
        name: account.name.to_string(),
        permission: format!("marketplace {}", store.country()),
        purpose: format!("store {}", store.name()),
        needed: true,
        verdict: Verdict::Misconfigured,
        problem: Some(format!(
            "store {} is for {}, where the account does not sell; it sells {countries}",
            store.name(),
            store.country()
        )),
        hint: Some("set `country` of the store to one of them, or `account` to the one that sells there".to_owned()),
    })
}

fn row<T>(
    account: &AccountConfig,
    (permission, purpose): (&str, &str),
    answer: &Result<T, Fault>,
    hint: impl FnOnce(&Fault) -> String,
) -> Row {
    let fault = answer.as_ref().err();
    let verdict = match fault {
        None => Verdict::Ok,
        Some(Fault::Rejected(refusal)) if refusal.status == 403 => Verdict::Missing,
        Some(_) => Verdict::Failed,
    };
    Row {
        name: account.name.to_string(),
        permission: permission.to_owned(),
        purpose: purpose.to_owned(),
        needed: true,
        verdict,
        problem: fault.map(ToString::to_string),
        hint: fault.map(hint),
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
    let text = fault.to_string();
    let codes = |codes: &[&str]| codes.iter().any(|code| text.contains(code));
    if codes(&["invalid_grant"]) {
        "authorize the application again in Seller Central, and set `refresh_token` to what it gives".to_owned()
    } else if codes(&["invalid_client", "unauthorized_client"]) {
        "set `client_id` and `client_secret` as the application has them: a secret ends after 180 days".to_owned()
    } else {
        format!("see that this machine reaches {}, and try again", account.token_url)
    }
}

fn call_hint(account: &AccountConfig, fault: &Fault) -> String {
    let text = fault.to_string();
    match fault.status() {
        Some(403) if text.contains("Region") => {
            format!("the account is of another region than {:?}: set `region`", account.region.as_str())
        }
        Some(403) => format!(
            "give the application the role Product Listing in Seller Central (for reports Inventory and Order Tracking does \
             too), authorize it again and set the new `refresh_token`; see also that the account is {} in region {}",
            account.seller_id,
            account.region.as_str()
        ),
        Some(400 | 404) => format!("see that `seller_id` is the account's merchant token, now {}", account.seller_id),
        Some(429 | 500..) => "Amazon is in trouble or busy: try again in some minutes".to_owned(),
        _ => format!("see that this machine reaches {}", account.endpoint),
    }
}
