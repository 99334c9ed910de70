//! Secrets: written in place, in a file, or in a variable of the environment.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use ::config::{Value, ValueKind};
use secrecy::SecretString;

use super::finding::Wrong;
use super::surroundings::Surroundings;
use super::value::kind;

pub(super) const EXPECTED: &str = "a secret: text, { file = \"PATH\" } or { env = \"NAME\" }";

/// Tokens are a few kilobytes at most; a larger file is not a secret but a mistake.
const LARGEST: u64 = 64 * 1024;

/// The secret and, unless it is written in place, where it came from. No error names a value.
pub(super) fn resolve(value: &Value, around: &Surroundings) -> Result<(SecretString, Option<String>), Wrong> {
    match &value.kind {
        ValueKind::String(text) => Ok((check(text.clone())?, None)),
        ValueKind::Table(table) => {
            let mut entries = table.iter();
            match (entries.next(), entries.next()) {
                (Some((form, named)), None) => from_form(form, named, around),
                _ => Err(Wrong::new(format!("expected {EXPECTED}"))),
            }
        }
        _ => Err(Wrong::new(format!("expected {EXPECTED}, found {}", kind(value)))),
    }
}

fn from_form(form: &str, named: &Value, around: &Surroundings) -> Result<(SecretString, Option<String>), Wrong> {
    let ValueKind::String(named) = &named.kind else {
        return Err(Wrong::new(format!("expected {EXPECTED}, found {} inside", kind(named))));
    };
    match form {
        "file" => {
            let path = around.path(named).map_err(|wrong| wrong.about(format!("file {named:?}")))?;
            let secret = read(&path).map_err(|wrong| wrong.about(format!("file {}", path.display())))?;
            Ok((secret, Some(format!("file {}", path.display()))))
        }
        "env" => {
            let text = around.variable(named).ok_or_else(|| Wrong::new(format!("variable {named} is not set")))?;
            let secret = check(text.to_owned()).map_err(|wrong| wrong.about(format!("variable {named}")))?;
            Ok((secret, Some(format!("variable {named}"))))
        }
        _ => Err(Wrong::new(format!("expected {EXPECTED}"))),
    }
}

fn read(path: &Path) -> Result<SecretString, Wrong> {
    let unreadable = |error: std::io::Error| Wrong::new(format!("cannot be read: {error}"));
    let mut text = String::new();
    let file = File::open(path).map_err(unreadable)?;
    let size = file.take(LARGEST + 1).read_to_string(&mut text).map_err(unreadable)?;
    if size as u64 > LARGEST {
        return Err(Wrong::new("is too large for a secret"));
    }
    check(text.trim_end_matches(['\n', '\r']).to_owned())
}

fn check(text: String) -> Result<SecretString, Wrong> {
    if text.is_empty() {
        return Err(Wrong::new("is empty"));
    }
    if text.chars().any(char::is_control) {
        return Err(Wrong::new("holds a line break or another control character"));
    }
    Ok(SecretString::from(text))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use secrecy::ExposeSecret;

    use super::read;

    #[test]
    fn a_line_break_at_the_end_of_a_file_is_not_part_of_the_secret() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("secret");
        for (content, expected) in [
            ("hunter2", Some("hunter2")),
            ("hunter2\n", Some("hunter2")),
            ("hunter2\r\n", Some("hunter2")),
            (" 00123 \n", Some(" 00123 ")),
            ("", None),
            ("\n", None),
            ("one\ntwo\n", None),
        ] {
            fs::write(&path, content).expect("written");
            let secret = read(&path).ok();
            assert_eq!(secret.as_ref().map(ExposeSecret::expose_secret), expected, "{content:?}");
        }
        fs::write(&path, vec![b'x'; 70_000]).expect("written");
        assert!(read(&path).is_err());
        assert!(read(folder.path()).is_err());
    }
}
