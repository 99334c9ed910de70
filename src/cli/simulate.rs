//! `simulate`: the two simulators alone.

use std::path::PathBuf;

use super::terminal::{self, StopSignals, say};
use super::{Exit, Failure, demo};
use crate::clock::Clock;
use crate::config::{LogConfig, LogFormat};
use crate::sim::Pair;
use crate::sim::world::World;
use crate::telemetry;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where the shop listens on 127.0.0.1; 0 takes any free port
    #[arg(long, value_name = "PORT", default_value_t = 8780)]
    commerce_port: u16,
    /// Where Amazon listens on 127.0.0.1; 0 takes any free port
    #[arg(long, value_name = "PORT", default_value_t = 8781)]
    amazon_port: u16,
    /// The world to simulate; the sample shop of `demo` when absent
    #[arg(long, value_name = "FILE")]
    world: Option<PathBuf>,
    /// Write a configuration for the sample world to this file, its state beside it
    #[arg(long, value_name = "FILE", conflicts_with = "world")]
    write_config: Option<PathBuf>,
}

pub(super) async fn run(args: Args, clock: Clock) -> Result<Exit, Failure> {
    let mut signals = StopSignals::new()?;
    let log = LogConfig { format: LogFormat::Pretty, filter: "warn".into() };
    telemetry::start(&log, false, terminal::log_writer);
    let world = match &args.world {
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| {
                Failure(Exit::BadConfig, format!("read the world file {}: {error}", path.display()))
            })?;
            World::parse(&text, path).map_err(|error| Failure(Exit::BadConfig, error.to_string()))?
        }
        None => World::sample()?,
    };
    let example = example(&world);
    let pair = Pair::start(world, args.commerce_port, args.amazon_port, clock).await.map_err(|error| {
        Failure(Exit::Failed, format!("listen on ports {} and {}: {error}", args.commerce_port, args.amazon_port))
    })?;
    say(&format!("shop:   base_url = \"{}\"", pair.commerce_url()));
    say(&format!("Amazon: endpoint = \"{0}\", token_url = \"{0}/auth/o2/token\"", pair.amazon_url()));
    if let Some((sku, source)) = example {
        say("change the world while it runs, for example:");
        say(&format!(
            "  curl -X POST {}/_control/commerce/product \\\n       -d '{{\"sku\": \"{sku}\", \"sources\": {{\"{source}\": 7}}}}'",
            pair.commerce_url()
        ));
        say(&format!("  curl '{}/_control/amazon/listing?sku={sku}'", pair.amazon_url()));
    }
    if let Some(path) = &args.write_config {
        let path = std::path::absolute(path)?;
        let folder = path.parent().unwrap_or(&path);
        std::fs::create_dir_all(folder)?;
        std::fs::write(&path, demo::config_text(folder, &pair)?)?;
        say(&format!("try: stocksync --config {} run", path.display()));
    }
    tokio::select! {
        () = pair.forever() => Ok(Exit::Failed),
        () = signals.told() => Ok(Exit::Done),
    }
}

/// A product and its source to change, with names that a shell and a URL take as they are.
fn example(world: &World) -> Option<(String, String)> {
    let is_plain = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    world.commerce.product.iter().filter(|product| is_plain(&product.sku)).find_map(|product| {
        let source = product.sources.keys().find(|source| is_plain(source))?;
        Some((product.sku.clone(), source.clone()))
    })
}
