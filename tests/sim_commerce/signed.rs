//! Requests signed by hand, in either release's way.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::Sha256;

use super::shop::Shop;

const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub(crate) const OAUTH: &str = "[commerce.oauth]\nconsumer_key = \"consumer00000000000000000000key1\"\n\
    consumer_secret = \"consumer-secret\"\naccess_token = \"access0000000000000000000token01\"\n\
    access_token_secret = \"access-secret\"\n";

pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, KEPT).to_string()
}

/// Asks for `path` with a signature over `signed_path` and the query's parameters in the given order, which must
/// begin with letters after `oauth_`.
pub(crate) async fn get(shop: &Shop, path: &str, signed_path: &str, query: &[(String, String)], nonce: &str) -> u16 {
    let oauth = [
        ("oauth_consumer_key", "consumer00000000000000000000key1"),
        ("oauth_nonce", nonce),
        ("oauth_signature_method", "HMAC-SHA256"),
        ("oauth_timestamp", "1700000000"),
        ("oauth_token", "access0000000000000000000token01"),
        ("oauth_version", "1.0"),
    ];
    let pair = |(name, value): (&str, &str)| format!("{}={}", encode(name), encode(value));
    let sent = query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let pairs: Vec<String> = oauth.into_iter().chain(sent.clone()).map(pair).collect();
    let base = format!("GET&{}&{}", encode(&format!("{}{signed_path}", shop.base)), encode(&pairs.join("&")));
    let mac = Hmac::<Sha256>::new_from_slice(b"consumer-secret&access-secret").unwrap();
    let signature = BASE64_STANDARD.encode(mac.chain_update(base.as_bytes()).finalize().into_bytes());
    let parts = oauth.into_iter().chain([("oauth_signature", signature.as_str())]);
    let header: Vec<String> = parts.map(|(name, value)| format!("{name}=\"{}\"", encode(value))).collect();
    let query: Vec<String> = sent.map(pair).collect();
    let request = shop.client.get(format!("{}{path}?{}", shop.base, query.join("&")));
    shop.send(request.header("authorization", format!("OAuth {}", header.join(", ")))).await.unwrap().status
}
