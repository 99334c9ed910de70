//! The known word that a misspelt one was meant to be.

pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = fold(word);
    known
        .into_iter()
        .filter_map(|candidate| rank(&word, &fold(candidate)).map(|rank| (rank, candidate)))
        .min_by_key(|(rank, _)| *rank)
        .map(|(_, candidate)| candidate)
}

/// Lower is nearer; a part of a word (`threshold`) comes after every plausible misspelling.
fn rank(word: &str, candidate: &str) -> Option<usize> {
    const PART: usize = 100;
    let distance = edits(word, candidate);
    let allowed = candidate.chars().count().div_ceil(3).min(4);
    if distance <= allowed {
        Some(distance)
    } else if word.len() >= 4 && (candidate.contains(word) || (candidate.len() >= 4 && word.contains(candidate))) {
        Some(PART + distance)
    } else {
        None
    }
}

fn fold(word: &str) -> String {
    word.to_lowercase().replace('-', "_")
}

/// Letters to add, drop, replace, or swap with their neighbour. Long words are cut: the cost is quadratic.
fn edits(left: &str, right: &str) -> usize {
    const LONGEST: usize = 64;
    let left: Vec<char> = left.chars().take(LONGEST).collect();
    let right: Vec<char> = right.chars().take(LONGEST).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    for i in 0..left.len() {
        let mut row = vec![i + 1];
        for j in 0..right.len() {
            let replaced = above[j] + usize::from(left[i] != right[j]);
            let mut least = replaced.min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && left[i] == right[j - 1] && left[i - 1] == right[j] {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[right.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn misspelt_words_find_their_meaning() {
        let known = ["out_of_stock_threshold", "maximum_listed_quantity", "mode", "name", "time_zone", "country"];
        for (word, meant) in [
            ("nmae", Some("name")),
            ("timezone", Some("time_zone")),
            ("time-zone", Some("time_zone")),
            ("Country", Some("country")),
            ("threshold", Some("out_of_stock_threshold")),
            ("out_of_stock_treshhold", Some("out_of_stock_threshold")),
            ("max_listed_quantity", Some("maximum_listed_quantity")),
            ("contury", Some("country")),
            ("moed", Some("mode")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), meant, "{word}");
        }
    }
}
