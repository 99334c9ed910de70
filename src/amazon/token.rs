//! Login with Amazon: a refresh token buys an access token for an hour.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use secrecy::ExposeSecret;
use tokio::time::Instant;

use super::{Client, MAX_BODY, TIMEOUT, parse_url, refusal, wire};
use crate::http::{Answer, Call, Fault, HeaderValue, Method, Pace, Request, json};

/// Renewed this long before it ends: time to get over an outage of the sign-in.
const EARLY: Duration = Duration::from_mins(5);
/// While a renewal does not succeed; sooner hammers a server that is down, later leaves less than a handful of attempts.
const RENEW_AGAIN: Duration = Duration::from_mins(1);
/// A plain no is the answer to whoever asks this soon after it, the first and every further one: what an account does
/// beside its own retries must not ask Amazon over and over. Longer than the waits of those, and they would not ask.
const REFUSED_FOR: [Duration; 2] = [Duration::from_secs(8), Duration::from_secs(50)];
/// Amazon says an hour. More than a day is a mistake of the server's.
const LONGEST_LIFETIME: Duration = Duration::from_hours(24);

/// The access token of one account: one sign-in in flight, whoever needs it waits.
#[derive(Debug, Default)]
pub(super) struct Token {
    held: Mutex<Option<Held>>,
    /// Locked while signing in. Whoever waited for a sign-in that failed takes the failure for an answer.
    turn: tokio::sync::Mutex<Option<Failure>>,
}

#[derive(Debug)]
struct Failure {
    at: Instant,
    fault: Fault,
    /// How many plain refusals came in a row.
    refusals: usize,
    /// Until then nobody asks again.
    quiet_until: Instant,
}

#[derive(Clone, Debug)]
pub(super) struct Held {
    /// Marked as sensitive: it prints as that.
    pub(super) header: HeaderValue,
    /// Which one it is, counted from 1.
    pub(super) serial: u64,
    renew_at: Instant,
    ends_at: Instant,
}

impl Token {
    /// The token in use, unless it ended or is the one that was `refused`.
    pub(super) async fn get(&self, client: &Client, refused: Option<u64>) -> Result<Held, Fault> {
        let came = client.clock.instant();
        match self.usable(client, refused) {
            Some(held) if came < held.renew_at => Ok(held),
            // About to end: one renews it, the others go on with what they have.
            Some(held) => match self.turn.try_lock() {
                Ok(turn) => self.sign_in(client, refused, came, turn).await,
                Err(_) => Ok(held),
            },
            None => self.sign_in(client, refused, came, self.turn.lock().await).await,
        }
    }

    async fn sign_in(
        &self,
        client: &Client,
        refused: Option<u64>,
        came: Instant,
        mut turn: tokio::sync::MutexGuard<'_, Option<Failure>>,
    ) -> Result<Held, Fault> {
        let held = self.usable(client, refused);
        let now = client.clock.instant();
        if let Some(held) = held.as_ref().filter(|held| now < held.renew_at) {
            return Ok(held.clone());
        }
        if let Some(failure) = turn.as_ref().filter(|failure| came < failure.at || now < failure.quiet_until) {
            return Err(failure.fault.clone());
        }
        match (fetch(client).await, held) {
            (Ok(grant), _) => {
                *turn = None;
                self.keep(&grant, now)
            }
            (Err(Fault::Exhausted { last, .. }), Some(held)) => {
                self.postpone(client, held.clone(), &last);
                Ok(held)
            }
            // Without a token nothing of this account goes, whatever the reason.
            (Err(fault), _) => {
                let at = client.clock.instant();
                let is_plain_no = matches!(fault, Fault::Rejected(_) | Fault::Unauthorized { .. });
                let before = turn.as_ref().map_or(0, |failure| failure.refusals);
                let (refusals, quiet) = if is_plain_no {
                    (before + 1, REFUSED_FOR[before.min(REFUSED_FOR.len() - 1)])
                } else {
                    (0, Duration::ZERO)
                };
                let fault = refused_sign_in(fault);
                *turn = Some(Failure { at, fault: fault.clone(), refusals, quiet_until: at + quiet });
                Err(fault)
            }
        }
    }

