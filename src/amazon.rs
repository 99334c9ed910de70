//! The target: Amazon's Selling Partner API for one account. Only quantities are ever written.

mod budget;
mod documents;
mod feed_document;
mod feed_report;
mod feeds;
mod garbled;
mod listings;
mod permissions;
mod refusal;
mod reports;
mod token;
mod wire;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::SecretString;

use crate::clock::Clock;
use crate::http::{Answer, Attempt, Call, Fault, HeaderValue, Http, Method, Pace, Request, Url};
use crate::model::{MarketplaceId, SellerSku};

use budget::Budget;
pub use budget::{Application, Applications};
pub use feed_document::{FeedDocument, FeedDraft, Unfit};
pub use feed_report::{FeedReport, Messages};
pub use feeds::{Creation, Feed, FeedPermit, FeedStatus};
pub use listings::{Live, Submission};
pub use refusal::{Cause, is_account_wide};
use token::Token;

/// How to reach and sign in to one account.
#[derive(Clone, Debug)]
pub struct Access {
    pub seller_id: String,
    /// Without a slash at the end.
    pub endpoint: String,
    pub token_url: String,
    pub client_id: String,
    pub client_secret: SecretString,
    pub refresh_token: SecretString,
}

/// A marketplace in which an account sells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Participation {
    pub marketplace: MarketplaceId,
    /// Amazon has taken some of its listings there off sale.
    pub suspended: bool,
}

/// One account's client: its token, its budgets.
#[derive(Debug)]
pub struct Client {
    access: Access,
    http: Arc<Http>,
    clock: Clock,
    token: Token,
    budget: Budget,
}

/// Every byte that RFC 3986 does not call unreserved is encoded: an unencoded `/` or `#` finds no route and looks like
/// a missing permission.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

const ATTEMPTS: u32 = 5;
/// Of a patch: the outbox sends it again anyway, and as long as it is tried a newer value for its listing waits.
const PATCH_ATTEMPTS: u32 = 3;
const TIMEOUT: Duration = Duration::from_secs(30);
/// The largest answer besides a report's document; 20 listings with issues stay far below.
const MAX_BODY: usize = 4 << 20;

impl Client {
    /// With an application of its own.
    pub fn new(access: Access, http: Arc<Http>, clock: Clock) -> Self {
        Self::under(&Application::new(clock), access, http, clock)
    }

    /// One of the application's several accounts.
    pub fn under(application: &Application, access: Access, http: Arc<Http>, clock: Clock) -> Self {
        Self { access, http, clock, token: Token::default(), budget: Budget::new(clock, application) }
    }

    /// The rate of patches that is granted to the account now.
    pub fn patch_rate(&self) -> f64 {
        self.budget.patch.rate()
    }

    /// Somebody may have put right what Amazon refused to sign in: it is asked at once.
    pub fn forget_refusal(&self) {
        self.token.forget_refusal();
    }

    /// Signs in, to see whether it works.
    pub async fn sign_in(&self) -> Result<(), Fault> {
        self.token.get(self, None).await.map(|_| ())
    }

    /// Where the account sells.
    pub async fn participations(&self) -> Result<Vec<Participation>, Fault> {
        let pace = Pace::Bucket(&self.budget.participations);
        let url = format!("{}/sellers/v1/marketplaceParticipations", self.access.endpoint);
        let answer = self.call("getMarketplaceParticipations", pace, Method::GET, &url, None).await?;
        let participations: wire::Participations = crate::http::json(&answer)?;
        let selling = participations.payload.into_iter().filter(|row| row.participation.is_participating);
        let selling = selling.map(|row| Participation {
            marketplace: row.marketplace.id.into(),
            suspended: row.participation.has_suspended_listings,
        });
        Ok(selling.collect())
    }

    async fn call(
        &self,
        operation: &'static str,
        pace: Pace<'_>,
        method: Method,
        url: &str,
        body: Option<String>,
    ) -> Result<Answer, Fault> {
        let call = Call {
            operation,
            pace,
            timeout: TIMEOUT,
            attempts: if method == Method::PATCH { PATCH_ATTEMPTS } else { ATTEMPTS },
            max_body: MAX_BODY,
            renewable: true,
            classify,
        };
        let signature = Signature::default();
        let build = async |attempt: Attempt| self.sign(attempt, &signature, (&method, url, body.as_deref())).await;
        self.http.send(&call, build).await
    }

    async fn sign(
        &self,
        attempt: Attempt,
        signature: &Signature,
        (method, url, body): (&Method, &str, Option<&str>),
    ) -> Result<Request, Fault> {
        let refused = attempt.renew.then(|| signature.0.load(Ordering::Relaxed));
        let token = self.token.get(self, refused).await?;
        signature.0.store(token.serial, Ordering::Relaxed);
        request(method, url, body.map(str::to_owned), token.header)
    }

    /// None for what no path can carry: dots are steps in it, encoded or not.
    fn item_url(&self, seller_sku: &SellerSku) -> Option<String> {
        let segment = encode(seller_sku.as_str());
        (!matches!(segment.as_str(), "" | "." | "..")).then(|| format!("{}/{segment}", self.items_url()))
    }

    fn items_url(&self) -> String {
        format!("{}/listings/2021-08-01/items/{}", self.access.endpoint, encode(&self.access.seller_id))
    }
}

/// Which token the attempt before used.
#[derive(Debug, Default)]
struct Signature(AtomicU64);

fn request(method: &Method, url: &str, body: Option<String>, token: HeaderValue) -> Result<Request, Fault> {
    let mut request = Request::new(method.clone(), parse_url(url)?);
    let headers = request.headers_mut();
    headers.insert("x-amz-access-token", token);
    headers.insert("accept", HeaderValue::from_static("application/json"));
    if let Some(body) = body {
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        *request.body_mut() = Some(body.into());
    }
    Ok(request)
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED).to_string()
}

/// Whether a refusal cannot come from the seller SKU's characters. Odd ones may be turned away as if no route matched.
fn is_plain(seller_sku: &SellerSku) -> bool {
    encode(seller_sku.as_str()) == seller_sku.as_str()
}

fn parse_url(url: &str) -> Result<Url, Fault> {
    Url::parse(url).map_err(|error| Fault::nonsense(format!("a URL that cannot be read: {error}")))
}

/// SP-API's envelope: `{"errors":[{code, message, details}]}`. Every 403 has the same message; only one whose details
/// name the token is worth signing in again.
fn classify(answer: &Answer) -> Result<(), Fault> {
    if answer.is_success() {
        return Ok(());
    }
    let errors = crate::http::json::<wire::Errors>(answer).map(|envelope| envelope.errors).unwrap_or_default();
    let Some(error) = errors.into_iter().next() else {
        return Err(answer.refused(None, "no error in Amazon's envelope"));
    };
    let details = error.details.as_deref().unwrap_or_default();
    if answer.status == 403 && details.to_ascii_lowercase().contains("access token") {
        return Err(Fault::unauthorized(Some(403), details));
    }
    if answer.status == 403 {
        return Err(answer.refused(Some(&error.code), &refusal::forbidden_text(&error)));
    }
    let mut message = error.message;
    if !details.is_empty() {
        message = format!("{message} ({details})");
    }
    Err(answer.refused(Some(&error.code), &message))
}
