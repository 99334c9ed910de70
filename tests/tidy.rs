//! What the compiler and clippy do not hold: who imports whom, how long files are, and words that must not stay.

#[path = "tidy/documented.rs"]
mod documented;
#[path = "tidy/imports.rs"]
mod imports;
#[path = "tidy/source.rs"]
mod source;

use std::collections::BTreeSet;
use std::fs;

use source::SourceFile;

enum May {
    Import(&'static [&'static str]),
    ImportAllBut(&'static [&'static str]),
}
use May::{Import, ImportAllBut};

/// Who may import whom; a module may import itself. The flow is from the two APIs through pure code into one shell.
/// - Pure: `rules` and `plan` see no clock, no store, no network.
/// - `commerce` and `amazon` never see each other, nor what is decided between them.
/// - `sim` never sees the clients: a shared wire type would hide a shared mistake.
const TABLE: &[(&str, May)] = &[
    ("model", Import(&["reason"])),
    ("reason", Import(&[])),
    ("clock", Import(&[])),
    ("schedule", Import(&[])),
    ("rules", Import(&["model", "reason"])),
    ("plan", Import(&["model", "reason", "rules"])),
    ("http", Import(&["clock", "model", "reason"])),
    ("commerce", Import(&["clock", "http", "model", "reason"])),
    ("amazon", Import(&["clock", "http", "model", "reason"])),
    ("store", Import(&["clock", "model", "plan", "reason", "rules"])),
    ("lease", Import(&["clock", "model", "plan", "reason", "store"])),
    ("push", Import(&["amazon", "clock", "http", "model", "plan", "reason", "store"])),
    ("config", Import(&["model", "rules", "schedule"])),
    ("telemetry", Import(&["clock", "config", "model", "reason"])),
    ("metrics", Import(&["clock", "model", "reason"])),
    ("cycle", ImportAllBut(&["cli", "control", "daemon", "sim"])),
    // Builds every part; nothing runs in it.
    ("assembly", Import(&["amazon", "clock", "config", "cycle", "http", "model", "plan", "push", "reason", "store"])),
    ("control", Import(&["clock", "cycle", "daemon", "http", "model", "plan", "reason", "store"])),
    ("health", Import(&["clock", "config", "model", "plan", "reason", "store"])),
    (
        "daemon",
        Import(&[
            "assembly",
            "clock",
            "config",
            "cycle",
            "lease",
            "metrics",
            "model",
            "plan",
            "push",
            "reason",
            "schedule",
            "store",
            "telemetry",
        ]),
    ),
    ("sim", Import(&["clock", "model", "reason"])),
    ("cli", ImportAllBut(&[])),
];

/// Beside dot-files, which are the settings of tools.
const TOP_LEVEL: &[&str] =
    &["Cargo.toml", "Cargo.lock", "README.md", "CHANGELOG.md", "src", "config", "tests", "systemd", "benches", "docs"];

fn none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n{}\n", found.join("\n"));
}

fn in_all_code(is_bad: impl Fn(&str) -> bool) -> Vec<String> {
    let files = SourceFile::under(&["src", "tests"]);
    files.iter().flat_map(|file| file.find(&file.code(), &is_bad)).collect()
}

/// Why `module` may not import `imported`.
fn objection(module: &str, imported: &str) -> Option<String> {
    if module == imported {
        return None;
    }
    let entry = |name: &str| TABLE.iter().find(|(listed, _)| *listed == name);
    let allowed = match entry(module) {
        None => return Some(format!("`{module}` is not in the table of tests/tidy.rs")),
        Some((_, Import(allowed))) => allowed.contains(&imported),
        Some((_, ImportAllBut(denied))) => entry(imported).is_some() && !denied.contains(&imported),
    };
    (!allowed).then(|| format!("`{module}` may not import `{imported}`"))
}

