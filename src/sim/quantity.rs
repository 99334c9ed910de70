//! The simulator's own `decimal(12,4)`, so that a mistake in the product's one cannot agree with itself.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// A number of ten-thousandths; a JSON integer when whole, else decimals, as PHP writes its floats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity(i64);

const SCALE: i64 = 10_000;
/// `decimal(12,4)` ends at 99,999,999.9999.
const LIMIT: i64 = 100_000_000 * SCALE;

impl Quantity {
    pub const ZERO: Self = Self(0);

    pub fn whole(units: i64) -> Self {
        Self(units.saturating_mul(SCALE))
    }

    pub(super) const fn ten_thousandths(value: i64) -> Self {
        Self(value)
    }

    /// Whole units, cut towards zero, as a PHP cast to int does.
    pub const fn truncated(self) -> i64 {
        self.0 / SCALE
    }

    #[expect(clippy::cast_precision_loss, reason = "a decimal(12,4) has 12 digits, a float holds 15")]
    pub(super) fn to_f64(self) -> f64 {
        self.0 as f64 / SCALE as f64
    }

    #[expect(clippy::cast_precision_loss, reason = "the limit and the scale are small")]
    #[expect(clippy::cast_possible_truncation, reason = "checked against the limit first")]
    fn from_f64(value: f64) -> Option<Self> {
        let scaled = (value * SCALE as f64).round();
        (scaled.abs() < LIMIT as f64).then_some(Self(scaled as i64))
    }
}

impl Add for Quantity {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Quantity {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Neg for Quantity {
    type Output = Self;
    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

impl AddAssign for Quantity {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Quantity {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl Sum for Quantity {
    fn sum<I: Iterator<Item = Self>>(numbers: I) -> Self {
        numbers.fold(Self::ZERO, Add::add)
    }
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 % SCALE == 0 {
            serializer.serialize_i64(self.0 / SCALE)
        } else {
            serializer.serialize_f64(self.to_f64())
        }
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(QuantityVisitor)
    }
}

struct QuantityVisitor;

impl Visitor<'_> for QuantityVisitor {
    type Value = Quantity;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a quantity below 100 million")
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Quantity, E> {
        value
            .checked_mul(SCALE)
            .filter(|scaled| scaled.abs() < LIMIT)
            .map(Quantity)
            .ok_or_else(|| E::custom(format_args!("quantity {value} is out of range")))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Quantity, E> {
        i64::try_from(value).map_err(E::custom).and_then(|value| self.visit_i64(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Quantity, E> {
        Quantity::from_f64(value).ok_or_else(|| E::custom(format_args!("quantity {value} is out of range")))
    }
}

#[cfg(test)]
mod tests {
    use super::Quantity;

    #[test]
    fn whole_numbers_are_written_as_integers_and_others_with_their_decimals() {
        for (text, written) in
            [("96", "96"), ("96.0", "96"), ("12.3456", "12.3456"), ("-0.5", "-0.5"), ("99999999.9999", "99999999.9999")]
        {
            let quantity: Quantity = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&quantity).unwrap(), written, "{text}");
        }
    }

    #[test]
    fn a_number_beyond_the_column_is_refused() {
        for text in ["100000000", "-1e9", "9223372036854775807", "\"5\""] {
            assert!(serde_json::from_str::<Quantity>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_integer_cast_cuts_towards_zero() {
        let quantity: Quantity = serde_json::from_str("-12.9").unwrap();
        assert_eq!(quantity.truncated(), -12);
    }
}
