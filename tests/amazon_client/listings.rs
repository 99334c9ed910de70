//! What is read out of Amazon's answers about listings.

use serde_json::{Value, json};
use stocksync::amazon::{Live, Submission};
use stocksync::http::Fault;
use stocksync::model::Channel;

use crate::stub::{Reply, Stub, de, html, json as answer, refusal, skus};

fn page(items: &Value, next: Option<&str>) -> Reply {
    let pagination = next.map_or_else(|| json!({}), |token| json!({"nextToken": token, "previousToken": "p"}));
    answer(200, json!({"numberOfResults": 99, "items": items, "pagination": pagination}).to_string())
}

fn merchant(sku: &str, quantity: u64) -> Value {
    json!({"sku": sku, "fulfillmentAvailability": [{"fulfillmentChannelCode": "DEFAULT", "quantity": quantity}]})
}

fn live(sku: &str, quantity: u32) -> Live {
    Live { seller_sku: sku.into(), channel: Channel::Merchant, quantity: Some(quantity) }
}

/// What a search for `A` and `B` makes of these items.
async fn look(items: Value) -> Result<Vec<Live>, Fault> {
    let stub = Stub::start(move |asked| (asked.operation == "searchListingsItems").then(|| page(&items, None))).await;
    stub.client().look(&de(), &skus(&["A", "B"])).await
}

#[tokio::test(start_paused = true)]
async fn pages_are_followed_to_their_end() {
    let stub = Stub::start(|asked| match (asked.operation, asked.nth) {
        ("searchListingsItems", 1) => Some(page(&json!([merchant("A", 1)]), Some("to+ken/="))),
        ("searchListingsItems", 2) => Some(page(&json!([]), Some("third"))),
        ("searchListingsItems", 3) => Some(page(&json!([merchant("B", 2)]), None)),
        _ => None,
    })
    .await;
    let found = stub.client().look(&de(), &skus(&["A", "B"])).await.unwrap();
    assert_eq!(found, [live("A", 1), live("B", 2)]);
    let searches = stub.asked("searchListingsItems");
    let tokens: Vec<_> = searches.iter().map(|asked| asked.param("pageToken")).collect();
    assert_eq!(tokens, [None, Some("to%2Bken%2F%3D"), Some("third")]);
    assert!(searches.iter().all(|asked| asked.param("identifiers") == Some("A,B")));
}

#[tokio::test(start_paused = true)]
async fn pages_without_end_are_nonsense() {
    let stub = Stub::start(|asked| {
        (asked.operation == "searchListingsItems").then(|| page(&json!([merchant("A", 1)]), Some("again")))
    })
    .await;
    let fault = stub.client().look(&de(), &skus(&["A"])).await.unwrap_err();
    assert!(matches!(&fault, Fault::Nonsense { what } if what.contains("do not end")), "{fault}");
    assert_eq!(stub.count("searchListingsItems"), 20);
}

