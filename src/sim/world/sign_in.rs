//! Who may sign in to the simulated shop, and for how long.

use std::time::Duration;

use serde::Deserialize;

use super::raw::duration;

/// An integration's four secrets.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Integration {
    pub consumer_key: String,
    pub consumer_secret: String,
    pub access_token: String,
    pub access_token_secret: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdminUser {
    pub username: String,
    pub password: String,
    #[serde(default = "an_hour", deserialize_with = "duration")]
    pub token_life: Duration,
    /// The route that gives tokens for a password then refuses the right one.
    #[serde(default)]
    pub two_factor: bool,
}

/// Adobe's own sign-in, and the tenant that its tokens open.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ims {
    pub client_id: String,
    pub client_secret: String,
    pub org_id: String,
    /// The path below which the tenant's REST routes are.
    #[serde(default = "a_tenant")]
    pub tenant_id: String,
    #[serde(default = "a_day", deserialize_with = "duration")]
    pub token_life: Duration,
}

fn an_hour() -> Duration {
    Duration::from_hours(1)
}

fn a_day() -> Duration {
    Duration::from_hours(24)
}

fn a_tenant() -> String {
    "tenant".to_owned()
}
