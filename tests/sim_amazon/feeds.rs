//! The feed lane: documents up, one queue, reports down.

use reqwest::Method;
use serde_json::{Value, json};
use stocksync::sim::amazon::{Fault, FaultKind, Lane, ViolationKind};

use crate::harness::{ACCOUNT, Bench, DE, Reply, SELLER, send, wait};

pub(crate) const FEEDS: &str = "/feeds/2021-06-30/feeds";
pub(crate) const DOCUMENTS: &str = "/feeds/2021-06-30/documents";
const CONTENT: &str = "application/json; charset=UTF-8";
const LISTINGS: &str = r#"
[[account.listing]]
sku = "A"
quantity = 5
lead_time = 12

[[account.listing]]
sku = "BAD"
invalid = "the listing is blocked"
"#;

pub(crate) async fn bench() -> Bench {
    Bench::start(&format!("feed_delay = \"8m\"\n{ACCOUNT}{LISTINGS}")).await
}

pub(crate) fn message(id: u64, sku: &str, quantity: i64) -> Value {
    let value = json!([{"fulfillment_channel_code": "DEFAULT", "quantity": quantity}]);
    json!({"messageId": id, "sku": sku, "operationType": "PATCH", "productType": "PRODUCT",
        "patches": [{"op": "merge", "path": "/attributes/fulfillment_availability", "value": value}]})
}

pub(crate) fn feed(messages: &[Value]) -> Value {
    json!({"header": {"sellerId": SELLER, "version": "2.0", "issueLocale": "en_US"}, "messages": messages})
}

async fn upload(bench: &Bench, url: &str, content_type: &str, body: String) -> Reply {
    let path = url.strip_prefix(&bench.base).unwrap();
    send(bench.request(Method::PUT, path).header("content-type", content_type).body(body)).await.unwrap()
}

async fn submit(bench: &Bench, content: &Value) -> Reply {
    let document = bench.post(DOCUMENTS, json!({"contentType": CONTENT})).await;
    assert_eq!(document.status, 201);
    let document = document.json();
    assert_eq!(upload(bench, document["url"].as_str().unwrap(), CONTENT, content.to_string()).await.status, 200);
    let order = json!({"feedType": "JSON_LISTINGS_FEED", "marketplaceIds": [DE],
        "inputFeedDocumentId": document["feedDocumentId"]});
    bench.post(FEEDS, order).await
}

pub(crate) async fn create(bench: &Bench, content: &Value) -> String {
    let reply = submit(bench, content).await;
    assert_eq!(reply.status, 202, "{}", reply.text());
    reply.json()["feedId"].as_str().unwrap().to_owned()
}

pub(crate) async fn status(bench: &Bench, id: &str) -> Value {
    let reply = bench.get(&format!("{FEEDS}/{id}")).await;
    assert_eq!(reply.status, 200);
    reply.json()
}

pub(crate) async fn result(bench: &Bench, id: &str) -> Value {
    let document = status(bench, id).await["resultFeedDocumentId"].as_str().unwrap().to_owned();
    let document = bench.get(&format!("{DOCUMENTS}/{document}")).await.json();
    bench.fetch(document["url"].as_str().unwrap()).await.json()
}

#[tokio::test(start_paused = true)]
async fn a_feed_goes_through_the_queue_and_is_live_after_it_is_done() {
    let bench = bench().await;
    let id = create(&bench, &feed(&[message(1, "A", 9), message(2, "nobody", 9)])).await;
    for (expected, after) in [("IN_QUEUE", 119.0), ("IN_QUEUE", 2.0), ("IN_PROGRESS", 358.0), ("IN_PROGRESS", 1.0)] {
        assert_eq!(status(&bench, &id).await["processingStatus"], expected);
        assert_eq!(bench.quantity("A"), Some(5));
        wait(after).await;
    }
    assert_eq!(status(&bench, &id).await["processingStatus"], "DONE");
    assert_eq!(bench.quantity("A"), Some(5), "accepted is not applied");
    wait(2.0).await;
    assert_eq!(bench.quantity("A"), Some(9));
    assert_eq!(bench.amazon.listing(SELLER, "A").unwrap().lead_time, Some(12));
    let summary = &result(&bench, &id).await["summary"];
    assert_eq!((&summary["messagesAccepted"], &summary["messagesInvalid"]), (&json!(2), &json!(0)));
    let event = &bench.amazon.events()[0];
    assert_eq!((event.lane, event.feed_id.as_deref(), event.quantity), (Lane::Feed, Some(id.as_str()), Some(9)));
    assert_eq!(bench.amazon.stats().violations(ViolationKind::UnknownSku), 1);
}

