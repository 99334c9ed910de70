//! Whose fault a refusal is, and what it says to the operator.

use stocksync::amazon::{Cause, is_account_wide};
use stocksync::http::Fault;

use crate::stub::{Reply, Stub, de, html, json, refusal};

const DENIED: &str = "Access to requested resource is denied.";

async fn patch(reply: fn() -> Reply) -> Fault {
    let stub = Stub::start(move |asked| (asked.operation == "patchListingsItem").then(reply)).await;
    stub.client().patch(&de(), &"A".into(), 1).await.unwrap_err()
}

/// An answer, and whether it is the account's fault for a plain seller SKU and for an odd one.
type Case = (fn() -> Reply, bool, bool);

#[tokio::test(start_paused = true)]
async fn a_403_is_the_accounts_unless_the_seller_sku_is_odd() {
    let replies: [Case; 9] = [
        (|| refusal(403, "Unauthorized", DENIED, ""), true, false),
        (|| refusal(403, "Unauthorized", DENIED, "Region mismatch"), true, false),
        (|| html(403), true, false),
        (|| json(403, r#"{"message":"Forbidden"}"#), true, false),
        (|| refusal(403, "Unauthorized", DENIED, "The access token you provided has expired."), true, true),
        (|| json(401, "{}"), true, true),
        (|| refusal(400, "InvalidInput", "no", ""), false, false),
        (|| refusal(404, "NOT_FOUND", "no", ""), false, false),
        (|| refusal(503, "ServiceUnavailable", "later", ""), false, false),
    ];
    for (reply, plain, odd) in replies {
        let stub = Stub::start(move |asked| (asked.operation == "patchListingsItem").then(reply)).await;
        let client = stub.client();
        for (seller_sku, expected) in [("A-1_b.2~", plain), ("A/B", odd), ("Größe", odd), ("a b", odd)] {
            let fault = client.patch(&de(), &seller_sku.into(), 1).await.unwrap_err();
            assert_eq!(is_account_wide(&fault, &seller_sku.into()), expected, "{seller_sku}: {fault}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_403_says_what_is_wrong_and_what_to_do() {
    for (details, cause, advice, said) in [
        ("", Some(Cause::RoleMissing), "role Product Listing in Seller Central > Apps and Services", ""),
        ("Region mismatch", Some(Cause::WrongRegion), "set its `region`", " (Region mismatch)"),
        ("The moon is full.", None, "", " (The moon is full.)"),
    ] {
        let stub = Stub::start(move |asked| {
            (asked.operation == "patchListingsItem").then(|| refusal(403, "Unauthorized", DENIED, details))
        })
        .await;
        let fault = stub.client().patch(&de(), &"A".into(), 1).await.unwrap_err();
        let text = fault.to_string();
        assert_eq!(Cause::of(&fault), cause, "{text}");
        assert!(text.contains(advice), "{text}");
        let bare = cause.map_or_else(|| text.clone(), |cause| cause.without_advice(&text));
        assert_eq!(bare, format!("HTTP 403 Unauthorized: Access to requested resource is denied{said}"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_403_on_an_odd_seller_sku_is_not_said_to_be_the_role() {
    let denied = |details: &'static str| {
        Stub::start(move |asked| {
            (asked.operation == "patchListingsItem").then(|| refusal(403, "Unauthorized", DENIED, details))
        })
    };
    let (role, region) = (denied("").await, denied("Region mismatch").await);
    let fault = role.client().patch(&de(), &"A/B".into(), 1).await.unwrap_err();
    assert_eq!(Cause::of(&fault), None, "{fault}");
    assert!(fault.to_string().contains("does not route the characters of this seller SKU"), "{fault}");
    assert!(fault.to_string().contains("unless others of the account are refused"), "{fault}");
    let fault = region.client().patch(&de(), &"A/B".into(), 1).await.unwrap_err();
    assert_eq!(Cause::of(&fault), Some(Cause::WrongRegion), "{fault}");
}

#[tokio::test(start_paused = true)]
async fn amazons_words_come_through_on_one_line() {
    let text = patch(|| refusal(400, "InvalidInput", "bad\nbody", "line 1\r\nline 2")).await.to_string();
    assert_eq!(text, "HTTP 400 InvalidInput: bad body (line 1  line 2)");
    let text = patch(|| refusal(403, "Unauthorized", DENIED, "access token\nforged=1")).await.to_string();
    assert_eq!(text, "not authorized (HTTP 403): access token forged=1");
    let text = patch(|| json(413, "[]")).await.to_string();
    assert_eq!(text, "HTTP 413: no error in Amazon's envelope");
}
