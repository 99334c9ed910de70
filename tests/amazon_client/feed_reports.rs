//! Processing reports: what they say of each message, in whatever shape they come.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use stocksync::amazon::{FeedReport, FeedStatus, Messages};
use stocksync::http::Fault;
use stocksync::sim::amazon::{Fault as Trouble, FaultKind, ReportShape, SettingsEdit};

use crate::bench::Bench;
use crate::feeds::send;
use crate::schema::model;
use crate::stub::{Stub, reply};

const JSON: &str = "application/json; charset=UTF-8";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The report whose document is this.
async fn report(bytes: Vec<u8>) -> Result<FeedReport, Fault> {
    let headers = [("content-type", JSON), ("content-encoding", "identity")];
    let stub =
        Stub::start(move |asked| (asked.operation == "document").then(|| reply(200, &headers, bytes.clone()))).await;
    stub.client().feed_report("R 1").await
}

fn with(issues: &Value) -> Value {
    json!({
        "header": {"sellerId": "A1SELLER", "version": "2.0", "feedId": "F1"},
        "issues": issues,
        "summary": {"errors": 3, "warnings": 0, "messagesProcessed": 4, "messagesAccepted": 2, "messagesInvalid": 2},
    })
}

fn texts(rows: &[(u32, &str)]) -> BTreeMap<u32, String> {
    rows.iter().map(|(id, text)| (*id, (*text).to_owned())).collect()
}

#[tokio::test(start_paused = true)]
async fn amazons_own_example_is_read_although_it_does_not_add_up() {
    let Some(example) = model("listings-feed-processing-report-schema-v2.example.json") else { return };
    let read = report(example.to_string().into_bytes()).await.unwrap();
    let expected = FeedReport {
        feed_id: "1234567890".into(),
        rejected: texts(&[
            (
                4,
                "90220 '[batteries_required]' is required but not supplied.; 90220 \
                 '[supplier_declared_dg_hz_regulation]' is required but not supplied.",
            ),
            (
                5,
                "99022 The field '\"prices\"' for the attribute 'purchasable_offer.our_price' does not have enough \
                 values. The required minimum is '1' value(s).",
            ),
        ]),
        errors: 3,
        messages: Messages { processed: 4, accepted: 2, invalid: 2 },
        ..FeedReport::default()
    };
    assert_eq!(read, expected);
}

#[tokio::test(start_paused = true)]
async fn each_severity_has_its_place_and_an_unknown_one_is_an_error() {
    let issues = json!([
        {"messageId": 1, "severity": "ERROR", "message": "no", "code": "1", "sku": "A", "attributeName": "x"},
        {"messageId": 1, "severity": "WARNING", "message": "hm"},
        {"messageId": 2, "severity": "WARNING", "message": "hm", "code": "2"},
        {"messageId": 2, "severity": "INFO", "message": "oh"},
        {"messageId": 3, "severity": "FATAL", "message": "worse"},
        {"messageId": 4, "message": "no severity"},
        {"messageId": 5, "severity": "ERROR"},
        {"severity": "ERROR", "message": "Item 'Feed' cannot be parsed", "code": "4002001"},
        {"messageId": null, "sku": null, "severity": "WARNING", "message": "slow"},
        {"messageId": 9_999_999_999_u64, "severity": "ERROR", "message": "not ours"},
    ]);
    let read = report(with(&issues).to_string().into_bytes()).await.unwrap();
    assert_eq!(read.rejected, texts(&[(1, "1 no"), (3, "worse"), (4, "no severity"), (5, "an issue without a text")]));
    assert_eq!(read.remarks, texts(&[(1, "hm"), (2, "2 hm; oh")]));
    assert_eq!(read.whole, ["4002001 Item 'Feed' cannot be parsed", "not ours"]);
    assert_eq!(read.whole_remarks, ["slow"]);
}

#[tokio::test(start_paused = true)]
async fn packed_or_not_it_is_the_same_report() {
    let plain = with(&json!([{"messageId": 7, "severity": "ERROR", "message": "Größe"}])).to_string();
    let whole = plain.as_bytes();
    let marked = [b"\xef\xbb\xbf", whole].concat();
    let members = [gzip(&whole[..50]), gzip(&whole[50..])].concat();
    let spaced = [b" \r\n", whole, b"\n\n"].concat();
    for bytes in [whole.to_vec(), gzip(whole), marked.clone(), gzip(&marked), members, spaced] {
        let read = report(bytes).await.unwrap();
        assert_eq!((read.rejected, read.feed_id.as_str()), (texts(&[(7, "Größe")]), "F1"));
    }
    let packed = gzip(whole);
    let stub = Stub::start(move |asked| {
        let headers = [("content-type", JSON), ("content-encoding", "gzip")];
        (asked.operation == "document").then(|| reply(200, &headers, packed.clone()))
    })
    .await;
    assert_eq!(stub.client().feed_report("R 1").await.unwrap().rejected, texts(&[(7, "Größe")]));
}

