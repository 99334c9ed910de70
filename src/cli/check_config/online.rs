//! Asks every instance and every account side by side, and prints a row for each permission.

use std::sync::Arc;

use futures_util::future::{join, join_all};

use super::{amazon, commerce};
use crate::cli::terminal::{Bar, say};
use crate::cli::{Exit, Failure, plan, render};
use crate::clock::Clock;
use crate::config::Config;
use crate::http::Http;

/// One thing that was tried.
#[derive(Debug)]
pub(super) struct Row {
    /// Of the commerce or the account.
    pub(super) name: String,
    pub(super) permission: String,
    pub(super) purpose: String,
    pub(super) needed: bool,
    pub(super) verdict: Verdict,
    pub(super) problem: Option<String>,
    pub(super) hint: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Ok,
    /// Signed in, and not allowed.
    Missing,
    NotAsked,
    Failed,
    /// The configuration is what has to change.
    Misconfigured,
    /// It works, and somebody should know.
    Warning,
}

pub(super) async fn run(config: &Config, clock: Clock) -> Result<Exit, Failure> {
    let http = Arc::new(Http::new(clock, plan::seed())?);
    let bar = Bar::new(true);
    bar.message("asking Commerce and Amazon".to_owned());
    let commerces = config.commerces.iter().map(|one| commerce::check(one, &config.stores, &http, clock));
    let accounts = config.accounts.iter().map(|one| amazon::check(one, &config.stores, &http, clock));
    let (commerces, accounts) = Box::pin(join(join_all(commerces), join_all(accounts))).await;
    drop(bar);
    let rows: Vec<Row> = commerces.into_iter().chain(accounts).flatten().collect();
    print(&rows);
    Ok(exit(&rows))
}

impl Row {
    fn result(&self) -> &'static str {
        match self.verdict {
            Verdict::Ok => "ok",
            Verdict::Missing => "missing",
            Verdict::NotAsked => "not asked",
            Verdict::Failed | Verdict::Misconfigured => "failed",
            Verdict::Warning => "warning",
        }
    }

    fn cells(&self) -> Vec<String> {
        let purpose = if self.needed { self.purpose.clone() } else { format!("{} (optional)", self.purpose) };
        vec![self.name.clone(), self.permission.clone(), purpose, self.result().to_owned()]
    }

    fn says_the_same_as(&self, other: &Self) -> bool {
        let said = |row: &Self| (row.name.clone(), row.result(), row.problem.clone(), row.hint.clone());
        said(self) == said(other)
    }

    fn counts(&self) -> bool {
        self.needed && matches!(self.verdict, Verdict::Missing | Verdict::Failed)
    }
}

/// A configuration that is wrong stays wrong, so it is told even where something could not be reached as well.
fn exit(rows: &[Row]) -> Exit {
    if rows.iter().any(|row| row.verdict == Verdict::Misconfigured) {
        Exit::BadConfig
    } else if rows.iter().any(Row::counts) {
        Exit::Failed
    } else {
        Exit::Done
    }
}

fn print(rows: &[Row]) {
    say(&render::table(&["name", "permission", "for", "result"], rows.iter().map(Row::cells), &[]));
    let mut told: Vec<(&Row, Vec<&str>)> = Vec::new();
    for row in rows.iter().filter(|row| row.problem.is_some() || row.hint.is_some()) {
        match told.iter_mut().find(|(other, _)| other.says_the_same_as(row)) {
            Some((_, permissions)) => permissions.push(&row.permission),
            None => told.push((row, vec![&row.permission])),
        }
    }
    for (row, mut permissions) in told {
        permissions.dedup();
        let problem = row.problem.as_deref().map(|problem| format!(": {problem}")).unwrap_or_default();
        say(&render::wrapped(
            &format!("\n{}:", row.name),
            &format!("{}: {}{problem}", permissions.join(", "), row.result()),
        ));
        if let Some(hint) = &row.hint {
            say(&render::wrapped("  hint:", hint));
        }
    }
    let bad = rows.iter().filter(|row| row.counts() || row.verdict == Verdict::Misconfigured).count();
    match bad {
        0 => say("\neverything that is needed is there"),
        1 => say("\n1 problem"),
        bad => say(&format!("\n{bad} problems")),
    }
}
