//! Amounts of bitcoin, which are decimal numbers and never floats.

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, Serializer};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// Satoshis in a bitcoin.
const COIN: u64 = 100_000_000;

/// More digits than any number has that a 64-bit count of satoshis can be.
const DIGITS: i32 = 30;

/// A number of satoshis, in JSON a number with 8 decimals as Core prints it (`ValueFromAmount`).
///
/// It is read from numbers, and from strings that hold one, to the last digit (Core's `ParseFixedPoint`).
///
/// ```
/// use sockman_http::rpc::Amount;
/// assert_eq!(serde_json::to_string(&Amount(150_000_000)).unwrap(), "1.50000000");
/// assert_eq!(serde_json::from_str::<Amount>("0.1").unwrap(), Amount(10_000_000));
/// assert!(serde_json::from_str::<Amount>("0.000000001").is_err());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(pub i64);

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, rest) = (self.0.unsigned_abs() / COIN, self.0.unsigned_abs() % COIN);
        write!(f, "{sign}{whole}.{rest:08}")
    }
}

/// A text that is no [`Amount`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid amount")]
pub struct BadAmount;

impl FromStr for Amount {
    type Err = BadAmount;

    /// A number as JSON writes it (RFC 8259 section 6), of satoshis without a remainder.
    fn from_str(text: &str) -> Result<Self, BadAmount> {
        // JSON's grammar, so that `+1`, `01`, `.5` and `1.` are none.
        let number = text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'));
        if !number || serde_json::from_str::<&RawValue>(text).is_err() {
            return Err(BadAmount);
        }
        satoshis(text).map(Amount).ok_or(BadAmount)
    }
}

fn satoshis(text: &str) -> Option<i64> {
    let (text, negative) = match text.strip_prefix('-') {
        Some(text) => (text, true),
        None => (text, false),
    };
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, fraction].concat();
    let kept = digits.trim_end_matches('0');
    if kept.is_empty() {
        return Some(0);
    }
    // What the digits that are kept are to be multiplied with, as a power of ten, to be satoshis.
    let point: i32 = exponent.parse().ok()?;
    let dropped = i32::try_from(digits.len() - kept.len()).ok()?;
    let fraction = i32::try_from(fraction.len()).ok()?;
    let power = point
        .checked_add(8)?
        .checked_sub(fraction)?
        .checked_add(dropped)?;
    if !(0..DIGITS).contains(&power) {
        return None;
    }
    let value = kept
        .parse::<i128>()
        .ok()?
        .checked_mul(10_i128.pow(power.unsigned_abs()))?;
    i64::try_from(if negative { -value } else { value }).ok()
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        // The one way to have serde_json write a number digit by digit.
        let text = RawValue::from_string(self.to_string()).map_err(serde::ser::Error::custom)?;
        text.serialize(to)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        let raw: Box<RawValue> = Deserialize::deserialize(reader)?;
        let text = if raw.get().starts_with('"') {
            serde_json::from_str(raw.get()).map_err(D::Error::custom)?
        } else {
            Cow::Borrowed(raw.get())
        };
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn is_read_to_the_last_digit() {
        for (text, amount) in [
            ("0", 0),
            ("-0", 0),
            ("0.00000000", 0),
            ("0e99999999999", 0),
            ("1", 100_000_000),
            ("1.50000000", 150_000_000),
            ("\"0.00000001\"", 1),
            ("1e-8", 1),
            ("0.01E-6", 1),
            ("-1E+2", -10_000_000_000),
            ("0.000000010000000000000000000000000000000000", 1),
            ("92233720368.54775807", i64::MAX),
            ("-92233720368.54775808", i64::MIN),
            ("20999999.9769", 2_099_999_997_690_000),
        ] {
            assert_eq!(
                serde_json::from_str::<Amount>(text).ok(),
                Some(Amount(amount)),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_none() {
        for text in [
            "1e-9",
            "0.123456789",
            "92233720368.54775808",
            "1e400",
            "1e99999999999",
            "1e-99999999999",
            "\"\"",
            "\"+1\"",
            "\" 1\"",
            "\"01\"",
            "\".5\"",
            "\"1.\"",
            "\"0x1\"",
            "\"1e\"",
            "true",
            "null",
            "[1]",
            "{}",
        ] {
            assert!(serde_json::from_str::<Amount>(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn comes_back(amount: i64) {
            let text = serde_json::to_string(&Amount(amount)).expect("a number");
            prop_assert_eq!(serde_json::from_str::<Amount>(&text).ok(), Some(Amount(amount)));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[-+.0-9eE]{0,40}") {
            let _ = text.parse::<Amount>();
        }
    }
}
