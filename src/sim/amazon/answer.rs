//! Answers and errors in the shapes that SP-API gives them.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};

use super::bucket::Verdict;

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    body: Value,
    /// Only the gateway's own errors carry a type header.
    gateway_error: Option<&'static str>,
}

impl Answer {
    pub(super) const fn ok(body: Value) -> Self {
        Self::with(StatusCode::OK, body)
    }

    pub(super) const fn with(status: StatusCode, body: Value) -> Self {
        Self { status, body, gateway_error: None }
    }

    pub(super) fn error(status: StatusCode, code: &str, message: &str, details: &str) -> Self {
        Self::with(status, json!({"errors": [{"code": code, "message": message, "details": details}]}))
    }

    fn gateway(mut self, error_type: &'static str) -> Self {
        self.gateway_error = Some(error_type);
        self
    }

    pub(super) fn invalid_input(message: &str) -> Self {
        Self::error(StatusCode::BAD_REQUEST, "InvalidInput", message, "")
    }

    /// The message never varies: only the details tell an expired token from a missing role or a bad path.
    pub(super) fn forbidden(details: &str) -> Self {
        let message = "Access to requested resource is denied.";
        Self::error(StatusCode::FORBIDDEN, "Unauthorized", message, details).gateway("AccessDeniedException")
    }

    pub(super) fn not_found(message: &str) -> Self {
        Self::error(StatusCode::NOT_FOUND, "NOT_FOUND", message, "")
    }

    pub(super) fn throttled(verdict: Verdict) -> Self {
        let message = match verdict {
            Verdict::ApplicationExceeded => {
                "The frequency of requests was greater than what is allowed for the application."
            }
            Verdict::Granted | Verdict::AccountExceeded => "You exceeded your quota for the requested resource.",
        };
        Self::error(StatusCode::TOO_MANY_REQUESTS, "QuotaExceeded", message, "").gateway("TooManyRequestsException")
    }

    /// An error of which only the status was asked for.
    pub(super) fn of_status(status: StatusCode) -> Self {
        let (code, message) = match status.as_u16() {
            400 => ("BAD_REQUEST", "Request has missing or invalid parameters and cannot be parsed."),
            403 => return Self::forbidden(""),
            404 => ("NOT_FOUND", "The specified resource does not exist."),
            413 => ("RequestTooLarge", "The request size exceeded the maximum accepted size."),
            415 => ("UnsupportedMediaType", "The request's Content-Type header is not supported."),
            429 => return Self::throttled(Verdict::AccountExceeded),
            503 => ("ServiceUnavailable", "Service is temporarily unavailable. Please try again."),
            _ => ("InternalFailure", "We encountered an internal error. Please try again."),
        };
        Self::error(status, code, message, "")
    }

    /// `rate` is what the rate header shows, where that status has one.
    pub(super) fn into_response(self, request_id: &str, rate: Option<f64>) -> Response {
        let shows_rate = self.status.is_success() || matches!(self.status.as_u16(), 400 | 404);
        let mut response = Response::new(Body::from(self.body.to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Ok(id) = HeaderValue::from_str(request_id) {
            headers.insert("x-amzn-requestid", id);
        }
        if let Some(error) = self.gateway_error {
            headers.insert("x-amzn-errortype", HeaderValue::from_static(error));
        }
        if let (true, Some(Ok(rate))) = (shows_rate, rate.map(|rate| HeaderValue::from_str(&format!("{rate:?}")))) {
            headers.insert("x-amzn-ratelimit-limit", rate);
        }
        response
    }
}
