//! The document store behind presigned URLs: no SP-API headers, five minutes, XML errors.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use tokio::time::Instant;

use super::Amazon;
use super::state::State;
use super::stats::ViolationKind;

const URL_LIFETIME: Duration = Duration::from_mins(5);
/// Bytes kept; the ids of what came earlier are unknown again. Amazon keeps documents for days, a simulator has memory.
const MOST_BYTES: usize = 128 << 20;

#[derive(Clone, Debug)]
pub(super) struct Document {
    pub(super) account: usize,
    pub(super) content_type: String,
    /// None until it was uploaded.
    pub(super) bytes: Option<Bytes>,
    pub(super) gzip: bool,
    number: u64,
}

#[derive(Clone, Debug)]
struct Ticket {
    document: String,
    expires: Instant,
    upload: bool,
    /// Whether the answer names the compression as its content encoding.
    names_encoding: bool,
}

#[derive(Debug, Default)]
pub(super) struct Documents {
    by_id: BTreeMap<String, Document>,
    tickets: HashMap<String, Ticket>,
    made: u64,
}

impl Documents {
    fn insert(&mut self, id: String, mut document: Document) {
        self.made += 1;
        document.number = self.made;
        self.by_id.insert(id, document);
        let size = |document: &Document| document.bytes.as_ref().map_or(0, Bytes::len);
        let mut held: usize = self.by_id.values().map(size).sum();
        while held > MOST_BYTES && self.by_id.len() > 1 {
            let oldest = self.by_id.iter().min_by_key(|(_, one)| one.number).map(|(id, _)| id.clone());
            held -= oldest.and_then(|id| self.by_id.remove(&id)).as_ref().map_or(0, size);
        }
    }

    pub(super) fn get(&self, id: &str, account: usize) -> Option<&Document> {
        self.by_id.get(id).filter(|document| document.account == account)
    }
}

impl State {
    pub(super) fn store_document(
        &mut self,
        account: usize,
        content_type: &str,
        content: (Option<Bytes>, bool),
    ) -> String {
        let id = format!("amzn1.tortuga.4.eu.{}", self.random_id());
        let (bytes, gzip) = content;
        let document = Document { account, content_type: content_type.to_owned(), bytes, gzip, number: 0 };
        self.documents.insert(id.clone(), document);
        id
    }

    pub(super) fn presign(&mut self, base: &str, document: &str, upload: bool, names_encoding: bool) -> String {
        let ticket = self.random_id();
        let expires = self.now.instant + URL_LIFETIME;
        let now = self.now.instant;
        self.documents.tickets.retain(|_, ticket| now.saturating_duration_since(ticket.expires) < URL_LIFETIME);
        let document = document.to_owned();
        self.documents.tickets.insert(ticket.clone(), Ticket { document, expires, upload, names_encoding });
        format!("{base}/_documents/{ticket}?X-Amz-Expires={}", URL_LIFETIME.as_secs())
    }

    fn redeem(&mut self, ticket: &str, upload: bool, headers: &HeaderMap) -> Result<(bool, &mut Document), Problem> {
        let ticket = self.documents.tickets.get(ticket).cloned();
        let ticket = ticket.filter(|ticket| ticket.upload == upload).ok_or(Problem::denied("Access Denied"))?;
        if headers.contains_key("x-amz-access-token") || headers.contains_key(header::AUTHORIZATION) {
            self.violated(ViolationKind::TokenSentToDocument, "-", &ticket.document);
        }
        if ticket.expires <= self.now.instant {
            return Err(Problem::denied("Request has expired"));
        }
        let document = self.documents.by_id.get_mut(&ticket.document).ok_or(Problem {
            status: StatusCode::NOT_FOUND,
            code: "NoSuchKey",
            message: "The specified key does not exist.",
        })?;
        Ok((ticket.names_encoding, document))
    }

    fn download(&mut self, ticket: &str, headers: &HeaderMap) -> Result<Response, Problem> {
        let (names_encoding, document) = self.redeem(ticket, false, headers)?;
        let mut response = Response::new(Body::from(document.bytes.clone().unwrap_or_default()));
        if let Ok(kind) = HeaderValue::from_str(&document.content_type) {
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
        }
        if document.gzip {
            let encoding = if names_encoding { "gzip" } else { "identity" };
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        Ok(response)
    }

    fn upload(&mut self, ticket: &str, headers: &HeaderMap, body: Bytes) -> Result<(), Problem> {
        let (_, document) = self.redeem(ticket, true, headers)?;
        if !headers.contains_key(header::CONTENT_LENGTH) {
            let message = "You must provide the Content-Length HTTP header.";
            return Err(Problem { status: StatusCode::LENGTH_REQUIRED, code: "MissingContentLength", message });
        }
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        if kind != Some(document.content_type.as_str()) {
            let message = "The request signature we calculated does not match the signature you provided.";
            return Err(Problem { status: StatusCode::FORBIDDEN, code: "SignatureDoesNotMatch", message });
        }
        document.bytes = Some(body);
        Ok(())
    }
}

pub(super) async fn download(
    Shared(amazon): Shared<Arc<Amazon>>,
    Path(ticket): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    amazon.lock().download(&ticket, &headers)
}

pub(super) async fn upload(
    Shared(amazon): Shared<Arc<Amazon>>,
    Path(ticket): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(), Problem> {
    amazon.lock().upload(&ticket, &headers, body)
}

/// The store speaks XML.
#[derive(Clone, Copy, Debug)]
pub(super) struct Problem {
    status: StatusCode,
    code: &'static str,
    message: &'static str,
}

impl Problem {
    const fn denied(message: &'static str) -> Self {
        Self { status: StatusCode::FORBIDDEN, code: "AccessDenied", message }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let head = r#"<?xml version="1.0" encoding="UTF-8"?>"#;
        let body = format!("{head}\n<Error><Code>{}</Code><Message>{}</Message></Error>", self.code, self.message);
        (self.status, [(header::CONTENT_TYPE, "application/xml")], body).into_response()
    }
}
