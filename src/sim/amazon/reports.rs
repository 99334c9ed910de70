//! The Reports API, for one kind of report.

use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::answer::Answer;
use super::api::Call;
use super::fault::FaultKind;
use super::query::known_marketplaces;
use super::report_text::{self, Header};
use super::state::State;
use crate::model::Marketplace;

pub(super) const LISTINGS_REPORT: &str = "GET_MERCHANT_LISTINGS_ALL_DATA";
pub(super) const STATUSES: [&str; 5] = ["CANCELLED", "DONE", "FATAL", "IN_PROGRESS", "IN_QUEUE"];

#[derive(Clone, Debug)]
pub(super) struct Report {
    pub(super) account: usize,
    number: u64,
    marketplaces: Vec<&'static Marketplace>,
    created: Timestamp,
    /// When it leaves the queue, and when it ends.
    started: Instant,
    ended: Instant,
    ending: Ending,
}

#[derive(Clone, Debug)]
enum Ending {
    Done { document: String },
    Fatal,
    Cancelled,
}

impl Report {
    fn status(&self, now: Instant) -> &'static str {
        match &self.ending {
            Ending::Cancelled => "CANCELLED",
            _ if now < self.started => "IN_QUEUE",
            _ if now < self.ended => "IN_PROGRESS",
            Ending::Done { .. } => "DONE",
            Ending::Fatal => "FATAL",
        }
    }

    fn json(&self, id: &str, now: Instant) -> Value {
        let status = self.status(now);
        let mut report = Map::new();
        report.insert("reportId".to_owned(), json!(id));
        report.insert("reportType".to_owned(), json!(LISTINGS_REPORT));
        report.insert("processingStatus".to_owned(), json!(status));
        report.insert("createdTime".to_owned(), json!(self.created.to_string()));
        let ids: Vec<&str> = self.marketplaces.iter().map(|marketplace| marketplace.id).collect();
        report.insert("marketplaceIds".to_owned(), json!(ids));
        if let (Ending::Done { document }, "DONE") = (&self.ending, status) {
            report.insert("reportDocumentId".to_owned(), json!(document));
        }
        Value::Object(report)
    }
}

impl State {
    /// The rows are those of this moment, however long the report takes.
    pub(super) fn create_report(&mut self, call: &Call) -> Result<Answer, Answer> {
        call.query.allow(&[])?;
        let body = call.json_object()?;
        let known = ["reportType", "marketplaceIds", "dataStartTime", "dataEndTime", "reportOptions"];
        if let Some(name) = body.keys().find(|name| !known.contains(&name.as_str())) {
            return Err(Answer::invalid_input(&format!("'{name}' is not a member of the request.")));
        }
        if body.get("reportType").and_then(Value::as_str) != Some(LISTINGS_REPORT) {
            return Err(Answer::invalid_input("Invalid Report Type."));
        }
        let account = self.account_of(call)?;
        let marketplaces = body_marketplaces(&body, &account.marketplaces)?;
        let mut shape = self.settings.report.clone();
        if asks_for_english(&body)? && shape.header == Header::German {
            shape.header = Header::Usual;
        }
        let ending = match call.ending {
            Some(FaultKind::Cancelled) => Ending::Cancelled,
            Some(FaultKind::Fatal) => Ending::Fatal,
            _ => {
                let bytes = report_text::document(account, &marketplaces, &shape);
                let content = (Some(bytes), shape.gzip);
                Ending::Done { document: self.store_document(call.account, shape.charset.content_type(), content) }
            }
        };
        let delay = self.draw(self.settings.report_delay);
        let number = self.next_number();
        let id = (50_000_000_000 + number).to_string();
        let report = Report {
            account: call.account,
            number,
            marketplaces,
            created: self.now.wall,
            started: self.now.instant + delay / 2,
            ended: self.now.instant + delay,
            ending,
        };
        self.reports.insert(id.clone(), report);
        Ok(Answer::with(StatusCode::ACCEPTED, json!({"reportId": id})))
    }

    pub(super) fn get_report(&self, call: &Call) -> Result<Answer, Answer> {
        call.query.allow(&[])?;
        let report = self.report(call)?;
        Ok(Answer::ok(report.json(&call.id, self.now.instant)))
    }

    fn report(&self, call: &Call) -> Result<&Report, Answer> {
        let report = self.reports.get(&call.id).filter(|report| report.account == call.account);
        report.ok_or_else(|| Answer::not_found(&format!("Report {} not found.", call.id)))
    }

