//! OAuth 1.0a as the server checks it. The two releases build different base strings from the same request.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;

use axum::http::StatusCode;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::Sha256;

use super::reply::Reply;
use super::request::Head;
use crate::sim::world::Version;

const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// What up to 2.4.7 decodes in a path before signing it, besides letters and digits.
const PATH_DECODED: &[u8] = b"-._~$&+,/:;=@%";
/// What it encodes when it arrives raw.
const PATH_ENCODED: &str = " !\"%'*<>[\\]^`{|}";
const SECONDS_AHEAD: i64 = 600;

/// The `Authorization: OAuth` header's parts.
#[derive(Debug)]
pub(super) struct Signed {
    pub(super) consumer_key: String,
    pub(super) token: String,
    pub(super) nonce: String,
    pub(super) signature: String,
    timestamp: i64,
    /// Everything that is signed: all but the signature and the realm.
    parameters: Vec<(String, String)>,
}

impl Signed {
    pub(super) fn read(credentials: &str) -> Result<Self, Reply> {
        let mut parts: BTreeMap<String, String> = BTreeMap::new();
        for part in credentials.split(',') {
            let Some((name, value)) = part.trim().split_once('=') else { continue };
            let value = percent_decode_str(value.trim().trim_matches('"')).decode_utf8_lossy().into_owned();
            parts.insert(name.trim().to_owned(), value);
        }
        let part = |name: &str| parts.get(name).cloned().ok_or_else(|| Reply::required(name));
        let (consumer_key, token) = (part("oauth_consumer_key")?, part("oauth_token")?);
        let (nonce, timestamp) = (part("oauth_nonce")?, part("oauth_timestamp")?);
        let (signature, method) = (part("oauth_signature")?, part("oauth_signature_method")?);
        if token.len() != 32 {
            let message = "The token length is invalid. Check the length and try again.";
            return Err(Reply::message(StatusCode::BAD_REQUEST, message));
        }
        if method != "HMAC-SHA256" {
            let message = "Signature method %1 is not supported";
            return Err(Reply::with_parameters(StatusCode::BAD_REQUEST, message, serde_json::json!([method])));
        }
        let signed = parts.into_iter().filter(|(name, _)| name != "oauth_signature" && name != "realm");
        let timestamp = timestamp.parse().unwrap_or(0);
        Ok(Self { consumer_key, token, nonce, signature, timestamp, parameters: signed.collect() })
    }

    /// There is no lower bound.
    pub(super) fn is_timely(&self, now: Timestamp) -> bool {
        self.timestamp > 0 && self.timestamp <= now.as_second() + SECONDS_AHEAD
    }
}

