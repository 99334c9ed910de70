//! A query string as PHP reads it: brackets make trees, and a repeated key overwrites.

use percent_encoding::percent_decode_str;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Param {
    Text(String),
    /// In the order of arrival, which is the order PHP keeps.
    Tree(Params),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Params(Vec<(String, Param)>);

impl Params {
    pub(super) fn parse(query: &str) -> Self {
        let mut params = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let key = decode(key);
            if let Some(path) = key_path(&key) {
                params.put(&path, decode(value));
            }
        }
        params
    }

    fn put(&mut self, path: &[&str], value: String) {
        let Some((first, rest)) = path.split_first() else { return };
        let key = if first.is_empty() { self.next_index() } else { (*first).to_owned() };
        let known = self.0.iter().position(|(name, _)| *name == key);
        let place = known.unwrap_or_else(|| {
            self.0.push((key, Param::Text(String::new())));
            self.0.len() - 1
        });
        let Some((_, slot)) = self.0.get_mut(place) else { return };
        if rest.is_empty() {
            *slot = Param::Text(value);
            return;
        }
        if let Param::Text(_) = slot {
            *slot = Param::Tree(Self::default());
        }
        if let Param::Tree(tree) = slot {
            tree.put(rest, value);
        }
    }

    fn next_index(&self) -> String {
        let last = self.0.iter().filter_map(|(key, _)| key.parse::<u32>().ok()).max();
        last.map_or(0, |last| last.saturating_add(1)).to_string()
    }

    pub(super) fn get(&self, name: &str) -> Option<&Param> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Param::Text(text) => Some(text),
            Param::Tree(_) => None,
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Param)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }
}

/// `a[b][c]` is a, b, c; what follows a bracket that never closes belongs to the name.
fn key_path(key: &str) -> Option<Vec<&str>> {
    let Some((first, mut rest)) = key.split_once('[') else {
        return (!key.is_empty()).then(|| vec![key]);
    };
    if first.is_empty() {
        return None;
    }
    let mut path = vec![first];
    while let Some((inner, after)) = rest.split_once(']') {
        path.push(inner);
        match after.strip_prefix('[') {
            Some(next) => rest = next,
            None => break,
        }
    }
    Some(path)
}

/// PHP's urldecode: a plus is a blank.
pub(super) fn decode(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::{Param, Params};

    #[test]
    fn brackets_make_trees_raw_or_encoded() {
        for query in ["a[b][0][c]=x%2By&d=1+2", "a%5Bb%5D%5B0%5D%5Bc%5D=x%2By&d=1%202"] {
            let params = Params::parse(query);
            let Some(Param::Tree(tree)) = params.get("a") else { panic!("{params:?}") };
            let Some(Param::Tree(tree)) = tree.get("b") else { panic!("{params:?}") };
            let Some(Param::Tree(tree)) = tree.get("0") else { panic!("{params:?}") };
            assert_eq!((tree.text("c"), params.text("d")), (Some("x+y"), Some("1 2")));
        }
    }

    #[test]
    fn empty_brackets_append_and_a_repeated_key_overwrites() {
        let params = Params::parse("skus[]=A&skus[]=B&q=1&q=2&bare");
        let Some(Param::Tree(tree)) = params.get("skus") else { panic!("{params:?}") };
        assert_eq!((tree.text("0"), tree.text("1")), (Some("A"), Some("B")));
        assert_eq!((params.text("q"), params.text("bare")), (Some("2"), Some("")));
    }
}
