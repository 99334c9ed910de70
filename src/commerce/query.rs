//! Paths and queries, written out exactly: what is sent is what is signed.

use std::fmt::{self, Display, Write as _};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};

/// RFC 3986 unreserved characters stay. Commerce decodes the rest only in this form: a `+` would stay a plus.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub(super) fn encode(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, ENCODED)
}

/// Whether a SKU may stand in a path. Releases sign paths differently, and no signature suits all of them unless nothing
/// in the path needs encoding.
pub(super) fn fits_path(sku: &str) -> bool {
    let plain = sku.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
    plain && !matches!(sku, "" | "." | "..")
}

/// A path below the REST root, with its query.
#[derive(Clone, Debug)]
pub(super) struct Query {
    text: String,
    separator: char,
    groups: u32,
}

impl Query {
    /// `path` starts with `V1/` and is encoded already.
    pub(super) fn new(path: impl Into<String>) -> Self {
        Self { text: path.into(), separator: '?', groups: 0 }
    }

    pub(super) fn with(mut self, key: &str, value: impl Display) -> Self {
        let separator = std::mem::replace(&mut self.separator, '&');
        // Writing to a string cannot fail.
        let _ = write!(self.text, "{separator}{}={}", encode(key), encode(&value.to_string()));
        self
    }

    /// One more condition that must hold.
    pub(super) fn filter(self, field: &str, condition: &str, value: impl Display) -> Self {
        let group = format!("searchCriteria[filter_groups][{}][filters][0]", self.groups);
        let mut query = self
            .with(&format!("{group}[field]"), field)
            .with(&format!("{group}[value]"), value)
            .with(&format!("{group}[condition_type]"), condition);
        query.groups += 1;
        query
    }

    /// One more condition: the field equals one of the values. An `in` would split them at commas.
    pub(super) fn equals_any<T: Display>(mut self, field: &str, values: impl IntoIterator<Item = T>) -> Self {
        let group = format!("searchCriteria[filter_groups][{}][filters]", self.groups);
        for (index, value) in values.into_iter().enumerate() {
            // Indices of one width sort alike as text and as numbers; releases sign in either order.
            self = self
                .with(&format!("{group}[{index:02}][field]"), field)
                .with(&format!("{group}[{index:02}][value]"), value);
        }
        self.groups += 1;
        self
    }

    pub(super) fn in_order_of_ids(self) -> Self {
        self.with("searchCriteria[sortOrders][0][field]", "entity_id")
            .with("searchCriteria[sortOrders][0][direction]", "ASC")
    }

    pub(super) fn newest_first(self, field: &str) -> Self {
        self.with("searchCriteria[sortOrders][0][field]", field)
            .with("searchCriteria[sortOrders][0][direction]", "DESC")
    }

    pub(super) fn first_page(self, size: u32) -> Self {
        self.page(1, size)
    }

    /// Only for short lists: rows may move from one page to another.
    pub(super) fn page(self, number: u32, size: u32) -> Self {
        self.with("searchCriteria[currentPage]", number).with("searchCriteria[pageSize]", size)
    }
}

impl Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_but_unreserved_characters_is_encoded() {
        assert_eq!(encode("a b+c=d/é[~-._]'*").to_string(), "a%20b%2Bc%3Dd%2F%C3%A9%5B~-._%5D%27%2A");
    }

    #[test]
    fn a_query_is_written_as_it_is_sent() {
        let query =
            Query::new("V1/products").filter("entity_id", "gt", 7).equals_any("sku", ["A B", "C,D"]).first_page(2);
        let group = |group: u32, index: &str, key: &str| {
            format!("searchCriteria%5Bfilter_groups%5D%5B{group}%5D%5Bfilters%5D%5B{index}%5D%5B{key}%5D")
        };
        let expected = [
            format!("{}=entity_id", group(0, "0", "field")),
            format!("{}=7", group(0, "0", "value")),
            format!("{}=gt", group(0, "0", "condition_type")),
            format!("{}=sku", group(1, "00", "field")),
            format!("{}=A%20B", group(1, "00", "value")),
            format!("{}=sku", group(1, "01", "field")),
            format!("{}=C%2CD", group(1, "01", "value")),
            "searchCriteria%5BcurrentPage%5D=1&searchCriteria%5BpageSize%5D=2".to_owned(),
        ];
        assert_eq!(query.to_string(), format!("V1/products?{}", expected.join("&")));
    }

    #[test]
    fn only_plain_skus_stand_in_a_path() {
        for (sku, expected) in [
            ("A01-plain_x.y~z", true),
            ("...", true),
            ("..", false),
            (".", false),
            ("", false),
            ("a/b", false),
            ("a b", false),
            ("a,b", false),
            ("é", false),
        ] {
            assert_eq!(fits_path(sku), expected, "{sku}");
        }
    }
}
