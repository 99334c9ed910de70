//! The exact requests.

use axum::http::HeaderName;

use crate::stub::{Asked, DE, ITEMS, Stub, de, skus};

const FORM: &str = "grant_type=refresh_token&refresh_token=Atzr%7Crefresh\
                    &client_id=amzn1.application-oa2-client.1&client_secret=s%2Fe%2Bc%3Dr%20t";

/// SKUs that people really have, and how a path must carry them.
const ODD: [(&str, &str); 14] = [
    ("A-1_b.2~", "A-1_b.2~"),
    ("A/B", "A%2FB"),
    ("A B ", "A%20B%20"),
    ("#1", "%231"),
    ("100%", "100%25"),
    ("%2F", "%252F"),
    ("a+b", "a%2Bb"),
    ("a,b", "a%2Cb"),
    ("a?b&c=d", "a%3Fb%26c%3Dd"),
    ("a\\b|c", "a%5Cb%7Cc"),
    ("'\"<>`", "%27%22%3C%3E%60"),
    ("Größe", "Gr%C3%B6%C3%9Fe"),
    ("＆日本", "%EF%BC%86%E6%97%A5%E6%9C%AC"),
    ("...", "..."),
];

fn header_names(asked: &Asked) -> Vec<&str> {
    let mut names: Vec<&str> = asked.headers.keys().map(HeaderName::as_str).collect();
    names.sort_unstable();
    names
}

#[tokio::test(start_paused = true)]
async fn a_patch_is_one_merge_of_one_quantity() {
    let stub = Stub::obliging().await;
    let client = stub.client();
    for (sku, encoded) in ODD {
        client.patch(&de(), &sku.into(), 4_294_967_295).await.unwrap();
        let asked = stub.asked("patchListingsItem").pop().unwrap();
        assert_eq!(asked.method, "PATCH");
        assert_eq!(asked.target, format!("{ITEMS}/{encoded}?marketplaceIds={DE}&issueLocale=en_US"));
        assert_eq!(
            asked.body,
            r#"{"productType":"PRODUCT","patches":[{"op":"merge","path":"/attributes/fulfillment_availability","value":[{"fulfillment_channel_code":"DEFAULT","quantity":4294967295}]}]}"#
        );
    }
    assert_eq!(stub.count("patchListingsItem"), ODD.len());
}

#[tokio::test(start_paused = true)]
async fn twenty_seller_skus_go_into_one_search_and_one_with_a_comma_goes_alone() {
    let stub = Stub::obliging().await;
    let mut names: Vec<String> = (1..=41).map(|n| format!("S{n}")).collect();
    names.insert(3, "a,b".into());
    names.insert(30, "a/b c".into());
    let asked_for = skus(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let found = stub.client().look(&de(), &asked_for).await.unwrap();
    assert_eq!(found.len(), 43);
    let listed = |range: std::ops::RangeInclusive<u32>| range.map(|n| format!("S{n}")).collect::<Vec<_>>().join(",");
    let query = |identifiers: &str| {
        format!(
            "{ITEMS}?marketplaceIds={DE}&identifiers={identifiers}&identifiersType=SKU&pageSize=20\
             &includedData=fulfillmentAvailability"
        )
    };
    let searches: Vec<String> = stub.asked("searchListingsItems").into_iter().map(|asked| asked.target).collect();
    let second = format!("{},a%2Fb%20c,{}", listed(21..=29), listed(30..=39));
    assert_eq!(searches, [query(&listed(1..=20)), query(&second), query(&listed(40..=41))]);
    let gets: Vec<String> = stub.asked("getListingsItem").into_iter().map(|asked| asked.target).collect();
    assert_eq!(gets, [format!("{ITEMS}/a%2Cb?marketplaceIds={DE}&includedData=fulfillmentAvailability")]);
}

#[tokio::test(start_paused = true)]
async fn a_report_is_ordered_awaited_and_fetched() {
    let stub = Stub::obliging().await;
    assert_eq!(stub.client().report(&de()).await.unwrap(), skus(&["A"]));
    let asked: Vec<(String, String, String)> =
        stub.all_asked().into_iter().map(|asked| (asked.method, asked.target, asked.body)).collect();
    let order = format!(r#"{{"reportType":"GET_MERCHANT_LISTINGS_ALL_DATA","marketplaceIds":["{DE}"]}}"#);
    let expected = [
        ("POST", "/auth/o2/token", FORM),
        ("POST", "/reports/2021-06-30/reports", &order),
        ("GET", "/reports/2021-06-30/reports/R%2F1", ""),
        ("GET", "/reports/2021-06-30/documents/D%201", ""),
        ("GET", "/document?sign=1", ""),
    ];
    assert_eq!(asked, expected.map(|(method, target, body)| (method.into(), target.into(), body.into())));
}

#[tokio::test(start_paused = true)]
async fn each_request_carries_its_headers_and_no_others() {
    let stub = Stub::obliging().await;
    let client = stub.client();
    client.patch(&de(), &"A".into(), 1).await.unwrap();
    client.look(&de(), &skus(&["A", "a,b"])).await.unwrap();
    client.report(&de()).await.unwrap();
    client.participations().await.unwrap();
    let with_body = ["accept", "accept-encoding", "content-length", "content-type", "host", "user-agent"];
    let without = ["accept", "accept-encoding", "host", "user-agent"];
    for asked in stub.all_asked() {
        let mut expected = if asked.body.is_empty() { without.to_vec() } else { with_body.to_vec() };
        if !matches!(asked.operation, "token" | "document") {
            expected.push("x-amz-access-token");
            assert_eq!(asked.header("x-amz-access-token"), Some("Atza|1"));
            assert_eq!(asked.header("accept"), Some("application/json"), "{}", asked.operation);
        }
        assert_eq!(header_names(&asked), expected, "{}", asked.operation);
        let content_type = match asked.operation {
            "token" => Some("application/x-www-form-urlencoded;charset=UTF-8"),
            "patchListingsItem" | "createReport" => Some("application/json"),
            _ => None,
        };
        assert_eq!(asked.header("content-type"), content_type, "{}", asked.operation);
        // `AppId/AppVersionId (Language=Name/Version)`: mandatory, at most 500 characters.
        let agent = asked.header("user-agent").unwrap();
        let rest = agent.strip_prefix(concat!("stocksync/", env!("CARGO_PKG_VERSION"), " (Language=Rust/")).unwrap();
        assert!(rest.strip_suffix(')').is_some_and(|version| version.parse::<f32>().is_ok()), "{agent}");
    }
}
