//! The world file: what the simulated shop holds when it starts. The same file and the same seed are the same world.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::amazon::AmazonWorld;

mod check;
mod fold;
mod generate;
mod raw;
mod sign_in;

pub(super) use fold::{caseless, folded};
pub use raw::{
    CommerceWorld, Edition, Generate, PastTheEnd, ProductWorld, SourceStock, SourceWorld, StockWorld, SystemWorld,
    Version, WebsiteWorld,
};
pub use sign_in::{AdminUser, Ims, Integration};

#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    #[error("failed to read the world file {}: {source}", path.display())]
    Toml { path: PathBuf, source: Box<toml::de::Error> },
    #[error("wrong world file {}: {place}: {problem}", path.display())]
    Invalid { path: PathBuf, place: String, problem: String },
}

/// What both simulators start from.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct World {
    #[serde(default)]
    pub seed: u64,
    #[serde(default)]
    pub commerce: CommerceWorld,
    #[serde(default)]
    pub amazon: AmazonWorld,
    #[serde(default)]
    pub link: Link,
}

/// What ties the two simulators together.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Link {
    /// Amazon's sales become Commerce orders, which reserve stock.
    pub import_orders: bool,
    #[serde(deserialize_with = "raw::duration")]
    pub import_delay: Duration,
}

impl Default for Link {
    fn default() -> Self {
        Self { import_orders: true, import_delay: Duration::ZERO }
    }
}

impl World {
    /// Reads a world file's text; `path` is for the messages.
    pub fn parse(text: &str, path: &Path) -> Result<Self, WorldError> {
        let mut world: Self = toml::from_str(text)
            .map_err(|source| WorldError::Toml { path: path.to_owned(), source: Box::new(source) })?;
        world.commerce.seed = world.seed;
        world.commerce.add_defaults();
        generate::generate(&mut world.commerce);
        check::check(&world.commerce).map_err(|check::Problem { place, problem }| WorldError::Invalid {
            path: path.to_owned(),
            place,
            problem,
        })?;
        Ok(world)
    }

    /// A small catalogue that shows every rule at least once.
    pub fn sample() -> Result<Self, WorldError> {
        let text = concat!(include_str!("world/sample.toml"), include_str!("world/sample_amazon.toml"));
        Self::parse(text, Path::new("sample.toml"))
    }
}

#[cfg(test)]
mod tests;
