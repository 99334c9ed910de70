//! Tokens that were given out and end: by the clock, or all at once.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::json;
use sha2::{Digest, Sha256};

#[derive(Debug)]
pub(super) struct Issued {
    seed: u64,
    count: u64,
    ends: BTreeMap<String, Timestamp>,
}

impl Issued {
    pub(super) const fn new(seed: u64) -> Self {
        Self { seed, count: 0, ends: BTreeMap::new() }
    }

    /// A JSON Web Token that says when it ends, as the server's own do.
    pub(super) fn issue(&mut self, now: Timestamp, life: Duration) -> String {
        self.count += 1;
        let ends = now.saturating_add(life).unwrap_or(Timestamp::MAX);
        let claims = json!({ "uid": 1, "utypid": 2, "iat": now.as_second(), "exp": ends.as_second() }).to_string();
        let digest = Sha256::new().chain_update(self.seed.to_be_bytes()).chain_update(self.count.to_be_bytes());
        let parts = [&b"{\"kid\":\"1\",\"alg\":\"HS256\"}"[..], claims.as_bytes(), &digest.finalize()];
        let token = parts.map(|part| BASE64_URL_SAFE_NO_PAD.encode(part)).join(".");
        self.ends.retain(|_, ends| now < *ends);
        self.ends.insert(token.clone(), ends);
        token
    }

    pub(super) fn holds(&self, token: &str, now: Timestamp) -> bool {
        self.ends.get(token).is_some_and(|ends| now < *ends)
    }

    pub(super) fn revoke(&mut self) {
        self.ends.clear();
    }
}