    pub(super) fn get_reports(&self, call: &Call) -> Result<Answer, Answer> {
        let names = [
            "reportTypes",
            "processingStatuses",
            "marketplaceIds",
            "pageSize",
            "createdSince",
            "createdUntil",
            "nextToken",
        ];
        call.query.allow(&names)?;
        let size = call.query.number("pageSize", 10, (1, 100))?;
        let types = call.query.list("reportTypes");
        if types.is_none() && call.query.get("nextToken").is_none() {
            return Err(Answer::invalid_input("Either 'reportTypes' or 'nextToken' is required."));
        }
        let statuses = call.query.choices("processingStatuses", &STATUSES)?;
        let marketplaces = call.query.list("marketplaceIds");
        let (since, until) = (call.query.time("createdSince")?, call.query.time("createdUntil")?);
        let now = self.now.instant;
        let fits = |report: &Report| {
            report.account == call.account
                && types.as_ref().is_none_or(|types| types.contains(&LISTINGS_REPORT))
                && statuses.as_ref().is_none_or(|statuses| statuses.contains(&report.status(now)))
                && marketplaces.as_ref().is_none_or(|ids| report.marketplaces.iter().any(|one| ids.contains(&one.id)))
                && since.is_none_or(|since| report.created >= since)
                && until.is_none_or(|until| report.created <= until)
        };
        let mut reports: Vec<_> = self.reports.iter().filter(|(_, report)| fits(report)).collect();
        reports.sort_unstable_by_key(|(_, report)| std::cmp::Reverse(report.number));
        let page: Vec<Value> = reports.iter().take(size).map(|(id, report)| report.json(id, now)).collect();
        Ok(Answer::ok(json!({"reports": page})))
    }

    pub(super) fn cancel_report(&mut self, call: &Call) -> Result<Answer, Answer> {
        call.query.allow(&[])?;
        let status = self.report(call)?.status(self.now.instant);
        if status != "IN_QUEUE" {
            return Err(Answer::invalid_input(&format!("A report that is {status} cannot be cancelled.")));
        }
        if let Some(report) = self.reports.get_mut(&call.id) {
            report.ending = Ending::Cancelled;
        }
        Ok(Answer::ok(json!({})))
    }

    /// The document of a report, or of a feed; its id is unknown until the report is done.
    pub(super) fn get_document(&mut self, call: &Call, id_member: &str) -> Result<Answer, Answer> {
        call.query.allow(&["enableContentEncodingUrlHeader"])?;
        let names_encoding = call.query.choice("enableContentEncodingUrlHeader", &["true", "false"])? == Some("true");
        let document = self.documents.get(&call.id, call.account);
        let gzip = document.ok_or_else(|| Answer::not_found(&format!("Document {} not found.", call.id)))?.gzip;
        let url = self.presign(&call.base_url, &call.id, false, names_encoding);
        let mut body = json!({id_member: call.id, "url": url});
        if let (true, Some(body)) = (gzip, body.as_object_mut()) {
            body.insert("compressionAlgorithm".to_owned(), json!("GZIP"));
        }
        Ok(Answer::ok(body))
    }
}

/// The marketplaces of a report or feed: 1 to 25 ids, all of them the account's.
pub(super) fn body_marketplaces(
    body: &Map<String, Value>,
    sold_in: &[&'static Marketplace],
) -> Result<Vec<&'static Marketplace>, Answer> {
    let ids = body.get("marketplaceIds").and_then(Value::as_array);
    let ids = ids.and_then(|ids| ids.iter().map(Value::as_str).collect::<Option<Vec<_>>>()).unwrap_or_default();
    if ids.len() > 25 {
        return Err(Answer::invalid_input("'marketplaceIds' has more than 25 values."));
    }
    known_marketplaces(&ids, sold_in)
}

fn asks_for_english(body: &Map<String, Value>) -> Result<bool, Answer> {
    let Some(options) = body.get("reportOptions") else { return Ok(false) };
    let options = options.as_object().filter(|options| options.values().all(Value::is_string));
    let options = options.ok_or_else(|| Answer::invalid_input("'reportOptions' is not a map of strings."))?;
    if let Some(name) =
        options.keys().find(|name| !["custom", "preferredReportDocumentLocale"].contains(&name.as_str()))
    {
        return Err(Answer::invalid_input(&format!("'{name}' is not an option of the report.")));
    }
    let locale = options.get("preferredReportDocumentLocale").and_then(Value::as_str);
    Ok(locale.is_some_and(|locale| locale.starts_with("en")))
}
