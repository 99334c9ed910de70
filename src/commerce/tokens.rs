//! A token that ends: fetched once, shared, and renewed before its end.

use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;
use tokio::sync::Mutex;

use crate::clock::Clock;
use crate::http::Fault;

/// Later risks a token that ends on its way; earlier signs in more often than needed.
const LONGEST_MARGIN: Duration = Duration::from_mins(5);
/// Commerce locks an account for half an hour after six failures. Asking again sooner locks a person out.
const PAUSE_AFTER_REFUSAL: Duration = Duration::from_mins(10);

#[derive(Debug)]
pub(super) struct Tokens {
    clock: Clock,
    /// Held while a token is fetched, so that everybody else waits for that one.
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    token: Option<Token>,
    refusal: Option<(Fault, Timestamp)>,
    fetched: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) secret: SecretString,
    /// Which one it is, counted from 1.
    pub(super) serial: u64,
    renew_at: Timestamp,
}

/// A token as just fetched.
#[derive(Debug)]
pub(super) struct Fresh {
    pub(super) secret: SecretString,
    pub(super) lifetime: Duration,
}

impl Tokens {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, state: Mutex::default() }
    }

    /// The token in use, unless it is about to end or is the one that was `refused`; then `fetch` gets the next.
    pub(super) async fn get<F>(&self, refused: Option<u64>, fetch: F) -> Result<Token, Fault>
    where
        F: Future<Output = Result<Fresh, Fault>>,
    {
        self.state.lock().await.get(refused, self.clock.now(), fetch).await
    }
}

impl State {
    async fn get<F>(&mut self, refused: Option<u64>, now: Timestamp, fetch: F) -> Result<Token, Fault>
    where
        F: Future<Output = Result<Fresh, Fault>>,
    {
        if let Some(token) = self.token.as_ref().filter(|token| now < token.renew_at && refused != Some(token.serial)) {
            return Ok(token.clone());
        }
        if let Some((fault, _)) = self.refusal.as_ref().filter(|(_, until)| now < *until) {
            return Err(fault.clone());
        }
        let outcome = fetch.await;
        let refusal = match &outcome {
            Err(fault @ (Fault::Unauthorized { .. } | Fault::Rejected(_))) => Some(fault.clone()),
            _ => None,
        };
        self.refusal = refusal.map(|fault| (fault, now.saturating_add(PAUSE_AFTER_REFUSAL).unwrap_or(Timestamp::MAX)));
        let Fresh { secret, lifetime } = outcome?;
        let margin = (lifetime / 10).min(LONGEST_MARGIN);
        let renew_at = now.saturating_add(lifetime.saturating_sub(margin)).unwrap_or(Timestamp::MAX);
        self.fetched += 1;
        let token = Token { secret, serial: self.fetched, renew_at };
        self.token = Some(token.clone());
        Ok(token)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    struct Fixture {
        tokens: Tokens,
        fetches: AtomicU64,
    }

    impl Fixture {
        fn new() -> Self {
            let tokens = Tokens::new(Clock::starting_at(Timestamp::UNIX_EPOCH));
            Self { tokens, fetches: AtomicU64::new(0) }
        }

        /// The serial of the token handed out.
        async fn get(&self, refused: Option<u64>) -> u64 {
            let fetch = async {
                self.fetches.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_secs(1)).await;
                Ok(Fresh { secret: "secret".into(), lifetime: Duration::from_hours(1) })
            };
            self.tokens.get(refused, fetch).await.unwrap().serial
        }
    }

    #[tokio::test(start_paused = true)]
    async fn many_at_once_fetch_one_token() {
        let fixture = Fixture::new();
        let serials = futures_util::future::join_all((0..10).map(|_| fixture.get(None))).await;
        assert_eq!(serials, [1; 10]);
        let serials = futures_util::future::join_all((0..10).map(|_| fixture.get(Some(1)))).await;
        assert_eq!(serials, [2; 10]);
        assert_eq!(fixture.fetches.load(Ordering::SeqCst), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_renewed_before_its_end() {
        let fixture = Fixture::new();
        assert_eq!(fixture.get(None).await, 1);
        tokio::time::sleep(Duration::from_mins(54)).await;
        assert_eq!(fixture.get(None).await, 1);
        tokio::time::sleep(Duration::from_mins(2)).await;
        assert_eq!(fixture.get(None).await, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_sign_in_is_not_repeated_at_once() {
        let fixture = Fixture::new();
        let refuse = async || {
            let fetch = async {
                fixture.fetches.fetch_add(1, Ordering::SeqCst);
                Err(Fault::unauthorized(Some(401), "wrong"))
            };
            fixture.tokens.get(None, fetch).await.unwrap_err();
        };
        for _ in 0..5 {
            refuse().await;
        }
        assert_eq!(fixture.fetches.load(Ordering::SeqCst), 1);
        tokio::time::sleep(Duration::from_mins(11)).await;
        refuse().await;
        assert_eq!(fixture.fetches.load(Ordering::SeqCst), 2);
    }
}
