//! The listings report: from the order to the bytes.

use std::io::Read;

use reqwest::Method;
use serde_json::{Value, json};
use stocksync::sim::amazon::{Fault, FaultKind, ViolationKind};

use crate::harness::{ACCOUNT, Bench, DE, FR, Reply, SELLER, send, wait};

const REPORTS: &str = "/reports/2021-06-30/reports";
const LISTINGS: &str = r#"
[[account.listing]]
sku = "A"
asin = "B00A"
quantity = 5
product_name = "Größe €"

[[account.listing]]
sku = "Ж-1"

[[account.listing]]
sku = "FBA"
channel = "AMAZON_EU"

[[account.listing]]
sku = "FRENCH"
marketplaces = ["FR"]
"#;

async fn bench(report: &str) -> Bench {
    Bench::start(&format!("report_delay = \"10m\"\n{report}\n{ACCOUNT}{LISTINGS}")).await
}

fn order(marketplace: &str) -> Value {
    json!({"reportType": "GET_MERCHANT_LISTINGS_ALL_DATA", "marketplaceIds": [marketplace]})
}

async fn create(bench: &Bench, order: Value) -> String {
    let reply = bench.post(REPORTS, order).await;
    assert_eq!(reply.status, 202, "{}", reply.text());
    reply.json()["reportId"].as_str().unwrap().to_owned()
}

async fn status(bench: &Bench, id: &str) -> Value {
    bench.get(&format!("{REPORTS}/{id}")).await.json()
}

/// Waits a report out, and fetches its document without any header of ours.
async fn download(bench: &Bench, order: Value) -> (Value, Reply) {
    let id = create(bench, order).await;
    wait(600.0).await;
    let document = status(bench, &id).await["reportDocumentId"].as_str().unwrap().to_owned();
    let document = bench.get(&format!("/reports/2021-06-30/documents/{document}")).await.json();
    let content = bench.fetch(document["url"].as_str().unwrap()).await;
    (document, content)
}