#[tokio::test(start_paused = true)]
async fn only_what_was_asked_for_is_taken_and_only_once() {
    let found =
        look(json!([merchant("a", 1), merchant("A ", 2), merchant("C", 3), merchant("B", 4), merchant("B", 5)]));
    assert_eq!(found.await.unwrap(), [live("B", 4)]);
    assert_eq!(look(json!([])).await.unwrap(), []);
    let stub = Stub::start(|asked| {
        (asked.operation == "getListingsItem").then(|| answer(200, merchant("A,b", 1).to_string()))
    })
    .await;
    assert_eq!(stub.client().look(&de(), &skus(&["a,b"])).await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn channel_and_quantity_are_those_that_are_live() {
    let amazon = |code: &str| Channel::Amazon(code.to_owned());
    for (availability, channel, quantity) in [
        (json!([{"fulfillmentChannelCode": "DEFAULT", "quantity": 5}]), Channel::Merchant, Some(5)),
        (json!([{"fulfillmentChannelCode": "DEFAULT", "quantity": 0}]), Channel::Merchant, Some(0)),
        (json!([{"fulfillmentChannelCode": "DEFAULT"}]), Channel::Merchant, None),
        (json!([{"fulfillmentChannelCode": "DEFAULT", "quantity": null}]), Channel::Merchant, None),
        (json!([{"fulfillmentChannelCode": "AMAZON_EU"}]), amazon("AMAZON_EU"), None),
        (json!([{"fulfillmentChannelCode": "AMAZON_EU", "quantity": 9}]), amazon("AMAZON_EU"), None),
        (
            json!([{"fulfillmentChannelCode": "DEFAULT", "quantity": 5}, {"fulfillmentChannelCode": "AMAZON_EU"}]),
            amazon("AMAZON_EU"),
            Some(5),
        ),
        (json!([{"fulfillmentChannelCode": "StoreID1", "quantity": 5}]), Channel::Other("StoreID1".into()), None),
        (json!([]), Channel::Unknown, None),
        (json!(null), Channel::Unknown, None),
        // One listing beyond reason must not stop the others; it differs from whatever is desired.
        (
            json!([{"fulfillmentChannelCode": "DEFAULT", "quantity": 9_999_999_999_u64}]),
            Channel::Merchant,
            Some(u32::MAX),
        ),
        (json!([{"fulfillmentChannelCode": "DEFAULT", "quantity": 5, "new": {"x": 1}}]), Channel::Merchant, Some(5)),
    ] {
        let item = json!({"sku": "A", "fulfillmentAvailability": availability, "brandNew": [1], "attributes":
            {"fulfillment_availability": [{"fulfillment_channel_code": "DEFAULT", "quantity": 77}]}});
        let found = look(json!([item])).await.unwrap();
        assert_eq!(found, [Live { seller_sku: "A".into(), channel, quantity }], "{availability}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_does_not_fit_is_nonsense_with_its_path() {
    let quantity = |value: Value| {
        json!([merchant("A", 1), {"sku": "B", "fulfillmentAvailability":
            [{"fulfillmentChannelCode": "DEFAULT", "quantity": value}]}])
    };
    for (items, path) in [
        (quantity(json!("5")), "items[1].fulfillmentAvailability[0].quantity"),
        (quantity(json!(-1)), "items[1].fulfillmentAvailability[0].quantity"),
        (quantity(json!(1.5)), "items[1].fulfillmentAvailability[0].quantity"),
        (json!([{"sku": 7}]), "items[0].sku"),
        (json!([{"asin": "B0"}]), "items[0]: missing field `sku`"),
        (
            json!([{"sku": "A", "fulfillmentAvailability": [{"quantity": 1}]}]),
            "fulfillmentAvailability[0]: missing field",
        ),
        (json!({}), "at items"),
    ] {
        let fault = look(items).await.unwrap_err();
        assert!(matches!(&fault, Fault::Nonsense { what } if what.contains(path)), "{path}: {fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_listing_that_amazon_cannot_read_does_not_hide_the_others() {
    for (status, code) in [(400, "InvalidInput"), (404, "NOT_FOUND"), (414, "URITooLong")] {
        let stub = Stub::start(move |asked| {
            let odd = asked.target.contains("%7C");
            odd.then(|| refusal(status, code, "no", ""))
        })
        .await;
        let found = stub.client().look(&de(), &skus(&["A", "a|b", "B", "..", "x,y", "x,|"])).await.unwrap();
        let names: Vec<&str> = found.iter().map(|live| live.seller_sku.as_str()).collect();
        assert_eq!(names, ["x,y", "A", "B"], "{status}");
        assert_eq!((stub.count("searchListingsItems"), stub.count("getListingsItem")), (1, 5), "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_is_not_the_listings_fails_the_look() {
    for (status, seller_sku) in [(400, "A"), (403, "A"), (403, "a|b"), (415, "A")] {
        let stub =
            Stub::start(move |asked| (asked.operation != "token").then(|| refusal(status, "InvalidInput", "no", "")))
                .await;
        let fault = stub.client().look(&de(), &skus(&[seller_sku])).await.unwrap_err();
        assert_eq!(fault.status(), Some(status), "{seller_sku}: {fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_seller_sku_that_no_path_can_carry_is_never_patched() {
    for seller_sku in [".", "..", ""] {
        let stub = Stub::obliging().await;
        let answer = stub.client().patch(&de(), &seller_sku.into(), 1).await.unwrap();
        assert!(matches!(&answer, Submission::Invalid { .. }), "{answer:?}");
        assert_eq!(stub.count("patchListingsItem") + stub.count("unknown"), 0, "{seller_sku:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_submission_is_accepted_invalid_or_nonsense() {
    let submit = async |body: &'static str| {
        let stub = Stub::start(move |asked| (asked.operation == "patchListingsItem").then(|| answer(200, body))).await;
        stub.client().patch(&de(), &"A".into(), 1).await
    };
    for (body, expected) in [
        (r#"{"sku":"A","status":"ACCEPTED","submissionId":"s"}"#, Ok(None)),
        (r#"{"sku":"A","status":"ACCEPTED","submissionId":"s","issues":null,"new":1}"#, Ok(None)),
        (r#"{"sku":"A","status":"ACCEPTED","submissionId":"s","issues":[{"odd":1}]}"#, Ok(None)),
        (
            r#"{"sku":"A","status":"INVALID","submissionId":"s","issues":[
                {"code":"1","message":"careful","severity":"WARNING","categories":[]},
                {"code":"90220","message":"'x' is required","severity":"ERROR","categories":[]},
                {"code":"99022","message":"not enough","severity":"ERROR","categories":[]}]}"#,
            Ok(Some("90220 'x' is required; 99022 not enough")),
        ),
        (r#"{"sku":"A","status":"INVALID","submissionId":"s","issues":[]}"#, Ok(Some("INVALID without an issue"))),
        (r#"{"sku":"A","status":"VALID","submissionId":"s"}"#, Err("submission status \"VALID\"")),
        (r#"{"sku":"A","submissionId":"s"}"#, Err("missing field `status`")),
        ("", Err("EOF")),
    ] {
        match (submit(body).await, expected) {
            (Ok(Submission::Accepted { submission_id }), Ok(None)) => assert_eq!(submission_id, "s"),
            (Ok(Submission::Invalid { text }), Ok(Some(expected))) => assert_eq!(text, expected),
            (Err(Fault::Nonsense { what }), Err(expected)) => assert!(what.contains(expected), "{what}"),
            (outcome, _) => panic!("{body}: {outcome:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_for_people_is_no_answer() {
    let stub = Stub::start(|asked| (asked.operation != "token").then(|| html(200))).await;
    let fault = stub.client().patch(&de(), &"A".into(), 1).await.unwrap_err();
    assert!(matches!(&fault, Fault::Nonsense { what } if what.contains("HTML")), "{fault}");
    assert_eq!(stub.count("patchListingsItem"), 1);
}
