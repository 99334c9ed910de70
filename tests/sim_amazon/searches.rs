//! Reading listings: one by one, by twenty, and by pages.

use serde_json::{Value, json};
use stocksync::sim::amazon::Edit;

use crate::harness::{ACCOUNT, Bench, DE, FR, SELLER, item, wait};

const LISTINGS: &str = r#"
[[account.listing]]
sku = "A"
asin = "B00A"
quantity = 5
product_name = "A thing"

[[account.listing]]
sku = "NONE"

[[account.listing]]
sku = "FBA"
channel = "AMAZON_EU"

[[account.listing]]
sku = "BARE"
channel = "absent"

[[account.listing]]
sku = "FRENCH"
quantity = 1
marketplaces = ["FR"]

[[account.listing]]
sku = "HIDDEN"
quantity = 1
status = ["DISCOVERABLE"]

[[account.listing]]
sku = "x,y"
"#;

async fn bench() -> Bench {
    Bench::start(&format!("speed = 100.0\n{ACCOUNT}{LISTINGS}")).await
}

async fn search(bench: &Bench, query: &str) -> Value {
    let reply = bench.get(&format!("/listings/2021-08-01/items/{SELLER}?{query}")).await;
    assert_eq!(reply.status, 200, "{query}: {}", reply.text());
    reply.json()
}

