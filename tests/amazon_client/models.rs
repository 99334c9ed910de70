//! Every request against Amazon's own models, where those are at hand.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::schema::{check, model};
use crate::stub::{Asked, Stub, de, json as answer, skus};

const MODELS: [&str; 4] =
    ["listingsItems_2021-08-01.json", "reports_2021-06-30.json", "feeds_2021-06-30.json", "sellers.json"];

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8().unwrap().into_owned()
}

/// Whether a path is one of the template, every `{parameter}` filled with one segment.
fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    let same = |(template, is): (&&str, &&str)| if template.starts_with('{') { !is.is_empty() } else { template == is };
    template.len() == path.len() && template.iter().zip(&path).all(same)
}

fn find<'a>(models: &'a [Value], asked: &Asked, path: &str) -> Option<(&'a Value, &'a Value)> {
    models.iter().find_map(|model| {
        let (_, operations) = model["paths"].as_object().unwrap().iter().find(|(template, _)| fits(template, path))?;
        Some((model, operations.get(asked.method.to_lowercase())?))
    })
}

/// A query parameter's text as the value that its declared type makes of it.
fn value(declared: &Value, text: &str) -> Value {
    match declared["type"].as_str() {
        Some("array") => text.split(',').map(|item| Value::from(decode(item))).collect(),
        Some("integer") => text.parse::<i64>().map_or_else(|_| json!(text), |number| json!(number)),
        Some("boolean") => text.parse::<bool>().map_or_else(|_| json!(text), |is| json!(is)),
        _ => Value::from(decode(text)),
    }
}

fn check_query(model: &Value, parameters: &[Value], query: &str, wrong: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, text) = pair.split_once('=').unwrap();
        let Some(declared) = parameters.iter().find(|one| one["in"] == "query" && one["name"] == name) else {
            wrong.push(format!("no parameter {name}"));
            continue;
        };
        if !seen.insert(name) {
            wrong.push(format!("{name} is given twice"));
        }
        let value = value(declared, text);
        // The list is split at commas after decoding.
        if value.as_array().into_iter().flatten().any(|item| item.as_str().unwrap().contains(',')) {
            wrong.push(format!("{name} has a comma inside a value"));
        }
        // `required` of a parameter is a flag, of a schema a list.
        let mut schema = declared.clone();
        schema.as_object_mut().unwrap().remove("required");
        check(model, &schema, &value, name, wrong);
    }
    for one in parameters.iter().filter(|one| one["in"] == "query" && one["required"] == true) {
        let name = one["name"].as_str().unwrap();
        if !seen.contains(name) {
            wrong.push(format!("{name} is missing"));
        }
    }
}

/// What is wrong with a request, by the models.
fn objections(models: &[Value], asked: &Asked) -> Vec<String> {
    let (path, query) = asked.target.split_once('?').unwrap_or((&asked.target, ""));
    let Some((model, operation)) = find(models, asked, path) else {
        return vec![format!("no operation {} {path}", asked.method)];
    };
    let mut wrong = Vec::new();
    if operation["operationId"] != asked.operation {
        wrong.push(format!("is {} and not {}", operation["operationId"], asked.operation));
    }
    let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
    check_query(model, &parameters, query, &mut wrong);
    match parameters.iter().find(|one| one["in"] == "body") {
        Some(body) => {
            let value = serde_json::from_str(&asked.body).unwrap_or(Value::Null);
            check(model, &body["schema"], &value, "body", &mut wrong);
            if asked.header("content-type") != Some("application/json") {
                wrong.push("the body is not said to be JSON".into());
            }
        }
        None if asked.body.is_empty() => {}
        None => wrong.push("a body that nobody asked for".into()),
    }
    wrong
}

/// One of everything that the client can ask, odd names included.
async fn ask_everything(stub: &Stub) -> Vec<Asked> {
    let client = stub.client();
    let names: Vec<String> = (1..=45).map(|n| format!("S {n}/#?&=+%ü")).chain(["a,b".into(), "..".into()]).collect();
    let names = skus(&names.iter().map(String::as_str).collect::<Vec<_>>());
    client.look(&de(), &names).await.unwrap();
    for name in names.iter().step_by(9) {
        client.patch(&de(), name, 0).await.unwrap();
    }
    client.report(&de()).await.unwrap();
    client.participations().await.unwrap();
    client.may_search(&de()).await.unwrap();
    client.may_read_reports().await.unwrap();
    let mut draft = client.feed_draft();
    draft.push(&names[0], 0).unwrap();
    let document_id = client.upload_feed(&draft.finish().unwrap()).await.unwrap();
    client.create_feed(client.feed_permit().await, &document_id, &[de()]).await.unwrap();
    client.feed("F/1").await.unwrap();
    client.feeds("2026-10-31T23:00:00Z".parse().unwrap()).await.unwrap();
    client.cancel_feed("F/1").await.unwrap();
    client.feed_report("R 1").await.unwrap();
    let modelled = |asked: &Asked| !matches!(asked.operation, "token" | "document" | "upload");
    stub.all_asked().into_iter().filter(modelled).collect()
}

