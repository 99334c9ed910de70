//! Mapping files: which products a seller SKU sells, and how many units of each.
//!
//! A wrong row sends one product's stock to another, so that nothing here is guessed: names are kept byte for byte,
//! rows that repeat or contradict each other are errors, and names that look alike are warnings.

mod row;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::num::NonZeroU32;

use crate::model::{SellerSku, Sku};
use row::{Lines, Row};

/// A mapping file that was read without an error.
#[derive(Clone, Debug, Default)]
pub struct MappingTable {
    /// In order of seller SKU, each with the end of its components, which begin where the one before it ends.
    listings: Box<[(SellerSku, usize)]>,
    components: Box<[(Sku, NonZeroU32)]>,
    warnings: Vec<String>,
}

/// Everything that is wrong with a mapping file, in order of lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappingErrors(Vec<MappingError>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("line {line}: {text}")]
pub struct MappingError {
    /// Counted from 1.
    pub line: usize,
    pub text: String,
}

impl MappingErrors {
    pub fn iter(&self) -> impl Iterator<Item = &MappingError> {
        self.0.iter()
    }
}

impl std::error::Error for MappingErrors {}

impl fmt::Display for MappingErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{error}")?;
        }
        Ok(())
    }
}

impl MappingTable {
    /// Reads `seller_sku,sku,units` rows. The header line and the units (1 where absent or empty) may be left out;
    /// `#` begins a comment line; several rows of one seller SKU make a kit.
    pub fn parse(text: &str) -> Result<Self, MappingErrors> {
        let Lines { mut rows, mut errors, mut warnings } = row::read(text);
        errors.extend(repetitions(&rows));
        if !errors.is_empty() {
            errors.sort();
            return Err(MappingErrors(errors));
        }
        if rows.is_empty() {
            warnings.push("the file maps no seller SKU".to_owned());
        }
        warnings.extend(look_alikes("seller SKU", rows.iter().map(|row| (row.seller_sku.as_str(), row.line))));
        warnings.extend(look_alikes("SKU", rows.iter().map(|row| (row.sku.as_str(), row.line))));
        // Stable, so that the components of a kit stay in the order of the file.
        rows.sort_by(|a, b| a.seller_sku.cmp(&b.seller_sku));
        let mut listings: Vec<(SellerSku, usize)> = Vec::new();
        let mut components = Vec::with_capacity(rows.len());
        for Row { seller_sku, sku, units, .. } in rows {
            components.push((sku, units));
            match listings.last_mut() {
                Some((last, end)) if *last == seller_sku => *end = components.len(),
                _ => listings.push((seller_sku, components.len())),
            }
        }
        Ok(Self { listings: listings.into(), components: components.into(), warnings })
    }

    /// What a seller SKU is made of, in the order of the file.
    pub fn components(&self, seller_sku: &SellerSku) -> Option<&[(Sku, NonZeroU32)]> {
        let index = self.listings.binary_search_by(|(name, _)| name.cmp(seller_sku)).ok()?;
        Some(self.components_at(index))
    }

    /// All mapped listings in order of seller SKU.
    pub fn iter(&self) -> impl Iterator<Item = (&SellerSku, &[(Sku, NonZeroU32)])> {
        self.listings.iter().enumerate().map(|(index, (name, _))| (name, self.components_at(index)))
    }

    /// How many seller SKUs are mapped.
    pub fn len(&self) -> usize {
        self.listings.len()
    }

    pub fn is_empty(&self) -> bool {
        self.listings.is_empty()
    }

    /// What is allowed and yet looks like a mistake.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    fn components_at(&self, index: usize) -> &[(Sku, NonZeroU32)] {
        let start = index.checked_sub(1).map_or(0, |before| self.listings[before].1);
        &self.components[start..self.listings[index].1]
    }
}

/// Rows that say something about a pair of names of which an earlier row has spoken.
fn repetitions(rows: &[Row]) -> Vec<MappingError> {
    let mut first_rows: HashMap<(&str, &str), &Row> = HashMap::with_capacity(rows.len());
    let mut errors = Vec::new();
    for row in rows {
        let first = *first_rows.entry((row.seller_sku.as_str(), row.sku.as_str())).or_insert(row);
        if first.line == row.line {
            continue;
        }
        let Row { seller_sku, sku, units, line } = first;
        let text = if *units == row.units {
            format!("repeats line {line}: `{seller_sku}` is already made of {units} × `{sku}`")
        } else {
            format!("contradicts line {line}: `{seller_sku}` takes {units} × `{sku}` there and {} here", row.units)
        };
        errors.push(MappingError { line: row.line, text });
    }
    errors
}

/// Pairs of different names that a person, or Commerce, would take for the same.
fn look_alikes<'a>(what: &str, names: impl Iterator<Item = (&'a str, usize)>) -> Vec<String> {
    let mut first_names: HashMap<String, (&str, usize)> = HashMap::new();
    let mut told = HashSet::new();
    let mut warnings = Vec::new();
    for (name, line) in names {
        let folded = name.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect();
        let (first, first_line) = *first_names.entry(folded).or_insert((name, line));
        if first != name && told.insert(name) {
            warnings.push(format!(
                "line {line}: {what} `{name}` differs from `{first}` (line {first_line}) only in case or blanks"
            ));
        }
    }
    warnings
}
