//! The commands, as the usage text reads.

mod apply;
mod check_config;
mod demo;
mod explain;
mod history;
mod now;
mod pause;
mod plan;
mod render;
mod resync;
mod run;
mod simulate;
mod status;
mod terminal;

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand, ValueEnum};

use crate::clock::Clock;
use crate::config::{Config, LogConfig, LogFormat};
use crate::model::SellerSku;
use crate::telemetry;

/// Keeps Amazon listing quantities equal to what an Adobe Commerce (Magento 2) store can really sell.
#[derive(Debug, Parser)]
#[command(name = "stocksync", version, about, max_term_width = 100)]
pub struct Cli {
    /// The configuration file
    #[arg(long, short, global = true, value_name = "FILE", env = "STOCKSYNC_CONFIG", default_value = DEFAULT_CONFIG)]
    config: PathBuf,
    #[command(subcommand)]
    command: Command,
}

const DEFAULT_CONFIG: &str = "/etc/stocksync/stocksync.toml";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service: cycles on schedule until it is told to stop
    Run,
    /// One cycle now, believing nothing: asks the running service when there is one, else works here
    Resync(resync::Args),
    /// Show what a cycle would send and withhold, and why; sends nothing
    Plan(plan::Args),
    /// Send what a guard holds, or a plan from a file, as far as it is still true
    Apply(apply::Args),
    /// Send nothing for a store, an account or everything, until it is resumed
    Pause(pause::PauseArgs),
    /// End a pause, a hold or an override
    Resume(pause::ResumeArgs),
    /// Leave a listing as it is on Amazon
    Hold(pause::HoldArgs),
    /// Show this quantity for a listing, whatever the shop and the settings say
    Override(pause::OverrideArgs),
    /// Show what was sent, when and why
    History(history::Args),
    /// Show why one listing has the quantity it has
    Explain(explain::Args),
    /// Show what each store and account did, does and will do
    Status(status::Args),
    /// Check the configuration, print the effective settings and the next ticks of each schedule
    CheckConfig(check_config::Args),
    /// Watch it work on a simulated shop and a simulated Amazon; needs nothing set up
    Demo(demo::Args),
    /// Serve the two simulators alone, to try a real configuration against
    Simulate(simulate::Args),
}

/// How rows are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    #[default]
    Table,
    Json,
}

/// An unset variable of a script is no SKU.
fn seller_sku(text: &str) -> Result<SellerSku, &'static str> {
    if text.is_empty() { Err("a seller SKU is not empty") } else { Ok(text.into()) }
}

/// What the process says to whoever started it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Done,
    Failed,
    Usage,
    /// `plan --exit-code`: there is something to send.
    Changes,
    /// Another process works on the state.
    Held,
    BadConfig,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Changes => 3,
            Exit::Held => 4,
            Exit::BadConfig => 78,
        })
    }
}

/// A failure that ends a command: its exit code and what to tell.
#[derive(Debug)]
struct Failure(Exit, String);

impl<E: std::fmt::Display> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(Exit::Failed, error.to_string())
    }
}

/// Parses, sets up logs, and runs the command. The environment is read here and nowhere else.
pub async fn main(args: impl IntoIterator<Item = OsString>) -> Exit {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            error.print().ok();
            return if error.use_stderr() { Exit::Usage } else { Exit::Done };
        }
    };
    let clock = Clock::system();
    let outcome = match cli.command {
        Command::Demo(args) => demo::run(args, clock).await,
        Command::Simulate(args) => simulate::run(args, clock).await,
        command => with_config(command, &cli.config, clock).await,
    };
    match outcome {
        Ok(exit) => exit,
        Err(Failure(exit, text)) => {
            terminal::complain(&text);
            exit
        }
    }
}

async fn with_config(command: Command, path: &std::path::Path, clock: Clock) -> Result<Exit, Failure> {
    let config = load(path)?;
    telemetry::start(&config.log, is_quiet(&command, &config.log), terminal::log_writer);
    terminal::complain_in(config.log.format);
    let config = Arc::new(config);
    match command {
        Command::Run => run::run(config, path, clock).await,
        Command::Resync(args) => resync::run(args, config, clock).await,
        Command::Plan(args) => plan::run(args, config, clock).await,
        Command::Apply(args) => apply::run(args, config, clock).await,
        Command::Pause(args) => pause::pause(args, &config, clock).await,
        Command::Resume(args) => pause::resume(args, &config).await,
        Command::Hold(args) => pause::hold(args, &config, clock).await,
        Command::Override(args) => pause::set(args, &config, clock).await,
        Command::History(args) => history::run(args, &config, clock).await,
        Command::Explain(args) => explain::run(args, &config, clock).await,
        Command::Status(args) => status::run(args, &config, clock).await,
        Command::CheckConfig(args) => check_config::run(args, &config, path, clock).await,
        Command::Demo(_) | Command::Simulate(_) => Ok(Exit::Done),
    }
}

/// The service logs as configured. Somebody at a terminal reads the command's own output, and `--quiet` asks for
/// problems only.
fn is_quiet(command: &Command, log: &LogConfig) -> bool {
    match command {
        Command::Run => false,
        Command::Resync(args) if args.is_quiet() => true,
        _ => std::io::stderr().is_terminal() && (log.format, &*log.filter) == (LogFormat::Pretty, "info"),
    }
}

fn load(path: &std::path::Path) -> Result<Config, Failure> {
    // A variable that is no text cannot be one of ours.
    let env = std::env::vars_os().filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)));
    Config::load(path, env).map_err(|errors| Failure(Exit::BadConfig, errors.to_string()))
}
