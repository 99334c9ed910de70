//! Feed documents: what goes into them, how much of it, and how it is escaped.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use serde_json::{Value, json};
use stocksync::amazon::{FeedDocument, FeedDraft, Unfit};
use stocksync::model::SellerSku;

use crate::schema::{check, model};
use crate::stub::client;

const MOST_MESSAGES: u32 = 25_000;
const TEN_MIB: usize = 10_485_760;

/// SKUs that people really have, and such as only a fault makes.
const ODD: [&str; 16] = [
    "A-1_b.2~",
    "A/B",
    " A B ",
    "100%",
    "%2F",
    "a,b",
    "a?b&c=d#e",
    "a\\b|c",
    "'\"<>`",
    "Größe",
    "＆日本",
    "..",
    "\u{1F4E6}\u{200D}\u{2028}",
    "tab\tnewline\nnull\0",
    "\u{7f}\u{9f}\u{feff}",
    "\",\"quantity\":0},{\"",
];

fn draft() -> FeedDraft {
    client("http://unused.invalid", "http://unused.invalid").feed_draft()
}

fn read(document: &FeedDocument) -> Value {
    serde_json::from_slice(document.bytes()).unwrap()
}

/// What a document with these messages, and no others, is.
fn expected(messages: &[(u32, &str, u32)]) -> Value {
    let message = |(id, sku, quantity): &(u32, &str, u32)| {
        let value = json!([{"fulfillment_channel_code": "DEFAULT", "quantity": quantity}]);
        let patch = json!({"op": "merge", "path": "/attributes/fulfillment_availability", "value": value});
        json!({"messageId": id, "sku": sku, "operationType": "PATCH", "productType": "PRODUCT", "patches": [patch]})
    };
    let messages: Vec<Value> = messages.iter().map(message).collect();
    json!({"header": {"sellerId": "A1SELLER", "version": "2.0", "issueLocale": "en_US"}, "messages": messages})
}

/// What Amazon's schemas have against a document: that of feeds, and that of a message alone.
fn objections(document: &Value) -> Option<Vec<String>> {
    let feed = model("listings-feed-schema-v2.json")?;
    let message = model("listings-feed-message-schema-v2.json")?;
    let mut wrong = Vec::new();
    check(&feed, &feed, document, "feed", &mut wrong);
    for one in document["messages"].as_array().unwrap() {
        check(&message, &message, one, "message", &mut wrong);
    }
    Some(wrong)
}

#[test]
fn a_document_is_these_bytes() {
    let mut draft = draft();
    assert_eq!(draft.push(&"My \"SKU\"".into(), 10), Ok(1));
    assert_eq!(draft.push(&"Größe".into(), u32::MAX), Ok(2));
    let document = draft.finish().unwrap();
    assert_eq!(
        std::str::from_utf8(document.bytes()).unwrap(),
        r#"{"header":{"sellerId":"A1SELLER","version":"2.0","issueLocale":"en_US"},"messages":[{"messageId":1,"sku":"My \"SKU\"","operationType":"PATCH","productType":"PRODUCT","patches":[{"op":"merge","path":"/attributes/fulfillment_availability","value":[{"fulfillment_channel_code":"DEFAULT","quantity":10}]}]},{"messageId":2,"sku":"Größe","operationType":"PATCH","productType":"PRODUCT","patches":[{"op":"merge","path":"/attributes/fulfillment_availability","value":[{"fulfillment_channel_code":"DEFAULT","quantity":4294967295}]}]}]}"#
    );
    assert_eq!(document.messages(), 2);
}

#[test]
fn every_odd_seller_sku_arrives_as_it_is_in_what_amazons_schemas_allow() {
    let mut draft = draft();
    let messages: Vec<(u32, &str, u32)> = (1..).zip(ODD).map(|(id, sku)| (id, sku, id * 7)).collect();
    for (id, sku, quantity) in &messages {
        assert_eq!(draft.push(&(*sku).into(), *quantity), Ok(*id));
    }
    let document = read(&draft.finish().unwrap());
    assert_eq!(document, expected(&messages));
    assert_eq!(objections(&document).unwrap_or_default(), [""; 0]);
}