#[test]
fn modules_import_only_what_the_table_allows() {
    let mut found = Vec::new();
    for file in SourceFile::under(&["src"]) {
        let modules: Vec<&str> = file.path.trim_start_matches("src/").trim_end_matches(".rs").split('/').collect();
        if matches!(modules[0], "lib" | "main") {
            continue;
        }
        for (line, imported) in imports::imports(&file.production_code(), modules.len()) {
            found.extend(objection(modules[0], &imported).map(|why| format!("{}:{line}: {why}", file.path)));
        }
    }
    none("imports against the direction of flow", &found);
}

#[test]
fn every_module_stands_in_the_table() {
    let lib = fs::read_to_string(source::package().join("src/lib.rs")).unwrap();
    let modules = lib.lines().filter_map(|line| line.split_once("mod ")?.1.strip_suffix(';'));
    let missing: Vec<String> =
        modules.filter(|module| TABLE.iter().all(|(listed, _)| listed != module)).map(str::to_owned).collect();
    none("modules of src/lib.rs without a line in the table of tests/tidy.rs", &missing);
}

#[test]
fn no_file_is_longer_than_400_lines() {
    let files = SourceFile::under(&["src", "tests"]);
    let long = files.iter().map(|file| (file, file.text.lines().count())).filter(|(_, lines)| *lines > 400);
    none(
        "files with a second room in them",
        &long.map(|(file, lines)| format!("{}:400: {lines} lines", file.path)).collect::<Vec<_>>(),
    );
}

#[test]
fn modules_are_files_named_after_them() {
    let files = SourceFile::under(&["src", "tests"]);
    let named_mod = files.iter().filter(|file| file.path.ends_with("/mod.rs"));
    none("`mod.rs` files, write `name.rs`", &named_mod.map(|file| format!("{}:1", file.path)).collect::<Vec<_>>());
}

#[test]
fn lints_are_expected_and_never_allowed() {
    none("`allow` attributes, write `#[expect(…, reason = …)]`", &in_all_code(is_allow));
}

fn is_allow(line: &str) -> bool {
    line.contains("#[allow(") || line.contains("#![allow(") || (line.contains("cfg_attr(") && line.contains("allow("))
}

#[test]
fn nothing_is_left_to_do() {
    let leftovers = ["todo!(", "unimplemented!(", "dbg!("];
    none("left-overs", &in_all_code(|line| leftovers.iter().any(|leftover| line.contains(leftover))));
}

#[test]
fn production_code_never_unwraps() {
    let files = SourceFile::under(&["src"]);
    let found: Vec<String> =
        files.iter().flat_map(|file| file.find(&file.production_code(), |line| line.contains(".unwrap()"))).collect();
    none("`.unwrap()` outside of tests", &found);
}

#[test]
fn serde_shapes_are_neither_flattened_nor_untagged() {
    none("`flatten` and `untagged` ruin the messages of errors", &in_all_code(is_shapeless));
}

fn is_shapeless(line: &str) -> bool {
    let words = |text: &str| text.split(|c: char| !c.is_alphanumeric()).map(str::to_owned).collect::<BTreeSet<_>>();
    // An attribute broken over lines has its words alone on one.
    let attribute = line.trim_start().starts_with("#[") && line.contains("serde(");
    let words = if attribute { words(line) } else { BTreeSet::from([line.trim().trim_end_matches(',').to_owned()]) };
    words.contains("flatten") || words.contains("untagged")
}

#[test]
fn an_ignored_test_says_why() {
    none("ignored tests without a reason", &in_all_code(is_ignored_silently));
}

fn is_ignored_silently(line: &str) -> bool {
    let Some((_, rest)) = line.split_once("#[ignore") else { return false };
    !rest.trim_start_matches([' ', '=']).starts_with('"') || rest.contains("\"\"")
}

