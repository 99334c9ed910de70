//! Commerce's `decimal(12,4)` as an integer number of ten-thousandths. Parsed once, from text: no float reaches the rules.

use std::fmt;

/// A quantity in ten-thousandths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal(i64);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a decimal number within ±90 million million: {0:?}")]
pub struct DecimalError(String);

const SCALE: i64 = 10_000;
/// Far above `decimal(12,4)`, and far enough below `i64::MAX` that sums of a few cannot overflow.
const LIMIT: i128 = 900_000_000_000_000 * 1_000;

impl Decimal {
    pub const ZERO: Self = Self(0);

    pub const fn from_ten_thousandths(value: i64) -> Self {
        Self(value)
    }

    pub const fn from_whole(value: i32) -> Self {
        Self(value as i64 * SCALE)
    }

    pub const fn ten_thousandths(self) -> i64 {
        self.0
    }

    /// The whole units, rounded towards minus infinity.
    pub const fn floor(self) -> i64 {
        self.0.div_euclid(SCALE)
    }

    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// Reads a JSON number's text (also with an exponent, as PHP writes small floats), rounding half away from zero to
    /// four places: PHP computes in floats over a `decimal(12,4)`, so `2.99999999` is Commerce's way to say 3.
    pub fn parse(text: &str) -> Result<Self, DecimalError> {
        parse_scaled(text).map(Self).ok_or_else(|| DecimalError(text.chars().take(64).collect()))
    }
}

fn parse_scaled(text: &str) -> Option<i64> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (unsigned, 0),
    };
    if exponent.abs() > 60 {
        return None;
    }
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() || mantissa.ends_with('.') || mantissa.len() > 64 {
        return None;
    }
    // How many digits stand before the cut after the fourth decimal place.
    let kept = i32::try_from(whole.len()).ok()? + exponent + 4;
    let mut value: i128 = 0;
    let mut round_up = false;
    let mut digits = 0;
    for byte in whole.bytes().chain(fraction.bytes()) {
        if !byte.is_ascii_digit() {
            return None;
        }
        let digit = i128::from(byte - b'0');
        if digits < kept {
            value = value * 10 + digit;
            if value > LIMIT {
                return None;
            }
        } else if digits == kept {
            round_up = digit >= 5;
        }
        digits += 1;
    }
    for _ in digits..kept {
        value *= 10;
        if value > LIMIT {
            return None;
        }
    }
    value += i128::from(round_up);
    i64::try_from(if negative { -value } else { value }).ok()
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let value = self.0.unsigned_abs();
        let fraction = value % SCALE.unsigned_abs();
        let text = if fraction == 0 {
            format!("{sign}{}", value / SCALE.unsigned_abs())
        } else {
            let digits = format!("{fraction:04}");
            format!("{sign}{}.{}", value / SCALE.unsigned_abs(), digits.trim_end_matches('0'))
        };
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::Decimal;

    fn scaled(text: &str) -> Option<i64> {
        Decimal::parse(text).ok().map(Decimal::ten_thousandths)
    }

    #[test]
    fn json_numbers_become_ten_thousandths() {
        for (text, expected) in [
            ("0", 0),
            ("-0", 0),
            ("96", 960_000),
            ("12.3456", 123_456),
            ("-4", -40_000),
            ("-0.5", -5_000),
            ("2.5", 25_000),
            ("10.0", 100_000),
            ("2.99999999", 30_000),
            ("2.99995", 30_000),
            ("2.99994", 29_999),
            ("-2.99995", -30_000),
            ("0.00004", 0),
            ("1.0e-5", 0),
            ("1e-4", 1),
            ("5e-5", 1),
            ("4.9e-5", 0),
            ("1e3", 10_000_000),
            ("1.5E+2", 1_500_000),
            ("99999999.9999", 999_999_999_999),
            ("123456e-7", 123),
        ] {
            assert_eq!(scaled(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", "-", "abc", "1,5", "1.", ".5", "1e", "1e999", "NaN", "Infinity", "0x10", "1 ", "--1", "1e40"] {
            assert_eq!(scaled(text), None, "{text}");
        }
    }

    #[test]
    fn floor_goes_down_below_zero_too() {
        assert_eq!(Decimal::from_ten_thousandths(29_999).floor(), 2);
        assert_eq!(Decimal::from_ten_thousandths(-1).floor(), -1);
        assert_eq!(Decimal::from_ten_thousandths(-30_000).floor(), -3);
    }

    #[test]
    fn shown_without_trailing_zeros() {
        assert_eq!(Decimal::from_ten_thousandths(123_400).to_string(), "12.34");
        assert_eq!(Decimal::from_ten_thousandths(-5_000).to_string(), "-0.5");
        assert_eq!(Decimal::from_whole(7).to_string(), "7");
    }
}