#[tokio::test(start_paused = true)]
async fn every_request_is_one_that_the_models_know() {
    let Some(models) = MODELS.iter().map(|name| model(name)).collect::<Option<Vec<_>>>() else { return };
    let stub = Stub::start(|asked| {
        let page = match (asked.operation, asked.nth) {
            ("searchListingsItems", 1) => r#"{"numberOfResults":0,"items":[],"pagination":{"nextToken":"a+/=&,"}}"#,
            ("getFeeds", 1) => r#"{"feeds":[],"nextToken":"a+/=&,"}"#,
            _ => return None,
        };
        Some(answer(200, page))
    })
    .await;
    let asked = ask_everything(&stub).await;
    for asked in &asked {
        let wrong = objections(&models, asked);
        assert!(wrong.is_empty(), "{} {}: {wrong:#?}", asked.method, asked.target);
    }
    let operations: BTreeSet<String> = asked.iter().map(|asked| asked.operation.to_owned()).collect();
    // A request that is made anywhere in the client, and that nobody asks for above, is missing here.
    assert_eq!(operations, in_the_client(&models));
}

/// The operations that the client's sources name, to be called or to be logged.
fn in_the_client(models: &[Value]) -> BTreeSet<String> {
    let paths = models.iter().flat_map(|model| model["paths"].as_object().unwrap().values());
    let operations = paths.flat_map(|path| path.as_object().unwrap().values());
    let known: BTreeSet<&str> = operations.filter_map(|operation| operation["operationId"].as_str()).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/amazon");
    let files = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).chain([folder.with_extension("rs")]);
    let sources: Vec<String> = files.map(|file| fs::read_to_string(file).unwrap()).collect();
    let mut named = BTreeSet::new();
    for code in sources.iter().map(|source| source.split("#[cfg(test)]").next().unwrap()) {
        named.extend(code.split('"').filter(|literal| known.contains(literal)).map(str::to_owned));
        // Whatever is called is named first; a name that no model knows would stand here, too.
        let calls = code.split(".call(").skip(1).map(str::trim_start);
        named.extend(calls.filter_map(|call| Some(call.strip_prefix('"')?.split('"').next()?.to_owned())));
    }
    named
}

#[tokio::test(start_paused = true)]
async fn a_sign_in_is_what_amazon_documents() {
    let stub = Stub::obliging().await;
    stub.client().sign_in().await.unwrap();
    let asked = stub.asked("token").remove(0);
    assert_eq!((asked.method.as_str(), asked.target.as_str()), ("POST", "/auth/o2/token"));
    assert_eq!(asked.header("content-type"), Some("application/x-www-form-urlencoded;charset=UTF-8"));
    let fields = asked.body.split('&').map(|pair| pair.split_once('=').unwrap());
    let fields: Vec<_> = fields.map(|(name, value)| (name, decode(value))).collect();
    let expected = [
        ("grant_type", "refresh_token"),
        ("refresh_token", "Atzr|refresh"),
        ("client_id", "amzn1.application-oa2-client.1"),
        ("client_secret", "s/e+c=r t"),
    ];
    assert_eq!(fields, expected.map(|(name, value)| (name, value.to_owned())));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_the_models_do_not_know_is_noticed() {
    let Some(models) = MODELS.iter().map(|name| model(name)).collect::<Option<Vec<_>>>() else { return };
    let stub = Stub::obliging().await;
    let asked = ask_everything(&stub).await;
    let of = |operation: &str| asked.iter().find(|asked| asked.operation == operation).unwrap().clone();
    let spoil = |operation: &str, from: &str, to: &str| {
        let mut asked = of(operation);
        let (target, body) = (asked.target.replacen(from, to, 1), asked.body.replacen(from, to, 1));
        assert!(target != asked.target || body != asked.body, "{from} is not in {asked:?}");
        (asked.target, asked.body) = (target, body);
        asked
    };
    for (asked, expected) in [
        (spoil("patchListingsItem", "%2F", "/"), "no operation"),
        (spoil("patchListingsItem", "marketplaceIds", "marketplaceId"), "marketplaceIds is missing"),
        (spoil("patchListingsItem", "merge", "test"), "not one of"),
        (spoil("patchListingsItem", "\"patches\"", "\"patch\""), "patches is missing"),
        (spoil("patchListingsItem", "}]}]}", "}]}],\"x\":1}"), "no property x"),
        (spoil("searchListingsItems", "pageSize=20", "pageSize=21"), "maximum"),
        (spoil("searchListingsItems", "identifiers=", "identifiers=A,"), "maxItems"),
        (spoil("searchListingsItems", "identifiers=", "identifiers=a%2C"), "comma"),
        (spoil("searchListingsItems", "=SKU", "=SKUS"), "not one of"),
        (spoil("searchListingsItems", "includedData=", "includedData=everything,"), "not one of"),
        (spoil("createReport", "[\"A1PA6795UKMFR9\"]", "[]"), "minItems"),
        (spoil("getReport", "R%2F1", ""), "no operation"),
        (spoil("createFeed", "[\"A1PA6795UKMFR9\"]", "[]"), "minItems"),
        (spoil("createFeed", "inputFeedDocumentId", "documentId"), "inputFeedDocumentId is missing"),
        (spoil("createFeedDocument", "contentType", "type"), "contentType is missing"),
        (spoil("getFeeds", "pageSize=100", "pageSize=101"), "maximum"),
        (spoil("getFeeds", "createdSince=2026", "createdSince=in%202026"), "is no time"),
        (spoil("getReports", "reportTypes=", "reportType="), "no parameter reportType"),
    ] {
        let wrong = objections(&models, &asked).join("; ");
        assert!(wrong.contains(expected), "{expected}: {wrong}");
    }
}
