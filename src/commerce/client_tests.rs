use std::sync::atomic::AtomicUsize;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::*;
use crate::http::Rows;

#[derive(Deserialize)]
struct Row {
    sku: String,
}

/// What a dump gives from a server that answers so to the first request, and then to all others.
async fn dump(first: fn() -> Response, then: fn() -> Response) -> (Result<Rows, Fault>, Vec<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let asked = AtomicUsize::new(0);
    let asked = Arc::new(asked);
    let app = Router::new().fallback(move || {
        let nth = asked.fetch_add(1, Ordering::SeqCst);
        async move { if nth == 0 { first() } else { then() } }
    });
    let _task = JoinSet::from_iter([async { axum::serve(listener, app).await.unwrap() }]);
    let clock = Clock::system();
    let access = Access {
        base_url,
        auth: Auth::Bearer { token: "token".into() },
        page_size: 300,
        concurrency: 2,
        max_load_thousandths: 200,
    };
    let client = Client::new(access, Arc::new(Http::new(clock, 1).unwrap()), clock);
    let mut skus = Vec::new();
    let query = Query::new("V1/inventory/dump-stock-index-data/website/base");
    let rows = client
        .get_long("dump-stock-index-data", &query)
        .await
        .and_then(|list| list.rows(|row: Row| skus.push(row.sku)));
    (rows, skus)
}

fn reply(status: u16, body: &'static str) -> Response {
    Response::builder().status(status).body(Body::from(body)).unwrap()
}

fn good() -> Response {
    reply(200, r#"[{"sku":"A"},{"sku":"B"}]"#)
}

#[tokio::test(start_paused = true)]
async fn a_list_comes_whole_even_when_the_first_attempt_was_cut() {
    let cut = || {
        let short = reply(200, r#"[{"sku":"A"},"#).into_body();
        Response::builder().header("content-length", 100).body(short).unwrap()
    };
    for first in [good, cut, || reply(503, "<html>maintenance")] {
        let (rows, skus) = dump(first, good).await;
        assert_eq!(rows, Ok(Rows { fit: 2, unfit: 0, flaw: None }));
        assert_eq!(skus, ["A", "B"]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_no_list_is_the_fault_that_it_is_elsewhere() {
    type Case = (fn() -> Response, fn(&Fault) -> bool);
    let cases: [Case; 5] = [
        (|| reply(200, "<html>"), |fault| matches!(fault, Fault::Nonsense { .. })),
        (|| reply(200, r#"[{"sku":"A"}"#), |fault| matches!(fault, Fault::Nonsense { .. })),
        (|| reply(200, r#"{"message":"no"}"#), |fault| matches!(fault, Fault::Nonsense { .. })),
        (
            || reply(400, r#"{"message":"No linked stock found"}"#),
            |fault| matches!(fault, Fault::Rejected(refusal) if refusal.message == "No linked stock found"),
        ),
        (
            || reply(503, "<html>"),
            |fault| matches!(fault, Fault::Exhausted { attempts: 3, .. }) && fault.status() == Some(503),
        ),
    ];
    for (answer, expected) in cases {
        let fault = dump(answer, answer).await.0.unwrap_err();
        assert!(expected(&fault), "{fault}");
    }
}
