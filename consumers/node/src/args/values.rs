//! Values of flags: sizes and lengths of time.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A number of bytes: `65536`, `64KiB`, `32MiB`, `1GiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Size(pub(crate) usize);

/// What a unit stands for, the largest first.
const UNITS: [(&str, usize); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Size, String> {
        let unit = UNITS.iter().find(|(name, _)| text.ends_with(name));
        let (digits, factor) = match unit {
            Some((name, factor)) => (text[..text.len() - name.len()].trim_end(), *factor),
            None => (text, 1),
        };
        let number: usize = digits
            .parse()
            .map_err(|_| "write a number of bytes, as 65536, 64KiB, 32MiB or 1GiB".to_owned())?;
        let bytes = number.checked_mul(factor).filter(|bytes| *bytes <= MOST_BYTES);
        bytes.map(Size).ok_or_else(|| "too large".to_owned())
    }
}

/// Far beyond any machine, and far below what sums of sizes could overflow at.
const MOST_BYTES: usize = 1 << 60;

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exact = |(_, factor): &&(&str, usize)| self.0 > 0 && self.0.is_multiple_of(*factor);
        match UNITS.iter().find(exact) {
            Some((name, factor)) => write!(f, "{}{name}", self.0 / factor),
            None => self.0.fmt(f),
        }
    }
}

/// A length of time, given in seconds: `5`, `0.25`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seconds(pub(crate) Duration);

/// Some thirty years: far beyond any use, and far below what a clock reading can be added to.
const MOST_SECONDS: f64 = 1e9;

impl FromStr for Seconds {
    type Err = String;

    fn from_str(text: &str) -> Result<Seconds, String> {
        let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
        if !(0.0..=MOST_SECONDS).contains(&seconds) {
            return Err(format!("not between 0 and {MOST_SECONDS} seconds"));
        }
        Ok(Seconds(Duration::from_secs_f64(seconds)))
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_secs_f64().fmt(f)
    }
}

/// As [`Seconds`], and not 0.
pub(crate) fn positive(text: &str) -> Result<Seconds, String> {
    match text.parse()? {
        Seconds(Duration::ZERO) => Err("must be above 0".to_owned()),
        seconds => Ok(seconds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_what_a_clock_can_take() {
        assert_eq!("0.25".parse(), Ok(Seconds(Duration::from_millis(250))));
        assert_eq!("0".parse(), Ok(Seconds(Duration::ZERO)));
        for bad in ["", "x", "-1", "NaN", "inf", "1e10"] {
            assert!(bad.parse::<Seconds>().is_err(), "{bad}");
        }
        assert!(positive("0").is_err());
        assert_eq!(Seconds(Duration::from_millis(100)).to_string(), "0.1");
        assert_eq!(Seconds(Duration::from_secs(5)).to_string(), "5");
    }

    #[test]
    fn sizes_are_numbers_with_or_without_a_unit() {
        for (text, bytes, shown) in [
            ("0", 0, "0"),
            ("1000", 1000, "1000"),
            ("1024", 1024, "1KiB"),
            ("64KiB", 65536, "64KiB"),
            ("64 KiB", 65536, "64KiB"),
            ("1536KiB", 1_572_864, "1536KiB"),
            ("32MiB", 32 << 20, "32MiB"),
            ("2GiB", 2 << 30, "2GiB"),
        ] {
            assert_eq!(text.parse(), Ok(Size(bytes)), "{text}");
            assert_eq!(Size(bytes).to_string(), shown);
        }
        for bad in [
            "",
            "KiB",
            "-1",
            "1.5MiB",
            "64kb",
            "64K",
            "99999999999GiB",
            "2000000000GiB",
        ] {
            assert!(bad.parse::<Size>().is_err(), "{bad}");
        }
    }
}
