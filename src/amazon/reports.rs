//! The listings report: which seller SKUs an account has in a marketplace. It comes in many shapes.

use std::io::{BufRead, BufReader, Read};
use std::time::Duration;

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use flate2::read::MultiGzDecoder;

use super::documents::{GZIP, Source};
use super::garbled::{Found, Garbled, is_suspect};
use super::{Client, encode, wire};
use crate::http::{Answer, Fault, Method, Pace, Refusal, json};
use crate::model::{MarketplaceId, SellerSku};

pub(super) const REPORT: &str = "GET_MERCHANT_LISTINGS_ALL_DATA";
/// A million listings with long titles and descriptions, and some.
const MAX_DOCUMENT: usize = 2 << 30;
/// A small account's report is ready at once; a large one's costs a few more questions.
const FIRST_POLL: Duration = Duration::from_millis(200);
const SLOWEST_POLL: Duration = Duration::from_secs(20);
/// Reports of more than 20 minutes were seen; one of an hour is lost.
const GIVE_UP: Duration = Duration::from_hours(1);
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

impl Client {
    /// Every seller SKU that Amazon shows in a marketplace, in order, each once.
    pub async fn report(&self, marketplace: &MarketplaceId) -> Result<Vec<SellerSku>, Fault> {
        let request = wire::CreateReport { report_type: REPORT, marketplace_ids: [marketplace.as_str()] };
        let body = serde_json::to_string(&request).map_err(|error| Fault::nonsense(error.to_string()))?;
        let url = format!("{}/reports/2021-06-30/reports", self.access.endpoint);
        let pace = Pace::Bucket(&self.budget.create_report);
        let created: wire::ReportCreated =
            json(&self.call("createReport", pace, Method::POST, &url, Some(body)).await?)?;
        let document_id = self.wait_for(&created.report_id).await?;
        let source = Source {
            get: "getReportDocument",
            download: "reportDocument",
            url: format!("{}/reports/2021-06-30/documents/{}", self.access.endpoint, encode(&document_id)),
            budget: &self.budget.get_document,
            max_body: MAX_DOCUMENT,
        };
        let answer = self.fetch(&source).await?;
        let Rows { mut seller_skus, garbled } = rows(&answer)?;
        if !garbled.is_empty() {
            let found = self.find_garbled(marketplace, &garbled).await?;
            self.tell_garbled(marketplace, &found);
            seller_skus.extend(found.seller_skus);
            seller_skus.sort_unstable();
            seller_skus.dedup();
        }
        Ok(seller_skus)
    }

    fn tell_garbled(&self, marketplace: &MarketplaceId, found: &Found) {
        let seller_id = &self.access.seller_id;
        if let Some(example) = &found.example {
            tracing::warn!(
                event = "report_garbled",
                seller_id,
                %marketplace,
                found = found.seller_skus.len(),
                not_found = found.lost,
                %example,
                "the report lost characters of seller SKUs, and not all of them are found by search; the quantities of \
                 those that are not stay as they are: give these listings seller SKUs of plain letters and digits"
            );
        } else {
            tracing::debug!(
                event = "report_garbled",
                seller_id,
                %marketplace,
                found = found.seller_skus.len(),
                "the report lost characters of seller SKUs; search found all of them"
            );
        }
    }

    async fn wait_for(&self, report_id: &str) -> Result<String, Fault> {
        let url = format!("{}/reports/2021-06-30/reports/{}", self.access.endpoint, encode(report_id));
        let started = self.clock.instant();
        let mut poll = FIRST_POLL;
        while self.clock.instant() - started < GIVE_UP {
            self.clock.sleep(poll).await;
            poll = (poll * 3 / 2).min(SLOWEST_POLL);
            let pace = Pace::Bucket(&self.budget.get_report);
            let report: wire::Report = json(&self.call("getReport", pace, Method::GET, &url, None).await?)?;
            match (report.processing_status.as_str(), report.report_document_id) {
                ("DONE", Some(id)) => return Ok(id),
                ("IN_QUEUE" | "IN_PROGRESS", _) => {}
                (status, _) => return Err(no_document(report_id, status)),
            }
        }
        Err(no_document(report_id, "IN_PROGRESS"))
    }
}