pub(super) fn signature(
    version: Version,
    head: &Head,
    signed: &Signed,
    consumer_secret: &str,
    token_secret: &str,
) -> String {
    let base = base_string(version, head, signed);
    let key = format!("{}&{}", encode(consumer_secret), encode(token_secret));
    let Ok(mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else { return String::new() };
    BASE64_STANDARD.encode(mac.chain_update(base.as_bytes()).finalize().into_bytes())
}

fn base_string(version: Version, head: &Head, signed: &Signed) -> String {
    let path = match version {
        Version::V2_4_7 => Cow::Owned(rebuilt_path(&head.path)),
        Version::V2_4_8 => Cow::Borrowed(head.path.as_str()),
    };
    let url = format!("{}://{}{path}", head.scheme, host(head));
    let mut parameters = query_parameters(version, &head.query);
    for (name, value) in &signed.parameters {
        put(&mut parameters, name.clone(), value.clone());
    }
    match version {
        Version::V2_4_7 => parameters.sort_by(|(a, _), (b, _)| natural_order(&encode(a), &encode(b))),
        Version::V2_4_8 => parameters.sort_by(|(a, _), (b, _)| a.cmp(b)),
    }
    let pairs: Vec<String> =
        parameters.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    format!("{}&{}&{}", head.method, encode(&url), encode(&pairs.join("&")))
}

fn host(head: &Head) -> String {
    let host = head.host.to_ascii_lowercase();
    let usual_port = if head.scheme == "https" { ":443" } else { ":80" };
    host.strip_suffix(usual_port).unwrap_or(&host).to_owned()
}

pub(super) fn encode(text: &str) -> String {
    utf8_percent_encode(text, KEPT).to_string()
}

/// An entry without exactly one `=` is dropped; 2.4.8 keeps a bare key as an empty one.
fn query_parameters(version: Version, query: &str) -> Vec<(String, String)> {
    let mut parameters = Vec::new();
    for entry in query.split('&').filter(|entry| !entry.is_empty()) {
        let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        match entry.split('=').collect::<Vec<_>>().as_slice() {
            [name, value] => put(&mut parameters, decode(name), decode(value)),
            [name] if version == Version::V2_4_8 => put(&mut parameters, decode(name), String::new()),
            _ => {}
        }
    }
    parameters
}

fn put(parameters: &mut Vec<(String, String)>, name: String, value: String) {
    match parameters.iter_mut().find(|(known, _)| *known == name) {
        Some((_, slot)) => *slot = value,
        None => parameters.push((name, value)),
    }
}

/// How 2.4.7 puts a path together again: dot segments resolved, then some codes decoded, then some characters encoded.
/// A percent sign is decoded and encoded too, so that `%252F` ends as `%2F` and `%25P` as `%25P`.
fn rebuilt_path(path: &str) -> String {
    let path = without_dot_segments(path);
    let mut decoded = String::with_capacity(path.len());
    let mut rest = path.as_str();
    while let Some((before, code)) = rest.split_once('%') {
        decoded.push_str(before);
        match hex_byte(code) {
            Some(byte) if byte.is_ascii_alphanumeric() || PATH_DECODED.contains(&byte) => {
                decoded.push(char::from(byte));
                rest = code.get(2..).unwrap_or_default();
            }
            _ => {
                decoded.push('%');
                rest = code;
            }
        }
    }
    decoded.push_str(rest);
    let mut encoded = String::with_capacity(decoded.len());
    for (place, letter) in decoded.char_indices() {
        let is_code = letter == '%' && decoded.get(place + 1..).and_then(hex_byte).is_some();
        if !is_code && PATH_ENCODED.contains(letter) {
            encoded.push_str(&encode(letter.encode_utf8(&mut [0; 4])));
        } else {
            encoded.push(letter);
        }
    }
    encoded
}

fn hex_byte(text: &str) -> Option<u8> {
    let hex = text.get(..2).filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    u8::from_str_radix(hex, 16).ok()
}

fn without_dot_segments(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let segments: Vec<&str> = path.split('/').collect();
    for (place, segment) in segments.iter().enumerate() {
        let last = place + 1 == segments.len();
        match *segment {
            "." | ".." => {
                if *segment == ".." && kept.len() > 1 {
                    kept.pop();
                }
                if last {
                    kept.push("");
                }
            }
            segment => kept.push(segment),
        }
    }
    kept.join("/")
}

/// PHP's `strnatcmp`: runs of digits compare as numbers, or from the left when one begins with a zero.
fn natural_order(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    loop {
        let (Some((first_a, rest_a)), Some((first_b, rest_b))) = (a.split_first(), b.split_first()) else {
            return a.len().cmp(&b.len());
        };
        if first_a.is_ascii_digit() && first_b.is_ascii_digit() {
            let (digits_a, after_a) = digits(a);
            let (digits_b, after_b) = digits(b);
            let fraction = *first_a == b'0' || *first_b == b'0';
            let order = if fraction { digits_a.cmp(digits_b) } else { number_order(digits_a, digits_b) };
            if order.is_ne() {
                return order;
            }
            (a, b) = (after_a, after_b);
        } else if first_a == first_b {
            (a, b) = (rest_a, rest_b);
        } else {
            return first_a.cmp(first_b);
        }
    }
}

fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, &[]))
}

fn number_order(a: &[u8], b: &[u8]) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

#[cfg(test)]
#[path = "oauth1_tests.rs"]
mod tests;
