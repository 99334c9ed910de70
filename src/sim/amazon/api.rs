//! The gateway: route, user agent, token, quota, faults, and only then the operation itself.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State as Shared};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::Amazon;
use super::account::Account;
use super::answer::Answer;
use super::bucket::{Asked, Quota, Verdict};
use super::fault::{self, FaultKind};
use super::operation::{Operation, Target, route};
use super::query::Query;
use super::state::State;

/// The gateway takes no larger bodies; documents go another way.
const LARGEST_BODY: usize = 10 * 1024 * 1024;

/// A call that was let through.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) account: usize,
    pub(super) seller: String,
    /// The SKU or other id of the path, decoded.
    pub(super) id: String,
    pub(super) query: Query,
    pub(super) body: Bytes,
    pub(super) user_agent: String,
    pub(super) request_id: String,
    /// Where this server was reached, for presigned URLs.
    pub(super) base_url: String,
    pub(super) ending: Option<FaultKind>,
}

impl Call {
    pub(super) fn json_object(&self) -> Result<Map<String, Value>, Answer> {
        serde_json::from_slice(&self.body).map_err(|_| Answer::invalid_input("Could not parse the request body."))
    }
}

struct Admitted {
    operation: Operation,
    account: usize,
    seller: String,
    id: String,
    rate: f64,
    fault: Option<(FaultKind, Duration)>,
}

pub(super) async fn call(Shared(amazon): Shared<Arc<Amazon>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let request_id = amazon.lock().random_id();
    let admitted = match amazon.lock().admit(&parts) {
        Ok(admitted) => admitted,
        Err(refusal) => return refusal.into_response(&request_id, None),
    };
    let kind = admitted.fault.map(|(kind, _)| kind);
    if let Some((FaultKind::Slow, delay)) = admitted.fault {
        amazon.clock.sleep(delay).await;
    }
    if kind == Some(FaultKind::Html) {
        return fault::html();
    }
    let answer = match kind.and_then(FaultKind::answer) {
        Some(answer) => answer,
        None => serve(&amazon, &admitted, &parts, body, &request_id).await.unwrap_or_else(|refusal| refusal),
    };
    if let Some((FaultKind::SlowAnswer, delay)) = admitted.fault {
        amazon.clock.sleep(delay).await;
    }
    amazon.lock().stats.of(&admitted.seller, admitted.operation).answered(answer.status);
    let response = answer.into_response(&request_id, Some(admitted.rate));
    match kind {
        Some(kind) => fault::spoil(kind, response).await,
        None => response,
    }
}

