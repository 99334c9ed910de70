//! Login with Amazon: a refresh token for an access token.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{FromRequest, Request, State as Shared};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Form, Json};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::RngExt;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::Amazon;
use super::fault::{self, FaultKind};
use super::operation::Operation;
use super::state::State;

/// An access token's account and end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grant {
    pub(super) account: usize,
    pub(super) expires: Instant,
}

type Fields = HashMap<String, String>;
type Reply = (StatusCode, Value);

pub(super) async fn token(Shared(amazon): Shared<Arc<Amazon>>, request: Request) -> Response {
    let fields = read_fields(request).await;
    let drawn = amazon.lock().token_fault(fields.as_ref().ok());
    if let Some((FaultKind::Slow, delay)) = drawn {
        amazon.clock.sleep(delay).await;
    }
    let kind = drawn.map(|(kind, _)| kind);
    let (status, body) = match (kind.and_then(outage), fields) {
        _ if kind == Some(FaultKind::Html) => return fault::html(),
        (Some(outage), _) => outage,
        (None, Ok(fields)) => amazon.lock().exchange(&fields),
        (None, Err(refusal)) => refusal,
    };
    let mut response = (status, Json(body)).into_response();
    if let Ok(id) = HeaderValue::from_str(&amazon.lock().random_id()) {
        response.headers_mut().insert("x-amzn-requestid", id);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    match kind {
        Some(kind) => fault::spoil(kind, response).await,
        None => response,
    }
}

/// The form of the documentation, or the JSON body of Amazon's Java client.
async fn read_fields(request: Request) -> Result<Fields, Reply> {
    let unreadable = || refusal(400, "invalid_request", "The request body cannot be read.");
    let is_json = request
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    if is_json {
        return Json::<Fields>::from_request(request, &()).await.map(|json| json.0).map_err(|_| unreadable());
    }
    Form::<Fields>::from_request(request, &()).await.map(|form| form.0).map_err(|_| unreadable())
}

fn refusal(status: u16, code: &str, description: &str) -> Reply {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    (status, json!({"error": code, "error_description": description}))
}

fn outage(kind: FaultKind) -> Option<Reply> {
    match kind {
        FaultKind::Status500 => Some(refusal(500, "server_error", "The authorization server met an error.")),
        FaultKind::Status503 => Some(refusal(503, "temporarily_unavailable", "The service is unavailable.")),
        FaultKind::Status429 => Some(refusal(429, "temporarily_unavailable", "Too many requests.")),
        _ => None,
    }
}

impl State {
    fn token_fault(&mut self, fields: Option<&Fields>) -> Option<(FaultKind, std::time::Duration)> {
        let account = fields.and_then(|fields| self.by_refresh_token(fields.get("refresh_token")?));
        let seller =
            account.and_then(|at| self.accounts.get(at)).map_or("-", |account| account.seller_id.as_str()).to_owned();
        self.stats.of(&seller, Operation::Token).calls += 1;
        let drawn = self.faults.draw((Operation::Token, &seller, None), &mut self.rng)?;
        self.stats.of(&seller, Operation::Token).faults += 1;
        Some(drawn)
    }

    fn by_refresh_token(&self, token: &str) -> Option<usize> {
        self.accounts.iter().position(|account| account.refresh_token == token)
    }

    fn exchange(&mut self, fields: &Fields) -> Reply {
        let (status, body) = self.try_exchange(fields).unwrap_or_else(|refusal| refusal);
        let account = fields.get("refresh_token").and_then(|token| self.by_refresh_token(token));
        let seller =
            account.and_then(|at| self.accounts.get(at)).map_or("-", |account| account.seller_id.as_str()).to_owned();
        self.stats.of(&seller, Operation::Token).answered(status);
        (status, body)
    }

    fn try_exchange(&mut self, fields: &Fields) -> Result<Reply, Reply> {
        let field = |name: &str| {
            let missing = format!("The request is missing a required parameter : {name}");
            fields.get(name).filter(|value| !value.is_empty()).ok_or_else(|| refusal(400, "invalid_request", &missing))
        };
        match field("grant_type")?.as_str() {
            "refresh_token" => {}
            "client_credentials" => {
                return Err(refusal(400, "unauthorized_client", "The client may not use this grant type."));
            }
            _ => return Err(refusal(400, "invalid_request", "The grant type is not supported by the server.")),
        }
        let (refresh_token, client_id) = (field("refresh_token")?, field("client_id")?);
        let client_secret = field("client_secret")?;
        let known = |account: &&super::account::Account| {
            account.client_id == *client_id && account.client_secret == *client_secret && !account.secret_expired
        };
        if !self.accounts.iter().any(|account| known(&account)) {
            return Err(refusal(401, "invalid_client", "Client authentication failed"));
        }
        let invalid_grant = || {
            let text = "The request has an invalid grant parameter : refresh_token. User may have revoked or didn't grant the permission.";
            refusal(400, "invalid_grant", text)
        };
        let at = self.by_refresh_token(refresh_token).ok_or_else(invalid_grant)?;
        let account = self.accounts.get(at).filter(known).filter(|account| !account.revoked);
        if account.is_none() {
            return Err(invalid_grant());
        }
        let token = format!("Atza|{}", URL_SAFE_NO_PAD.encode(self.rng.random::<[u8; 32]>()));
        let lifetime = self.settings.token_lifetime;
        self.tokens.insert(token.clone(), Grant { account: at, expires: self.now.instant + lifetime });
        let body = json!({
            "access_token": token,
            "refresh_token": refresh_token,
            "token_type": "bearer",
            "expires_in": lifetime.as_secs(),
        });
        Ok((StatusCode::OK, body))
    }

    /// Ends every access token of an account at once.
    pub(super) fn expire_tokens(&mut self, account: usize) {
        let now = self.now.instant;
        self.tokens.values_mut().filter(|grant| grant.account == account).for_each(|grant| grant.expires = now);
    }
}
