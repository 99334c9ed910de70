//! OAuth 1.0a with HMAC-SHA256, as Commerce checks it.
//!
//! Releases order the parameters differently and RFC 5849 differs from all of them, but only between keys that we never
//! send: indices of different width.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

use super::query::encode;
use crate::http::{Fault, Url};

const METHOD: &str = "HMAC-SHA256";

#[derive(Debug)]
pub(super) struct OAuth1 {
    pub(super) consumer_key: String,
    pub(super) consumer_secret: SecretString,
    pub(super) access_token: SecretString,
    pub(super) access_token_secret: SecretString,
}

impl OAuth1 {
    /// The `Authorization` header of one attempt. A nonce counts once, also when the answer to it was lost.
    pub(super) fn header(&self, method: &str, url: &Url, timestamp: i64, nonce: &str) -> Result<String, Fault> {
        let timestamp = timestamp.to_string();
        let oauth = [
            ("oauth_consumer_key", self.consumer_key.as_str()),
            ("oauth_token", self.access_token.expose_secret()),
            ("oauth_signature_method", METHOD),
            ("oauth_timestamp", &timestamp),
            ("oauth_nonce", nonce),
            ("oauth_version", "1.0"),
        ];
        let signature = self.signature(&base_string(method, url, &oauth))?;
        let mut header = String::from("OAuth ");
        for (key, value) in oauth {
            let _ = write!(header, "{key}=\"{}\", ", encode(value));
        }
        let _ = write!(header, "oauth_signature=\"{}\"", encode(&signature));
        Ok(header)
    }

    fn signature(&self, base: &str) -> Result<String, Fault> {
        let consumer = encode(self.consumer_secret.expose_secret());
        let key = format!("{consumer}&{}", encode(self.access_token_secret.expose_secret()));
        let mut mac =
            Hmac::<Sha256>::new_from_slice(key.as_bytes()).map_err(|error| Fault::nonsense(error.to_string()))?;
        mac.update(base.as_bytes());
        Ok(STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// What is signed: the method, the URL without its query, and every parameter.
fn base_string(method: &str, url: &Url, oauth: &[(&str, &str)]) -> String {
    let query = url.query().unwrap_or_default().split('&').filter(|entry| !entry.is_empty());
    let pairs = query.map(|entry| {
        let (key, value) = entry.split_once('=').unwrap_or((entry, ""));
        (recode(key), recode(value))
    });
    let mut pairs: Vec<(String, String)> =
        pairs.chain(oauth.iter().map(|(key, value)| (encode(key).to_string(), encode(value).to_string()))).collect();
    pairs.sort();
    let parameters: Vec<String> = pairs.into_iter().map(|(key, value)| format!("{key}={value}")).collect();
    // `origin` leaves the default port out, as the server does.
    let target = format!("{}{}", url.origin().ascii_serialization(), url.path());
    format!("{method}&{}&{}", encode(&target), encode(&parameters.join("&")))
}

/// Whatever way a parameter was written, the server decodes it and encodes it again.
fn recode(text: &str) -> String {
    encode(&percent_decode_str(text).decode_utf8_lossy()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commerce::recorded_tests;

    fn oauth(secrets: [&str; 4]) -> OAuth1 {
        let [consumer_key, consumer_secret, access_token, access_token_secret] = secrets;
        OAuth1 {
            consumer_key: consumer_key.to_owned(),
            consumer_secret: consumer_secret.into(),
            access_token: access_token.into(),
            access_token_secret: access_token_secret.into(),
        }
    }

    /// The example of RFC 5849, section 3.1, whose form body is written as query here.
    #[test]
    fn the_example_of_the_rfc_is_signed_right() {
        let url: Url = "http://example.com/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b&c2&a3=2%20q".parse().unwrap();
        let parameters = [
            ("oauth_consumer_key", "9djdj82h48djs9d2"),
            ("oauth_token", "kkk9d7dh3k39sjv7"),
            ("oauth_signature_method", METHOD),
            ("oauth_timestamp", "137131201"),
            ("oauth_nonce", "7d8f3e4a"),
        ];
        let base = base_string("POST", &url, &parameters);
        let signer = oauth(["9djdj82h48djs9d2", "j49sk3j29djd", "kkk9d7dh3k39sjv7", "dh893hdasih9"]);
        assert_eq!(signer.signature(&base).unwrap(), "ypAxjNip++Dm0fTM+gCl8wAo6ufSnseu1WHxL7py3BU=");
    }

    #[test]
    fn a_header_names_everything_once_and_encodes_it() {
        let url: Url = "https://Shop.example.com:443/rest/V1/modules".parse().unwrap();
        let header = oauth(["key", "s", "tok/en", "t"]).header("GET", &url, 1_795_293_150, "n1").unwrap();
        assert!(header.starts_with(
            "OAuth oauth_consumer_key=\"key\", oauth_token=\"tok%2Fen\", oauth_signature_method=\"HMAC-SHA256\", \
             oauth_timestamp=\"1795293150\", oauth_nonce=\"n1\", oauth_version=\"1.0\", oauth_signature=\""
        ));
        assert!(base_string("GET", &url, &[]).starts_with("GET&https%3A%2F%2Fshop.example.com%2Frest"));
    }

    /// Every signature by the RFC's rules that a real server accepted.
    #[test]
    fn signatures_that_a_server_accepted_are_made() {
        let Some(file) = recorded_tests::read("oauth_vectors.json") else { return };
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let keys = &file["credentials"];
        let signer = ["consumer_key", "consumer_secret", "access_token", "access_secret"].map(|key| text(&keys[key]));
        let signer = oauth(signer.each_ref().map(String::as_str));
        let mut checked = 0;
        for vector in file["vectors"].as_array().unwrap().iter().filter(|vector| vector["rfc5849"]["status"] == 200) {
            let url = text(&vector["url"]);
            let accepted = &vector["rfc5849"];
            let parameters = accepted["oauth"].as_object().unwrap();
            let parameters: Vec<(&str, &str)> =
                parameters.iter().map(|(key, value)| (key.as_str(), value.as_str().unwrap())).collect();
            let base = base_string("GET", &url.parse().unwrap(), &parameters);
            assert_eq!(base, text(&accepted["base_string"]), "{url}");
            assert_eq!(signer.signature(&base).unwrap(), text(&accepted["signature"]), "{url}");
            checked += 1;
        }
        assert!(checked >= 30, "only {checked} vectors");
    }
}
