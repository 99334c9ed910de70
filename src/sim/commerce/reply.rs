//! Answers, right and wrong, in the shapes that Commerce gives them.

use axum::http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

use super::stats::Work;

pub(super) const JSON: &str = "application/json; charset=utf-8";

const TEXT: &str = "text/plain;charset=UTF-8";

/// One answer, and what work it was.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) content_type: &'static str,
    pub(super) body: Vec<u8>,
    pub(super) work: Work,
}

/// A list route's answer.
#[derive(Debug, Serialize)]
pub(super) struct List<T> {
    pub(super) items: Vec<T>,
    pub(super) search_criteria: Value,
    pub(super) total_count: usize,
}

impl Reply {
    pub(super) fn json(value: &impl Serialize) -> Self {
        Self::of(StatusCode::OK, JSON, serde_json::to_vec(value).unwrap_or_default())
    }

    pub(super) fn of(status: StatusCode, content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, content_type, body: body.into(), work: Work::default() }
    }

    pub(super) fn costing(mut self, rows: usize) -> Self {
        self.work.rows = rows;
        self
    }

    pub(super) fn skipping(mut self, rows: usize) -> Self {
        self.work.skipped = rows;
        self
    }

    fn error(status: StatusCode, body: &Value) -> Self {
        Self::of(status, JSON, body.to_string())
    }

    pub(super) fn message(status: StatusCode, message: &str) -> Self {
        Self::error(status, &json!({ "message": message }))
    }

    /// The message keeps its placeholders; the parameters are a list or an object.
    pub(super) fn with_parameters(status: StatusCode, message: &str, parameters: Value) -> Self {
        let mut body = json!({ "message": message });
        if let Some(map) = body.as_object_mut() {
            map.insert("parameters".to_owned(), parameters);
        }
        Self::error(status, &body)
    }

    pub(super) fn required(field: &str) -> Self {
        let message = "\"%fieldName\" is required. Enter and try again.";
        Self::with_parameters(StatusCode::BAD_REQUEST, message, json!({ "fieldName": field }))
    }

    pub(super) fn unauthorized(resource: &str) -> Self {
        let message = "The consumer isn't authorized to access %resources.";
        Self::with_parameters(StatusCode::UNAUTHORIZED, message, json!({ "resources": resource }))
    }

    pub(super) fn no_route() -> Self {
        Self::message(StatusCode::NOT_FOUND, "Request does not match any route.")
    }

    pub(super) fn no_stock_found() -> Self {
        Self::message(StatusCode::NOT_FOUND, "No linked stock found")
    }

    pub(super) fn internal_error() -> Self {
        let message = "Internal Error. Details are available in Magento log file. Report ID: webapi-6b01fb765b9ca";
        Self::message(StatusCode::INTERNAL_SERVER_ERROR, message)
    }

    /// PHP ran out of memory or time.
    pub(super) fn fatal() -> Self {
        let message = "Server internal error. See details in report api/1384170518626";
        Self::error(
            StatusCode::INTERNAL_SERVER_ERROR,
            &json!({ "messages": { "error": [{ "code": 500, "message": message }] } }),
        )
    }

    /// An exception that nobody caught: plain text.
    pub(super) fn uncaught() -> Self {
        let text = "An error has happened during application run. See exception log for details.\n";
        Self::of(StatusCode::INTERNAL_SERVER_ERROR, TEXT, text)
    }

    pub(super) fn html(status: StatusCode, title: &str) -> Self {
        let page = format!(
            "<!doctype html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" >\n<head>\n    <title>{title}</title>\n\
             </head>\n<body>\n    <main class=\"page-main\"><h1>{title}</h1></main>\n</body>\n</html>\n"
        );
        Self::of(status, "text/html; charset=UTF-8", page)
    }

    /// The database refused: a page of an error under a text's name.
    pub(super) fn database() -> Self {
        let page = Self::html(StatusCode::INTERNAL_SERVER_ERROR, "There has been an error processing your request");
        Self { content_type: TEXT, ..page }
    }

    pub(super) fn maintenance() -> Self {
        Self::html(StatusCode::SERVICE_UNAVAILABLE, "Service Temporarily Unavailable")
    }
}
