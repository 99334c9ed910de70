//! Kinds of text that several sections use: names, URLs, references to other entries.

use std::net::IpAddr;

use reqwest::Url;

use super::finding::Wrong;
use super::nearest::nearest;

const LONGEST_NAME: usize = 64;

/// A name of ours or of Commerce: it appears in commands, logs and file names.
pub(super) fn name(text: &str) -> Result<String, Wrong> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !text.is_empty() && text.len() <= LONGEST_NAME && text.chars().all(fits) {
        return Ok(text.to_owned());
    }
    Err(Wrong::new(format!("is not a name, expected 1 to {LONGEST_NAME} letters (a-z, A-Z), digits or `-` `_` `.`")))
}

/// What another system chose: anything printable.
pub(super) fn identifier(text: &str) -> Result<String, Wrong> {
    if text.is_empty() {
        return Err(Wrong::new("is empty"));
    }
    if text.trim() != text || text.chars().any(char::is_control) {
        return Err(Wrong::new("has blanks around it or a control character in it"));
    }
    Ok(text.to_owned())
}

/// An URL to which paths are appended; comes back without a slash at the end.
pub(super) fn base_url(text: &str) -> Result<String, Wrong> {
    let url = Url::parse(text).map_err(|error| {
        Wrong::new(format!("is not a URL: {error}")).hint("expected https://HOST or https://HOST/PATH")
    })?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Wrong::new("is not an http:// or https:// URL"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Wrong::new("holds a user name or a password").hint("sign-in has its own keys"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(Wrong::new("has a query (`?`) or a fragment (`#`), expected scheme, host and path only"));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// Whether secrets would cross a network in the clear.
pub(super) fn is_exposed(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let local = host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    url.scheme() == "http" && !local
}

/// The name of another entry, which must exist.
pub(super) fn reference<'k>(
    text: &str,
    what: &str,
    known: impl Iterator<Item = &'k str> + Clone,
) -> Result<String, Wrong> {
    if known.clone().any(|name| name == text) {
        return Ok(text.to_owned());
    }
    let names = listed(known.clone());
    Err(Wrong::new(format!("names no {what}, known: {names}")).nearest(nearest(text, known)))
}

/// Names for a message, of a long list only the first ones.
pub(super) fn listed<'k>(names: impl Iterator<Item = &'k str>) -> String {
    const MOST: usize = 25;
    let mut names: Vec<&str> = names.collect();
    let more = names.len().saturating_sub(MOST);
    names.truncate(MOST);
    match (names.is_empty(), more) {
        (true, _) => "none".to_owned(),
        (false, 0) => names.join(", "),
        (false, more) => format!("{} and {more} more", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::{base_url, is_exposed};

    #[test]
    fn urls_are_taken_whole_or_not_at_all() {
        for (text, expected) in [
            ("https://shop.example.com", Some("https://shop.example.com")),
            ("https://shop.example.com/", Some("https://shop.example.com")),
            ("https://Shop.example.com//", Some("https://shop.example.com")),
            ("http://127.0.0.1:8080/mage/", Some("http://127.0.0.1:8080/mage")),
            ("shop.example.com", None),
            ("ftp://shop.example.com", None),
            ("https://u:p@shop.example.com", None),
            ("https://u@shop.example.com", None),
            ("https://shop.example.com?x=1", None),
            ("https://shop.example.com/#x", None),
            ("https://", None),
            ("", None),
        ] {
            assert_eq!(base_url(text).ok().as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn plain_http_is_safe_on_this_machine_only() {
        for (url, exposed) in [
            ("https://shop.example.com", false),
            ("http://localhost:80", false),
            ("http://shop.localhost", false),
            ("http://127.0.0.2:9", false),
            ("http://[::1]:9", false),
            ("http://10.0.0.1", true),
            ("http://localhost.example.com", true),
            ("http://shop.example.com", true),
        ] {
            assert_eq!(is_exposed(url), exposed, "{url}");
        }
    }
}