#[tokio::test(start_paused = true)]
async fn each_bad_message_has_its_rows_and_the_good_ones_are_taken() {
    let bench = bench().await;
    let mut no_channel = message(3, "A", 1);
    no_channel["patches"][0]["value"] = json!([{"quantity": 1}]);
    let mut both = message(4, "A", 1);
    both["attributes"] = json!({});
    let messages =
        [message(1, "A", 9), message(2, "A", -1), no_channel, both, message(1, "A", 3), message(6, "BAD", 2)];
    let id = create(&bench, &feed(&messages)).await;
    wait(490.0).await;
    let report = result(&bench, &id).await;
    let rows: Vec<_> =
        report["issues"].as_array().unwrap().iter().map(|row| (&row["messageId"], &row["code"])).collect();
    assert_eq!(
        json!(rows),
        json!([[2, "90000900"], [3, "BAD_REQUEST"], [4, "BAD_REQUEST"], [1, "BAD_REQUEST"], [6, "90000900"],])
    );
    assert_eq!(report["summary"]["messagesProcessed"], 6);
    assert_eq!(report["header"]["feedId"], json!(id));
    assert_eq!(bench.quantity("A"), Some(9));
}

#[tokio::test(start_paused = true)]
async fn a_partial_update_wipes_the_handling_time() {
    let bench = bench().await;
    let value = json!([{"fulfillment_channel_code": "DEFAULT", "quantity": 9}]);
    let update = json!({"messageId": 1, "sku": "A", "operationType": "PARTIAL_UPDATE", "productType": "PRODUCT",
        "attributes": {"fulfillment_availability": value}});
    create(&bench, &feed(&[update])).await;
    wait(490.0).await;
    let listing = bench.amazon.listing(SELLER, "A").unwrap();
    assert_eq!((listing.quantity, listing.lead_time), (Some(9), None));
    assert_eq!(bench.amazon.stats().violations(ViolationKind::LeadTimeWiped), 1);
}

#[tokio::test(start_paused = true)]
async fn a_late_feed_overwrites_a_newer_patch() {
    let bench = bench().await;
    create(&bench, &feed(&[message(1, "A", 9)])).await;
    wait(60.0).await;
    bench.merge("A", 3).await;
    bench.merge("A", 0).await;
    assert_eq!(bench.amazon.stats().violations(ViolationKind::PatchedInsideFeed), 1, "a zero is the exception");
    wait(10.0).await;
    assert_eq!(bench.quantity("A"), Some(0));
    wait(600.0).await;
    assert_eq!(bench.quantity("A"), Some(9));
}

#[tokio::test(start_paused = true)]
async fn a_stuck_feed_holds_up_the_next_until_it_is_released() {
    let bench = bench().await;
    bench.amazon.fault(Fault { count: Some(1), ..Fault::new(FaultKind::Stuck) });
    let first = create(&bench, &feed(&[message(1, "A", 7)])).await;
    let second = create(&bench, &feed(&[message(1, "A", 8)])).await;
    wait(48.0 * 3600.0).await;
    bench.sign_in().await;
    assert_eq!(status(&bench, &first).await["processingStatus"], "IN_PROGRESS");
    assert_eq!(status(&bench, &second).await["processingStatus"], "IN_QUEUE");
    assert_eq!(send(bench.signed(Method::DELETE, &format!("{FEEDS}/{first}"))).await.unwrap().status, 400);
    bench.amazon.clear_faults();
    assert_eq!(status(&bench, &first).await["processingStatus"], "DONE");
    wait(2.0).await;
    assert_eq!(bench.quantity("A"), Some(7));
    wait(360.0).await;
    assert_eq!(bench.quantity("A"), Some(8));
}

