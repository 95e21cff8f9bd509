//! Scripts as text.

use super::names::name;
use super::ops::{Ops, number};
use bitcoin::Script;
use bitcoin::hex::DisplayHex as _;
use std::fmt;

/// The largest script that can be executed, in bytes (Core's `MAX_SCRIPT_SIZE`).
const MAX_SCRIPT: usize = 10_000;

/// A script, disassembled as Core does it (`ScriptToAsmStr`): data of up to 4 bytes as a number, longer data in hexadecimal.
#[derive(Clone, Copy, Debug)]
pub struct Asm<'a> {
    script: &'a Script,
    has_signatures: bool,
}

impl<'a> Asm<'a> {
    /// An output's script.
    pub fn output(script: &'a Script) -> Self {
        Asm {
            script,
            has_signatures: false,
        }
    }

    /// An input's script: of what looks like a signature, the last byte is told by its name, as `[ALL]`.
    pub fn input(script: &'a Script) -> Self {
        // What can never be executed needs no signature; it only happens to look like one.
        let is_unspendable = script.is_op_return() || script.len() > MAX_SCRIPT;
        Asm {
            script,
            has_signatures: !is_unspendable,
        }
    }
}

impl fmt::Display for Asm<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, op) in Ops::new(self.script.as_bytes()).enumerate() {
            if place > 0 {
                f.write_str(" ")?;
            }
            match op {
                Err(_) => f.write_str("[error]")?,
                Ok(op) if op.is_data() => match number(op.data) {
                    Some(number) => number.fmt(f)?,
                    None => self.data(op.data, f)?,
                },
                Ok(op) => match op.small_number() {
                    Some(number) => number.fmt(f)?,
                    None => f.write_str(name(op.code))?,
                },
            }
        }
        Ok(())
    }
}

impl Asm<'_> {
    fn data(&self, data: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signed = self.has_signatures.then(|| signature(data)).flatten();
        match signed {
            Some((signature, signs)) => write!(f, "{:x}[{signs}]", signature.as_hex()),
            None => write!(f, "{:x}", data.as_hex()),
        }
    }
}

/// What is a signature by its form (BIP 66), without its last byte, and what that byte says is signed.
fn signature(data: &[u8]) -> Option<(&[u8], &'static str)> {
    let (last, der) = data.split_last()?;
    let signs = match last {
        0x01 => "ALL",
        0x02 => "NONE",
        0x03 => "SINGLE",
        0x81 => "ALL|ANYONECANPAY",
        0x82 => "NONE|ANYONECANPAY",
        0x83 => "SINGLE|ANYONECANPAY",
        _ => return None,
    };
    // Lengths are one byte each: no signature is so long that one would need more.
    let [0x30, length, numbers @ ..] = der else {
        return None;
    };
    if data.len() > 73 || usize::from(*length) != numbers.len() {
        return None;
    }
    let rest = positive(positive(numbers)?)?;
    rest.is_empty().then_some((der, signs))
}

/// Takes a number off the front: positive, and no longer than it has to be. Gives the rest.
fn positive(der: &[u8]) -> Option<&[u8]> {
    let [0x02, length, rest @ ..] = der else {
        return None;
    };
    let (number, rest) = rest.split_at_checked((*length).into())?;
    match number {
        [] | [0x80..=0xff, ..] | [0, 0..0x80, ..] => None,
        _ => Some(rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::ScriptBuf;

    fn output(hex: &str) -> String {
        Asm::output(&ScriptBuf::from_hex(hex).expect("hexadecimal")).to_string()
    }

    fn input(hex: &str) -> String {
        Asm::input(&ScriptBuf::from_hex(hex).expect("hexadecimal")).to_string()
    }

    #[test]
    fn data_and_operations() {
        for (hex, text) in [
            ("", ""),
            ("00", "0"),
            ("4f", "-1"),
            ("50", "OP_RESERVED"),
            ("5160", "1 16"),
            ("01ff", "-127"),
            ("04ffffff7f", "2147483647"),
            ("04ffffffff", "-2147483647"),
            ("050102030405", "0102030405"),
            ("4c00", "0"),
            ("4c0107", "7"),
            ("76a90088ac", "OP_DUP OP_HASH160 0 OP_EQUALVERIFY OP_CHECKSIG"),
            (
                "b1b2ba",
                "OP_CHECKLOCKTIMEVERIFY OP_CHECKSEQUENCEVERIFY OP_CHECKSIGADD",
            ),
            ("bbff", "OP_UNKNOWN OP_INVALIDOPCODE"),
            ("ac02ff", "OP_CHECKSIG [error]"),
            ("ac4d", "OP_CHECKSIG [error]"),
        ] {
            assert_eq!(output(hex), text, "{hex}");
        }
    }

    /// A signature of the main chain (the input of the first payment ever made, in block 170).
    const DER: &str = "304402204e45e16932b8af514961a1d3a1a25fdf3f4f7732e9d624c6c61548ab5fb8cd41\
                       0220181522ec8eca07de4860a4acdd12909d831cc56cbbac4622082221a8768d1d09";

    #[test]
    fn signatures_are_told_by_their_form() {
        let script = |der: &str, last: &str| {
            let length = [der, last].concat().len() / 2;
            format!("{length:02x}{der}{last}")
        };
        for (last, name) in [
            ("01", "[ALL]"),
            ("02", "[NONE]"),
            ("03", "[SINGLE]"),
            ("81", "[ALL|ANYONECANPAY]"),
            ("82", "[NONE|ANYONECANPAY]"),
            ("83", "[SINGLE|ANYONECANPAY]"),
        ] {
            let script = script(DER, last);
            assert_eq!(input(&script), format!("{DER}{name}"));
            assert_eq!(output(&script), format!("{DER}{last}"), "not in outputs");
        }
        let bad = [
            ("00".to_owned(), "another kind of signing", DER.to_owned()),
            ("04".to_owned(), "another kind of signing", DER.to_owned()),
            ("01".to_owned(), "a wrong length", DER.replacen("3044", "3045", 1)),
            ("01".to_owned(), "a wrong tag", DER.replacen("3044", "3144", 1)),
            (
                "01".to_owned(),
                "a negative number",
                DER.replacen("02204e", "0220ce", 1),
            ),
            (
                "01".to_owned(),
                "a number too long",
                DER.replacen("02204e", "022000", 1),
            ),
            ("01".to_owned(), "no number", format!("3006020002{}", "020101")),
            ("01".to_owned(), "bytes behind", format!("3046{}0000", &DER[4..])),
        ];
        for (last, why, der) in bad {
            assert_eq!(input(&script(&der, &last)), format!("{der}{last}"), "{why}");
        }
    }

    #[test]
    fn what_cannot_be_executed_has_no_signatures() {
        assert_eq!(input(&format!("6a47{DER}01")), format!("OP_RETURN {DER}01"));
        let long = format!("47{DER}01{}", "61".repeat(MAX_SCRIPT));
        assert!(input(&long).starts_with(&format!("{DER}01 OP_NOP")));
    }
}