#[tokio::test(start_paused = true)]
async fn a_report_goes_from_the_queue_over_progress_to_done() {
    let bench = bench("").await;
    let id = create(&bench, order(DE)).await;
    for (expected, document) in [("IN_QUEUE", false), ("IN_PROGRESS", false), ("DONE", true)] {
        let report = status(&bench, &id).await;
        assert_eq!((&report["processingStatus"], report["reportDocumentId"].is_string()), (&json!(expected), document));
        assert_eq!((&report["reportId"], &report["createdTime"]), (&json!(id), &json!("2026-11-01T00:00:00Z")));
        wait(300.0).await;
    }
    let listed = bench.get(&format!("{REPORTS}?reportTypes=GET_MERCHANT_LISTINGS_ALL_DATA")).await.json();
    assert_eq!(listed["reports"][0]["reportId"], json!(id));
    assert_eq!(bench.get(&format!("{REPORTS}/1")).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn the_text_is_cp1252_with_question_marks_for_the_rest() {
    let bench = bench("").await;
    let (document, content) = download(&bench, order(DE)).await;
    assert!(document["compressionAlgorithm"].is_null());
    assert_eq!(content.header("content-type"), Some("text/plain; charset=Cp1252"));
    let (text, _, _) = encoding_rs::WINDOWS_1252.decode(&content.bytes);
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(
        (rows[0].len(), rows[0][3], rows[0][5], rows[0][26], rows[0][28]),
        (29, "seller-sku", "quantity", "fulfillment-channel", "status")
    );
    let cells: Vec<_> = rows[1..].iter().map(|row| [row[0], row[3], row[5], row[26], row[28]]).collect();
    assert_eq!(
        cells,
        [
            ["Größe €", "A", "5", "DEFAULT", "Active"],
            ["Product FBA", "FBA", "", "AMAZON_EU", "Active"],
            ["Product ?-1", "?-1", "0", "DEFAULT", "Inactive"],
        ]
    );
    let (_, french) = download(&bench, order(FR)).await;
    assert!(french.text().contains("\tFRENCH\t"));
}

#[tokio::test(start_paused = true)]
async fn shapes_vary_as_they_do_on_amazon() {
    let gzip = bench("[report]\ngzip = true\n").await;
    let (document, content) = download(&gzip, order(DE)).await;
    assert_eq!(
        (&document["compressionAlgorithm"], content.header("content-encoding")),
        (&json!("GZIP"), Some("identity"))
    );
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(content.bytes.as_slice()).read_to_end(&mut text).unwrap();
    assert!(text.starts_with(b"item-name\t"));

    let short = bench("[report]\nheader = \"short\"\nbyte_order_mark = true\ncharset = \"UTF-8\"\n").await;
    let (_, content) = download(&short, order(DE)).await;
    assert!(content.text().starts_with("\u{feff}item-name\tseller-sku\tprice\tquantity\topen-date\n"));
    assert!(content.text().contains("\tЖ-1\t"));

    let german = bench("[report]\nheader = \"german\"\n").await;
    let (_, content) = download(&german, order(DE)).await;
    assert!(content.text().starts_with("Artikelbezeichnung\t"));
    let mut english = order(DE);
    english["reportOptions"] = json!({"preferredReportDocumentLocale": "en_US"});
    assert!(download(&german, english).await.1.text().starts_with("item-name\t"));
}

#[tokio::test(start_paused = true)]
async fn a_presigned_url_dies_after_five_minutes_and_wants_no_token() {
    let bench = bench("").await;
    let id = create(&bench, order(DE)).await;
    wait(600.0).await;
    let document = status(&bench, &id).await["reportDocumentId"].as_str().unwrap().to_owned();
    let document = bench.get(&format!("/reports/2021-06-30/documents/{document}")).await.json();
    let url = document["url"].as_str().unwrap();
    wait(299.9).await;
    assert_eq!(bench.fetch(url).await.status, 200);
    wait(0.2).await;
    let late = bench.fetch(url).await;
    assert_eq!(late.status, 403);
    assert!(late.text().contains("<Message>Request has expired</Message>"));
    send(bench.signed(Method::GET, url.strip_prefix(&bench.base).unwrap())).await.unwrap();
    assert_eq!(bench.amazon.stats().violations(ViolationKind::TokenSentToDocument), 1);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_order_is_400() {
    let bench = bench("").await;
    for body in [
        json!({"reportType": "GET_MERCHANT_LISTINGS_ALL_DATA"}),
        json!({"reportType": "GET_MERCHANT_LISTINGS_ALL_DATA", "marketplaceIds": ["ATVPDKIKX0DER"]}),
        json!({"reportType": "GET_EVERYTHING", "marketplaceIds": [DE]}),
        json!({"reportType": "GET_MERCHANT_LISTINGS_ALL_DATA", "marketplaceIds": [DE], "reportOptions": {"custom": true}}),
        json!({"reportType": "GET_MERCHANT_LISTINGS_ALL_DATA", "marketplaceIds": [DE], "marketplace": "DE"}),
    ] {
        assert_eq!(bench.post(REPORTS, body.clone()).await.status, 400, "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_report_can_be_cancelled_in_the_queue_and_can_end_badly() {
    let bench = bench("").await;
    let id = create(&bench, order(DE)).await;
    let path = format!("{REPORTS}/{id}");
    assert_eq!(send(bench.signed(Method::DELETE, &path)).await.unwrap().status, 200);
    assert_eq!(status(&bench, &id).await["processingStatus"], "CANCELLED");
    assert_eq!(send(bench.signed(Method::DELETE, &path)).await.unwrap().status, 400);
    for (kind, ending) in [(FaultKind::Fatal, "FATAL"), (FaultKind::Cancelled, "CANCELLED")] {
        bench.amazon.fault(Fault { count: Some(1), seller_id: Some(SELLER.to_owned()), ..Fault::new(kind) });
        let id = create(&bench, order(DE)).await;
        wait(600.0).await;
        let report = status(&bench, &id).await;
        assert_eq!(report["processingStatus"], ending);
        assert!(report["reportDocumentId"].is_null());
    }
}

#[tokio::test(start_paused = true)]
async fn fifteen_reports_burst_and_then_one_a_minute() {
    let bench = bench("").await;
    for _ in 0..15 {
        create(&bench, order(DE)).await;
    }
    assert_eq!(bench.post(REPORTS, order(DE)).await.status, 429);
    wait(59.8).await;
    assert_eq!(bench.post(REPORTS, order(DE)).await.status, 429);
    wait(0.1).await;
    assert_eq!(bench.post(REPORTS, order(DE)).await.status, 202);
}
