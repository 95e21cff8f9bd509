//! Numbers with a point, to the last digit as Core prints them.

use bitcoin::CompactTarget;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use std::fmt;

/// Significant digits (`std::setprecision(16)` in Core's `UniValue::setFloat`).
const DIGITS: i32 = 16;

/// A number with a point, as C's `%.16g` writes it.
///
/// ```
/// use sockman_node::node::json::Real;
/// assert_eq!(Real(1.0).to_string(), "1");
/// assert_eq!(Real(4.656542373906925e-10).to_string(), "4.656542373906925e-10");
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Real(pub f64);

impl fmt::Display for Real {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Rounded to the digits first: that decides the exponent, and the exponent the form.
        let rounded = format!("{:.*e}", DIGITS.unsigned_abs() as usize - 1, self.0);
        let Some((mantissa, exponent)) = rounded.split_once('e') else {
            // Not a number, or without end.
            return f.write_str(&rounded);
        };
        let exponent: i32 = exponent.parse().map_err(|_| fmt::Error)?;
        if (-4..DIGITS).contains(&exponent) {
            let decimals = (DIGITS - 1 - exponent).unsigned_abs() as usize;
            return f.write_str(trimmed(&format!("{:.decimals$}", self.0)));
        }
        let sign = if exponent < 0 { '-' } else { '+' };
        write!(f, "{}e{sign}{:02}", trimmed(mantissa), exponent.abs())
    }
}

/// Without zeros at the end of a fraction.
fn trimmed(digits: &str) -> &str {
    if digits.contains('.') {
        digits.trim_end_matches('0').trim_end_matches('.')
    } else {
        digits
    }
}

impl Serialize for Real {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        // The one way to have serde_json write a number digit by digit.
        let text = RawValue::from_string(self.to_string()).map_err(serde::ser::Error::custom)?;
        text.serialize(to)
    }
}

/// How many times as hard this target is to meet as the easiest of the main chain (Core's `GetDifficulty`).
pub fn difficulty(bits: CompactTarget) -> Real {
    let bits = bits.to_consensus();
    let (size, mantissa) = (bits >> 24, bits & 0x00ff_ffff);
    // The easiest target is 0x1d00ffff. Powers of two are exact, so that it does not matter how they are come by.
    let shift = 8 * (0x1d - i32::from(size.to_le_bytes()[0]));
    Real(f64::from(0xffff) / f64::from(mantissa) * 2_f64.powi(shift))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By `printf '%.16g'` of the GNU C library.
    #[test]
    fn as_c_writes_it() {
        for (number, text) in [
            (0.0, "0"),
            (1.0, "1"),
            (-1.5, "-1.5"),
            (0.1, "0.1"),
            (100.0, "100"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (123_456_789.0, "123456789"),
            (1e15, "1000000000000000"),
            (1e16, "1e+16"),
            (9_999_999_999_999_999.0, "1e+16"),
            (1.25e100, "1.25e+100"),
            (0.1 + 0.2, "0.3"),
            (1.0 / 3.0, "0.3333333333333333"),
            (2.0 / 3.0, "0.6666666666666666"),
            (0.999_999_999_999_999_99, "1"),
            (127_620_086_886_391.8, "127620086886391.8"),
        ] {
            assert_eq!(Real(number).to_string(), text);
            assert_eq!(serde_json::to_string(&Real(number)).expect("a number"), text);
        }
        assert!(
            serde_json::to_string(&Real(f64::NAN)).is_err(),
            "JSON has no such number"
        );
    }

    /// Bits and difficulties of blocks as Core prints them: regtest's, the main chain's first and number 100,000, and
    /// signet's first.
    #[test]
    fn difficulties_as_core_prints_them() {
        for (bits, text) in [
            (0x207f_ffff, "4.656542373906925e-10"),
            (0x1d00_ffff, "1"),
            (0x1b04_864c, "14484.1623612254"),
            (0x1e03_77ae, "0.001126515290698186"),
        ] {
            assert_eq!(difficulty(CompactTarget::from_consensus(bits)).to_string(), text);
        }
    }
}
