//! Who may ask: admin tokens, integration tokens as bearer, and signed requests.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::issued::Issued;
use super::reply::Reply;
use super::request::Head;
use super::{ims, oauth1};
use crate::sim::world::{AdminUser, CommerceWorld, Ims, Integration, Version};

const FAILURES_THAT_LOCK: u32 = 6;
const LOCK: SignedDuration = SignedDuration::from_mins(30);

#[derive(Debug)]
pub(super) struct Auth {
    version: Version,
    integrations: Vec<Integration>,
    bearer: Option<String>,
    admin: Option<AdminUser>,
    ims: Option<Ims>,
    resources: Option<BTreeSet<String>>,
    /// By consumer.
    nonces: BTreeSet<(String, String)>,
    issued: Issued,
    failures: u32,
    locked_until: Option<Timestamp>,
}

impl Auth {
    pub(super) fn new(world: &CommerceWorld) -> Self {
        Self {
            version: world.version,
            integrations: world.oauth.iter().chain(&world.other_oauth).cloned().collect(),
            bearer: world.integration_bearer_token.clone(),
            admin: world.admin.clone(),
            ims: world.ims.clone(),
            resources: world.resources.clone(),
            nonces: BTreeSet::new(),
            issued: Issued::new(world.seed),
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
            scheme if let Some(ims) = &self.ims => {
                scheme == "bearer" && ims::admits(ims, &self.issued, head, credentials.trim(), now)
            }
            "bearer" if self.issued.holds(credentials.trim(), now) => return Ok(()),
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
            .integrations
            .iter()
            .find(|consumer| consumer.consumer_key == signed.consumer_key)
            .ok_or_else(|| unauthorized("A consumer having the specified key does not exist"))?;
        if !signed.is_timely(now) {
            return Err(unauthorized("An error occurred validating the nonce"));
        }
        // Burnt before the signature is looked at, so a failed request burns its nonce too.
        if !self.nonces.insert((signed.consumer_key.clone(), signed.nonce.clone())) {
            let message = "The nonce is already being used by the consumer with ID %1";
            return Err(Reply::with_parameters(StatusCode::UNAUTHORIZED, message, json!(["1"])));
        }
        if !self.integrations.iter().any(|owner| owner.access_token == signed.token) {
            return Err(unauthorized("Specified token does not exist"));
        }
        if consumer.access_token != signed.token {
            return Err(unauthorized("Token is not associated with the specified consumer"));
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
        let admin = self.admin.as_ref().filter(|admin| admin.username == username && admin.password == password);
        let Some(admin) = admin.filter(|_| !locked) else {
            self.failures += 1;
            if self.failures >= FAILURES_THAT_LOCK && !locked {
                self.locked_until = now.checked_add(LOCK).ok();
                self.failures = 0;
            }
            let message = "The account sign-in was incorrect or your account is disabled temporarily. \
                           Please wait and try again later.";
            return Err(Reply::message(StatusCode::UNAUTHORIZED, message));
        };
        self.failures = 0;
        if admin.two_factor {
            let message = "Please use the 2fa provider-specific endpoints to obtain a token.";
            let providers = json!({ "active_providers": ["google"] });
            return Err(Reply::with_parameters(StatusCode::BAD_REQUEST, message, providers));
        }
        Ok(Reply::json(&self.issued.issue(now, admin.token_life)))
    }

    /// `POST` to Adobe's token route, which only a shop in the cloud has.
    pub(super) fn sign_in_to_ims(&mut self, body: &[u8], now: Timestamp) -> Result<Reply, Reply> {
        let ims = self.ims.as_ref().ok_or_else(Reply::no_route)?;
        ims::sign_in(ims, &mut self.issued, body, now)
    }

    /// Every token already given ends at once.
    pub(super) fn revoke_tokens(&mut self) {
        self.issued.revoke();
    }
}

#[cfg(test)]
#[path = "auth_tests.rs"]
mod tests;
