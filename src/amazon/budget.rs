//! What Amazon grants: a rate to each operation of an account and application, and a ceiling to an application over all of
//! its accounts. The documented numbers are the start; the answers' `x-amzn-RateLimit-Limit`, which does not tell the
//! ceilings, is followed from there.

use std::collections::HashMap;
use std::sync::Arc;

use super::feeds::Submissions;
use super::{Access, wire};
use crate::clock::Clock;
use crate::http::{Answer, Bucket, Ceiling, json};

/// One account's rates.
#[derive(Debug)]
pub(super) struct Budget {
    pub(super) patch: Bucket,
    pub(super) search: Bucket,
    pub(super) get: Bucket,
    pub(super) create_report: Bucket,
    pub(super) get_report: Bucket,
    pub(super) get_document: Bucket,
    pub(super) participations: Bucket,
    pub(super) create_feed_document: Bucket,
    pub(super) create_feed: Bucket,
    /// Listings feeds have a limit of their own besides.
    pub(super) feed_submissions: Submissions,
    pub(super) get_feed: Bucket,
    pub(super) get_feeds: Bucket,
    pub(super) cancel_feed: Bucket,
    pub(super) get_feed_document: Bucket,
}

impl Budget {
    pub(super) fn new(clock: Clock, application: &Application) -> Self {
        let below =
            |ceiling: &Arc<Ceiling>| Bucket::new(clock, 5.0, 5).under(Arc::clone(ceiling), names_the_application);
        Self {
            patch: below(&application.patch),
            search: below(&application.search),
            get: below(&application.get),
            create_report: Bucket::new(clock, 0.0167, 15),
            get_report: Bucket::new(clock, 2.0, 15),
            get_document: Bucket::new(clock, 0.0167, 15),
            participations: Bucket::new(clock, 0.016, 15),
            create_feed_document: Bucket::new(clock, 0.5, 15),
            create_feed: Bucket::new(clock, 0.0083, 15),
            feed_submissions: Submissions::default(),
            get_feed: Bucket::new(clock, 2.0, 15),
            get_feeds: Bucket::new(clock, 0.0222, 10),
            cancel_feed: Bucket::new(clock, 2.0, 15),
            get_feed_document: Bucket::new(clock, 0.0222, 10),
        }
    }
}

/// The ceilings of one application in one region.
#[derive(Debug)]
pub struct Application {
    patch: Arc<Ceiling>,
    search: Arc<Ceiling>,
    get: Arc<Ceiling>,
}

impl Application {
    /// How large a burst the ceilings allow is not documented; the accounts' own is small enough for any.
    pub fn new(clock: Clock) -> Self {
        let ceiling = |rate| Arc::new(Ceiling::new(clock, rate, 5));
        Self { patch: ceiling(500.0), search: ceiling(100.0), get: ceiling(100.0) }
    }

    /// The rate of patches over all accounts.
    pub fn patch_rate(&self) -> f64 {
        self.patch.rate()
    }
}

/// The applications of one process.
#[derive(Debug, Default)]
pub struct Applications(HashMap<(String, String), Arc<Application>>);

impl Applications {
    /// The one that an account is reached with: accounts that sign in as the same client at the same endpoint share it.
    pub fn of(&mut self, access: &Access, clock: Clock) -> Arc<Application> {
        let key = (access.client_id.clone(), access.endpoint.clone());
        Arc::clone(self.0.entry(key).or_insert_with(|| Arc::new(Application::new(clock))))
    }
}

/// "The frequency of requests was greater than what is allowed for the application."
fn names_the_application(answer: &Answer) -> bool {
    json::<wire::Errors>(answer).is_ok_and(|envelope| {
        envelope.errors.iter().any(|error| error.message.to_ascii_lowercase().contains("for the application"))
    })
}
