//! Every kind of answer against Amazon's own models, where those are at hand.

use reqwest::Method;
use serde_json::{Value, json};
use stocksync::sim::amazon::{Fault, FaultKind};

use crate::feeds::{FEEDS, create, feed, message, result};
use crate::harness::{ACCOUNT, Bench, DE, Reply, SELLER, item, send, wait};
use crate::schema::{check, model};

const LISTINGS: &str = r#"
[[account.listing]]
sku = "A"
quantity = 5
lead_time = 3

[[account.listing]]
sku = "FBA"
channel = "AMAZON_EU"

[[account.listing]]
sku = "BAD"
invalid = "the listing is blocked"
"#;

/// Holds an answer against what the model says of that operation and status, headers and all.
fn assert_answer(model: &Value, method: &str, path: &str, reply: &Reply) {
    let operation = &model["paths"][path][method];
    let declared = &operation["responses"][reply.status.to_string()];
    assert!(declared.is_object(), "{method} {path}: no status {}", reply.status);
    let mut wrong = Vec::new();
    check(model, &declared["schema"], &reply.json(), "body", &mut wrong);
    assert!(wrong.is_empty(), "{method} {path} {}: {wrong:#?}", reply.status);
    for header in ["x-amzn-RequestId", "x-amzn-RateLimit-Limit"] {
        let (has, may) = (reply.header(header).is_some(), declared["headers"][header].is_object());
        assert!(
            !has || may || reply.status == 202 || reply.status == 201,
            "{method} {path} {}: {header}",
            reply.status
        );
    }
}

#[tokio::test(start_paused = true)]
async fn listings_answers_are_as_the_model_says() {
    let Some(model) = model("listingsItems_2021-08-01.json") else { return };
    let bench = Bench::start(&format!("speed = 100.0\n{ACCOUNT}{LISTINGS}")).await;
    let one = "/listings/2021-08-01/items/{sellerId}/{sku}";
    let all = "/listings/2021-08-01/items/{sellerId}";
    let everything = format!(
        "marketplaceIds={DE}&includedData=summaries,attributes,issues,offers,\
        fulfillmentAvailability,procurement,relationships,productTypes"
    );
    for sku in ["A", "FBA", "BAD", "ghost"] {
        assert_answer(&model, "get", one, &bench.get(&format!("{}?{everything}", item(sku))).await);
        assert_answer(&model, "patch", one, &bench.merge(sku, 4).await);
        wait(0.1).await;
    }
    assert_answer(&model, "patch", one, &bench.patch_body("A", &json!({})).await);
    let search = format!("/listings/2021-08-01/items/{SELLER}");
    for query in [everything.as_str(), &format!("{everything}&pageSize=1"), "marketplaceIds=nowhere"] {
        assert_answer(&model, "get", all, &bench.get(&format!("{search}?{query}")).await);
    }
    for kind in [FaultKind::Status500, FaultKind::Status503, FaultKind::Status429, FaultKind::RoleMissing] {
        bench.amazon.fault(Fault { count: Some(1), ..Fault::new(kind) });
        assert_answer(&model, "patch", one, &bench.merge("A", 4).await);
    }
}

#[tokio::test(start_paused = true)]
async fn report_answers_are_as_the_model_says() {
    let Some(model) = model("reports_2021-06-30.json") else { return };
    let bench = Bench::start(&format!("[report]\ngzip = true\n{ACCOUNT}{LISTINGS}")).await;
    let (all, one) = ("/reports/2021-06-30/reports", "/reports/2021-06-30/reports/{reportId}");
    let order = json!({"reportType": "GET_MERCHANT_LISTINGS_ALL_DATA", "marketplaceIds": [DE]});
    let created = bench.post(all, order).await;
    assert_answer(&model, "post", all, &created);
    assert_answer(&model, "post", all, &bench.post(all, json!({})).await);
    let path = format!("{all}/{}", created.json()["reportId"].as_str().unwrap());
    assert_answer(&model, "get", one, &bench.get(&path).await);
    wait(1.0).await;
    let done = bench.get(&path).await;
    assert_answer(&model, "get", one, &done);
    assert_answer(&model, "get", one, &bench.get(&format!("{all}/none")).await);
    assert_answer(&model, "get", all, &bench.get(&format!("{all}?reportTypes=GET_MERCHANT_LISTINGS_ALL_DATA")).await);
    let document = format!("/reports/2021-06-30/documents/{}", done.json()["reportDocumentId"].as_str().unwrap());
    assert_answer(&model, "get", "/reports/2021-06-30/documents/{reportDocumentId}", &bench.get(&document).await);
}

#[tokio::test(start_paused = true)]
async fn feed_answers_and_reports_are_as_the_models_say() {
    let (Some(model), Some(schema)) =
        (model("feeds_2021-06-30.json"), model("listings-feed-processing-report-schema-v2.json"))
    else {
        return;
    };
    let bench = Bench::with(LISTINGS).await;
    let documents = "/feeds/2021-06-30/documents";
    assert_answer(&model, "post", documents, &bench.post(documents, json!({"contentType": "text/plain"})).await);
    assert_answer(&model, "post", FEEDS, &bench.post(FEEDS, json!({})).await);
    let mut content = feed(&[message(1, "A", 9), message(2, "A", -1), message(3, "BAD", 1)]);
    content["header"]["report"] =
        json!({"includedData": ["issues", "fulfillmentAvailability"], "apiVersion": "2021-08-01"});
    let id = create(&bench, &content).await;
    let one = "/feeds/2021-06-30/feeds/{feedId}";
    assert_answer(&model, "get", one, &bench.get(&format!("{FEEDS}/{id}")).await);
    wait(180.0).await;
    assert_answer(&model, "get", one, &bench.get(&format!("{FEEDS}/{id}")).await);
    assert_answer(&model, "get", FEEDS, &bench.get(&format!("{FEEDS}?feedTypes=JSON_LISTINGS_FEED")).await);
    let report = result(&bench, &id).await;
    let mut wrong = Vec::new();
    check(&schema, &schema, &report, "report", &mut wrong);
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(report["items"].as_array().unwrap().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn participations_are_as_the_model_says() {
    let Some(model) = model("sellers.json") else { return };
    let bench = Bench::with("").await;
    let path = "/sellers/v1/marketplaceParticipations";
    assert_answer(&model, "get", path, &send(bench.signed(Method::GET, path)).await.unwrap());
}
