//! What Commerce's refusals mean.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::http::{Answer, Fault};

/// Commerce's envelope. `parameters` is a list or an object, depending on the error.
#[derive(Default, Deserialize)]
struct Envelope {
    #[serde(default)]
    message: String,
    #[serde(default)]
    parameters: Value,
    #[serde(default)]
    messages: BTreeMap<String, Vec<Inner>>,
}

/// What is left when PHP itself failed.
#[derive(Deserialize)]
struct Inner {
    message: String,
}

/// Tells whether an answer can be used.
pub(super) fn classify(answer: &Answer) -> Result<(), Fault> {
    if answer.is_success() {
        return Ok(());
    }
    if let (300..400, Some(target)) = (answer.status, answer.header("location")) {
        let target = target.split(['?', '#']).next().unwrap_or_default();
        return Err(answer.refused(None, &format!("redirected to {target}: `base_url` should be the final address")));
    }
    if answer.is_html() {
        return Err(answer.refused(None, "a page for people instead of an answer"));
    }
    let Ok(envelope) = serde_json::from_slice::<Envelope>(&answer.body) else {
        return Err(answer.refused(None, String::from_utf8_lossy(&answer.body).trim()));
    };
    let text = envelope.text();
    match envelope.advice(answer) {
        Some(advice) => {
            let text = text.trim_end_matches('.');
            Err(Fault::unauthorized(Some(answer.status), format!("{text}: {advice}")))
        }
        None => Err(answer.refused(None, &text)),
    }
}

/// How Commerce refuses a sign-in, and what to do about it. Some come with 400.
const SIGN_IN: [(&str, &str); 11] = [
    (
        "The signature is invalid",
        "`consumer_secret` or `access_token_secret` is wrong, or a proxy hides https, the host or the port from Commerce \
         (it has to pass Host and X-Forwarded-Proto on as they were asked for)",
    ),
    (
        "A consumer having the specified key does not exist",
        "`consumer_key` is of no integration in this shop: copy it again, and see that `base_url` is the right shop",
    ),
    ("Consumer key is not the correct length", "`consumer_key` is cut or is another secret, it has 32 characters"),
    (
        "Specified token does not exist",
        "`access_token` was withdrawn: activating an integration again makes new ones, so copy all four secrets again",
    ),
    ("The token length is invalid", "`access_token` is cut or is another secret, it has 32 characters"),
    (
        "Token is not associated with the specified consumer",
        "`access_token` and `consumer_key` are of two integrations: copy all four secrets from one",
    ),
    (
        "The nonce is already being used",
        "a proxy sends requests twice, or another program shares the integration: give stocksync one of its own",
    ),
    (
        "An error occurred validating the nonce",
        "this machine's clock is more than 10 minutes ahead of the shop's: let NTP set both",
    ),
    ("Signature method", "something between here and the shop changes the sign-in: every release takes HMAC-SHA256"),
    (
        "The account sign-in was incorrect",
        "`username` or `password` is wrong, or six failures locked the account for 30 minutes, when the right password \
         is refused too; an integration with method = \"oauth1\" is never locked",
    ),
    // The mail that asks to set the second factor up.
    ("Failed to send the message", SECOND_FACTOR),
];

const LACKS: &str = "its role lacks the resource";
const CUT_HEADER: &str = "a proxy drops a part of the Authorization header";
const SECOND_FACTOR: &str = "admin users need a second factor, which a service does not have: \
                             use an integration with method = \"oauth1\", it needs none";

/// Parts what was said from what to do about it.
pub(super) fn split_advice(text: &str) -> (&str, Option<&str>) {
    let known = SIGN_IN.iter().map(|(_, advice)| *advice).chain([LACKS, CUT_HEADER, SECOND_FACTOR, CHECK_IMS]);
    match known.filter_map(|advice| text.find(advice)).min() {
        Some(at) => (text[..at].trim_end_matches([':', ' ']), Some(&text[at..])),
        None => (text, None),
    }
}

const CHECK_IMS: &str = "check `client_id` and `client_secret`, and that the project has an OAuth server-to-server \
                         credential with the Commerce API";

/// Adobe's identity service, which signs in to the cloud service, has its own envelope.
pub(super) fn classify_ims(answer: &Answer) -> Result<(), Fault> {
    #[derive(Deserialize)]
    struct Refused {
        error: String,
        #[serde(default)]
        error_description: String,
    }
    if answer.is_success() {
        return Ok(());
    }
    match serde_json::from_slice::<Refused>(&answer.body) {
        Ok(Refused { error, error_description }) if (400..404).contains(&answer.status) => {
            let said = if error_description.is_empty() { error } else { format!("{error} ({error_description})") };
            Err(Fault::unauthorized(Some(answer.status), format!("{said}: {CHECK_IMS}")))
        }
        Ok(Refused { error, .. }) => Err(answer.refused(None, &error)),
        Err(_) => classify(answer),
    }
}

/// The largest page that the server takes, when it refused a larger one.
pub(super) fn stated_maximum(fault: &Fault) -> Option<u32> {
    let Fault::Rejected(refusal) = fault else { return None };
    refusal.message.strip_prefix("Maximum SearchCriteria pageSize is ")?.trim().parse().ok().filter(|max| *max > 0)
}

impl Envelope {
    /// What to do, when the sign-in was refused.
    fn advice(&self, answer: &Answer) -> Option<String> {
        if !matches!(answer.status, 400 | 401) {
            return None;
        }
        let parameter = |name| self.parameters.get(name).and_then(Value::as_str);
        if let (401, Some(resources)) = (answer.status, parameter("resources")) {
            return Some(format!(
                "{LACKS} {resources}, the token is wrong or ended, bearer tokens of integrations are \
                 off (as they are since 2.4.4), or a proxy drops the Authorization header"
            ));
        }
        if parameter("fieldName").is_some_and(|field| field.starts_with("oauth_")) {
            return Some(CUT_HEADER.to_owned());
        }
        if self.message.to_lowercase().contains("2fa") || self.message.contains("Two-Factor") {
            return Some(SECOND_FACTOR.to_owned());
        }
        let (message, advice) = SIGN_IN.iter().find(|(message, _)| self.message.starts_with(message))?;
        match answer.header("date") {
            Some(date) if message.contains("validating") => Some(format!("{advice}; the shop's says {date}")),
            _ => Some((*advice).to_owned()),
        }
    }

    /// The message with its placeholders filled in.
    fn text(&self) -> String {
        let mut text = self.message.clone();
        if text.is_empty() {
            let inner = self.messages.values().flatten().map(|inner| inner.message.as_str());
            return inner.collect::<Vec<_>>().join("; ");
        }
        let shown = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        match &self.parameters {
            Value::Array(values) => {
                // From the back, so that %1 leaves %10 alone.
                for (index, value) in values.iter().enumerate().rev() {
                    text = text.replace(&format!("%{}", index + 1), &shown(value));
                }
            }
            Value::Object(values) => {
                for (name, value) in values {
                    text = text.replace(&format!("%{name}"), &shown(value));
                }
            }
            _ => {}
        }
        text
    }
}

#[cfg(test)]
#[path = "fault_tests.rs"]
mod tests;
