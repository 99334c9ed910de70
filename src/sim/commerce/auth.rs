//! Who may ask: admin tokens, integration tokens as bearer, and signed requests.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::oauth1;
use super::reply::Reply;
use super::request::Head;
use crate::sim::world::{AdminUser, CommerceWorld, Integration, Version};

const TOKEN_LIFE: SignedDuration = SignedDuration::from_hours(1);
const FAILURES_THAT_LOCK: u32 = 6;
const LOCK: SignedDuration = SignedDuration::from_mins(30);

#[derive(Debug)]
pub(super) struct Auth {
    version: Version,
    seed: u64,
    integration: Option<Integration>,
    bearer: Option<String>,
    admin: Option<AdminUser>,
    resources: Option<BTreeSet<String>>,
    nonces: BTreeSet<String>,
    tokens: BTreeMap<String, Timestamp>,
    issued: u64,
    failures: u32,
    locked_until: Option<Timestamp>,
}

impl Auth {
    pub(super) fn new(world: &CommerceWorld) -> Self {
        Self {
            version: world.version,
            seed: world.seed,
            integration: world.oauth.clone(),
            bearer: world.integration_bearer_token.clone(),
            admin: world.admin.clone(),
            resources: world.resources.clone(),
            nonces: BTreeSet::new(),
            tokens: BTreeMap::new(),
            issued: 0,
            failures: 0,
            locked_until: None,
        }
    }

    /// No token, a bad one, an expired one and a missing right all get the same words.
    pub(super) fn allow(&mut self, head: &Head, resource: &str, now: Timestamp) -> Result<(), Reply> {
        let refused = || Err(Reply::unauthorized(resource));
        let Some((scheme, credentials)) = head.authorization.as_deref().and_then(|header| header.split_once(' '))
        else {
            return refused();
        };
        let integration = match scheme.to_ascii_lowercase().as_str() {
            "bearer" if self.tokens.get(credentials.trim()).is_some_and(|ends| now < *ends) => return Ok(()),
            "bearer" => self.bearer.as_deref() == Some(credentials.trim()),
            "oauth" => {
                self.check_signed(head, credentials, now)?;
                true
            }
            _ => false,
        };
        if integration && self.is_granted(resource) { Ok(()) } else { refused() }
    }

    /// Any integration may see the admin's start page.
    fn is_granted(&self, resource: &str) -> bool {
        let granted = |resources: &BTreeSet<String>| resources.contains(resource);
        resource == "Magento_Backend::admin" || self.resources.as_ref().is_none_or(granted)
    }

    fn check_signed(&mut self, head: &Head, credentials: &str, now: Timestamp) -> Result<(), Reply> {
        let unauthorized = |message| Reply::message(StatusCode::UNAUTHORIZED, message);
        let signed = oauth1::Signed::read(credentials)?;
        if signed.consumer_key.len() != 32 {
            return Err(unauthorized("Consumer key is not the correct length"));
        }
        let consumer = self
            .integration
            .as_ref()
            .filter(|consumer| consumer.consumer_key == signed.consumer_key)
            .ok_or_else(|| unauthorized("A consumer having the specified key does not exist"))?;
        if !signed.is_timely(now) {
            return Err(unauthorized("An error occurred validating the nonce"));
        }
        // Burnt before the signature is looked at, so a failed request burns its nonce too.
        if !self.nonces.insert(signed.nonce.clone()) {
            let message = "The nonce is already being used by the consumer with ID %1";
            return Err(Reply::with_parameters(StatusCode::UNAUTHORIZED, message, serde_json::json!(["1"])));
        }
        if consumer.access_token != signed.token {
            return Err(unauthorized("Specified token does not exist"));
        }
        let expected =
            oauth1::signature(self.version, head, &signed, &consumer.consumer_secret, &consumer.access_token_secret);
        if expected == signed.signature {
            Ok(())
        } else {
            Err(unauthorized("The signature is invalid. Verify and try again."))
        }
    }

    /// `POST integration/admin/token`: a bare JSON string.
    pub(super) fn sign_in(&mut self, body: &[u8], now: Timestamp) -> Result<Reply, Reply> {
        let body: serde_json::Value =
            serde_json::from_slice(body).map_err(|_| Reply::message(StatusCode::BAD_REQUEST, "Decoding error."))?;
        let field = |name: &str| body.get(name).and_then(|value| value.as_str()).ok_or_else(|| Reply::required(name));
        let (username, password) = (field("username")?, field("password")?);
        let locked = self.locked_until.is_some_and(|until| now < until);
        let right = self.admin.as_ref().is_some_and(|admin| admin.username == username && admin.password == password);
        if locked || !right {
            self.failures += 1;
            if self.failures >= FAILURES_THAT_LOCK && !locked {
                self.locked_until = now.checked_add(LOCK).ok();
                self.failures = 0;
            }
            let message = "The account sign-in was incorrect or your account is disabled temporarily. \
                           Please wait and try again later.";
            return Err(Reply::message(StatusCode::UNAUTHORIZED, message));
        }
        self.failures = 0;
        self.issued += 1;
        let digest = Sha256::new().chain_update(self.seed.to_be_bytes()).chain_update(self.issued.to_be_bytes());
        let token = format!("eyJraWQiOiIxIn0.{}", BASE64_URL_SAFE_NO_PAD.encode(digest.finalize()));
        self.tokens.retain(|_, ends| now < *ends);
        self.tokens.insert(token.clone(), now.saturating_add(TOKEN_LIFE).unwrap_or(Timestamp::MAX));
        Ok(Reply::json(&token))
    }

    /// Every token already given ends at once.
    pub(super) fn revoke_tokens(&mut self) {
        self.tokens.clear();
    }
}

#[cfg(test)]
#[path = "auth_tests.rs"]
mod tests;