fn no_document(report_id: &str, status: &str) -> Fault {
    let why = match status {
        "CANCELLED" => "Amazon has no data for it, or was asked for it too often",
        "IN_PROGRESS" => "it took too long",
        _ => "Amazon gives no reason",
    };
    let message = format!("report {report_id} has no document: {why}");
    Refusal { status: 200, code: Some(status.to_owned()), message }.into()
}

#[derive(Debug, Default)]
struct Rows {
    seller_skus: Vec<SellerSku>,
    /// Not among them.
    garbled: Garbled,
}

/// The text is unpacked and read line by line: with its descriptions it can be many times what is kept of it.
fn rows(answer: &Answer) -> Result<Rows, Fault> {
    let charset = charset(answer.header("content-type").unwrap_or_default());
    let body = &answer.body[..];
    // The storage may have named the compression as its encoding: then it is unpacked already.
    if !body.starts_with(&GZIP) {
        return parse(body, charset);
    }
    let mut text = BufReader::new(MultiGzDecoder::new(body).take(MAX_DOCUMENT as u64));
    let rows = parse(&mut text, charset)?;
    if text.get_ref().limit() == 0 {
        return Err(Fault::nonsense(format!("a report of more than {MAX_DOCUMENT} bytes")));
    }
    Ok(rows)
}

fn charset(content_type: &str) -> &'static Encoding {
    let named = content_type.split(';').find_map(|part| {
        let (key, value) = part.split_once('=')?;
        key.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
    });
    named.and_then(|label| Encoding::for_label(label.as_bytes())).unwrap_or(WINDOWS_1252)
}

/// Splits at tabs only: Amazon states no quoting rules, and titles hold lone quotes.
fn parse(mut text: impl BufRead, mut charset: &'static Encoding) -> Result<Rows, Fault> {
    let mut line = Vec::new();
    read_line(&mut text, &mut line)?;
    let mut header = &line[..];
    if let Some(rest) = header.strip_prefix(BYTE_ORDER_MARK) {
        (header, charset) = (rest, UTF_8);
    }
    let columns = Columns::find(&charset.decode_without_bom_handling(header).0)?;
    let mut rows = Rows::default();
    for number in 2.. {
        if !read_line(&mut text, &mut line)? {
            break;
        }
        if line.is_empty() {
            continue;
        }
        let Some(cell) = cell(&line, columns.seller_sku) else {
            return Err(Fault::nonsense(format!("a report whose line {number} is cut")));
        };
        if cell.is_empty() {
            continue;
        }
        let seller_sku = SellerSku::from(&*charset.decode_without_bom_handling(cell).0);
        if is_suspect(&seller_sku) {
            rows.garbled.add(seller_sku, columns.asin(&line));
        } else {
            rows.seller_skus.push(seller_sku);
        }
    }
    rows.seller_skus.sort_unstable();
    rows.seller_skus.dedup();
    Ok(rows)
}

/// Reads the next line without its end; false after the last.
fn read_line(text: &mut impl BufRead, line: &mut Vec<u8>) -> Result<bool, Fault> {
    line.clear();
    let length = text
        .read_until(b'\n', line)
        .map_err(|error| Fault::nonsense(format!("a report that cannot be unpacked: {error}")))?;
    line.pop_if(|last| *last == b'\n');
    line.pop_if(|last| *last == b'\r');
    Ok(length > 0)
}

fn cell(line: &[u8], column: usize) -> Option<&[u8]> {
    line.split(|byte| *byte == b'\t').nth(column)
}

#[derive(Debug)]
struct Columns {
    seller_sku: usize,
    asin: Option<usize>,
    /// The product's id, and what kind of id it is.
    product_id: Option<(usize, usize)>,
}

