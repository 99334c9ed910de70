//! `run`: the service's life: lock, start, tell systemd, wait for a signal, drain.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Exit, Failure, load, plan};
use crate::assembly::Assembly;
use crate::clock::Clock;
use crate::config::{Config, StateUrl};
use crate::control::Socket;
use crate::daemon::Daemon;
use crate::health;
use crate::lease::{Lease, LeaseError};
use crate::store::Store;

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    reload: Signal,
}

enum Woken {
    Stop,
    Reload(Arc<Config>),
    Died(String),
}

/// Everything that serves with one configuration.
struct Running {
    daemon: Daemon,
    servers: JoinSet<()>,
    stop: CancellationToken,
}

pub(super) async fn run(config: Arc<Config>, path: &Path, clock: Clock) -> Result<Exit, Failure> {
    let StateUrl::Sqlite(state) = &config.state;
    let _lease = Lease::take(state, "run").map_err(|error| match error {
        LeaseError::Held { .. } => Failure(Exit::Held, format!("{error}; only one service works on a state")),
        LeaseError::Io { .. } => error.into(),
    })?;
    let mut signals = Signals {
        terminate: signal(SignalKind::terminate())?,
        interrupt: signal(SignalKind::interrupt())?,
        reload: signal(SignalKind::hangup())?,
    };
    let store = Assembly::open_store(&config)?;
    let mut config = config;
    let mut running = start(&config, &store, clock).await?;
    loop {
        let woken = running.watch(&mut signals, || reload(path, &config)).await;
        let mut stops = !matches!(woken, Woken::Reload(_));
        notify(&[if stops { NotifyState::Stopping } else { NotifyState::Reloading }]);
        let forced = running.drain(&mut signals, &mut stops).await;
        match woken {
            Woken::Died(text) => return Err(Failure(Exit::Failed, text)),
            _ if forced => return Err(Failure(Exit::Failed, "stopped by force".into())),
            Woken::Reload(new) if !stops => {
                running = match start(&new, &store, clock).await {
                    Ok(running) => {
                        tracing::info!(event = "config_reloaded", "configuration reloaded");
                        config = new;
                        running
                    }
                    Err(Failure(_, error)) => {
                        tracing::error!(
                            event = "config_kept",
                            error,
                            "the new configuration does not start; the old one stays"
                        );
                        start(&config, &store, clock).await?
                    }
                }
            }
            Woken::Reload(_) | Woken::Stop => {
                tracing::info!(event = "service_stopped", "service stopped");
                return Ok(Exit::Done);
            }
        }
    }
}

async fn start(config: &Arc<Config>, store: &Store, clock: Clock) -> Result<Running, Failure> {
    let assembly = Assembly::new(Arc::clone(config), store.clone(), clock, plan::seed())?;
    let socket = Socket::bind(&config.control_socket).map_err(|error| {
        Failure(Exit::Failed, format!("open the control socket {}: {error}", config.control_socket.display()))
    })?;
    let listener = match config.http_listen {
        Some(address) => {
            let listener = tokio::net::TcpListener::bind(address).await;
            Some(
                listener
                    .map_err(|error| Failure(Exit::Failed, format!("listen on {address} ([http] listen): {error}")))?,
            )
        }
        None => None,
    };
    let stop = CancellationToken::new();
    let mut servers = JoinSet::new();
    let daemon = Daemon::start(&assembly);
    servers.spawn(socket.serve(daemon.desk.clone(), clock, stop.clone()));
    if let Some(listener) = listener {
        servers.spawn(health::serve(listener, Arc::clone(config), store.clone(), clock, stop.clone()));
    }
    tracing::info!(
        event = "service_started",
        version = env!("CARGO_PKG_VERSION"),
        accounts = config.accounts.len(),
        stores = config.stores.len(),
        "service started"
    );
    for warning in &config.warnings {
        tracing::warn!(event = "config_warning", %warning, "configuration warning");
    }
    notify(&[NotifyState::Ready, NotifyState::Status("at work")]);
    Ok(Running { daemon, servers, stop })
}

impl Running {
    /// Until it has to end. `reload` gives the new configuration, when it is a good one.
    async fn watch(&mut self, signals: &mut Signals, reload: impl Fn() -> Option<Arc<Config>>) -> Woken {
        let mut watchdog =
            tokio::time::interval(sd_notify::watchdog_enabled().map_or(Duration::from_hours(1), |usec| usec / 2));
        loop {
            tokio::select! {
                _ = signals.terminate.recv() => return Woken::Stop,
                _ = signals.interrupt.recv() => return Woken::Stop,
                _ = signals.reload.recv() => {
                    if let Some(config) = reload() {
                        return Woken::Reload(config);
                    }
                }
                text = self.daemon.watch() => return Woken::Died(text),
                _ = watchdog.tick() => notify(&[NotifyState::Watchdog]),
            }
        }
    }

    /// Whether a second signal cut it short. `stops`: a first one came; a reload may still hear of it.
    async fn drain(mut self, signals: &mut Signals, stops: &mut bool) -> bool {
        tracing::info!(event = "service_draining", "finishing what is under way");
        self.stop.cancel();
        let draining = async {
            let in_time = self.daemon.stop().await;
            if !in_time {
                tracing::warn!(
                    event = "drain_cut_short",
                    "not everything under way finished in time; the next cycle looks again"
                );
            }
            // A client that holds its connection open does not keep the service from going.
            let answered = async { while self.servers.join_next().await.is_some() {} };
            tokio::time::timeout(Duration::from_secs(1), answered).await.ok();
        };
        let mut draining = std::pin::pin!(draining);
        loop {
            tokio::select! {
                () = &mut draining => return false,
                _ = signals.terminate.recv() => {}
                _ = signals.interrupt.recv() => {}
            }
            if std::mem::replace(stops, true) {
                return true;
            }
        }
    }
}

/// The new configuration, when it is a good one that keeps the state where it is.
fn reload(path: &Path, old: &Config) -> Option<Arc<Config>> {
    match load(path) {
        Ok(config) if config.state == old.state => Some(Arc::new(config)),
        Ok(_) => {
            let error = "it moves the state: restart instead";
            tracing::error!(event = "config_kept", error, "the new configuration cannot be used; the old one stays");
            None
        }
        Err(Failure(_, error)) => {
            tracing::error!(event = "config_kept", error, "the new configuration is bad; the old one stays");
            None
        }
    }
}

/// Nobody listening is fine: not everybody uses systemd.
fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(event = "notify_failed", %error, "systemd could not be told");
    }
}
