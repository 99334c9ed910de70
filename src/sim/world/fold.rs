//! How the shop's database compares texts: without case and accents, and without blanks at the end.

pub(in crate::sim) fn folded(text: &str) -> String {
    caseless(text.trim_end_matches(' '))
}

/// Where blanks at the end count. An accent that is a character of its own counts too.
pub(in crate::sim) fn caseless(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).map(plain).collect()
}

/// The letters of western Europe, near enough.
const fn plain(letter: char) -> char {
    match letter {
        'à'..='å' => 'a',
        'ç' => 'c',
        'è'..='ë' => 'e',
        'ì'..='ï' => 'i',
        'ñ' => 'n',
        'ò'..='ö' => 'o',
        'ß' => 's',
        'ù'..='ü' => 'u',
        'ý' | 'ÿ' => 'y',
        other => other,
    }
}
