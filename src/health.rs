//! `/healthz`, `/readyz` and `/metrics`: whether it lives, whether it works, and how much waits.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::Config;
use crate::store::{Store, StoreError};

type Shared = (Arc<Config>, Store, Clock);

pub async fn serve(listener: TcpListener, config: Arc<Config>, store: Store, clock: Clock, stop: CancellationToken) {
    let router = axum::Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state((config, store, clock));
    if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await {
        tracing::error!(event = "http_failed", %error, "the health port failed");
    }
}

/// Ready when every account had a cycle and none is in trouble.
async fn ready(State((config, store, _)): State<Shared>) -> Response {
    let mut waiting: Vec<String> = Vec::new();
    for account in &config.accounts {
        let state =
            async { Ok::<_, StoreError>((store.cycles(&account.name, 1).await?, store.trouble(&account.name).await?)) };
        match state.await {
            Ok((cycles, None)) if !cycles.is_empty() => {}
            Ok((_, None)) => waiting.push(format!("{}: no cycle yet", account.name)),
            Ok((_, Some(trouble))) => waiting.push(format!("{}: {}", account.name, trouble.text)),
            Err(error) => waiting.push(format!("{}: {error}", account.name)),
        }
    }
    if waiting.is_empty() {
        return "ready\n".into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, waiting.join("\n") + "\n").into_response()
}

async fn metrics(State((config, store, clock)): State<Shared>) -> Response {
    match text(&config, &store, clock).await {
        Ok(text) => ([("content-type", "text/plain; version=0.0.4")], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}

async fn text(config: &Config, store: &Store, clock: Clock) -> Result<String, StoreError> {
    let now = clock.now();
    let mut families = Families::default();
    for account in &config.accounts {
        let name = &account.name;
        let (backlog, oldest_zero) = store.backlog_by_priority(name).await?;
        for priority in crate::plan::Priority::ALL {
            let count = backlog.iter().find(|row| row.0 == priority).map_or(0, |row| row.1);
            families.add("stocksync_backlog", &format!("account=\"{name}\",priority=\"{}\"", priority.as_str()), count);
        }
        let account = format!("account=\"{name}\"");
        let age = oldest_zero.map_or(0, |at| now.duration_since(at).as_secs().unsigned_abs());
        families.add("stocksync_oldest_zero_seconds", &account, age);
        families.add("stocksync_account_in_trouble", &account, u64::from(store.trouble(name).await?.is_some()));
        if let Some(cycle) = store.cycles(name, 1).await?.first() {
            let age = now.duration_since(cycle.planned_at).as_secs().unsigned_abs();
            families.add("stocksync_last_cycle_age_seconds", &account, age);
            families.add("stocksync_last_cycle_changes", &account, cycle.changes);
            families.add("stocksync_last_cycle_unchanged", &account, cycle.unchanged);
            for (reason, count) in &cycle.withheld {
                families.add("stocksync_last_cycle_withheld", &format!("{account},reason=\"{reason}\""), *count);
            }
        }
    }
    Ok(families.render())
}

/// Gauges by name, each with its rows together, as the format wants it.
#[derive(Debug, Default)]
struct Families(std::collections::BTreeMap<&'static str, String>);

impl Families {
    fn add(&mut self, name: &'static str, labels: &str, value: u64) {
        let rows = self.0.entry(name).or_default();
        writeln!(rows, "{name}{{{labels}}} {value}").ok();
    }

    fn render(self) -> String {
        let families = self.0.into_iter().map(|(name, rows)| format!("# TYPE {name} gauge\n{rows}"));
        families.collect::<Vec<_>>().concat()
    }
}
