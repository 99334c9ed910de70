//! The four ways to sign in.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use uuid::Uuid;

use super::fault::{classify, classify_ims};
use super::oauth1::OAuth1;
use super::query::encode;
use super::tokens::{Fresh, Token, Tokens};
use crate::clock::Clock;
use crate::http::{Answer, Call, Fault, HeaderName, HeaderValue, Http, Method, Pace, Request, Url, json};

/// Of an admin token that does not say when it ends. Installations are known with one hour and with four.
const UNSTATED_LIFETIME: Duration = Duration::from_mins(55);
const IMS_SCOPE: &str = "openid,AdobeID,email,profile,additional_info.roles,\
    additional_info.projectedProductContext,commerce.accs";
const TOKEN_TIMEOUT: Duration = Duration::from_secs(30);

/// How an instance is signed in to.
#[derive(Clone, Debug)]
pub enum Auth {
    /// An integration's four credentials.
    OAuth1 {
        consumer_key: String,
        consumer_secret: SecretString,
        access_token: SecretString,
        access_token_secret: SecretString,
    },
    /// An integration's access token as it is; Commerce has this switched off since 2.4.4.
    Bearer { token: SecretString },
    /// A person's name and password, against a token that ends.
    Admin { username: String, password: SecretString },
    /// Adobe Commerce as a Cloud Service.
    Ims { client_id: String, client_secret: SecretString, org_id: String, token_url: String },
}

/// Puts what the server wants to see on a request.
#[derive(Debug)]
pub(super) struct Signer {
    method: Signing,
    http: Arc<Http>,
    clock: Clock,
    tokens: Tokens,
}

#[derive(Debug)]
enum Signing {
    OAuth1(OAuth1),
    Bearer(SecretString),
    Admin { token_url: String, username: String, password: SecretString },
    Ims { token_url: String, client_id: String, client_secret: SecretString, org_id: String },
}

impl Signer {
    pub(super) fn new(auth: Auth, rest_root: &str, http: Arc<Http>, clock: Clock) -> Self {
        let method = match auth {
            Auth::OAuth1 { consumer_key, consumer_secret, access_token, access_token_secret } => {
                Signing::OAuth1(OAuth1 { consumer_key, consumer_secret, access_token, access_token_secret })
            }
            Auth::Bearer { token } => Signing::Bearer(token),
            Auth::Admin { username, password } => {
                Signing::Admin { token_url: format!("{rest_root}/V1/integration/admin/token"), username, password }
            }
            Auth::Ims { client_id, client_secret, org_id, token_url } => {
                Signing::Ims { token_url, client_id, client_secret, org_id }
            }
        };
        Self { method, http, clock, tokens: Tokens::new(clock) }
    }

    /// Whether a refused request may pass with a new token.
    pub(super) fn renews(&self) -> bool {
        matches!(self.method, Signing::Admin { .. } | Signing::Ims { .. })
    }

    /// Signs one attempt. Returns which token it used; hand it back as `refused` when the server did not take it.
    pub(super) async fn sign(&self, request: &mut Request, refused: Option<u64>) -> Result<u64, Fault> {
        match &self.method {
            Signing::OAuth1(oauth) => {
                let nonce = Uuid::now_v7().simple().to_string();
                let now = self.clock.now().as_second();
                let header = oauth.header(request.method().as_str(), request.url(), now, &nonce)?;
                put(request, "authorization", &header)?;
                Ok(0)
            }
            Signing::Bearer(token) => {
                put(request, "authorization", &format!("Bearer {}", token.expose_secret()))?;
                Ok(0)
            }
            Signing::Admin { token_url, username, password } => {
                let fetch = self.admin_token(token_url, username, password);
                put_token(request, &self.tokens.get(refused, fetch).await?)
            }
            Signing::Ims { token_url, client_id, client_secret, org_id } => {
                put(request, "x-api-key", client_id)?;
                put(request, "x-gw-ims-org-id", org_id)?;
                let fetch = self.ims_token(token_url, client_id, client_secret);
                put_token(request, &self.tokens.get(refused, fetch).await?)
            }
        }
    }