impl Columns {
    fn find(header: &str) -> Result<Self, Fault> {
        let names: Vec<String> = header.split('\t').map(|name| name.trim().to_lowercase()).collect();
        let column =
            |wanted: &[&str]| names.iter().position(|name| wanted.contains(&name.replace(['-', ' '], "").as_str()));
        Ok(Self {
            seller_sku: sku_column(&names).ok_or_else(|| {
                Fault::nonsense(format!("a report whose seller SKU column is not to be told: {header}"))
            })?,
            asin: column(&["asin1", "asin"]),
            product_id: column(&["productid"]).zip(column(&["productidtype"])),
        })
    }

    /// Not every set of columns has it.
    fn asin(&self, line: &[u8]) -> Option<String> {
        let known = self.asin.and_then(|at| asin(cell(line, at)?));
        known.or_else(|| {
            let (id, kind) = self.product_id?;
            // 1 is what Amazon writes for an ASIN.
            cell(line, kind).filter(|kind| *kind == b"1").and_then(|_| asin(cell(line, id)?))
        })
    }
}

fn asin(cell: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(cell).ok()?;
    let is_one = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    is_one.then(|| text.to_owned())
}

/// Amazon localizes headers: `Händler-SKU`, `SKU venditore`, `出品者SKU`. No other column has a SKU in its name.
fn sku_column(names: &[String]) -> Option<usize> {
    if let Some(usual) = names.iter().position(|name| name == "seller-sku") {
        return Some(usual);
    }
    let mut like = names.iter().enumerate().filter(|(_, name)| name.contains("sku"));
    match (like.next(), like.next()) {
        (Some((only, _)), None) => Some(only),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skus(text: &str) -> Vec<String> {
        let rows = parse(text.as_bytes(), UTF_8).unwrap();
        rows.seller_skus.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn columns_are_found_by_name() {
        assert_eq!(skus("item-name\tseller-sku\tprice\nA \"quoted\" name\tX 1\t1\n\nB\tA/2\t2\r\n"), ["A/2", "X 1"]);
        assert_eq!(skus("SKU venditore\tquantità\nZ\t1\n"), ["Z"]);
        assert_eq!(skus("seller-sku\tquantity\n"), [""; 0]);
    }

    #[test]
    fn two_offers_of_one_sku_are_one_listing() {
        assert_eq!(skus("seller-sku\tfulfillment-channel\nA\tDEFAULT\nA\tAMAZON_EU\n"), ["A"]);
    }

    #[test]
    fn an_asin_is_found_in_whatever_column_has_one() {
        let asin = |header: &str, line: &str| Columns::find(header).unwrap().asin(line.as_bytes());
        for (header, line, expected) in [
            ("seller-sku\tasin1", "A?\tB000000001", Some("B000000001")),
            ("SKU\tASIN 1\tASIN 2", "A?\tB000000001\tB000000002", Some("B000000001")),
            ("product-id\tproduct-id-type\tseller-sku", "B000000001\t1\tA?", Some("B000000001")),
            ("product-id\tproduct-id-type\tseller-sku", "4006381333\t4\tA?", None),
            ("seller-sku\tasin1\tproduct-id\tproduct-id-type", "A?\t\tB000000001\t1", Some("B000000001")),
            ("seller-sku\tasin1", "A?\tB00", None),
            ("seller-sku\tasin1", "A?", None),
            ("seller-sku\tquantity", "A?\t1", None),
        ] {
            assert_eq!(asin(header, line).as_deref(), expected, "{header}: {line}");
        }
    }

    #[test]
    fn a_report_that_cannot_be_read_is_an_error_and_not_an_empty_shop() {
        for text in ["", "name\tprice\nA\t1\n", "item\tseller-sku\nA\n"] {
            assert!(parse(text.as_bytes(), UTF_8).is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_charset_comes_from_the_content_type() {
        assert_eq!(charset("text/plain; charset=Cp1252"), WINDOWS_1252);
        assert_eq!(charset("text/plain;charset=\"UTF-8\""), UTF_8);
        assert_eq!(charset("text/plain; charset=Shift_JIS"), encoding_rs::SHIFT_JIS);
        assert_eq!(charset(""), WINDOWS_1252);
    }
}
