//! Lists too long for one piece.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::Response;
use futures_util::stream;
use serde::Deserialize;
use stocksync::http::{Call, Fault, Rows};

use super::transport::{Server, gzipped};
use super::{call, get, http};

const ROWS: u64 = 200_000;

#[derive(Deserialize)]
struct Row {
    sku: String,
    qty: f64,
    is_salable: bool,
}

fn row(number: u64) -> String {
    let comma = if number == 0 { '[' } else { ',' };
    let salable = number.is_multiple_of(3);
    format!(r#"{comma}{{"sku":"A-RATHER-LONG-SKU-OF-A-PRODUCT-{number:08}","qty":{number}.5,"is_salable":{salable}}}"#)
}

async fn read(server: &Server, max_body: usize, each: impl FnMut(Row)) -> Result<Rows, Fault> {
    let call = Call { max_body, timeout: Duration::from_mins(3), ..call() };
    http().send_long(&call, async |_| Ok(get(server.address))).await?.rows(each)
}

#[tokio::test(start_paused = true)]
async fn a_long_list_is_read_row_by_row() {
    let server = Server::start(|_| {
        let rows = (0..ROWS / 1000).map(|thousand| {
            let rows: String = (thousand * 1000..(thousand + 1) * 1000).map(row).collect();
            Ok::<_, std::io::Error>(Bytes::from(rows))
        });
        Response::new(Body::from_stream(stream::iter(rows.chain([Ok("]".into())]))))
    })
    .await;
    let mut next = 0;
    let rows = read(&server, 64 << 20, |row| {
        assert!(row.sku.ends_with(&format!("{next:08}")) && row.is_salable == (next % 3 == 0), "{next}");
        assert!(row.qty.fract() > 0.0);
        next += 1;
    });
    assert_eq!(rows.await, Ok(Rows { fit: ROWS, unfit: 0, flaw: None }));
}

#[tokio::test(start_paused = true)]
async fn a_long_list_has_its_limit_after_decompression() {
    let server = Server::start(|_| gzipped(format!("[{}1]", "1,".repeat(1 << 20)).as_bytes())).await;
    let fault = read(&server, 1 << 20, |_| ()).await.unwrap_err();
    assert!(matches!(fault, Fault::Nonsense { .. }) && fault.to_string().contains("more than 1048576"), "{fault}");
    let rows = read(&server, 4 << 20, |_| ()).await.unwrap();
    assert_eq!((rows.fit, rows.unfit), (0, (1 << 20) + 1));
}