#[tokio::test(start_paused = true)]
async fn a_queued_feed_can_be_cancelled_and_does_nothing() {
    let bench = bench().await;
    let id = create(&bench, &feed(&[message(1, "A", 9)])).await;
    assert_eq!(send(bench.signed(Method::DELETE, &format!("{FEEDS}/{id}"))).await.unwrap().status, 200);
    wait(600.0).await;
    assert_eq!(status(&bench, &id).await["processingStatus"], "CANCELLED");
    assert!(bench.amazon.events().is_empty());
    let listed = bench.get(&format!("{FEEDS}?feedTypes=JSON_LISTINGS_FEED&processingStatuses=CANCELLED")).await;
    assert_eq!(listed.json()["feeds"][0]["feedId"], json!(id));
}

#[tokio::test(start_paused = true)]
async fn a_fatal_feed_did_some_of_its_work_and_has_no_report() {
    let listings = "[account.generate]\nlistings = 200\n";
    let bench = Bench::start(&format!("feed_delay = \"8m\"\n{ACCOUNT}{listings}")).await;
    bench.amazon.fault(Fault { count: Some(1), ..Fault::new(FaultKind::Fatal) });
    let messages: Vec<_> = (1..=200).map(|id| message(id, &format!("SKU-{id:05}"), 1)).collect();
    let id = create(&bench, &feed(&messages)).await;
    wait(490.0).await;
    let feed = status(&bench, &id).await;
    assert_eq!((&feed["processingStatus"], feed["resultFeedDocumentId"].is_null()), (&json!("FATAL"), true));
    assert!((50..150).contains(&bench.amazon.events().len()));
}

#[tokio::test(start_paused = true)]
async fn a_document_that_is_no_feed_ends_fatal_with_an_issue_of_the_whole() {
    let bench = bench().await;
    let mut stranger = feed(&[message(1, "A", 9)]);
    stranger["header"]["sellerId"] = json!("A2OTHER");
    let too_many = feed(&vec![message(1, "A", 9); 25_001]);
    for (content, code) in [(json!([]), "4002001"), (stranger, "4002005"), (too_many, "4002001")] {
        let id = create(&bench, &content).await;
        wait(490.0).await;
        assert_eq!(status(&bench, &id).await["processingStatus"], "FATAL");
        let issue = result(&bench, &id).await["issues"][0].clone();
        assert_eq!((&issue["code"], issue["messageId"].is_null()), (&json!(code), true));
    }
    assert!(bench.amazon.events().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_upload_needs_the_same_content_type_within_five_minutes() {
    let bench = bench().await;
    let document = bench.post(DOCUMENTS, json!({"contentType": CONTENT})).await.json();
    let url = document["url"].as_str().unwrap();
    let reply = upload(&bench, url, "application/json", "{}".to_owned()).await;
    assert_eq!(reply.status, 403);
    assert!(reply.text().contains("SignatureDoesNotMatch"));
    wait(300.0).await;
    let reply = upload(&bench, url, CONTENT, "{}".to_owned()).await;
    assert_eq!(reply.status, 403);
    assert!(reply.text().contains("Request has expired"));
}

#[tokio::test(start_paused = true)]
async fn five_listings_feeds_in_five_minutes_are_the_most() {
    let bench = bench().await;
    let content = feed(&[message(1, "A", 9)]);
    for _ in 0..5 {
        create(&bench, &content).await;
    }
    assert_eq!(submit(&bench, &content).await.status, 429);
    wait(299.0).await;
    assert_eq!(submit(&bench, &content).await.status, 429);
    wait(1.0).await;
    assert_eq!(submit(&bench, &content).await.status, 202);
    assert_eq!(bench.amazon.stats().throttled(), 2);
}
