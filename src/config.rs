//! The configuration, validated: nothing in here can be wrong any more.
//!
//! TOML becomes a tree that knows its lines (`document`), the environment is laid over the plain sections
//! (`surroundings`), and each section is read key by key (`section`) by a file of its own.

mod account;
mod commerce;
mod document;
mod duration;
mod effective;
mod finding;
mod load;
mod nearest;
mod plain;
mod secret;
mod section;
mod store;
mod surroundings;
mod text;
mod value;

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;

pub use duration::read as parse_duration;
pub use finding::{ConfigErrors, Finding};

use crate::model::{
    AccountName, CommerceName, CountryConflict, GuardLimits, Marketplace, Mode, Region, RuleSettings, StoreKey,
    StoreName, WebsiteCode,
};
use crate::rules::mapping::MappingTable;
use crate::schedule::Schedule;

/// The commented reference of every key, valid as it stands once its secrets exist.
pub const REFERENCE: &str = include_str!("../config/stocksync.toml");

#[derive(Debug)]
pub struct Config {
    pub state: StateUrl,
    pub log: LogConfig,
    pub control_socket: PathBuf,
    pub http_listen: Option<SocketAddr>,
    pub guards: GuardConfig,
    pub push: PushConfig,
    pub journal_keep: Duration,
    pub commerces: Vec<CommerceConfig>,
    pub accounts: Vec<AccountConfig>,
    pub stores: Vec<StoreConfig>,
    /// What is allowed but looks like a mistake.
    pub warnings: Vec<Finding>,
    settings: Vec<effective::Setting>,
}

impl Config {
    /// Reads the file, then the environment's `STOCKSYNC__SECTION__KEY`. Tells everything that is wrong, not only the
    /// first thing.
    pub fn load(path: &Path, env: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigErrors> {
        load::file(path, env)
    }

    /// Like [`Config::load`] for text at hand; relative paths in it start beside `path`, which need not exist.
    pub fn parse(
        text: &str,
        path: &Path,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigErrors> {
        load::text(text, path, env)
    }

    /// Every setting as TOML, each with its origin; secrets are masked.
    pub fn effective(&self) -> String {
        effective::render(&self.settings)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateUrl {
    Sqlite(PathBuf),
}

#[derive(Clone, Debug)]
pub struct LogConfig {
    pub format: LogFormat,
    pub filter: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Pretty,
    Json,
}

#[derive(Clone, Debug)]
pub struct GuardConfig {
    /// Of stores that have none of their own.
    pub limits: GuardLimits,
    /// Products read now against products read last time; `0.0..=1.0`, kept in thousandths.
    pub min_source_ratio_thousandths: u32,
}

#[derive(Clone, Debug)]
pub struct PushConfig {
    pub verify_after: Duration,
    pub verify_every: Duration,
    pub verify_static_every: Duration,
    pub feed_expected_time: Duration,
    pub feed_stuck_after: Duration,
}

#[derive(Clone, Debug)]
pub struct CommerceConfig {
    pub name: CommerceName,
    /// Without a slash at the end; the REST root is this + `/rest`.
    pub base_url: String,
    pub auth: CommerceAuth,
    pub page_size: u32,
    pub concurrency: usize,
    /// Time in requests against time that passes; `0.01..=1.0`, kept in thousandths.
    pub max_load_thousandths: u32,
    pub full_sweep_every: Duration,
}

#[derive(Clone)]
pub enum CommerceAuth {
    OAuth1 {
        consumer_key: String,
        consumer_secret: SecretString,
        access_token: SecretString,
        access_token_secret: SecretString,
    },
    Bearer {
        token: SecretString,
    },
    Admin {
        username: String,
        password: SecretString,
    },
    Ims {
        client_id: String,
        client_secret: SecretString,
        org_id: String,
        token_url: String,
    },
}

/// Names the method only: even a key that is no secret tells whose shop it is.
impl fmt::Debug for CommerceAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OAuth1 { .. } => "OAuth1",
            Self::Bearer { .. } => "Bearer",
            Self::Admin { .. } => "Admin",
            Self::Ims { .. } => "Ims",
        })
    }
}

#[derive(Clone, Debug)]
pub struct AccountConfig {
    pub name: AccountName,
    pub seller_id: String,
    pub region: Region,
    pub client_id: String,
    pub client_secret: SecretString,
    pub refresh_token: SecretString,
    /// Without a slash at the end.
    pub endpoint: String,
    pub token_url: String,
    pub on_country_conflict: CountryConflict,
    /// How old the list of listings may grow before it is read from Amazon again.
    pub discover_every: Duration,
}

#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// Creation time and name: what precedence compares.
    pub key: StoreKey,
    pub commerce: CommerceName,
    pub website: WebsiteCode,
    pub account: AccountName,
    pub marketplace: &'static Marketplace,
    pub schedule: Schedule,
    pub mode: Mode,
    pub allow_increase: bool,
    pub guards: GuardLimits,
    pub rules: RuleSettings,
    pub seller_sku: SkuMapping,
}

/// How a seller SKU names its product.
#[derive(Clone, Debug)]
pub enum SkuMapping {
    /// The seller SKU is the Commerce SKU.
    Identity,
    /// The Commerce attribute with this code holds the seller SKU.
    Attribute(String),
    Table(Arc<MappingTable>),
}

impl StoreConfig {
    pub fn name(&self) -> &StoreName {
        &self.key.name
    }

    pub fn created_at(&self) -> Timestamp {
        self.key.created_at
    }

    pub fn country(&self) -> &'static str {
        self.marketplace.country
    }
}
