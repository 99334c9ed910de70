//! `[[commerce]]`: one Commerce instance and how to sign in to it.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::finding::Wrong;
use super::section::{Section, one_of};
use super::text::{base_url, identifier, is_exposed, name};
use super::{CommerceAuth, CommerceConfig};
use crate::model::CommerceName;

/// Magento's own limit, where input limits are switched on, and the size that its slow pages were measured with.
const COMFORTABLE_PAGE: u32 = 300;

pub(super) fn read(section: &mut Section<'_>) -> Option<CommerceConfig> {
    let name = section.required("name", "a name to refer to it by", name);
    let base_url = section.required("base_url", "the shop's URL, such as \"https://shop.example.com\"", shop_url);
    let auth = section.table("auth", "a table such as { method = \"oauth1\", … }").and_then(auth);
    let page_size = section.whole("page_size", COMFORTABLE_PAGE, 1..=1000);
    let concurrency = section.whole("concurrency", 2, 1..=16);
    let max_load_thousandths = section.ratio("max_load", 200, 10..=1000);
    let full_sweep_every =
        section.duration("full_sweep_every", "6h", Duration::from_secs(1)..=Duration::from_hours(7 * 24));
    if page_size > COMFORTABLE_PAGE {
        section.warn(
            "page_size",
            format!(
                "{page_size} is above {COMFORTABLE_PAGE}: shops with input limits refuse it, and large pages are slow"
            ),
        );
    }
    let base_url = base_url?;
    warn_when_exposed(section, "base_url", &base_url);
    Some(CommerceConfig {
        name: CommerceName::new(name?),
        base_url,
        auth: auth?,
        page_size,
        concurrency,
        max_load_thousandths,
        full_sweep_every,
    })
}

fn shop_url(text: &str) -> Result<String, Wrong> {
    let url = base_url(text)?;
    match url.split_once("/rest") {
        Some((shop, rest)) if rest.is_empty() || rest.starts_with('/') => {
            Err(Wrong::new("leads into the REST API, expected the shop's own URL").hint(format!("write {shop:?}")))
        }
        _ => Ok(url),
    }
}

#[derive(Clone, Copy)]
enum Method {
    OAuth1,
    Bearer,
    Admin,
    Ims,
}

fn auth(mut section: Section<'_>) -> Option<CommerceAuth> {
    let methods =
        [("oauth1", Method::OAuth1), ("bearer", Method::Bearer), ("admin", Method::Admin), ("ims", Method::Ims)];
    // Which keys are known depends on the method, so without one nothing else can be said.
    let method = section.required("method", "one of oauth1, bearer, admin, ims", |text| one_of(text, &methods))?;
    let auth = match method {
        Method::OAuth1 => oauth1(&mut section),
        Method::Bearer => section.secret("token").map(|token| CommerceAuth::Bearer { token }),
        Method::Admin => admin(&mut section),
        Method::Ims => ims(&mut section),
    };
    section.finish();
    auth
}

fn oauth1(section: &mut Section<'_>) -> Option<CommerceAuth> {
    let consumer_key = section.secret("consumer_key");
    let consumer_secret = section.secret("consumer_secret");
    let access_token = section.secret("access_token");
    let access_token_secret = section.secret("access_token_secret");
    Some(CommerceAuth::OAuth1 {
        consumer_key: plain(&consumer_key?),
        consumer_secret: consumer_secret?,
        access_token: access_token?,
        access_token_secret: access_token_secret?,
    })
}

/// The consumer key travels in the clear by design, but it is still nobody's business in a listing of settings.
fn plain(secret: &SecretString) -> String {
    secret.expose_secret().to_owned()
}

fn admin(section: &mut Section<'_>) -> Option<CommerceAuth> {
    let username = section.required("username", "the admin user's name", identifier);
    let password = section.secret("password");
    Some(CommerceAuth::Admin { username: username?, password: password? })
}

fn ims(section: &mut Section<'_>) -> Option<CommerceAuth> {
    let client_id = section.required("client_id", "the client id of the IMS project", identifier);
    let client_secret = section.secret("client_secret");
    let org_id = section.required("org_id", "the organisation's id, such as \"ABC@AdobeOrg\"", identifier);
    let token_url = section.required("token_url", "the URL of IMS's token endpoint", base_url);
    let token_url = token_url?;
    warn_when_exposed(section, "token_url", &token_url);
    Some(CommerceAuth::Ims { client_id: client_id?, client_secret: client_secret?, org_id: org_id?, token_url })
}

pub(super) fn warn_when_exposed(section: &mut Section<'_>, key: &str, url: &str) {
    if is_exposed(url) {
        section.warn(key, format!("{url} is plain http to another machine: secrets cross the network in the clear"));
    }
}