    async fn admin_token(&self, url: &str, username: &str, password: &SecretString) -> Result<Fresh, Fault> {
        let body = serde_json::json!({ "username": username, "password": password.expose_secret() });
        let answer = self.post("adminToken", url, "application/json", body.to_string(), classify).await?;
        let token: String = token_body(&answer)?;
        let lifetime = jwt_lifetime(&token).unwrap_or(UNSTATED_LIFETIME);
        Ok(Fresh { secret: token.into(), lifetime })
    }

    async fn ims_token(&self, url: &str, client_id: &str, client_secret: &SecretString) -> Result<Fresh, Fault> {
        #[derive(Deserialize)]
        struct Issued {
            access_token: String,
            expires_in: u64,
        }
        let body = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}&scope={}",
            encode(client_id),
            encode(client_secret.expose_secret()),
            encode(IMS_SCOPE),
        );
        let answer = self.post("imsToken", url, "application/x-www-form-urlencoded", body, classify_ims).await?;
        let issued: Issued = token_body(&answer)?;
        Ok(Fresh { secret: issued.access_token.into(), lifetime: Duration::from_secs(issued.expires_in) })
    }

    async fn post(
        &self,
        operation: &'static str,
        url: &str,
        kind: &str,
        body: String,
        classify: fn(&Answer) -> Result<(), Fault>,
    ) -> Result<Answer, Fault> {
        let url: Url = url.parse().map_err(|_| Fault::nonsense("the token URL is no URL"))?;
        let call = Call {
            operation,
            pace: Pace::None,
            timeout: TOKEN_TIMEOUT,
            attempts: 3,
            max_body: 64 * 1024,
            renewable: false,
            classify,
        };
        let build = |_| {
            let mut request = Request::new(Method::POST, url.clone());
            *request.body_mut() = Some(body.clone().into());
            let ready =
                put(&mut request, "content-type", kind).and_then(|()| put(&mut request, "accept", "application/json"));
            std::future::ready(ready.map(|()| request))
        };
        self.http.send(&call, build).await.map_err(refused_sign_in)
    }
}

/// Without a token nothing of this instance can be read, so no refusal of one is about a single product.
fn refused_sign_in(fault: Fault) -> Fault {
    let status = fault.status();
    match fault {
        Fault::Unauthorized { message, .. } => Fault::unauthorized(status, format!("sign in: {message}")),
        Fault::Rejected(refusal) => Fault::unauthorized(status, format!("sign in: {}", refusal.message)),
        other => other,
    }
}

fn put_token(request: &mut Request, token: &Token) -> Result<u64, Fault> {
    put(request, "authorization", &format!("Bearer {}", token.secret.expose_secret()))?;
    Ok(token.serial)
}

/// Reads an answer that carries a secret: what does not fit is not quoted.
fn token_body<T: serde::de::DeserializeOwned>(answer: &Answer) -> Result<T, Fault> {
    json(answer).map_err(|_| Fault::nonsense(format!("HTTP {} without a token that could be read", answer.status)))
}

/// How long a JSON Web Token lives by the clock of the one who issued it.
fn jwt_lifetime(token: &str) -> Option<Duration> {
    #[derive(Deserialize)]
    struct Claims {
        iat: u64,
        exp: u64,
    }
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?.trim_end_matches('=')).ok()?;
    let claims: Claims = serde_json::from_slice(&payload).ok()?;
    claims.exp.checked_sub(claims.iat).map(Duration::from_secs)
}

fn put(request: &mut Request, name: &'static str, value: &str) -> Result<(), Fault> {
    let mut value = HeaderValue::from_str(value)
        .map_err(|_| Fault::nonsense(format!("the credentials hold characters that the header {name} cannot carry")))?;
    value.set_sensitive(true);
    request.headers_mut().insert(HeaderName::from_static(name), value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jwt_says_how_long_it_lives() {
        let jwt = |claims: &str| format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims));
        for (token, expected) in [
            (jwt(r#"{"uid":1,"utypid":2,"iat":1795293150,"exp":1795296750}"#), Some(3600)),
            (jwt(r#"{"iat":20,"exp":10}"#), None),
            (jwt(r#"{"uid":1}"#), None),
            ("5lh0xtzhiyd3oez7zogwt9ymjvyc7q6l".to_owned(), None),
            ("a.%%.c".to_owned(), None),
        ] {
            assert_eq!(jwt_lifetime(&token), expected.map(Duration::from_secs), "{token}");
        }
    }
}