#[test]
fn the_top_level_holds_only_what_the_house_allows() {
    let entries = fs::read_dir(source::package()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let strange: Vec<String> = names
        .filter(|name| !name.starts_with('.') && name != "target" && !TOP_LEVEL.contains(&name.as_str()))
        .collect();
    none("strange names at the top level", &strange);
}

#[test]
fn an_import_is_seen_however_it_is_written() {
    for (depth, code, expected) in [
        (1, "use crate::model::Sku;", &["model"][..]),
        (1, "use crate::{model::{Sku, Decimal}, store::Store,};", &["model", "store"]),
        (1, "use crate::{\n    plan,\n    rules::{self, desired},\n};", &["plan", "rules"]),
        (1, "    let at = crate::clock::Clock::system();", &["clock"]),
        (1, "pub use super::store;", &["store"]),
        (1, "fn f(sku: &super::model::Sku) -> crate::reason::Reason {", &["model", "reason"]),
        (2, "use super::super::amazon::Client;", &["amazon"]),
        (2, "use super::Sibling;", &[]),
        (1, "crate::reasons!(a);", &[]),
        (1, "$crate::http::send()", &["http"]),
        (1, "other_crate::cli::run()", &[]),
        (1, "pub(crate) fn f() {}", &[]),
    ] {
        let mut found: Vec<String> = imports::imports(code, depth).into_iter().map(|(_, module)| module).collect();
        found.sort();
        assert_eq!(found, expected, "{code}");
    }
    let lines = imports::imports("// a\nuse crate::b;\nlet c = {\n    crate::d::e()\n};", 1);
    assert_eq!(lines, [(2, "b".to_owned()), (4, "d".to_owned())]);
}

#[test]
fn the_table_is_read_as_written() {
    for (module, imported, allowed) in [
        ("plan", "rules", true),
        ("plan", "plan", true),
        ("plan", "clock", false),
        ("amazon", "commerce", false),
        ("sim", "amazon", false),
        ("cycle", "commerce", true),
        ("cycle", "daemon", false),
        ("cli", "sim", true),
        ("cli", "nowhere", false),
        ("nowhere", "model", false),
    ] {
        assert_eq!(objection(module, imported).is_none(), allowed, "{module} -> {imported}");
    }
}

#[test]
fn comments_and_test_modules_are_no_production_code() {
    let text = "//! crate::a\nlet b = \"http://x\"; // c\n#[cfg(test)]\nuse d;\n#[cfg(test)]\n#[path = \"e\"]\nmod f {\n    \
                fn g() {\n    }\n}\nfn h() {}\nmod i {\n    #[cfg(test)]\n    fn j() {\n    }\n    k\n}";
    let file = SourceFile { path: "src/x.rs".into(), text: text.into() };
    let code = file.production_code();
    let kept: Vec<&str> = code.lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(kept, ["let b = \"http://x\";", "fn h() {}", "mod i {", "    k", "}"]);
    assert_eq!(file.find(&code, |line| line.contains("fn h")), ["src/x.rs:11: fn h() {}"]);
}

#[test]
fn each_rule_knows_its_offence_from_what_resembles_it() {
    type Rule = fn(&str) -> bool;
    let rules: [(Rule, &str, bool); 11] = [
        (is_allow, "#[allow(dead_code)]", true),
        (is_allow, "#![allow(dead_code)]", true),
        (is_allow, "#[expect(dead_code, reason = \"r\")]", false),
        (is_shapeless, "#[serde(flatten)]", true),
        (is_shapeless, "    untagged,", true),
        (is_shapeless, "#[serde(default, rename = \"x\", untagged)]", true),
        (is_shapeless, "rows.into_iter().flatten()", false),
        (is_ignored_silently, "#[ignore]", true),
        (is_ignored_silently, "#[ignore = \"\"]", true),
        (is_ignored_silently, "#[ignore = \"takes an hour\"]", false),
        (is_ignored_silently, "ignored", false),
    ];
    for (rule, line, offends) in rules {
        assert_eq!(rule(line), offends, "{line}");
    }
}