    fn postpone(&self, client: &Client, held: Held, fault: &Fault) {
        let now = client.clock.instant();
        tracing::warn!(
            event = "sign_in_failed",
            seller_id = client.access.seller_id,
            error = %fault,
            left_s = held.ends_at.duration_since(now).as_secs(),
            "cannot renew the access token; the old one still serves"
        );
        self.held().replace(Held { renew_at: now + RENEW_AGAIN, ..held });
    }

    /// Whoever comes next asks again.
    pub(super) fn forget_refusal(&self) {
        // Somebody who holds it is asking.
        if let Ok(mut turn) = self.turn.try_lock() {
            *turn = None;
        }
    }

    /// Whether nobody has to sign in first.
    pub(super) fn is_at_hand(&self, client: &Client) -> bool {
        self.usable(client, None).is_some()
    }

    fn usable(&self, client: &Client, refused: Option<u64>) -> Option<Held> {
        let now = client.clock.instant();
        self.held().as_ref().filter(|held| now < held.ends_at && refused != Some(held.serial)).cloned()
    }

    fn keep(&self, grant: &wire::Grant, asked_at: Instant) -> Result<Held, Fault> {
        let mut header = HeaderValue::from_str(&grant.access_token)
            .map_err(|_| Fault::unauthorized(None, "sign in to amazon: a token that is no header value"))?;
        header.set_sensitive(true);
        let lifetime = Duration::from_secs(grant.expires_in).min(LONGEST_LIFETIME);
        tracing::debug!(event = "signed_in", lifetime_s = lifetime.as_secs(), "signed in to amazon");
        let ends_at = asked_at + lifetime;
        let renew_at = ends_at - EARLY.min(lifetime / 2);
        let mut held = self.held();
        let serial = held.as_ref().map_or(0, |held| held.serial) + 1;
        Ok(held.insert(Held { header, serial, renew_at, ends_at }).clone())
    }

    fn held(&self) -> MutexGuard<'_, Option<Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn refused_sign_in(fault: Fault) -> Fault {
    let status = fault.status();
    let text = match fault {
        Fault::Unauthorized { message, .. } => message,
        Fault::Rejected(refusal) => refusal.message,
        other => other.to_string(),
    };
    Fault::unauthorized(status, format!("sign in to amazon: {text}"))
}

async fn fetch(client: &Client) -> Result<wire::Grant, Fault> {
    let access = &client.access;
    let call = Call {
        operation: "lwaToken",
        pace: Pace::None,
        timeout: TIMEOUT,
        attempts: 3,
        max_body: MAX_BODY,
        renewable: false,
        classify,
    };
    let form: String = form_urlencoded(&[
        ("grant_type", "refresh_token"),
        ("refresh_token", access.refresh_token.expose_secret()),
        ("client_id", &access.client_id),
        ("client_secret", access.client_secret.expose_secret()),
    ]);
    let send = async |_| {
        let mut request = Request::new(Method::POST, parse_url(&access.token_url)?);
        let form_type = HeaderValue::from_static("application/x-www-form-urlencoded;charset=UTF-8");
        request.headers_mut().insert("content-type", form_type);
        *request.body_mut() = Some(form.clone().into());
        Ok(request)
    };
    let answer = client.http.send(&call, send).await?;
    json(&answer).map_err(|_| Fault::unauthorized(Some(answer.status), "an answer without a token"))
}

fn form_urlencoded(pairs: &[(&str, &str)]) -> String {
    let pairs: Vec<String> =
        pairs.iter().map(|(key, value)| format!("{}={}", super::encode(key), super::encode(value))).collect();
    pairs.join("&")
}

/// LWA's own envelope. Of its codes only two are worth another attempt.
fn classify(answer: &Answer) -> Result<(), Fault> {
    if answer.is_success() {
        return Ok(());
    }
    let Ok(error) = json::<wire::GrantError>(answer) else {
        return Err(answer.refused(None, "not an answer of Login with Amazon"));
    };
    let text = refusal::sign_in_text(&error.error, error.error_description.as_deref().unwrap_or_default());
    if matches!(error.error.as_str(), "server_error" | "temporarily_unavailable") {
        return Err(answer.transient(&text));
    }
    Err(answer.refused(None, &text))
}
