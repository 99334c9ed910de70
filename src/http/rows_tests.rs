use bytes::Bytes;
use reqwest::header::HeaderMap;
use serde::Deserialize;

use super::super::body::Packed;
use super::*;

#[derive(Debug, Deserialize, PartialEq)]
struct Row {
    sku: String,
    qty: f64,
    is_salable: bool,
}

/// The SKUs of the rows, from a body in blocks of so many bytes.
fn read(body: &str, block: usize) -> (Result<Rows, Fault>, Vec<String>) {
    let mut answer = Answer::new(200, HeaderMap::new(), Bytes::new());
    let mut blocks = body.as_bytes().chunks(block);
    answer.body = blocks.next().map(Bytes::copy_from_slice).unwrap_or_default();
    answer.rest = blocks.map(Packed::new).collect();
    let mut skus = Vec::new();
    let rows = Long(answer).rows(|row: Row| skus.push(row.sku));
    (rows, skus)
}

#[test]
fn rows_come_in_order_wherever_the_blocks_end() {
    let list = r#"[ {"sku":"A \"1\" ü","qty":1.5,"is_salable":true},
        {"sku":"[],{}","qty":0,"is_salable":false,"more":[{"x":null}]}]"#;
    let wrapped = format!(r#"{{"search_criteria":{{"items":[1]}},"items":{list},"total_count":2}}"#);
    for body in [list, &wrapped] {
        for block in 1..=body.len() {
            let (rows, skus) = read(body, block);
            assert_eq!(rows, Ok(Rows { fit: 2, unfit: 0, flaw: None }));
            assert_eq!(skus, ["A \"1\" ü", "[],{}"]);
        }
    }
}

#[test]
fn an_empty_list_has_no_rows() {
    for body in ["[]", " [ ] \n", r#"{"items":[]}"#, r#"{"items":null,"total_count":0}"#] {
        assert_eq!(read(body, 3), (Ok(Rows::default()), vec![]), "{body}");
    }
}

#[test]
fn a_list_that_is_not_whole_is_a_fault() {
    const ROW: &str = r#"{"sku":"A","qty":1,"is_salable":true}"#;
    for (body, expected) in [
        (String::new(), "after 0 rows: EOF"),
        ("[".to_owned(), "after 0 rows: EOF"),
        (format!("[{ROW}"), "after 1 rows: EOF"),
        (format!("[{ROW},"), "after 1 rows: EOF"),
        (format!("[{ROW},]"), "after 1 rows: trailing comma"),
        (format!("[{ROW},{{\"sku\":\"B"), "after 1 rows: EOF"),
        (format!("[{ROW} {ROW}]"), "after 1 rows: expected `,` or `]`"),
        (format!("[{ROW}]]"), "after 1 rows: trailing characters"),
        (format!("[{ROW}][{ROW}]"), "after 1 rows: trailing characters"),
        (format!("[{ROW}]<br>Warning: Undefined index"), "after 1 rows: trailing characters"),
        (format!("{{\"items\":[{ROW}]"), "after 1 rows: EOF"),
        (format!("{{\"items\":[{ROW}],\"items\":[{ROW}]"), "EOF"),
        ("  <!doctype html><html>".to_owned(), "HTTP 200 with HTML"),
        (r#"{"message":"Internal Error","trace":"x"}"#.to_owned(), r#"a message instead: "Internal Error""#),
        (r#"{"rows":[]}"#.to_owned(), "an object without `items`"),
        (r#"{"items":{"sku":"A"}}"#.to_owned(), "expected a list or null"),
        ("null".to_owned(), "invalid type: null, expected a list"),
        ("\"text\"".to_owned(), "invalid type: string"),
        ("12".to_owned(), "invalid type: integer"),
        ("[\u{1}]".to_owned(), "after 0 rows"),
    ] {
        let Err(Fault::Nonsense { what }) = read(&body, 5).0 else { panic!("{body} was taken") };
        assert!(what.contains(expected), "{body}: {what}");
    }
}

#[test]
fn a_row_that_does_not_fit_costs_only_itself() {
    let body = r#"[{"sku":"A","qty":1,"is_salable":true},{"sku":7,"qty":1,"is_salable":true},null,
        {"sku":"B","qty":"x","is_salable":true},{"sku":"C","qty":3,"is_salable":false}]"#;
    let (rows, skus) = read(body, 16);
    let rows = rows.unwrap();
    assert_eq!((rows.fit, rows.unfit, skus), (2, 3, vec!["A".to_owned(), "C".to_owned()]));
    let flaw = rows.flaw.unwrap();
    assert!(flaw.starts_with("row 1 does not fit at sku: invalid type: integer `7`"), "{flaw}");
}
