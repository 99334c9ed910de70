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
    let resources = envelope.parameters.get("resources").and_then(Value::as_str);
    let message = match resources {
        Some(resources) if answer.status == 401 => format!(
            "{}. Either the sign-in is not valid (wrong or ended token, or bearer tokens of integrations are off, as they \
             are since 2.4.4), or its role lacks the resource {resources}",
            envelope.text().trim_end_matches('.')
        ),
        _ => envelope.text(),
    };
    Err(answer.refused(None, &message))
}

/// The largest page that the server takes, when it refused a larger one.
pub(super) fn stated_maximum(fault: &Fault) -> Option<u32> {
    let Fault::Rejected(refusal) = fault else { return None };
    refusal.message.strip_prefix("Maximum SearchCriteria pageSize is ")?.trim().parse().ok().filter(|max| *max > 0)
}

impl Envelope {
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
