//! Query parameters, read as strictly as the models write them.

use std::collections::BTreeMap;

use axum::extract::Query as Pairs;
use axum::http::Uri;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::json;

use super::answer::Answer;
use crate::model::Marketplace;

#[derive(Clone, Debug, Default)]
pub(super) struct Query(BTreeMap<String, String>);

impl Query {
    pub(super) fn parse(uri: &Uri) -> Result<Self, Answer> {
        let pairs = Pairs::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|_| Answer::invalid_input("The query string cannot be parsed."))?;
        let mut query = BTreeMap::new();
        for (name, value) in pairs.0 {
            if query.insert(name.clone(), value).is_some() {
                return Err(Answer::invalid_input(&format!("Parameter '{name}' is given twice.")));
            }
        }
        Ok(Self(query))
    }

    /// Amazon may well ignore a parameter that it does not know; here it is refused, because it is a mistake.
    pub(super) fn allow(&self, names: &[&str]) -> Result<(), Answer> {
        match self.0.keys().find(|name| !names.contains(&name.as_str())) {
            Some(name) => Err(Answer::invalid_input(&format!("Parameter '{name}' is unknown."))),
            None => Ok(()),
        }
    }

    /// Stands for the same query, from after `last` on.
    pub(super) fn token(&self, last: u64) -> String {
        STANDARD.encode(json!([last, self.0]).to_string())
    }

    pub(super) fn from_token(token: &str) -> Result<(u64, Self), Answer> {
        let read = STANDARD.decode(token).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let (last, query) = read.ok_or_else(|| Answer::invalid_input("Invalid 'nextToken' provided."))?;
        Ok((last, Self(query)))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A comma-separated list. A comma inside a value cannot be told from one between values, `%2C` or not.
    pub(super) fn list(&self, name: &str) -> Option<Vec<&str>> {
        self.get(name).map(|text| text.split(',').collect())
    }

    pub(super) fn choices<'a>(&'a self, name: &str, allowed: &[&str]) -> Result<Option<Vec<&'a str>>, Answer> {
        let Some(values) = self.list(name) else { return Ok(None) };
        match values.iter().find(|value| !allowed.contains(value)) {
            Some(value) => Err(Answer::invalid_input(&format!("'{value}' is not a value of '{name}'."))),
            None => Ok(Some(values)),
        }
    }

    pub(super) fn choice(&self, name: &str, allowed: &[&str]) -> Result<Option<&str>, Answer> {
        match self.get(name) {
            Some(value) if !allowed.contains(&value) => {
                Err(Answer::invalid_input(&format!("'{value}' is not a value of '{name}'.")))
            }
            value => Ok(value),
        }
    }

    pub(super) fn number(&self, name: &str, default: usize, range: (usize, usize)) -> Result<usize, Answer> {
        let Some(text) = self.get(name) else { return Ok(default) };
        text.parse()
            .ok()
            .filter(|number| (range.0..=range.1).contains(number))
            .ok_or_else(|| Answer::invalid_input(&format!("'{name}' is not between {} and {}.", range.0, range.1)))
    }

    pub(super) fn time(&self, name: &str) -> Result<Option<Timestamp>, Answer> {
        let parse = |text: &str| {
            text.parse().map_err(|_| Answer::invalid_input(&format!("'{name}' is not an ISO 8601 date-time.")))
        };
        self.get(name).map(parse).transpose()
    }

    /// The required marketplaces, each of which the account must sell in.
    pub(super) fn marketplaces(&self, sold_in: &[&'static Marketplace]) -> Result<Vec<&'static Marketplace>, Answer> {
        let ids = self.list("marketplaceIds").unwrap_or_default();
        known_marketplaces(&ids, sold_in)
    }
}

pub(super) fn known_marketplaces(
    ids: &[&str],
    sold_in: &[&'static Marketplace],
) -> Result<Vec<&'static Marketplace>, Answer> {
    if ids.is_empty() {
        return Err(Answer::invalid_input("Missing required 'marketplaceIds'."));
    }
    ids.iter()
        .map(|id| {
            let known = sold_in.iter().copied().find(|marketplace| marketplace.id == *id);
            known.ok_or_else(|| Answer::invalid_input(&format!("Invalid 'marketplaceIds' provided: '{id}'.")))
        })
        .collect()
}
