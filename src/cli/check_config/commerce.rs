//! What an instance lets us do, as rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::join;

use super::online::{Row, Verdict};
use crate::clock::Clock;
use crate::commerce::Reader;
use crate::commerce::permissions::{Needs, Permission, State, ahead_of};
use crate::config::{CommerceAuth, CommerceConfig, SkuMapping, StoreConfig};
use crate::cycle::commerce_access;
use crate::http::{Fault, Http};
use crate::model::{StoreName, WebsiteCode};

/// Commerce takes signatures up to ten minutes from the future. Sooner warns of a clock that will not matter.
const TOLERATED_S: i64 = 300;

pub(super) async fn check(config: &CommerceConfig, stores: &[StoreConfig], http: &Arc<Http>, clock: Clock) -> Vec<Row> {
    let own: Vec<&StoreConfig> = stores.iter().filter(|store| store.commerce == config.name).collect();
    let reader = Reader::new(commerce_access(config), Arc::clone(http), clock);
    let needs = needs(&own, matches!(config.auth, CommerceAuth::Ims { .. }));
    let (permissions, clock_row) = Box::pin(join(reader.permissions(&needs), clock_row(config, http, clock))).await;
    permissions.iter().map(|permission| row(config, permission)).chain(clock_row).collect()
}

fn needs(stores: &[&StoreConfig], cloud: bool) -> Needs {
    let mut websites: BTreeMap<WebsiteCode, Vec<StoreName>> = BTreeMap::new();
    for store in stores {
        websites.entry(store.website.clone()).or_default().push(store.name().clone());
    }
    let attributes = stores.iter().filter_map(|store| match &store.seller_sku {
        SkuMapping::Attribute(code) => Some(code.clone()),
        SkuMapping::Identity | SkuMapping::Table(_) => None,
    });
    Needs { websites, attributes: attributes.collect(), cloud }
}

fn row(config: &CommerceConfig, permission: &Permission) -> Row {
    let verdict = match permission.state {
        State::Granted => Verdict::Ok,
        State::Missing => Verdict::Missing,
        State::NotAsked(_) => Verdict::NotAsked,
        State::Failed(_) => Verdict::Failed,
        State::Misconfigured(..) => Verdict::Misconfigured,
    };
    Row {
        name: config.name.to_string(),
        permission: permission.name.clone(),
        purpose: permission.purpose.clone(),
        needed: permission.needed,
        verdict,
        problem: permission.problem(),
        hint: own_hint(config, permission).map(str::to_owned).or_else(|| permission.hint()),
    }
}

/// What a refusal most often means with this way to sign in.
fn own_hint(config: &CommerceConfig, permission: &Permission) -> Option<&'static str> {
    match (&config.auth, &permission.state) {
        (CommerceAuth::Bearer { .. }, State::Failed(Fault::Unauthorized { .. })) => Some(BEARER),
        // Adobe's own sign-in says what is wrong itself.
        (CommerceAuth::Ims { .. }, State::Failed(Fault::Unauthorized { message, .. })) => {
            (!message.starts_with("sign in: ")).then_some(CLOUD)
        }
        (CommerceAuth::Ims { .. }, State::Misconfigured(what, _)) if what.starts_with("HTTP ") => Some(TENANT),
        _ => None,
    }
}

const BEARER: &str = "use method = \"oauth1\" with the integration's four values: since 2.4.4 its token alone is refused, unless \
     `bin/magento config:set oauth/consumer/enable_integration_as_bearer 1` allows it; if it does, the token is wrong";
const CLOUD: &str = "see that `org_id` is the organization that the instance belongs to, and that the project's credential has a product \
     profile of this instance";
const TENANT: &str = "set `base_url` to the instance's REST endpoint, its tenant id included and without `/V1`";

async fn clock_row(config: &CommerceConfig, http: &Http, clock: Clock) -> Option<Row> {
    // The other ways to sign in carry no time.
    if !matches!(config.auth, CommerceAuth::OAuth1 { .. }) {
        return None;
    }
    let ahead_s = ahead_of(&config.base_url, http, clock).await?.as_secs();
    (ahead_s > TOLERATED_S).then(|| Row {
        name: config.name.to_string(),
        permission: "clock".to_owned(),
        purpose: "signatures, which carry the time".to_owned(),
        needed: false,
        verdict: Verdict::Failed,
        problem: Some(format!("this machine's clock is {ahead_s} s ahead of the shop's")),
        hint: Some("let NTP set both clocks: from 600 s on the shop refuses every signature".to_owned()),
    })
}