#[test]
fn a_document_that_the_schemas_do_not_allow_is_noticed() {
    type Spoil = fn(&mut Value);
    let spoils: [(Spoil, &str); 9] = [
        (|feed| feed["header"]["version"] = json!("1.0"), "is not \"2.0\""),
        (|feed| feed["header"]["merchant"] = json!("A"), "no property merchant"),
        (|feed| feed["messages"] = json!([]), "minItems"),
        (|feed| feed["messages"][0]["messageId"] = json!(0), "minimum"),
        (|feed| feed["messages"][0]["sku"] = json!(""), "minLength"),
        (|feed| feed["messages"][0]["operationType"] = json!("PARTIAL_UPDATE"), "fits 0 of the 4 choices"),
        (|feed| feed["messages"][0]["attributes"] = json!({}), "fits 0 of the 4 choices"),
        (|feed| feed["messages"][0]["patches"][0]["op"] = json!("increment"), "not one of"),
        (|feed| feed["messages"][0]["patches"][0]["value"] = json!({}), "not of type"),
    ];
    for (spoil, expected_words) in spoils {
        let mut document = expected(&[(1, "A", 1)]);
        spoil(&mut document);
        let Some(wrong) = objections(&document) else { return };
        assert!(wrong.join("; ").contains(expected_words), "{expected_words}: {wrong:?}");
    }
}

#[test]
fn a_document_takes_25000_messages_and_no_more() {
    let mut draft = draft();
    for id in 1..=MOST_MESSAGES {
        assert_eq!(draft.push(&format!("SKU-{id:012}").into(), id), Ok(id));
    }
    assert_eq!(draft.push(&"one more".into(), 1), Err(Unfit::Full));
    let document = draft.finish().unwrap();
    assert_eq!(document.messages(), MOST_MESSAGES);
    // 230 bytes a message with a SKU of 16 characters.
    assert!((5_500_000..6_000_000).contains(&document.bytes().len()), "{}", document.bytes().len());
    assert_eq!(objections(&read(&document)).unwrap_or_default(), [""; 0]);
}

#[test]
fn a_document_stays_below_ten_mebibytes() {
    let mut draft = draft();
    let sku = |id: u32| SellerSku::from(format!("{id:01000}"));
    let taken = (1..=MOST_MESSAGES).find(|id| draft.push(&sku(*id), 1) == Err(Unfit::Full)).unwrap() - 1;
    // A shorter one still has room.
    assert_eq!(draft.push(&"short".into(), 1), Ok(taken + 1));
    let document = draft.finish().unwrap();
    assert!((TEN_MIB - 1300..TEN_MIB).contains(&document.bytes().len()), "{}", document.bytes().len());
    assert_eq!(read(&document)["messages"].as_array().unwrap().len(), taken as usize + 1);
}

#[test]
fn what_no_document_can_carry_is_told_from_what_the_next_one_can() {
    let mut draft = draft();
    assert_eq!(draft.push(&"".into(), 1), Err(Unfit::Never));
    assert_eq!(draft.push(&"x".repeat(TEN_MIB).into(), 1), Err(Unfit::Never));
    assert_eq!(draft.push(&"x".repeat(TEN_MIB - 500).into(), 1), Ok(1));
    assert_eq!(draft.push(&"x".repeat(1000).into(), 1), Err(Unfit::Full));
    assert_eq!(draft.push(&"x".repeat(TEN_MIB).into(), 1), Err(Unfit::Never));
    assert_eq!(draft.finish().unwrap().messages(), 1);
}

#[test]
fn a_feed_without_a_message_is_none() {
    let mut draft = draft();
    let _ = draft.push(&"".into(), 1);
    assert!(draft.finish().is_none());
}

fn config() -> ProptestConfig {
    let persistence = FileFailurePersistence::WithSource("regressions");
    ProptestConfig { cases: 32, failure_persistence: Some(Box::new(persistence)), ..ProptestConfig::default() }
}

/// The long ones fill a document with few: of some characters JSON makes six.
fn seller_sku() -> impl Strategy<Value = String> {
    let long = (prop::sample::select(vec!['x', '"', '\u{1}', 'ß']), 100_000..300_000_usize);
    prop_oneof![4 => any::<String>(), 1 => long.prop_map(|(letter, length)| letter.to_string().repeat(length))]
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn whatever_was_taken_is_in_the_document_once_and_in_order(rows in vec((seller_sku(), any::<u32>()), 1..40)) {
        let mut draft = draft();
        let mut taken = Vec::new();
        for (sku, quantity) in &rows {
            match draft.push(&sku.as_str().into(), *quantity) {
                Ok(id) => taken.push((id, sku.as_str(), *quantity)),
                Err(Unfit::Never) => prop_assert!(sku.is_empty()),
                Err(Unfit::Full) => prop_assert!(taken.len() > 1),
            }
        }
        let ids: Vec<u32> = taken.iter().map(|(id, ..)| *id).collect();
        prop_assert_eq!(ids, (1..).take(taken.len()).collect::<Vec<u32>>());
        match draft.finish() {
            None => prop_assert!(taken.is_empty()),
            Some(document) => {
                prop_assert!(document.bytes().len() < TEN_MIB);
                prop_assert_eq!(document.messages() as usize, taken.len());
                prop_assert!(read(&document) == expected(&taken));
            }
        }
    }
}