async fn serve(
    amazon: &Amazon,
    admitted: &Admitted,
    parts: &Parts,
    body: Body,
    request_id: &str,
) -> Result<Answer, Answer> {
    let text = |name| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if admitted.operation.takes_json() && !text(header::CONTENT_TYPE).starts_with("application/json") {
        return Err(Answer::of_status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    let body = to_bytes(body, LARGEST_BODY).await.map_err(|_| Answer::of_status(StatusCode::PAYLOAD_TOO_LARGE))?;
    let call = Call {
        account: admitted.account,
        seller: admitted.seller.clone(),
        id: admitted.id.clone(),
        query: Query::parse(&parts.uri)?,
        body,
        user_agent: text(header::USER_AGENT).to_owned(),
        request_id: request_id.to_owned(),
        base_url: format!("http://{}", parts.uri.authority().map_or_else(|| text(header::HOST), |host| host.as_str())),
        ending: admitted.fault.map(|(kind, _)| kind).filter(|kind| kind.is_an_ending()),
    };
    amazon.lock().perform(admitted.operation, &call)
}

impl State {
    fn admit(&mut self, parts: &Parts) -> Result<Admitted, Answer> {
        let identified = route(parts.method.as_str(), parts.uri.path())
            .ok_or_else(|| Answer::forbidden(""))
            .and_then(|target| Ok((self.identify(&parts.headers)?, target)))
            .and_then(|(account, target)| self.check_seller(account, &target).map(|seller| (account, seller, target)));
        let (account, seller, target) = match identified {
            Ok(identified) => identified,
            Err(refusal) => {
                self.stats.refused += 1;
                return Err(refusal);
            }
        };
        let operation = target.operation;
        let id = percent_decode_str(target.id.unwrap_or_default()).decode_utf8();
        let id = id.map_err(|_| Answer::invalid_input("The path is not UTF-8."))?.into_owned();
        self.throttle(account, &seller, operation)?;
        let fault = self.faults.draw((operation, &seller, Some(&id)), &mut self.rng);
        let counts = self.stats.of(&seller, operation);
        counts.faults += u64::from(fault.is_some());
        Ok(Admitted { operation, account, seller, id, rate: self.granted_rate(operation), fault })
    }

    fn identify(&self, headers: &HeaderMap) -> Result<usize, Answer> {
        let agent = headers.get(header::USER_AGENT).map_or(0, HeaderValue::len);
        if agent == 0 || agent > 500 {
            return Err(Answer::invalid_input("The user-agent header is missing or longer than 500 characters."));
        }
        let token = headers.get("x-amz-access-token").and_then(|token| token.to_str().ok());
        let token = token.ok_or_else(|| Answer::forbidden("Access token is missing in the request header."))?;
        let grant = self.tokens.get(token);
        let grant = grant
            .ok_or_else(|| Answer::forbidden("The access token you provided is revoked, malformed or invalid."))?;
        if grant.expires <= self.now.instant {
            return Err(Answer::forbidden("The access token you provided has expired."));
        }
        Ok(grant.account)
    }

    fn check_seller(&self, account: usize, target: &Target<'_>) -> Result<String, Answer> {
        let owner = self.accounts.get(account).ok_or_else(|| Answer::forbidden(""))?;
        let asked = target.seller.map(|seller| percent_decode_str(seller).decode_utf8_lossy());
        if asked.is_some_and(|asked| asked != owner.seller_id) {
            return Err(Answer::forbidden(""));
        }
        Ok(owner.seller_id.clone())
    }

    fn throttle(&mut self, account: usize, seller: &str, operation: Operation) -> Result<(), Answer> {
        let owner = self.accounts.get(account).ok_or_else(|| Answer::forbidden(""))?;
        let (rate, burst) = operation.quota();
        let asked = Asked {
            operation,
            account: Quota { rate, burst, pace: self.granted_rate(operation) / rate },
            application: self.ceiling(operation),
            foreign: owner.foreign,
        };
        let verdict = self.buckets.take(seller, &owner.client_id, asked, self.now.instant, &mut self.rng);
        let now = self.now.instant;
        let counts = self.stats.of(seller, operation);
        counts.calls += 1;
        if verdict == Verdict::Granted {
            counts.granted(now);
            return Ok(());
        }
        counts.throttled += 1;
        counts.answered(StatusCode::TOO_MANY_REQUESTS);
        Err(Answer::throttled(verdict))
    }

    /// What the rate header shows. A foreign consumer is not in it.
    fn granted_rate(&self, operation: Operation) -> f64 {
        self.settings.rates.get(&operation).map_or_else(|| operation.quota().0, |rate| rate.0) * self.settings.speed
    }

    /// What an application may do over all of its accounts; the burst is one second's worth. No header shows it.
    fn ceiling(&self, operation: Operation) -> Option<Quota> {
        let granted = self.settings.application_rates.get(&operation).map(|rate| rate.0);
        let rate = granted.or_else(|| operation.application_rate())?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "rates are above 0, at most a million"
        )]
        Some(Quota { rate, burst: rate.ceil() as u32, pace: self.settings.speed })
    }

    fn perform(&mut self, operation: Operation, call: &Call) -> Result<Answer, Answer> {
        match operation {
            Operation::PatchListingsItem => self.patch_item(call),
            Operation::GetListingsItem => self.get_item(call),
            Operation::SearchListingsItems => self.search_items(call),
            Operation::CreateReport => self.create_report(call),
            Operation::GetReport => self.get_report(call),
            Operation::GetReports => self.get_reports(call),
            Operation::CancelReport => self.cancel_report(call),
            Operation::GetReportDocument => self.get_document(call, "reportDocumentId"),
            Operation::GetMarketplaceParticipations => self.participations(call),
            Operation::CreateFeedDocument => self.create_feed_document(call),
            Operation::CreateFeed => self.create_feed(call),
            Operation::GetFeed => self.get_feed(call),
            Operation::GetFeeds => self.get_feeds(call),
            Operation::CancelFeed => self.cancel_feed(call),
            Operation::GetFeedDocument => self.get_document(call, "feedDocumentId"),
            Operation::Token => Err(Answer::forbidden("")),
        }
    }

    pub(super) fn account_of(&self, call: &Call) -> Result<&Account, Answer> {
        self.accounts.get(call.account).ok_or_else(|| Answer::forbidden(""))
    }
}
