//! Which modules of the crate a file names, however it writes them.

/// The line and the top-level module of each path that starts at the crate's root. `depth` is how many modules stand
/// between the root and the code, so many `super`s lead up to it: 1 for `src/plan.rs`, 2 for `src/plan/order.rs`.
pub(crate) fn imports(code: &str, depth: usize) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::").chain(code.match_indices("super::")) {
        if code[..at].ends_with(|c: char| is_word(c) || c == ':') {
            continue;
        }
        let Some(rest) = from_root(&code[at..], depth) else { continue };
        let line = code[..at].matches('\n').count() + 1;
        found.extend(heads(rest).into_iter().map(|module| (line, module)));
    }
    found.sort();
    found
}

fn from_root(path: &str, depth: usize) -> Option<&str> {
    if let Some(rest) = path.strip_prefix("crate::") {
        return Some(rest);
    }
    (0..depth).try_fold(path, |rest, _| rest.strip_prefix("super::"))
}

/// The first words of `a::b`, or of `{a::b, c::{d, e}, f}`. Macros and globs are no modules.
fn heads(path: &str) -> Vec<String> {
    let Some(group) = path.strip_prefix('{') else { return head(path).into_iter().collect() };
    let mut level = 0_usize;
    let mut starts = vec![0];
    for (at, c) in group.char_indices() {
        match c {
            '}' if level == 0 => break,
            '{' => level += 1,
            '}' => level -= 1,
            ',' if level == 0 => starts.push(at + 1),
            _ => {}
        }
    }
    starts.into_iter().filter_map(|start| head(group[start..].trim_start())).collect()
}

fn head(path: &str) -> Option<String> {
    let end = path.find(|c| !is_word(c)).unwrap_or(path.len());
    let (word, rest) = path.split_at(end);
    (!word.is_empty() && !rest.starts_with('!') && word != "self").then(|| word.to_owned())
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}
