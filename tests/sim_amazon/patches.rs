//! What a patch does, and what it only seems to do.

use reqwest::Method;
use serde_json::{Value, json};
use stocksync::sim::amazon::{Outcome, ViolationKind};

use crate::harness::{ACCOUNT, Bench, DE, FR, SELLER, item, patch, send, wait};

const LISTINGS: &str = r#"
[[account.listing]]
sku = "A"
quantity = 5
lead_time = 12

[[account.listing]]
sku = "FBA"
channel = "AMAZON_EU"

[[account.listing]]
sku = "BAD"
invalid = "the listing is blocked"

[[account.listing]]
sku = "DEAF"
quantity = 5
loses = true
"#;

async fn bench() -> Bench {
    Bench::with(LISTINGS).await
}

async fn read(bench: &Bench, sku: &str, marketplace: &str) -> Value {
    let query = format!("marketplaceIds={marketplace}&includedData=summaries,attributes,fulfillmentAvailability");
    let reply = bench.get(&format!("{}?{query}", item(sku))).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

#[tokio::test(start_paused = true)]
async fn an_accepted_quantity_is_live_only_after_the_delay() {
    let bench = bench().await;
    let reply = bench.merge("A", 9).await;
    assert_eq!((reply.status, &reply.json()["status"]), (200, &json!("ACCEPTED")));
    let item = read(&bench, "A", DE).await;
    assert_eq!(item["fulfillmentAvailability"], json!([{"fulfillmentChannelCode": "DEFAULT", "quantity": 5}]));
    assert_eq!(item["attributes"]["fulfillment_availability"][0]["quantity"], 9, "the attributes run ahead");
    wait(1.999).await;
    assert_eq!(bench.quantity("A"), Some(5));
    wait(0.001).await;
    assert_eq!(bench.quantity("A"), Some(9));
}

#[tokio::test(start_paused = true)]
async fn a_quantity_is_the_listings_whatever_the_marketplace() {
    let bench = bench().await;
    bench.merge("A", 9).await;
    wait(2.0).await;
    let item = read(&bench, "A", FR).await;
    assert_eq!(item["fulfillmentAvailability"][0]["quantity"], 9);
    assert_eq!(item["attributes"]["fulfillment_availability"][0]["quantity"], 5, "France keeps its stale attributes");
}

#[tokio::test(start_paused = true)]
async fn merge_keeps_the_handling_time_and_replace_wipes_it() {
    let bench = bench().await;
    for (op, lead_time, wiped) in [("merge", Some(12), 0), ("replace", None, 1)] {
        bench.patch("A", op, json!({"fulfillment_channel_code": "DEFAULT", "quantity": 7})).await;
        wait(2.0).await;
        assert_eq!(bench.amazon.listing(SELLER, "A").unwrap().lead_time, lead_time, "{op}");
        assert_eq!(bench.amazon.stats().violations(ViolationKind::LeadTimeWiped), wiped, "{op}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_sku_is_accepted_without_effect() {
    let bench = bench().await;
    let reply = bench.merge("nobody", 9).await;
    assert_eq!((&reply.json()["status"], &reply.json()["issues"]), (&json!("ACCEPTED"), &json!([])));
    wait(10.0).await;
    assert_eq!(bench.amazon.listing(SELLER, "nobody"), None);
    assert_eq!(bench.amazon.events()[0].outcome, Outcome::UnknownSku);
    assert_eq!(bench.amazon.stats().violations(ViolationKind::UnknownSku), 1);
}

#[tokio::test(start_paused = true)]
async fn a_merchant_quantity_on_an_fba_listing_strands_its_stock() {
    let bench = bench().await;
    assert_eq!(bench.merge("FBA", 9).await.json()["status"], "ACCEPTED");
    assert_eq!(bench.amazon.stats().violations(ViolationKind::FbaConverted), 1);
    wait(2.0).await;
    let listing = bench.amazon.listing(SELLER, "FBA").unwrap();
    assert_eq!((listing.channels, listing.quantity, listing.stranded), (vec!["DEFAULT".to_owned()], Some(9), true));
}

#[tokio::test(start_paused = true)]
async fn mistakes_inside_a_patch_are_invalid_with_http_200() {
    let bench = Bench::start(&format!("speed = 1000.0\n{ACCOUNT}{LISTINGS}")).await;
    let at_path = |path: &str| {
        let mut body = patch("merge", json!({"fulfillment_channel_code": "DEFAULT", "quantity": 1}));
        body["patches"][0]["path"] = json!(path);
        body
    };
    for (body, code) in [
        (at_path("/attributes/fulfillmentAvailability"), "90000900"),
        (at_path("/attributes/fulfillment_availability/0"), "90000900"),
        (at_path("/fulfillment_availability"), "90000900"),
        (patch("merge", json!({"quantity": 1})), "99022"),
        (patch("merge", json!({"fulfillment_channel_code": "", "quantity": 1})), "99022"),
        (patch("merge", json!({"fulfillment_channel_code": "DEFAULT"})), "90220"),
        (patch("merge", json!({"fulfillment_channel_code": "DEFAULT", "quantity": -1})), "90000900"),
        (patch("merge", json!({"fulfillment_channel_code": "DEFAULT", "quantity": 1.5})), "90000900"),
        (patch("merge", json!({"fulfillment_channel_code": "DEFAULT", "quantity": "1"})), "90000900"),
        (patch("merge", json!({"fulfillment_channel_code": "AMAZON_EU", "quantity": 1})), "4000003"),
        (patch("merge", json!({"fulfillment_channel_code": "SHELF", "quantity": 1})), "90000900"),
        (
            patch("merge", json!({"fulfillment_channel_code": "DEFAULT", "quantity": 1, "marketplace_id": DE})),
            "90000900",
        ),
        (
            patch(
                "replace",
                json!({"fulfillment_channel_code": "DEFAULT", "quantity": 1, "lead_time_to_ship_max_days": 31}),
            ),
            "90000900",
        ),
    ] {
        let reply = bench.patch_body("A", &body).await;
        let answer = reply.json();
        assert_eq!((reply.status, &answer["status"]), (200, &json!("INVALID")), "{body}");
        assert_eq!(answer["issues"][0]["code"], code, "{body}");
        assert_eq!(answer["issues"][0]["severity"], "ERROR");
        wait(0.1).await;
    }
    assert_eq!(
        bench
            .patch_body("BAD", &patch("merge", json!({"fulfillment_channel_code": "DEFAULT", "quantity": 1})))
            .await
            .json()["issues"][0]["message"],
        "the listing is blocked"
    );
    assert!(bench.amazon.events().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_parsed_is_400_invalid_input() {
    let bench = Bench::start(&format!("speed = 1000.0\n{ACCOUNT}{LISTINGS}")).await;
    let good = patch("merge", json!({"fulfillment_channel_code": "DEFAULT", "quantity": 1}));
    let with = |pointer: &str, value: Value| {
        let mut body = good.clone();
        *body.pointer_mut(pointer).unwrap() = value;
        body
    };
    for body in [
        json!([]),
        json!({"productType": "PRODUCT"}),
        json!({"patches": good["patches"]}),
        with("/patches", json!({})),
        with("/patches", json!([])),
        with("/patches/0/op", json!("increment")),
        with("/patches/0/value", json!({"fulfillment_channel_code": "DEFAULT", "quantity": 1})),
        with("/patches/0/value", json!([])),
        with("/patches/0/value", json!([1])),
        with("/productType", json!(1)),
    ] {
        let reply = bench.patch_body("A", &body).await;
        assert_eq!((reply.status, reply.error().0.as_str()), (400, "InvalidInput"), "{body}");
        wait(0.1).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_patch_needs_a_marketplace_that_the_account_sells_in_and_json() {
    let bench = bench().await;
    let body = patch("merge", json!({"fulfillment_channel_code": "DEFAULT", "quantity": 1}));
    for (query, status) in [
        (String::new(), 400),
        ("?marketplaceIds=ATVPDKIKX0DER".to_owned(), 400),
        (format!("?marketplaceIds={DE}&pageSize=1"), 400),
        (format!("?marketplaceIds={DE},{FR}&issueLocale=en_US"), 200),
    ] {
        let reply = send(bench.signed(Method::PATCH, &format!("{}{query}", item("A"))).json(&body)).await.unwrap();
        assert_eq!(reply.status, status, "{query}");
    }
    let text = bench.signed(Method::PATCH, &format!("{}?marketplaceIds={DE}", item("A"))).body(body.to_string());
    assert_eq!(send(text.header("content-type", "text/plain")).await.unwrap().status, 415);
    wait(1.0).await;
    let large = bench.signed(Method::PATCH, &format!("{}?marketplaceIds={DE}", item("A")));
    let large = large.header("content-type", "application/json").body("x".repeat(11 << 20));
    assert_eq!(send(large).await.unwrap().status, 413);
}

#[tokio::test(start_paused = true)]
async fn a_preview_validates_and_stores_nothing() {
    let bench = bench().await;
    let preview = format!("?marketplaceIds={DE}&mode=VALIDATION_PREVIEW");
    for (quantity, status) in [(json!(9), "VALID"), (json!(-9), "INVALID")] {
        let body = patch("merge", json!({"fulfillment_channel_code": "DEFAULT", "quantity": quantity}));
        let reply = send(bench.signed(Method::PATCH, &format!("{}{preview}", item("A"))).json(&body)).await.unwrap();
        assert_eq!((reply.status, &reply.json()["status"]), (200, &json!(status)));
    }
    wait(10.0).await;
    assert_eq!(bench.quantity("A"), Some(5));
    assert!(bench.amazon.events().is_empty());
}

#[tokio::test(start_paused = true)]
async fn changes_go_live_in_the_order_of_their_acceptance_however_long_each_takes() {
    let bench = Bench::start(&format!("apply_delay = {{ min = \"0s\", max = \"30s\" }}\n{ACCOUNT}{LISTINGS}")).await;
    for quantity in 10..60 {
        bench.merge("A", quantity).await;
        wait(0.3).await;
    }
    wait(30.0).await;
    assert_eq!(bench.quantity("A"), Some(59));
    let events = bench.amazon.events();
    assert!(events.is_sorted_by_key(|event| event.applied_at));
}

#[tokio::test(start_paused = true)]
async fn a_lost_change_is_accepted_and_shows_in_the_attributes_only() {
    let bench = bench().await;
    assert_eq!(bench.merge("DEAF", 9).await.json()["status"], "ACCEPTED");
    wait(600.0).await;
    let item = read(&bench, "DEAF", DE).await;
    assert_eq!(item["fulfillmentAvailability"][0]["quantity"], 5);
    assert_eq!(item["attributes"]["fulfillment_availability"][0]["quantity"], 9);
    assert_eq!(bench.amazon.events()[0].outcome, Outcome::Lost);
}

#[tokio::test(start_paused = true)]
async fn the_path_is_percent_decoded_byte_for_byte() {
    let skus = ["a b", "a+b", "a/b", "50%", "ä#1", "a,b"];
    let listings = skus.map(|sku| format!("[[account.listing]]\nsku = \"{sku}\"\n")).concat();
    let bench = Bench::start(&format!("speed = 100.0\n{ACCOUNT}{listings}")).await;
    for (sku, path) in skus.iter().zip(["a%20b", "a+b", "a%2Fb", "50%25", "%C3%A4%231", "a%2Cb"]) {
        let reply = bench.merge(path, 3).await;
        assert_eq!((reply.status, &reply.json()["sku"]), (200, &json!(sku)));
        wait(2.0).await;
        assert_eq!(bench.quantity(sku), Some(3));
    }
    assert_eq!(bench.merge("a/b", 4).await.status, 403, "an unencoded slash is another path");
}

#[tokio::test(start_paused = true)]
async fn every_accepted_write_is_in_the_event_log() {
    let bench = bench().await;
    let reply = bench.merge("A", 9).await;
    wait(2.0).await;
    let events = bench.request(Method::GET, "/_control/amazon/events");
    let events = send(events).await.unwrap().json();
    assert_eq!(
        events,
        json!([{
            "at": "2026-11-01T00:00:00Z", "seller_id": SELLER, "sku": "A", "op": "merge", "channel": "DEFAULT",
            "quantity": 9, "marketplace_ids": [DE], "lane": "patch", "feed_id": null,
            "user_agent": "test/1.0 (Language=Rust)", "request_id": reply.header("x-amzn-requestid").unwrap(),
            "submission_id": reply.json()["submissionId"], "outcome": "applied",
            "applied_at": "2026-11-01T00:00:02Z",
        }])
    );
}