fn skus(found: &Value) -> Vec<&str> {
    found["items"].as_array().unwrap().iter().map(|item| item["sku"].as_str().unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn an_unknown_sku_is_404_with_its_name() {
    let bench = bench().await;
    for (path, status) in [(item("A"), 200), (item("ghost"), 404), (item("FRENCH"), 404)] {
        let reply = bench.get(&format!("{path}?marketplaceIds={DE}")).await;
        assert_eq!(reply.status, status);
        if status == 404 {
            assert_eq!(reply.error().0, "NOT_FOUND");
            assert!(reply.text().contains(&format!("not found in marketplace {DE}")));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_live_availability_has_no_marketplace_and_fba_no_quantity() {
    let bench = bench().await;
    let query = format!(
        "marketplaceIds={DE}&identifiersType=SKU&identifiers=A,FBA,BARE,FRENCH,ghost\
        &includedData=fulfillmentAvailability&sortBy=sku&sortOrder=ASC"
    );
    assert_eq!(
        search(&bench, &query).await,
        json!({"numberOfResults": 3, "items": [
            {"sku": "A", "fulfillmentAvailability": [{"fulfillmentChannelCode": "DEFAULT", "quantity": 5}]},
            {"sku": "BARE", "fulfillmentAvailability": []},
            {"sku": "FBA", "fulfillmentAvailability": [{"fulfillmentChannelCode": "AMAZON_EU"}]},
        ]})
    );
}

#[tokio::test(start_paused = true)]
async fn summaries_are_the_default_and_only_of_the_asked_marketplaces() {
    let bench = bench().await;
    let found = search(&bench, &format!("marketplaceIds={DE}&identifiersType=ASIN&identifiers=B00A")).await;
    let now = "2026-11-01T00:00:00Z";
    assert_eq!(
        found["items"],
        json!([{"sku": "A", "summaries": [{
            "marketplaceId": DE, "asin": "B00A", "productType": "PRODUCT", "conditionType": "new_new",
            "status": ["BUYABLE", "DISCOVERABLE"], "itemName": "A thing", "createdDate": now, "lastUpdatedDate": now,
        }]}])
    );
    let both = search(&bench, &format!("marketplaceIds={DE},{FR}&identifiersType=SKU&identifiers=A")).await;
    assert_eq!(both["items"][0]["summaries"].as_array().unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn nothing_to_sell_is_not_buyable() {
    let bench = bench().await;
    for (filter, expected) in [
        ("withStatus=BUYABLE", vec!["A", "FBA"]),
        ("withoutStatus=BUYABLE", vec!["BARE", "HIDDEN", "NONE", "x,y"]),
        ("withIssueSeverity=ERROR", vec![]),
    ] {
        let found = search(&bench, &format!("marketplaceIds={DE}&sortBy=sku&sortOrder=ASC&{filter}")).await;
        assert_eq!(skus(&found), expected, "{filter}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_comma_in_a_sku_cannot_be_in_a_list_and_can_be_read_alone() {
    let bench = bench().await;
    let found = search(&bench, &format!("marketplaceIds={DE}&identifiersType=SKU&identifiers=x%2Cy")).await;
    assert_eq!(found["numberOfResults"], 0);
    assert_eq!(bench.get(&format!("{}?marketplaceIds={DE}", item("x%2Cy"))).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn twenty_identifiers_and_twenty_a_page_are_the_most() {
    let bench = bench().await;
    let skus = |count: usize| vec!["A"; count].join(",");
    for (query, status) in [
        (format!("marketplaceIds={DE}&identifiersType=SKU&identifiers={}", skus(20)), 200),
        (format!("marketplaceIds={DE}&identifiersType=SKU&identifiers={}", skus(21)), 400),
        (format!("marketplaceIds={DE}&identifiers=A"), 400),
        (format!("marketplaceIds={DE}&identifiersType=SKU"), 400),
        (format!("marketplaceIds={DE}&identifiersType=NAME&identifiers=A"), 400),
        (format!("marketplaceIds={DE}&pageSize=20"), 200),
        (format!("marketplaceIds={DE}&pageSize=21"), 400),
        (format!("marketplaceIds={DE}&pageSize=0"), 400),
        (format!("marketplaceIds={DE}&pageToken=nonsense"), 400),
        (format!("marketplaceIds={DE}&includedData=prices"), 400),
        (format!("marketplaceIds={DE}&sortBy=price"), 400),
        (format!("marketplaceIds={DE}&createdAfter=yesterday"), 400),
        (format!("marketplaceIds={DE}&unheard=of"), 400),
        ("marketplaceIds=ATVPDKIKX0DER".to_owned(), 400),
        (String::new(), 400),
    ] {
        let reply = bench.get(&format!("/listings/2021-08-01/items/{SELLER}?{query}")).await;
        assert_eq!(reply.status, status, "{query}");
        wait(0.1).await;
    }
}

#[tokio::test(start_paused = true)]
async fn pages_end_after_a_thousand_items_though_more_are_counted() {
    let generate = "[account.generate]\nlistings = 1205\nsku = \"P{0001}\"\n";
    let bench = Bench::start(&format!("speed = 100.0\n{ACCOUNT}{generate}")).await;
    let query = format!("marketplaceIds={DE}&pageSize=20&sortBy=sku&sortOrder=ASC");
    let mut page = search(&bench, &query).await;
    let mut seen: Vec<String> = Vec::new();
    loop {
        assert_eq!(page["numberOfResults"], 1205);
        seen.extend(skus(&page).into_iter().map(str::to_owned));
        let Some(token) = page["pagination"]["nextToken"].as_str() else { break };
        wait(0.1).await;
        page = search(&bench, &format!("{query}&pageToken={token}")).await;
    }
    assert_eq!((seen.len(), seen[0].as_str(), seen[999].as_str()), (1000, "P0001", "P1000"));
}

#[tokio::test(start_paused = true)]
async fn the_newest_update_comes_first() {
    let bench = bench().await;
    wait(60.0).await;
    bench.amazon.set_listing(SELLER, "NONE", Edit { quantity: Some(1), ..Edit::default() }).unwrap();
    let found = search(&bench, &format!("marketplaceIds={DE}&pageSize=1")).await;
    assert_eq!(skus(&found), ["NONE"]);
    assert!(found["pagination"]["nextToken"].is_string());
    let found = search(&bench, &format!("marketplaceIds={DE}&lastUpdatedAfter=2026-11-01T00:00:30Z")).await;
    assert_eq!(skus(&found), ["NONE"]);
}