#[tokio::test(start_paused = true)]
async fn what_is_no_report_is_a_fault_that_says_so() {
    let whole = with(&json!([{"messageId": 7, "severity": "ERROR", "message": "no"}])).to_string().into_bytes();
    let packed = gzip(&whole);
    let mut spoilt = packed.clone();
    let middle = spoilt.len() - 6;
    spoilt[middle] ^= 0xff;
    let mut no_summary = with(&json!([]));
    no_summary.as_object_mut().unwrap().remove("summary");
    let cases: [(Vec<u8>, &str); 14] = [
        (b"".to_vec(), "EOF"),
        (b"   ".to_vec(), "EOF"),
        (b"<?xml version=\"1.0\"?><AmazonEnvelope/>".to_vec(), "another format"),
        (b"Feed Processing Summary:\n\tNumber of records processed\t\t1\n".to_vec(), "another format"),
        (b"[]".to_vec(), "another format"),
        (gzip(b"feed\tstate\n"), "another format"),
        (br#"{"errors":[{"code":"InternalFailure","message":"sorry"}]}"#.to_vec(), "header"),
        (no_summary.to_string().into_bytes(), "summary"),
        (with(&json!({})).to_string().into_bytes(), "at issues: invalid type: map"),
        (with(&json!([{"messageId": "7"}])).to_string().into_bytes(), "at issues[0].messageId"),
        (whole[..whole.len() - 20].to_vec(), "EOF"),
        ([&whole[..], b"{}"].concat(), "does not fit trailing"),
        (packed[..packed.len() - 9].to_vec(), "processing report"),
        (spoilt, "processing report"),
    ];
    for (bytes, expected) in cases {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let fault = report(bytes).await.unwrap_err();
        assert!(matches!(&fault, Fault::Nonsense { what } if what.contains(expected)), "{text}: {expected}: {fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_report_without_end_is_not_read_to_its_end() {
    let head = br#"{"header":{"feedId":"F1"},"issues":[],"summary":{"errors":0,"warnings":0,"messagesProcessed":0,"messagesAccepted":0,"messagesInvalid":0},"items":[""#;
    let bomb = gzip(&[&head[..], &vec![b'x'; 33 << 20], b"\"]}"].concat());
    assert!(bomb.len() < 1 << 20);
    let fault = report(bomb).await.unwrap_err();
    assert_eq!(fault.to_string(), "an answer that makes no sense: a processing report of more than 33554432 bytes");
}

#[tokio::test(start_paused = true)]
async fn many_words_are_kept_in_part_and_on_one_line() {
    let long = "wörd\n".repeat(100);
    let mut issues = vec![json!({"messageId": 1, "severity": "ERROR", "message": long}); 50];
    issues.extend(vec![json!({"severity": "ERROR", "message": long}); 5000]);
    issues.push(json!({"messageId": 2, "severity": "ERROR", "message": "a\r\nb"}));
    let read = report(with(&json!(issues)).to_string().into_bytes()).await.unwrap();
    assert_eq!(read.rejected[&1].chars().count(), 500);
    assert!(!read.rejected[&1].contains('\n'));
    assert_eq!(read.rejected[&2], "a  b");
    assert_eq!(read.whole.len(), 100);
}

#[tokio::test(start_paused = true)]
async fn a_report_of_25000_refusals_is_read() {
    let row = |id: u32| {
        json!({"messageId": id, "sku": format!("SKU-{id}"), "code": "90220", "severity": "ERROR",
        "message": "'[batteries_required]' is required but not supplied.", "attributeName": "batteries_required"})
    };
    let issues: Vec<Value> = (1..=25_000).map(row).collect();
    let read = report(gzip(with(&json!(issues)).to_string().as_bytes())).await.unwrap();
    assert_eq!((read.rejected.len(), read.rejected.keys().last()), (25_000, Some(&25_000)));
}

#[tokio::test(start_paused = true)]
async fn a_url_that_died_is_asked_for_once_more() {
    let dead = || {
        let words = "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>";
        reply(403, &[("content-type", "application/xml")], words)
    };
    for (deaths, downloads) in [(1, 2), (9, 2)] {
        let stub = Stub::start(move |asked| (asked.operation == "document" && asked.nth <= deaths).then(dead)).await;
        let outcome = stub.client().feed_report("R 1").await;
        if deaths == 1 {
            assert_eq!(outcome.unwrap().messages.accepted, 1);
        } else {
            assert_eq!(
                outcome.unwrap_err().to_string(),
                "no success in 2 attempts: HTTP 403 AccessDenied: the document store refuses"
            );
        }
        assert_eq!((stub.count("getFeedDocument"), stub.count("document")), (downloads, downloads));
    }
}

#[tokio::test(start_paused = true)]
async fn the_simulators_missing_and_odd_reports_are_told() {
    for gzip in [false, true] {
        let bench = Bench::start("").await;
        let report = Some(ReportShape { gzip, ..ReportShape::default() });
        bench.amazon.change_settings(SettingsEdit { report, ..SettingsEdit::default() });
        for (kind, status) in [(FaultKind::NoReport, FeedStatus::Done), (FaultKind::OddReport, FeedStatus::Fatal)] {
            bench.amazon.fault(Trouble { count: Some(1), ..Trouble::new(kind) });
            let feed_id = send(&bench.client, &[("SKU-00001", 7)]).await;
            tokio::time::sleep(Duration::from_mins(3)).await;
            let feed = bench.client.feed(&feed_id).await.unwrap();
            assert_eq!(feed.status, status);
            assert_eq!(feed.report_document.is_some(), kind == FaultKind::OddReport);
            if let Some(document) = feed.report_document {
                let fault = bench.client.feed_report(&document).await.unwrap_err();
                assert!(fault.to_string().contains("another format than JSON"), "{fault}");
            }
        }
    }
}
