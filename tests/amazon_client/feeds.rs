//! Feeds: the exact requests, what is known after each answer, and how fast they go.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use stocksync::amazon::{Client, Creation, FeedDocument, FeedStatus, is_account_wide};
use stocksync::clock::Clock;
use stocksync::http::Fault;
use stocksync::sim::amazon::{Fault as Trouble, FaultKind, Operation};

use crate::bench::Bench;
use crate::stub::{DE, Reply, Stub, client, de, html, json, refusal, reply};

const FEEDS: &str = "/feeds/2021-06-30/feeds";
const CONTENT: &str = "application/json; charset=UTF-8";
const DENIED: &str = "Access to requested resource is denied.";

/// An answer, and words that are then in the fault.
type Case = (fn() -> Reply, &'static str);

pub(crate) fn document(client: &Client, rows: &[(&str, u32)]) -> FeedDocument {
    let mut draft = client.feed_draft();
    for (sku, quantity) in rows {
        draft.push(&(*sku).into(), *quantity).unwrap();
    }
    draft.finish().unwrap()
}

pub(crate) async fn create(client: &Client) -> Result<Creation, Fault> {
    client.create_feed(client.feed_permit().await, "D 1", &[de()]).await
}

pub(crate) fn created(creation: Creation) -> String {
    match creation {
        Creation::Created { feed_id } => feed_id,
        Creation::InDoubt(fault) => panic!("in doubt: {fault}"),
    }
}

/// A feed of these rows, by the whole way.
pub(crate) async fn send(client: &Client, rows: &[(&str, u32)]) -> String {
    let permit = client.feed_permit().await;
    let document_id = client.upload_feed(&document(client, rows)).await.unwrap();
    created(client.create_feed(permit, &document_id, &[de()]).await.unwrap())
}

fn refuses(operation: &'static str, reply: impl Fn() -> Reply + Send + Sync + 'static) -> impl Future<Output = Stub> {
    Stub::start(move |asked| (asked.operation == operation).then(&reply))
}

#[tokio::test(start_paused = true)]
async fn a_feed_is_uploaded_created_watched_and_cancelled_with_these_requests() {
    let stub = Stub::obliging().await;
    let client = stub.client();
    let feed_id = send(&client, &[("A", 1)]).await;
    client.feed(&feed_id).await.unwrap();
    client.cancel_feed(&feed_id).await.unwrap();
    client.feeds("2026-10-31T23:00:00Z".parse().unwrap()).await.unwrap();
    client.feed_report("R 1").await.unwrap();
    let asked: Vec<(String, String, String)> =
        stub.all_asked().into_iter().skip(1).map(|asked| (asked.method, asked.target, asked.body)).collect();
    let order = format!(r#"{{"feedType":"JSON_LISTINGS_FEED","marketplaceIds":["{DE}"],"inputFeedDocumentId":"D 1"}}"#);
    let bytes = String::from_utf8(document(&client, &[("A", 1)]).bytes().to_vec()).unwrap();
    let list = format!("{FEEDS}?feedTypes=JSON_LISTINGS_FEED&pageSize=100&createdSince=2026-10-31T23%3A00%3A00Z");
    let one = format!("{FEEDS}/F%2F1");
    let expected = [
        ("POST", "/feeds/2021-06-30/documents", r#"{"contentType":"application/json; charset=UTF-8"}"#),
        ("PUT", "/document?sign=1", &bytes),
        ("POST", FEEDS, &order),
        ("GET", &one, ""),
        ("DELETE", &one, ""),
        ("GET", &list, ""),
        ("GET", "/feeds/2021-06-30/documents/R%201", ""),
        ("GET", "/document?report", ""),
    ];
    assert_eq!(asked, expected.map(|(method, target, body)| (method.into(), target.into(), body.into())));
}

#[tokio::test(start_paused = true)]
async fn the_store_gets_the_declared_content_type_a_length_and_no_token() {
    let stub = Stub::obliging().await;
    let client = stub.client();
    send(&client, &[("Größe", 1)]).await;
    client.feed_report("R 1").await.unwrap();
    let upload = stub.asked("upload").pop().unwrap();
    assert_eq!(upload.header("content-type"), Some(CONTENT));
    assert_eq!(upload.header("content-length"), Some(upload.body.len().to_string().as_str()));
    assert_eq!(upload.header("transfer-encoding"), None);
    let declared: serde_json::Value = serde_json::from_str(&stub.asked("createFeedDocument")[0].body).unwrap();
    assert_eq!(declared["contentType"], CONTENT);
    for asked in stub.all_asked() {
        let signed = !matches!(asked.operation, "token" | "upload" | "document");
        assert_eq!(asked.header("x-amz-access-token").is_some(), signed, "{}", asked.operation);
        assert_eq!(asked.header("authorization"), None);
    }
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_came_too_late_goes_to_a_new_document_once() {
    let late = || reply(403, &[], "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>");
    let stub = Stub::start(move |asked| (asked.operation == "upload" && asked.nth == 1).then(late)).await;
    let client = stub.client();
    assert_eq!(client.upload_feed(&document(&client, &[("A", 1)])).await.unwrap(), "D 2");
    let urls: Vec<String> = stub.asked("upload").into_iter().map(|asked| asked.target).collect();
    assert_eq!(urls, ["/document?sign=1", "/document?sign=2"]);

    let words = "<Error><Code>SignatureDoesNotMatch</Code><StringToSign>secret</StringToSign></Error>";
    let stub = refuses("upload", move || reply(403, &[], words)).await;
    let client = stub.client();
    let fault = client.upload_feed(&document(&client, &[("A", 1)])).await.unwrap_err();
    assert_eq!(
        fault.to_string(),
        "no success in 2 attempts: HTTP 403 SignatureDoesNotMatch: the document store refuses"
    );
    assert!(!is_account_wide(&fault, &"A".into()));
    assert_eq!((stub.count("createFeedDocument"), stub.count("upload")), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn an_upload_is_sent_again_to_its_own_url_while_that_lives() {
    let stub = Stub::start(|asked| (asked.operation == "upload" && asked.nth == 1).then(|| html(503))).await;
    let client = stub.client();
    assert_eq!(client.upload_feed(&document(&client, &[("A", 1)])).await.unwrap(), "D 1");
    assert_eq!((stub.count("createFeedDocument"), stub.count("upload")), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_presigned_url_is_in_no_fault() {
    for (operation, reply) in [("upload", (|| html(500)) as fn() -> Reply), ("document", || json(400, "{}"))] {
        let stub = refuses(operation, reply).await;
        let client = stub.client();
        let fault = match operation {
            "upload" => client.upload_feed(&document(&client, &[("A", 1)])).await.map(drop).unwrap_err(),
            _ => client.feed_report("R 1").await.map(drop).unwrap_err(),
        };
        assert!(!format!("{fault:?}{fault}").contains("sign="), "{fault:?}");
    }
    let dead = || json(201, r#"{"feedDocumentId":"D","url":"http://127.0.0.1:1/document?sign=1"}"#);
    let stub = refuses("createFeedDocument", dead).await;
    let client = stub.client();
    let fault = client.upload_feed(&document(&client, &[("A", 1)])).await.unwrap_err();
    assert!(matches!(fault, Fault::Exhausted { .. }) && !format!("{fault:?}").contains("sign="), "{fault:?}");
}

/// Everything that was logged on this thread.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Heard {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_presigned_url_is_in_no_log_line() {
    let heard = Heard::default();
    let writer = heard.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
        .finish();
    let _listening = tracing::subscriber::set_default(subscriber);
    let stub = Stub::start(|asked| match (asked.operation, asked.nth) {
        ("upload", 1) => Some(html(503)),
        ("upload", 2) => Some(reply(403, &[], "<Error><Code>AccessDenied</Code></Error>")),
        _ => None,
    })
    .await;
    let client = stub.client();
    client.upload_feed(&document(&client, &[("A", 1)])).await.unwrap();
    client.feed_report("R 1").await.unwrap();
    let text = String::from_utf8(heard.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("uploadFeedDocument") && text.contains("feedReportDocument"), "{text}");
    let leaks: Vec<&str> = text.lines().filter(|line| line.contains("sign=") || line.contains("?report")).collect();
    assert_eq!(leaks, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn every_status_is_told_and_one_that_is_new_is_kept() {
    for (word, expected) in [
        ("IN_QUEUE", FeedStatus::InQueue),
        ("IN_PROGRESS", FeedStatus::InProgress),
        ("DONE", FeedStatus::Done),
        ("FATAL", FeedStatus::Fatal),
        ("CANCELLED", FeedStatus::Cancelled),
        ("ON_HOLD", FeedStatus::Unknown("ON_HOLD".into())),
    ] {
        let body = format!(
            r#"{{"feedId":"7","feedType":"JSON_LISTINGS_FEED","createdTime":"2026-11-01T01:00:00+01:00",
               "processingStatus":"{word}","processingStartTime":"2026-11-01T00:01:00.5Z","processingEndTime":null,
               "resultFeedDocumentId":"R","new":{{}}}}"#
        );
        let feed = refuses("getFeed", move || json(200, body.clone())).await.client().feed("7").await.unwrap();
        assert_eq!(feed.status, expected);
        assert_eq!((feed.id.as_str(), feed.created.to_string()), ("7", "2026-11-01T00:00:00Z".to_owned()));
        assert_eq!(feed.processing_started.unwrap().to_string(), "2026-11-01T00:01:00.5Z");
        assert_eq!((feed.processing_ended, feed.report_document.as_deref()), (None, Some("R")));
    }
}

#[tokio::test(start_paused = true)]
async fn a_creation_without_an_answer_is_in_doubt_and_not_repeated() {
    let replies: [Case; 8] = [
        (|| html(500), "HTTP 500"),
        (|| html(502), "HTTP 502"),
        (|| html(503), "HTTP 503"),
        (|| refusal(504, "GatewayTimeout", "late", ""), "late"),
        (|| refusal(520, "Unknown", "odd", ""), "odd"),
        (|| json(202, r#"{"feed":"#), "EOF"),
        (|| html(200), "HTML"),
        (|| crate::stub::late(31, json(202, "{}")), "no complete answer within 30 s"),
    ];
    for (reply, words) in replies {
        let stub = refuses("createFeed", reply).await;
        let Creation::InDoubt(fault) = create(&stub.client()).await.unwrap() else { panic!("{words}: created") };
        assert!(fault.to_string().contains(words), "{words}: {fault}");
        assert_eq!(stub.count("createFeed"), 1, "{words}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_was_refused_or_never_left_is_no_feed() {
    let replies: [Case; 4] = [
        (|| refusal(400, "InvalidInput", "no", ""), "HTTP 400 InvalidInput: no"),
        (|| refusal(403, "Unauthorized", DENIED, ""), "give the application the role Product Listing"),
        (|| json(401, "{}"), "not authorized (HTTP 401)"),
        (|| html(404), "HTTP 404"),
    ];
    for (reply, words) in replies {
        let fault = create(&refuses("createFeed", reply).await.client()).await.unwrap_err();
        assert!(fault.to_string().contains(words), "{words}: {fault}");
    }
    // A sign-in that fails says nothing about the feed, whatever its status.
    let stub = refuses("token", || html(503)).await;
    let fault = create(&stub.client()).await.unwrap_err();
    assert!(matches!(fault, Fault::Unauthorized { status: Some(503), .. }), "{fault:?}");
    assert_eq!(stub.count("createFeed"), 0);
    let elsewhere = Stub::obliging().await;
    let fault = create(&client("nowhere", &elsewhere.base_url)).await.unwrap_err();
    assert!(matches!(fault, Fault::Nonsense { .. }), "{fault}");
}

#[tokio::test(start_paused = true)]
async fn a_429_on_a_creation_waits_and_goes_again_and_leaves_no_doubt() {
    let slowly = || refusal(429, "QuotaExceeded", "slowly", "");
    let stub = Stub::start(move |asked| (asked.operation == "createFeed" && asked.nth <= 2).then(slowly)).await;
    let started = Clock::system().instant();
    assert_eq!(created(create(&stub.client()).await.unwrap()), "F/1");
    assert_eq!(stub.count("createFeed"), 3);
    // A permit comes in two minutes; after a 429 in 2:22, after the next in 2:47.
    let took = Clock::system().instant() - started;
    assert!((Duration::from_secs(307)..Duration::from_secs(310)).contains(&took), "{took:?}");

    let stub = refuses("createFeed", slowly).await;
    let fault = create(&stub.client()).await.unwrap_err();
    assert_eq!((fault.status(), stub.count("createFeed")), (Some(429), 3), "{fault}");

    // What comes after a 429 counts for itself.
    let stub = Stub::start(move |asked| match (asked.operation, asked.nth) {
        ("createFeed", 1) => Some(slowly()),
        ("createFeed", _) => Some(html(503)),
        _ => None,
    })
    .await;
    assert!(matches!(create(&stub.client()).await, Ok(Creation::InDoubt(_))));
    assert_eq!(stub.count("createFeed"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_ended_is_renewed_for_a_creation() {
    let ended = || refusal(403, "Unauthorized", DENIED, "The access token you provided has expired.");
    let stub = Stub::start(move |asked| (asked.operation == "createFeed" && asked.nth == 1).then(ended)).await;
    assert_eq!(created(create(&stub.client()).await.unwrap()), "F/1");
    let tokens: Vec<_> =
        stub.asked("createFeed").iter().map(|one| one.header("x-amz-access-token").map(str::to_owned)).collect();
    assert_eq!(tokens, [Some("Atza|1".to_owned()), Some("Atza|2".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn a_feed_whose_answer_was_lost_is_found_in_the_list() {
    for kind in [FaultKind::AcceptThenDrop, FaultKind::CutBody] {
        let bench = Bench::start("").await;
        let before = send(&bench.client, &[("SKU-00001", 7)]).await;
        let operation = Some(Operation::CreateFeed);
        bench.amazon.fault(Trouble { count: Some(1), operation, ..Trouble::new(kind) });
        tokio::time::sleep(Duration::from_mins(1)).await;
        let ordered = Clock::starting_at("2026-11-01T00:01:00Z".parse().unwrap()).now();
        let document = bench.client.upload_feed(&document(&bench.client, &[("SKU-00002", 7)])).await.unwrap();
        let creation = bench.client.create_feed(bench.client.feed_permit().await, &document, &[de()]).await.unwrap();
        assert!(matches!(creation, Creation::InDoubt(_)), "{kind:?}");
        assert_eq!(bench.amazon.stats().calls(Operation::CreateFeed), 2, "{kind:?}");
        let found = bench.client.feeds(ordered).await.unwrap();
        assert_eq!(found.len(), 1, "{kind:?}: {found:?}");
        assert_ne!(found[0].id, before);
        assert_eq!((&found[0].marketplaces[..], &found[0].status), (&[de()][..], &FeedStatus::InQueue));
    }
}

#[tokio::test(start_paused = true)]
async fn the_list_is_followed_to_its_end_by_its_token_alone() {
    let feed = |id: &str, minute: u32| {
        format!(
            r#"{{"feedId":"{id}","feedType":"JSON_LISTINGS_FEED","createdTime":"2026-11-01T00:{minute:02}:00Z","processingStatus":"DONE"}}"#
        )
    };
    let pages = [
        format!(r#"{{"feeds":[{},{}],"nextToken":"a+/=&,"}}"#, feed("4", 9), feed("3", 8)),
        r#"{"feeds":[],"nextToken":"b"}"#.to_owned(),
        format!(r#"{{"feeds":[{},{}]}}"#, feed("1", 1), feed("2", 1)),
    ];
    let stub = Stub::start(move |asked| {
        (asked.operation == "getFeeds").then(|| json(200, pages[(asked.nth - 1).min(2)].clone()))
    })
    .await;
    let found = stub.client().feeds("2026-11-01T00:00:00Z".parse().unwrap()).await.unwrap();
    assert_eq!(found.iter().map(|feed| feed.id.as_str()).collect::<Vec<_>>(), ["1", "2", "3", "4"]);
    let targets: Vec<String> = stub.asked("getFeeds").into_iter().skip(1).map(|asked| asked.target).collect();
    assert_eq!(targets, [format!("{FEEDS}?nextToken=a%2B%2F%3D%26%2C"), format!("{FEEDS}?nextToken=b")]);

    let stub = refuses("getFeeds", || json(200, r#"{"feeds":[],"nextToken":"again"}"#)).await;
    let fault = stub.client().feeds("2026-11-01T00:00:00Z".parse().unwrap()).await.unwrap_err();
    assert!(fault.to_string().contains("more than 10 pages"), "{fault}");
}

#[tokio::test(start_paused = true)]
async fn a_feed_that_left_the_queue_cannot_be_cancelled() {
    let bench = Bench::start("").await;
    let first = send(&bench.client, &[("SKU-00001", 7)]).await;
    let second = send(&bench.client, &[("SKU-00002", 7)]).await;
    bench.client.cancel_feed(&second).await.unwrap();
    assert_eq!(bench.client.feed(&second).await.unwrap().status, FeedStatus::Cancelled);
    tokio::time::sleep(Duration::from_mins(1)).await;
    let fault = bench.client.cancel_feed(&first).await.unwrap_err();
    assert_eq!(fault.status(), Some(400), "{fault}");
    assert_eq!(bench.client.feed(&first).await.unwrap().status, FeedStatus::InProgress);
    assert_eq!(bench.client.feed("nowhere").await.unwrap_err().status(), Some(404));
}

#[tokio::test(start_paused = true)]
async fn a_feed_is_live_in_the_end_and_its_report_says_what_was_not_taken() {
    for gzip in [false, true] {
        let bench = Bench::start("[[account.listing]]\nsku = \"a\\\"b/ß\"\nlead_time = 9\n[[account.listing]]\nsku = \"BAD\"\ninvalid = \"blocked\"\n").await;
        let report = stocksync::sim::amazon::ReportShape { gzip, ..Default::default() };
        bench
            .amazon
            .change_settings(stocksync::sim::amazon::SettingsEdit { report: Some(report), ..Default::default() });
        let feed_id = send(&bench.client, &[("SKU-00001", 7), ("BAD", 1), ("a\"b/ß", 3)]).await;
        tokio::time::sleep(Duration::from_mins(3)).await;
        let feed = bench.client.feed(&feed_id).await.unwrap();
        assert_eq!(feed.status, FeedStatus::Done);
        assert!(feed.created < feed.processing_started.unwrap() && feed.processing_started < feed.processing_ended);
        let report = bench.client.feed_report(&feed.report_document.unwrap()).await.unwrap();
        assert_eq!(report.rejected.into_iter().collect::<Vec<_>>(), [(2, "90000900 blocked".to_owned())]);
        assert_eq!((report.feed_id, report.messages.accepted, report.messages.invalid), (feed_id, 2, 1));
        assert_eq!(bench.amazon.listing("A1SELLER", "SKU-00001").unwrap().quantity, Some(7));
        let odd = bench.amazon.listing("A1SELLER", "a\"b/ß").unwrap();
        assert_eq!((odd.quantity, odd.lead_time), (Some(3), Some(9)));
        assert!(bench.amazon.stats().violations.is_empty(), "{:?}", bench.amazon.stats().violations);
    }
}
