//! What a world file and a control route take, read off their sources, against what `docs/simulator.md` names.

use std::collections::BTreeSet;
use std::fs;

use super::none;
use super::source::{SourceFile, package};

/// Where the shapes of the world file and of the bodies stand. The rest of the simulator reads what clients send.
const SHAPES: [&str; 7] = [
    "src/sim/world",
    "src/sim/commerce/control",
    "src/sim/commerce/change.rs",
    "src/sim/commerce/fault.rs",
    "src/sim/amazon/control.rs",
    "src/sim/amazon/world.rs",
    "src/sim/amazon/fault.rs",
];

#[test]
fn every_key_and_control_route_of_the_simulator_is_documented() {
    let text = fs::read_to_string(package().join("docs/simulator.md")).unwrap();
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    // What stands between backticks, those of a block included.
    let words: BTreeSet<&str> =
        text.split('`').skip(1).step_by(2).flat_map(|code| code.split(|c| !is_word(c))).collect();
    let mut missing = Vec::new();
    let files = SourceFile::under(&["src/sim"]);
    for file in files.iter().filter(|file| SHAPES.iter().any(|shapes| file.path.starts_with(shapes))) {
        let code = file.production_code();
        let keys = keys(&code);
        missing.extend(keys.into_iter().filter(|key| !words.contains(key.as_str())).map(|key| (&file.path, key)));
        let prefix = if file.path.contains("amazon") { "/_control/amazon" } else { "" };
        let routes = code.split(".route(\"").skip(1).filter_map(|rest| rest.split('"').next());
        let routes = routes.map(|route| format!("{prefix}{route}"));
        missing.extend(routes.filter(|route| !text.contains(&format!("{route}`"))).map(|route| (&file.path, route)));
    }
    let missing: Vec<String> = missing.into_iter().map(|(path, name)| format!("{path}: {name}")).collect();
    none("not in docs/simulator.md", &missing);
}

/// The fields of structs that are read, and the names of enums that are written as words.
fn keys(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for item in code
        .split("#[derive(")
        .skip(1)
        .filter(|item| item.lines().next().is_some_and(|line| line.contains("Deserialize")))
    {
        let Some((head, body)) = item.split_once("{\n").filter(|(head, _)| !head.contains("try_from")) else {
            continue;
        };
        let is_enum = head.contains("rename_all = \"snake_case\"");
        let mut attributes = String::new();
        for line in body.lines().map(str::trim).take_while(|line| *line != "}") {
            if line.starts_with('#') {
                attributes.push_str(line);
                continue;
            }
            let name = if is_enum { line.strip_suffix(',').map(snake) } else { field(line) };
            let renamed = attributes.split("rename = \"").nth(1).and_then(|rest| rest.split('"').next());
            let read = name.filter(|_| !attributes.contains("(skip)"));
            found.extend(read.map(|name| renamed.map_or(name, str::to_owned)));
            attributes.clear();
        }
    }
    found
}

fn field(line: &str) -> Option<String> {
    let (name, _) = line.split_once(": ")?;
    name.rsplit(' ').next().map(str::to_owned)
}

fn snake(variant: &str) -> String {
    let mut snake = String::new();
    for c in variant.chars() {
        if c.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

#[test]
fn keys_are_read_as_serde_reads_them() {
    let code = "#[derive(Clone, Deserialize)]\n#[serde(default)]\npub struct A {\n    #[serde(skip)]\n    pub(in crate::sim) \
                seed: u64,\n    #[serde(rename = \"type\")]\n    pub type_id: Option<String>,\n    quantity: u32,\n}\n\
                #[derive(Deserialize)]\n#[serde(rename_all = \"snake_case\")]\nenum B {\n    HalfRows,\n    \
                #[serde(rename = \"html_503\")]\n    Html503,\n}\n\
                #[derive(Debug)]\nstruct C {\n    unread: u32,\n}\n\
                #[derive(Deserialize)]\n#[serde(try_from = \"String\")]\nstruct D {\n    unread: u32,\n}\n";
    assert_eq!(keys(code), ["type", "quantity", "half_rows", "html_503"]);
}
