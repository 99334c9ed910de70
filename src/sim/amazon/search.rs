//! searchListingsItems: twenty at a time, a thousand at most.

use std::cmp::Reverse;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::account::Account;
use super::answer::Answer;
use super::api::Call;
use super::items::{included, item};
use super::listing::Listing;
use super::query::Query;
use super::state::State;
use super::world::Status;

/// What can be paged through, however many there are.
const REACH: usize = 1000;
const IDENTIFIER_TYPES: [&str; 9] = ["ASIN", "EAN", "FNSKU", "GTIN", "ISBN", "JAN", "MINSAN", "SKU", "UPC"];
const PARAMETERS: [&str; 18] = [
    "marketplaceIds",
    "issueLocale",
    "includedData",
    "identifiers",
    "identifiersType",
    "variationParentSku",
    "packageHierarchySku",
    "createdAfter",
    "createdBefore",
    "lastUpdatedAfter",
    "lastUpdatedBefore",
    "withIssueSeverity",
    "withStatus",
    "withoutStatus",
    "sortBy",
    "sortOrder",
    "pageSize",
    "pageToken",
];

type Row<'a> = (&'a str, &'a Listing);

impl State {
    pub(super) fn search_items(&self, call: &Call) -> Result<Answer, Answer> {
        call.query.allow(&PARAMETERS)?;
        let account = self.account_of(call)?;
        let marketplaces = call.query.marketplaces(&account.marketplaces)?;
        let included = included(call)?;
        let size = call.query.number("pageSize", 10, (1, 20))?;
        let offset = call.query.get("pageToken").map_or(Ok(0), |token| offset(token, call))?;
        let filter = Filter::read(&call.query)?;
        let mut rows = candidates(account, &call.query)?;
        rows.retain(|(_, listing)| listing.is_in(&marketplaces) && filter.passes(listing));
        sort(&mut rows, &call.query)?;
        let items: Vec<Value> = rows
            .iter()
            .skip(offset)
            .take(size)
            .map(|(sku, listing)| item(sku, listing, &marketplaces, &included))
            .collect();
        let mut pagination = Map::new();
        if offset + size < rows.len().min(REACH) {
            pagination.insert("nextToken".to_owned(), json!(token(offset + size, call)));
        }
        if offset > 0 {
            pagination.insert("previousToken".to_owned(), json!(token(offset.saturating_sub(size), call)));
        }
        let mut body = json!({"numberOfResults": rows.len(), "items": items});
        if let (false, Some(body)) = (pagination.is_empty(), body.as_object_mut()) {
            body.insert("pagination".to_owned(), Value::Object(pagination));
        }
        Ok(Answer::ok(body))
    }
}

fn candidates<'a>(account: &'a Account, query: &Query) -> Result<Vec<Row<'a>>, Answer> {
    let all = || account.listings.iter().map(|(sku, listing)| (sku.as_str(), listing));
    let kind = query.choice("identifiersType", &IDENTIFIER_TYPES)?;
    let related = query.get("variationParentSku").is_some() || query.get("packageHierarchySku").is_some();
    match (query.list("identifiers"), kind) {
        (Some(_), _) if related => {
            Err(Answer::invalid_input("'identifiers' cannot be used together with a related SKU."))
        }
        (Some(_), None) => Err(Answer::invalid_input("'identifiersType' is required with 'identifiers'.")),
        (None, Some(_)) => Err(Answer::invalid_input("'identifiers' is required with 'identifiersType'.")),
        (Some(identifiers), _) if identifiers.len() > 20 => {
            Err(Answer::invalid_input("'identifiers' has more than 20 values."))
        }
        (Some(skus), Some("SKU")) => {
            let mut skus: Vec<&str> = skus;
            skus.sort_unstable();
            skus.dedup();
            Ok(skus
                .iter()
                .filter_map(|sku| account.listings.get_key_value(*sku))
                .map(|(sku, one)| (sku.as_str(), one))
                .collect())
        }
        (Some(asins), Some("ASIN")) => Ok(all().filter(|(_, one)| asins.contains(&one.asin.as_str())).collect()),
        (Some(_), Some(_)) => Ok(Vec::new()),
        (None, None) if related => Ok(Vec::new()),
        (None, None) => Ok(all().collect()),
    }
}

#[derive(Default)]
struct Filter {
    created: (Option<Timestamp>, Option<Timestamp>),
    updated: (Option<Timestamp>, Option<Timestamp>),
    with_error: bool,
    impossible: bool,
    with: Vec<Status>,
    without: Vec<Status>,
}

impl Filter {
    fn read(query: &Query) -> Result<Self, Answer> {
        let severities = query.choices("withIssueSeverity", &["WARNING", "ERROR"])?;
        let statuses = |name: &str| -> Result<Vec<Status>, Answer> {
            let values = query.choices(name, &["BUYABLE", "DISCOVERABLE"])?.unwrap_or_default();
            Ok(values
                .iter()
                .map(|value| if *value == "BUYABLE" { Status::Buyable } else { Status::Discoverable })
                .collect())
        };
        Ok(Self {
            created: (query.time("createdAfter")?, query.time("createdBefore")?),
            updated: (query.time("lastUpdatedAfter")?, query.time("lastUpdatedBefore")?),
            with_error: severities.as_ref().is_some_and(|values| values.contains(&"ERROR")),
            impossible: severities.is_some_and(|values| !values.contains(&"ERROR")),
            with: statuses("withStatus")?,
            without: statuses("withoutStatus")?,
        })
    }

    fn passes(&self, listing: &Listing) -> bool {
        let within = |time: Timestamp, (from, to): (Option<Timestamp>, Option<Timestamp>)| {
            from.is_none_or(|from| time >= from) && to.is_none_or(|to| time <= to)
        };
        let statuses = listing.statuses();
        within(listing.created, self.created)
            && within(listing.updated, self.updated)
            && !self.impossible
            && (!self.with_error || listing.invalid.is_some())
            && self.with.iter().all(|status| statuses.contains(status))
            && !self.without.iter().any(|status| statuses.contains(status))
    }
}

fn sort(rows: &mut [Row<'_>], query: &Query) -> Result<(), Answer> {
    let by = query.choice("sortBy", &["sku", "createdDate", "lastUpdatedDate"])?.unwrap_or("lastUpdatedDate");
    let descending = query.choice("sortOrder", &["ASC", "DESC"])? != Some("ASC");
    let time = |listing: &Listing| match by {
        "sku" => Timestamp::UNIX_EPOCH,
        "createdDate" => listing.created,
        _ => listing.updated,
    };
    if descending {
        rows.sort_unstable_by_key(|(sku, listing)| Reverse((time(listing), *sku)));
    } else {
        rows.sort_unstable_by_key(|(sku, listing)| (time(listing), *sku));
    }
    Ok(())
}

fn token(offset: usize, call: &Call) -> String {
    format!("{offset}.{}", call.account)
}

fn offset(token: &str, call: &Call) -> Result<usize, Answer> {
    let invalid = || Answer::invalid_input("Invalid 'pageToken' provided.");
    let (offset, account) = token.split_once('.').ok_or_else(invalid)?;
    let offset = offset.parse().ok().filter(|offset| *offset < REACH).ok_or_else(invalid)?;
    if account == call.account.to_string() { Ok(offset) } else { Err(invalid()) }
}
