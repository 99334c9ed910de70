//! The listings report: waiting for it, and reading whatever shape it comes in.

use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use stocksync::clock::Clock;
use stocksync::http::Fault;
use stocksync::model::SellerSku;
use stocksync::sim::amazon::{Charset, Edit, Header, ReportShape, SettingsEdit};

use crate::bench::Bench;
use crate::stub::{Reply, Stub, de, html, json, refusal, reply, skus};

const CP1252: &str = "text/plain; charset=Cp1252";
const UTF8: &str = "text/plain; charset=UTF-8";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn document(content_type: &str, bytes: Vec<u8>) -> Reply {
    reply(200, &[("content-type", content_type)], bytes)
}

/// The seller SKUs of a report whose document is this.
async fn report(document: impl Fn() -> Reply + Send + Sync + 'static) -> Result<Vec<String>, Fault> {
    let stub = Stub::start(move |asked| (asked.operation == "document").then(&document)).await;
    let found = stub.client().report(&de()).await?;
    Ok(found.iter().map(ToString::to_string).collect())
}

#[tokio::test(start_paused = true)]
async fn every_shape_that_was_seen_is_read() {
    let cases: [(&str, &[u8], &[&str]); 17] = [
        (CP1252, b"seller-sku\tquantity\nA\t1\nB\t\n", &["A", "B"]),
        (CP1252, b"seller-sku\tquantity\n", &[]),
        (CP1252, b"seller-sku\tquantity", &[]),
        (CP1252, b"item-name\tseller-sku\r\nn\tA\r\n\r\nn\tB", &["A", "B"]),
        (CP1252, b"item-name\tseller-sku\tprice\na \"5\" \rb\tA \t1\n\"\tB\"\t1\n", &["A ", "B\""]),
        (CP1252, b"seller-sku\nGr\xf6\xdfe\n\x80\n", &["Größe", "€"]),
        (UTF8, "seller-sku\nGröße\n日本\n".as_bytes(), &["Größe", "日本"]),
        ("text/plain;charset=utf-8", "seller-sku\nGröße\n".as_bytes(), &["Größe"]),
        ("text/plain; charset=Shift_JIS", b"\x8fo\x95i\x8e\xd2SKU\tx\n\x93\xfa\x96{\t1\n", &["日本"]),
        ("", b"seller-sku\nGr\xf6\xdfe\n", &["Größe"]),
        // The mark speaks louder than the header.
        (CP1252, "\u{feff}seller-sku\nGröße\n".as_bytes(), &["Größe"]),
        (CP1252, b"Artikelbezeichnung\tH\xe4ndler-SKU\tMenge\nn\tA\t1\n", &["A"]),
        (UTF8, "SKU venditore\tquantità\nA\t1\n".as_bytes(), &["A"]),
        (CP1252, b"parent-sku\tSeller-SKU \nP\tA\n", &["A"]),
        (CP1252, b"seller-sku\tfulfillment-channel\nA\tDEFAULT\nA\tAMAZON_EU\n\tDEFAULT\n", &["A"]),
        (CP1252, b"item-name\tseller-sku\tprice\tquantity\topen-date\nn\tA\t1\t\t\n", &["A"]),
        // Characters that were lost stay lost, and the row stays.
        (CP1252, b"seller-sku\n??\nA\n", &["??", "A"]),
    ];
    for (content_type, bytes, expected) in cases {
        for packed in [false, true] {
            let body = if packed { gzip(bytes) } else { bytes.to_vec() };
            let found = report(move || document(content_type, body.clone())).await.unwrap();
            assert_eq!(found, expected, "{:?} packed: {packed}", String::from_utf8_lossy(bytes));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_document_that_its_storage_unpacked_is_read_too() {
    let packed = gzip(b"seller-sku\nA\n");
    let reply = move || {
        let headers = [("content-type", CP1252), ("content-encoding", "gzip")];
        reply(200, &headers, packed.clone())
    };
    assert_eq!(report(reply).await.unwrap(), ["A"]);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_an_error_and_not_an_empty_shop() {
    let whole = gzip("seller-sku\nA\n".repeat(100).as_bytes());
    let mut spoilt = whole.clone();
    let middle = spoilt.len() - 6;
    spoilt[middle] ^= 0xff;
    for (bytes, expected) in [
        (b"".to_vec(), "column"),
        (b"\n\n".to_vec(), "column"),
        (b"name\tprice\nA\t1\n".to_vec(), "column is not to be told: name price"),
        (b"own sku\ttheir sku\nA\tB\n".to_vec(), "column"),
        (b"<!DOCTYPE html>\n<title>Sorry!</title>".to_vec(), "column"),
        (b"name\tseller-sku\nA\tA\nB".to_vec(), "line 3 is cut"),
        (whole[..whole.len() - 9].to_vec(), "cannot be unpacked"),
        (spoilt, "cannot be unpacked"),
    ] {
        let fault = report(move || document(CP1252, bytes.clone())).await.unwrap_err();
        assert!(matches!(&fault, Fault::Nonsense { what } if what.contains(expected)), "{expected}: {fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_report_without_a_document_says_why() {
    for (status, expected) in [
        (
            "CANCELLED",
            "HTTP 200 CANCELLED: report R/1 has no document: Amazon has no data for it, or was asked for it too often",
        ),
        ("FATAL", "HTTP 200 FATAL: report R/1 has no document: Amazon gives no reason"),
        ("DONE", "HTTP 200 DONE: report R/1 has no document: Amazon gives no reason"),
    ] {
        let body = format!(r#"{{"reportId":"R/1","processingStatus":"{status}"}}"#);
        let stub = Stub::start(move |asked| (asked.operation == "getReport").then(|| json(200, body.clone()))).await;
        let fault = stub.client().report(&de()).await.unwrap_err();
        assert!(matches!(fault, Fault::Rejected(_)), "{fault:?}");
        assert_eq!(fault.to_string(), expected);
        assert_eq!((stub.count("getReport"), stub.count("document")), (1, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_report_is_given_up_after_an_hour() {
    let stub = Stub::start(|asked| match (asked.operation, asked.nth % 3) {
        ("getReport", 0) => Some(html(503)),
        ("getReport", 1) => Some(json(200, r#"{"processingStatus":"IN_QUEUE"}"#)),
        ("getReport", _) => Some(json(200, r#"{"processingStatus":"IN_PROGRESS"}"#)),
        _ => None,
    })
    .await;
    let started = Clock::system().instant();
    let fault = stub.client().report(&de()).await.unwrap_err();
    let took = Clock::system().instant() - started;
    assert_eq!(fault.to_string(), "HTTP 200 IN_PROGRESS: report R/1 has no document: it took too long");
    assert!((Duration::from_hours(1)..Duration::from_mins(61)).contains(&took), "{took:?}");
    assert!((180..400).contains(&stub.count("getReport")), "{}", stub.count("getReport"));
}

#[tokio::test(start_paused = true)]
async fn a_url_that_died_is_asked_for_once_more() {
    let dead = || reply(403, &[("content-type", "application/xml")], "<Error><Code>AccessDenied</Code></Error>");
    let ended = || reply(400, &[("content-type", "application/xml")], "<Error><Code>ExpiredToken</Code></Error>");
    for answer in [dead as fn() -> Reply, ended] {
        let stub = Stub::start(move |asked| (asked.operation == "document" && asked.nth == 1).then(answer)).await;
        assert_eq!(stub.client().report(&de()).await.unwrap(), skus(&["A"]));
        assert_eq!((stub.count("createReport"), stub.count("getReportDocument"), stub.count("document")), (1, 2, 2));
    }

    let stub = Stub::start(move |asked| (asked.operation == "document").then(dead)).await;
    let fault = stub.client().report(&de()).await.unwrap_err();
    assert_eq!(fault.status(), Some(403), "{fault}");
    assert_eq!((stub.count("getReportDocument"), stub.count("document")), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn the_simulators_reports_are_read_in_all_their_shapes() {
    let bench = Bench::start("").await;
    for sku in ["Größe", "日本"] {
        bench.amazon.set_listing("A1SELLER", sku, Edit { create: true, ..Edit::default() }).unwrap();
    }
    let headers = [Header::Usual, Header::Long, Header::Short, Header::German, Header::Custom];
    for (number, header) in headers.into_iter().cycle().take(30).enumerate() {
        let charset = [Charset::Utf8, Charset::Cp1252, Charset::ShiftJis][number / 5 % 3];
        let byte_order_mark = charset == Charset::Utf8 && number > 15;
        let shape = ReportShape { header, charset, byte_order_mark, gzip: number % 2 == 0 };
        bench.amazon.change_settings(SettingsEdit { report: Some(shape.clone()), ..SettingsEdit::default() });
        let found = bench.client.report(&de()).await.unwrap();
        // What the charset cannot say is found by its ASIN, where the columns have one.
        let lost = match charset {
            _ if header != Header::Short => "",
            Charset::Utf8 => "",
            Charset::Cp1252 => "日本",
            Charset::ShiftJis => "Größe",
        };
        assert_eq!(found.len(), if lost.is_empty() { 102 } else { 101 }, "{shape:?}");
        for name in ["日本", "Größe"] {
            assert_eq!(found.contains(&name.into()), name != lost, "{name} {shape:?}");
        }
        assert!(!found.iter().any(|name| name.as_str().contains('?')), "{shape:?}");
    }
    assert!(bench.amazon.stats().violations.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_question_mark_that_is_meant_stays_and_one_that_is_not_never_passes_for_a_name() {
    let bench = Bench::start("").await;
    for sku in ["REALLY?", "日本", "中国"] {
        bench.amazon.set_listing("A1SELLER", sku, Edit { create: true, ..Edit::default() }).unwrap();
    }
    for (header, expected) in [
        (Header::Usual, &["REALLY?", "中国", "日本"][..]),
        (Header::Short, &["REALLY?"]),
        (Header::Custom, &["REALLY?", "中国", "日本"]),
    ] {
        let shape = ReportShape { header, ..ReportShape::default() };
        bench.amazon.change_settings(SettingsEdit { report: Some(shape), ..SettingsEdit::default() });
        let found = bench.client.report(&de()).await.unwrap();
        let odd: Vec<&str> = found.iter().map(SellerSku::as_str).filter(|name| !name.starts_with("SKU")).collect();
        assert_eq!(odd, expected, "{header:?}");
    }
}

/// A report of so many garbled names, each with an ASIN of its own.
fn garbled(count: usize) -> Vec<u8> {
    use std::fmt::Write as _;
    let mut text = "seller-sku\tasin1\nPLAIN\tB000999999\n".to_owned();
    for number in 0..count {
        writeln!(text, "?-{number}\tB{number:09}").unwrap();
    }
    text.into_bytes()
}

#[tokio::test(start_paused = true)]
async fn garbled_names_are_searched_for_twenty_asins_at_a_time_and_every_page_is_read() {
    let stub = Stub::start(|asked| match asked.operation {
        "document" => Some(document(CP1252, garbled(45))),
        "searchListingsItems" if asked.param("identifiersType") == Some("ASIN") => {
            let asins: Vec<&str> = asked.param("identifiers").unwrap().split(',').collect();
            assert!(asins.len() <= 20 && asked.param("pageSize") == Some("20"), "{}", asked.target);
            let page: usize = asked.param("pageToken").map_or(0, |token| token.parse().unwrap());
            // Two pages; on each a neighbour that is none of the garbled ones.
            let items = asins.iter().skip(page * 10).take(10).map(|asin| {
                let number: usize = asin[1..].parse().unwrap();
                serde_json::json!({"sku": format!("Ж-{number}")})
            });
            let items: Vec<_> = items.chain([serde_json::json!({"sku": "OTHER"})]).collect();
            let mut body = serde_json::json!({"numberOfResults": asins.len(), "items": items});
            if page == 0 && asins.len() > 10 {
                body["pagination"] = serde_json::json!({"nextToken": "1"});
            }
            Some(json(200, body.to_string()))
        }
        _ => None,
    })
    .await;
    let found = stub.client().report(&de()).await.unwrap();
    assert_eq!(found.len(), 46);
    assert!(found.contains(&"Ж-44".into()) && !found.contains(&"OTHER".into()));
    assert_eq!(stub.count("searchListingsItems"), 5);
}

#[tokio::test(start_paused = true)]
async fn a_search_for_garbled_names_that_fails_is_a_failed_report_and_one_bad_asin_is_not() {
    for (status, whole) in [(503, false), (403, false), (400, true)] {
        let stub = Stub::start(move |asked| match asked.operation {
            "document" => Some(document(CP1252, garbled(3))),
            "searchListingsItems" if asked.param("identifiersType") == Some("ASIN") => {
                let asins = asked.param("identifiers").unwrap();
                if asins.contains("B000000001") {
                    return Some(refusal(status, "InvalidInput", "no", ""));
                }
                let number: usize = asins[1..].parse().unwrap();
                let items = [serde_json::json!({"sku": format!("Ж-{number}")})];
                Some(json(200, serde_json::json!({"numberOfResults": 1, "items": items}).to_string()))
            }
            "searchListingsItems" => Some(json(200, r#"{"numberOfResults":0,"items":[]}"#)),
            _ => None,
        })
        .await;
        let report = stub.client().report(&de()).await;
        match report {
            Ok(found) if whole => assert_eq!(found, skus(&["PLAIN", "Ж-0", "Ж-2"])),
            Err(fault) if !whole => assert_eq!(fault.status(), Some(status)),
            other => panic!("{status}: {other:?}"),
        }
    }
}
