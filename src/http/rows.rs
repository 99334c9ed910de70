//! A long list, read row by row from the blocks in which it came.

use std::fmt;
use std::io::BufReader;

use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;

use super::answer::not_html;
use super::body::Blocks;
use super::{Answer, Fault};

/// An answer whose body is too long to be kept in one piece.
#[derive(Debug)]
pub struct Long(pub(super) Answer);

/// How a list was read to its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// Handed over.
    pub fit: u64,
    /// Left out, because they are not what was expected.
    pub unfit: u64,
    /// What is wrong with the first of those.
    pub flaw: Option<String>,
}

impl Long {
    /// Hands over each row of `[…]` or `{"items": […]}`. Memory holds what is left of the body, and one row. A list that
    /// is not whole is a fault at its end: then the rows that were handed over count for nothing.
    pub fn rows<T: DeserializeOwned>(self, each: impl FnMut(T)) -> Result<Rows, Fault> {
        let Self(mut answer) = self;
        not_html(&answer)?;
        let status = answer.status;
        let blocks = Blocks::new(std::mem::take(&mut answer.body), answer.rest);
        let mut deserializer = serde_json::Deserializer::from_reader(BufReader::new(blocks));
        let mut reading = Reading { rows: Rows::default(), each, row: std::marker::PhantomData };
        let outcome = Answered(&mut reading).deserialize(&mut deserializer).and_then(|()| deserializer.end());
        match outcome {
            Ok(()) => Ok(reading.rows),
            Err(error) => {
                let read = reading.rows.fit + reading.rows.unfit;
                Err(Fault::nonsense(format!("HTTP {status} without a whole list, after {read} rows: {error}")))
            }
        }
    }
}

struct Reading<T, F> {
    rows: Rows,
    each: F,
    row: std::marker::PhantomData<fn(T)>,
}

impl<T: DeserializeOwned, F: FnMut(T)> Reading<T, F> {
    fn take_all<'de, A: SeqAccess<'de>>(&mut self, mut list: A) -> Result<(), A::Error> {
        while let Some(raw) = list.next_element::<Box<RawValue>>()? {
            match serde_json::from_str(raw.get()) {
                Ok(row) => {
                    self.rows.fit += 1;
                    (self.each)(row);
                }
                Err(error) => {
                    let index = self.rows.fit + self.rows.unfit;
                    self.rows.unfit += 1;
                    self.rows.flaw.get_or_insert_with(|| flaw::<T>(index, raw.get(), &error));
                }
            }
        }
        Ok(())
    }
}

/// Once more, for the path to what does not fit: to keep it for every row would cost as much as reading them.
fn flaw<T: DeserializeOwned>(index: u64, row: &str, error: &serde_json::Error) -> String {
    match serde_path_to_error::deserialize::<_, T>(&mut serde_json::Deserializer::from_str(row)) {
        Err(error) => format!("row {index} does not fit at {}: {}", error.path(), error.inner()),
        Ok(_) => format!("row {index} does not fit: {error}"),
    }
}

/// The whole answer.
struct Answered<'a, T, F>(&'a mut Reading<T, F>);

impl<'de, T: DeserializeOwned, F: FnMut(T)> DeserializeSeed<'de> for Answered<'_, T, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: DeserializeOwned, F: FnMut(T)> Visitor<'de> for Answered<'_, T, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list, or an object with `items`")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<(), A::Error> {
        self.0.take_all(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut found = false;
        let mut message = None;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "items" if !found => {
                    found = true;
                    map.next_value_seed(Items(&mut *self.0))?;
                }
                "message" => message = Some(map.next_value::<serde_json::Value>()?),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        match message {
            _ if found => Ok(()),
            Some(message) => Err(A::Error::custom(format!("a message instead: {message}"))),
            None => Err(A::Error::custom("an object without `items`")),
        }
    }
}

/// The list inside of an object; an empty one may be `null`.
struct Items<'a, T, F>(&'a mut Reading<T, F>);

impl<'de, T: DeserializeOwned, F: FnMut(T)> DeserializeSeed<'de> for Items<'_, T, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: DeserializeOwned, F: FnMut(T)> Visitor<'de> for Items<'_, T, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list or null")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<(), A::Error> {
        self.0.take_all(list)
    }
}

#[cfg(test)]
#[path = "rows_tests.rs"]
mod tests;
