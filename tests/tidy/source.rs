//! The source tree as the rules look at it: lines of code, without comments and without what is compiled for tests only.
//! It leans on the tree being formatted: an item ends where a brace stands at its own indentation.

use std::fs;
use std::path::{Path, PathBuf};

pub(crate) struct SourceFile {
    /// Relative to the package, with slashes.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl SourceFile {
    /// All Rust files under the folders, this test's own excepted: it names what it looks for.
    pub(crate) fn under(folders: &[&str]) -> Vec<Self> {
        let mut found = Vec::new();
        for folder in folders {
            collect(&package().join(folder), &mut found);
        }
        assert!(!found.is_empty(), "no source files under {folders:?}");
        found.sort();
        let read = |path: PathBuf| Self {
            text: fs::read_to_string(&path).expect("a readable file"),
            path: path.strip_prefix(package()).expect("a path in the package").display().to_string(),
        };
        found.into_iter().map(read).filter(|file| !file.path.starts_with("tests/tidy")).collect()
    }

    /// The lines with comments taken off; line numbers stay.
    pub(crate) fn code(&self) -> String {
        self.text.lines().map(without_comment).collect::<Vec<_>>().join("\n")
    }

    /// Like [`Self::code`], with the items under `#[cfg(test)]` emptied.
    pub(crate) fn production_code(&self) -> String {
        // A file or folder of tests is named so; it is compiled for tests only.
        if self.path.split('/').any(|part| part.trim_end_matches(".rs").ends_with("tests")) {
            return String::new();
        }
        let mut lines = Vec::new();
        let mut test_item: Option<TestItem> = None;
        for line in self.code().lines() {
            let skipped = test_item.is_some() || line.trim_start().starts_with("#[cfg(test)]");
            lines.push(if skipped { String::new() } else { line.to_owned() });
            test_item = match test_item {
                Some(item) => item.after(line),
                None if skipped => Some(TestItem { indent: line.len() - line.trim_start().len() }),
                None => None,
            };
        }
        lines.join("\n")
    }

    /// `path:line: code` of each line that `is_bad` accepts.
    pub(crate) fn find(&self, code: &str, is_bad: impl Fn(&str) -> bool) -> Vec<String> {
        let bad = code.lines().enumerate().filter(|(_, line)| is_bad(line));
        bad.map(|(at, line)| format!("{}:{}: {}", self.path, at + 1, line.trim())).collect()
    }
}

/// The rest of an item of which `#[cfg(test)]` was read.
struct TestItem {
    indent: usize,
}

impl TestItem {
    fn after(self, line: &str) -> Option<Self> {
        let at_own_level = line.len() - line.trim_start().len() == self.indent;
        let ends = line.trim_start().starts_with('}') || line.ends_with(';') || line.ends_with('}');
        (!(at_own_level && ends)).then_some(self)
    }
}

pub(crate) fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Two slashes after a colon are a URL's.
fn without_comment(line: &str) -> &str {
    let comment = line.match_indices("//").find(|(at, _)| !line[..*at].ends_with(':'));
    comment.map_or(line, |(at, _)| line[..at].trim_end())
}
