//! Adobe's sign-in, which the cloud service's tokens come from.

use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::json;

use super::issued::Issued;
use super::params::Params;
use super::reply::Reply;
use super::request::Head;
use crate::sim::world::Ims;

pub(super) const TOKEN_PATH: &str = "/ims/token/v3";

/// Without this a token opens nothing of Commerce.
const SCOPE: &str = "commerce.accs";

/// Answers a form of client credentials with a token.
pub(super) fn sign_in(ims: &Ims, issued: &mut Issued, body: &[u8], now: Timestamp) -> Result<Reply, Reply> {
    let form = Params::parse(&String::from_utf8_lossy(body));
    if form.text("grant_type") != Some("client_credentials") {
        return Err(refusal("unsupported_grant_type", "grant_type must be client_credentials"));
    }
    if form.text("client_id") != Some(&ims.client_id) {
        return Err(refusal("invalid_client", "invalid client_id parameter"));
    }
    if form.text("client_secret") != Some(&ims.client_secret) {
        return Err(refusal("invalid_client", "invalid client_secret parameter"));
    }
    if !form.text("scope").is_some_and(|scope| scope.split([',', ' ']).any(|scope| scope == SCOPE)) {
        return Err(refusal("invalid_scope", "none of the requested scopes is valid"));
    }
    let token = issued.issue(now, ims.token_life);
    Ok(Reply::json(&json!({
        "access_token": token,
        "token_type": "bearer",
        "expires_in": ims.token_life.as_secs(),
    })))
}

/// The three headers that go with every request.
pub(super) fn admits(ims: &Ims, issued: &Issued, head: &Head, token: &str, now: Timestamp) -> bool {
    issued.holds(token, now)
        && head.api_key.as_deref() == Some(&ims.client_id)
        && head.org_id.as_deref() == Some(&ims.org_id)
}

fn refusal(error: &str, description: &str) -> Reply {
    let body = json!({ "error": error, "error_description": description });
    Reply::of(StatusCode::BAD_REQUEST, super::reply::JSON, body.to_string())
}
