//! What goes wrong with feeds, by the world file and by the levers.

use reqwest::Method;
use serde_json::{Value, json};
use stocksync::sim::amazon::{Fault, FaultKind, Lane, Outcome};

use crate::feeds::{DOCUMENTS, FEEDS, bench, create, feed, message, result, status};
use crate::harness::{ACCOUNT, Bench, DE, Reply, send, wait};

const LISTED: &str = "[[account.listing]]\nsku = \"A\"\nquantity = 5\n";

async fn cancel(bench: &Bench, id: &str) -> u16 {
    send(bench.signed(Method::DELETE, &format!("{FEEDS}/{id}"))).await.unwrap().status
}

async fn list(bench: &Bench, query: &str) -> Reply {
    bench.get(&format!("{FEEDS}?{query}")).await
}

fn ids(page: &Value) -> Vec<String> {
    page["feeds"].as_array().unwrap().iter().map(|feed| feed["feedId"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_feed_stuck_in_the_queue_holds_up_the_next_until_it_is_cancelled() {
    let stuck = "feed_delay = \"8m\"\n[[fault]]\nkind = \"stuck_in_queue\"\ncount = 1\n";
    let bench = Bench::start(&format!("{stuck}{ACCOUNT}{LISTED}")).await;
    let first = create(&bench, &feed(&[message(1, "A", 7)])).await;
    let second = create(&bench, &feed(&[message(1, "A", 8)])).await;
    wait(72.0 * 3600.0).await;
    bench.sign_in().await;
    for id in [&first, &second] {
        let feed = status(&bench, id).await;
        assert_eq!((&feed["processingStatus"], feed["processingStartTime"].is_null()), (&json!("IN_QUEUE"), true));
    }
    assert_eq!(cancel(&bench, &first).await, 200);
    wait(361.0).await;
    assert_eq!(status(&bench, &first).await["processingStatus"], "CANCELLED");
    assert_eq!(status(&bench, &second).await["processingStatus"], "DONE");
    wait(2.0).await;
    assert_eq!(bench.quantity("A"), Some(8));
}

#[tokio::test(start_paused = true)]
async fn a_feed_that_is_released_into_the_queue_takes_its_usual_time() {
    let bench = bench().await;
    let order = json!({"kind": "stuck_in_queue", "operation": "createFeed", "count": 1});
    assert_eq!(bench.control("fault", order).await.status, 204);
    let id = create(&bench, &feed(&[message(1, "A", 7)])).await;
    wait(3000.0).await;
    assert_eq!(status(&bench, &id).await["processingStatus"], "IN_QUEUE");
    assert_eq!(send(bench.request(Method::DELETE, "/_control/amazon/fault")).await.unwrap().status, 204);
    for (expected, after) in [("IN_PROGRESS", 359.0), ("IN_PROGRESS", 1.0), ("DONE", 0.0)] {
        assert_eq!(status(&bench, &id).await["processingStatus"], expected);
        wait(after).await;
    }
}

#[tokio::test(start_paused = true)]
async fn feeds_are_processed_one_after_the_other() {
    let bench = bench().await;
    let mut created = Vec::new();
    for quantity in 1..=3 {
        created.push(create(&bench, &feed(&[message(1, "A", quantity)])).await);
        wait(10.0).await;
    }
    wait(1500.0).await;
    let mut ended_before = String::new();
    for id in &created {
        let feed = status(&bench, id).await;
        let time = |name: &str| feed[name].as_str().unwrap().to_owned();
        assert!(time("processingStartTime") >= ended_before, "{feed}");
        ended_before = time("processingEndTime");
    }
    let quantities: Vec<_> = bench.amazon.events().iter().map(|event| event.quantity).collect();
    assert_eq!(quantities, [Some(1), Some(2), Some(3)]);
}

#[tokio::test(start_paused = true)]
async fn a_feed_may_do_all_its_work_and_have_no_report() {
    let bench = bench().await;
    bench.amazon.fault(Fault { count: Some(1), ..Fault::new(FaultKind::NoReport) });
    let order = json!({"reportType": "GET_MERCHANT_LISTINGS_ALL_DATA", "marketplaceIds": [DE]});
    assert_eq!(bench.post("/reports/2021-06-30/reports", order).await.status, 202, "it is for feeds");
    let id = create(&bench, &feed(&[message(1, "A", 7)])).await;
    wait(490.0).await;
    let feed = status(&bench, &id).await;
    assert_eq!((&feed["processingStatus"], feed["resultFeedDocumentId"].is_null()), (&json!("DONE"), true));
    assert_eq!(bench.quantity("A"), Some(7));
}

#[tokio::test(start_paused = true)]
async fn a_fatal_feed_may_have_a_report_that_is_none() {
    for gzip in [false, true] {
        let listings = "[account.generate]\nlistings = 200\n";
        let odd = format!("feed_delay = \"8m\"\nreport = {{ gzip = {gzip} }}\n[[fault]]\nkind = \"odd_report\"\n");
        let bench = Bench::start(&format!("{odd}{ACCOUNT}{listings}")).await;
        let messages: Vec<_> = (1..=200).map(|id| message(id, &format!("SKU-{id:05}"), 1)).collect();
        let id = create(&bench, &feed(&messages)).await;
        wait(490.0).await;
        let feed = status(&bench, &id).await;
        assert_eq!(feed["processingStatus"], "FATAL");
        let document = feed["resultFeedDocumentId"].as_str().unwrap();
        let document = bench.get(&format!("{DOCUMENTS}/{document}")).await.json();
        assert_eq!(document["compressionAlgorithm"] == "GZIP", gzip);
        let reply = bench.fetch(document["url"].as_str().unwrap()).await;
        assert_eq!(reply.bytes.starts_with(&[0x1f, 0x8b]), gzip);
        assert_eq!(reply.text().starts_with("Feed Processing Summary"), !gzip);
        assert!((50..150).contains(&bench.amazon.events().len()));
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_feed_sets_may_go_live_long_after_it_is_done_and_over_a_newer_patch() {
    let bench = bench().await;
    let late = json!({"feed_apply_delay": {"min": "10m", "max": "10m"}});
    assert_eq!(bench.control("settings", late).await.status, 204);
    let id = create(&bench, &feed(&[message(1, "A", 9)])).await;
    wait(481.0).await;
    assert_eq!(status(&bench, &id).await["processingStatus"], "DONE");
    bench.merge("A", 3).await;
    wait(3.0).await;
    assert_eq!(bench.quantity("A"), Some(3), "a patch does not wait for the feed");
    wait(590.0).await;
    assert_eq!(bench.quantity("A"), Some(3));
    wait(10.0).await;
    assert_eq!(bench.quantity("A"), Some(9));
}

#[tokio::test(start_paused = true)]
async fn a_feed_is_done_and_some_of_it_never_goes_live() {
    let loses = "[[account.listing]]\nsku = \"LOST\"\nquantity = 5\nloses = true\n";
    let bench = Bench::start(&format!("feed_delay = \"8m\"\n{ACCOUNT}{LISTED}{loses}")).await;
    let id = create(&bench, &feed(&[message(1, "A", 9), message(2, "LOST", 9)])).await;
    wait(3600.0).await;
    bench.sign_in().await;
    let report = result(&bench, &id).await;
    assert_eq!((&report["summary"]["messagesAccepted"], &report["issues"]), (&json!(2), &json!([])));
    assert_eq!((bench.quantity("A"), bench.quantity("LOST")), (Some(9), Some(5)));
    let outcomes: Vec<_> = bench.amazon.events().iter().map(|event| (event.lane, event.outcome)).collect();
    assert_eq!(outcomes, [(Lane::Feed, Outcome::Applied), (Lane::Feed, Outcome::Lost)]);
}

#[tokio::test(start_paused = true)]
async fn a_share_of_the_feeds_fails_and_the_same_seed_fails_the_same() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let half = "speed = 100.0\nfeed_delay = \"1s\"\n[[fault]]\nkind = \"fatal\"\noperation = \"createFeed\"\npercent = 50\n";
        let bench = Bench::start(&format!("{half}{ACCOUNT}{LISTED}")).await;
        let mut fates = Vec::new();
        for quantity in 0..20 {
            let id = create(&bench, &feed(&[message(1, "A", quantity)])).await;
            wait(4.0).await;
            fates.push(status(&bench, &id).await["processingStatus"] == "FATAL");
        }
        assert!((4..=16).contains(&fates.iter().filter(|fatal| **fatal).count()), "{fates:?}");
        runs.push(fates);
    }
    assert_eq!(runs[0], runs[1]);
}

#[tokio::test(start_paused = true)]
async fn the_list_of_feeds_comes_in_pages_that_new_feeds_do_not_shift() {
    let bench = Bench::start(&format!("speed = 1000.0\n{ACCOUNT}{LISTED}")).await;
    let mut created = Vec::new();
    for quantity in 0..7 {
        created.push(create(&bench, &feed(&[message(1, "A", quantity)])).await);
        wait(1.0).await;
    }
    created.reverse();
    let mut page = list(&bench, "feedTypes=JSON_LISTINGS_FEED&pageSize=3").await.json();
    let mut found = ids(&page);
    create(&bench, &feed(&[message(1, "A", 9)])).await;
    while let Some(token) = page["nextToken"].as_str() {
        let token = percent_encoding::utf8_percent_encode(token, percent_encoding::NON_ALPHANUMERIC).to_string();
        assert_eq!(list(&bench, &format!("nextToken={token}&pageSize=3")).await.status, 400, "it must be alone");
        page = list(&bench, &format!("nextToken={token}")).await.json();
        assert!(ids(&page).len() <= 3);
        found.extend(ids(&page));
    }
    assert_eq!(found, created);
    for query in ["nextToken=", "nextToken=nonsense", "pageSize=3", "feedTypes=JSON_LISTINGS_FEED&pageSize=101"] {
        assert_eq!(list(&bench, query).await.status, 400, "{query}");
    }
    let none = list(&bench, "feedTypes=POST_PRODUCT_DATA").await.json();
    assert_eq!(none, json!({"feeds": []}));
}
