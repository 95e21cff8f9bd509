//! What kinds of outputs there are.

use super::ops::{Op, Ops, number};
use bitcoin::Script;

/// The kind of an output's script, as Core tells them apart (`Solver`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind<'a> {
    /// None of the others.
    NonStandard,
    /// To this public key.
    PubKey(&'a [u8]),
    /// To the hash of a public key.
    PubKeyHash,
    /// To the hash of a script (BIP 16).
    ScriptHash,
    /// To so many of these public keys (BIP 11).
    MultiSig {
        /// How many signatures it takes.
        required: u8,
        /// Any of them may sign.
        keys: Vec<&'a [u8]>,
    },
    /// To nobody: it only carries data.
    NullData,
    /// To anybody: it is there for its fee to be raised.
    Anchor,
    /// To the hash of a public key, in a witness (BIP 141).
    WitnessV0KeyHash,
    /// To the hash of a script, in a witness (BIP 141).
    WitnessV0ScriptHash,
    /// To this key of Taproot (BIP 341), as 32 bytes.
    WitnessV1Taproot(&'a [u8]),
    /// A version of witness that has no meaning yet.
    WitnessUnknown,
}

/// Public keys of an output of several (Core's `MAX_PUBKEYS_PER_MULTISIG`).
const MAX_KEYS: i64 = 20;

const OP_RETURN: u8 = 0x6a;
const OP_CHECKSIG: u8 = 0xac;
const OP_CHECKMULTISIG: u8 = 0xae;

impl<'a> Kind<'a> {
    /// The kind of this script.
    pub fn of(script: &'a Script) -> Self {
        if script.is_p2sh() {
            return Kind::ScriptHash;
        }
        if let Some(version) = script.witness_version() {
            return match (version.to_num(), &script.as_bytes()[2..]) {
                (0, program) if program.len() == 20 => Kind::WitnessV0KeyHash,
                (0, program) if program.len() == 32 => Kind::WitnessV0ScriptHash,
                (0, _) => Kind::NonStandard,
                (1, program) if program.len() == 32 => Kind::WitnessV1Taproot(program),
                (1, [0x4e, 0x73]) => Kind::Anchor,
                _ => Kind::WitnessUnknown,
            };
        }
        let bytes = script.as_bytes();
        match bytes {
            [OP_RETURN, rest @ ..] if is_push_only(rest) => Kind::NullData,
            [33 | 65, key @ .., OP_CHECKSIG] if key.len() == usize::from(bytes[0]) && is_key(key) => {
                Kind::PubKey(key)
            }
            _ if script.is_p2pkh() => Kind::PubKeyHash,
            _ => multi_sig(bytes).unwrap_or(Kind::NonStandard),
        }
    }

    /// Its name (Core's `GetTxnOutputType`).
    pub fn name(&self) -> &'static str {
        match self {
            Kind::NonStandard => "nonstandard",
            Kind::PubKey(_) => "pubkey",
            Kind::PubKeyHash => "pubkeyhash",
            Kind::ScriptHash => "scripthash",
            Kind::MultiSig { .. } => "multisig",
            Kind::NullData => "nulldata",
            Kind::Anchor => "anchor",
            Kind::WitnessV0KeyHash => "witness_v0_keyhash",
            Kind::WitnessV0ScriptHash => "witness_v0_scripthash",
            Kind::WitnessV1Taproot(_) => "witness_v1_taproot",
            Kind::WitnessUnknown => "witness_unknown",
        }
    }
}

/// Whether a key has the length that its first byte says. Whether there is such a key is not asked.
fn is_key(key: &[u8]) -> bool {
    match key.first() {
        Some(2 | 3) => key.len() == 33,
        Some(4 | 6 | 7) => key.len() == 65,
        _ => false,
    }
}

/// Whether there is nothing but pushes, `OP_RESERVED` counted among them.
fn is_push_only(script: &[u8]) -> bool {
    Ops::new(script).all(|op| op.is_ok_and(|op| op.code <= 0x60))
}

fn multi_sig(script: &[u8]) -> Option<Kind<'_>> {
    let (&OP_CHECKMULTISIG, script) = script.split_last()? else {
        return None;
    };
    let mut ops = Ops::new(script);
    let required = count(ops.next()?.ok()?).filter(|count| *count >= 1)?;
    let mut keys = Vec::new();
    let number = loop {
        let op = ops.next()?.ok()?;
        if !is_key(op.data) {
            break count(op)?;
        }
        keys.push(op.data);
    };
    let agrees = number >= required && usize::from(number) == keys.len() && ops.rest().is_empty();
    agrees.then_some(Kind::MultiSig { required, keys })
}

/// A number of keys.
fn count(op: Op<'_>) -> Option<u8> {
    if let Some(number) = op.small_number() {
        return Some(number);
    }
    // Numbers above 16 are pushed as data, in the shortest form.
    let is_shortest = op.is_data() && op.is_minimal() && !matches!(op.data, [.., 0 | 0x80]);
    let number = number(op.data).filter(|number| is_shortest && (1..=MAX_KEYS).contains(number))?;
    u8::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::ScriptBuf;

    fn name(hex: &str) -> &'static str {
        let script = ScriptBuf::from_hex(hex).expect("hexadecimal");
        Kind::of(&script).name()
    }

    fn zeros(count: usize) -> String {
        "00".repeat(count)
    }

    #[test]
    fn witnesses() {
        for (script, expected) in [
            (format!("0014{}", zeros(20)), "witness_v0_keyhash"),
            (format!("0020{}", zeros(32)), "witness_v0_scripthash"),
            (format!("0015{}", zeros(21)), "nonstandard"),
            (format!("5120{}", zeros(32)), "witness_v1_taproot"),
            (format!("511f{}", zeros(31)), "witness_unknown"),
            (format!("6002{}", zeros(2)), "witness_unknown"),
            (format!("6028{}", zeros(40)), "witness_unknown"),
            (format!("6029{}", zeros(41)), "nonstandard"),
            (format!("6001{}", zeros(1)), "nonstandard"),
            ("51024e73".to_owned(), "anchor"),
            ("51024e74".to_owned(), "witness_unknown"),
            ("52024e73".to_owned(), "witness_unknown"),
        ] {
            assert_eq!(name(&script), expected, "{script}");
        }
    }

    #[test]
    fn hashes_and_keys() {
        for (script, expected) in [
            (format!("76a914{}88ac", zeros(20)), "pubkeyhash"),
            (format!("76a914{}88ad", zeros(20)), "nonstandard"),
            (format!("a914{}87", zeros(20)), "scripthash"),
            (format!("2102{}ac", zeros(32)), "pubkey"),
            (format!("4104{}ac", zeros(64)), "pubkey"),
            (format!("4107{}ac", zeros(64)), "pubkey"),
            (format!("2104{}ac", zeros(32)), "nonstandard"),
            (format!("2105{}ac", zeros(32)), "nonstandard"),
            (format!("4102{}ac", zeros(64)), "nonstandard"),
            (String::new(), "nonstandard"),
            ("ac".to_owned(), "nonstandard"),
        ] {
            assert_eq!(name(&script), expected, "{script}");
        }
    }

    #[test]
    fn data() {
        for (script, expected) in [
            ("6a", "nulldata"),
            ("6a0101", "nulldata"),
            ("6a4c0101", "nulldata"),
            ("6a5160", "nulldata"),
            ("6a50", "nulldata"),
            ("6a61", "nonstandard"),
            ("6a02ff", "nonstandard"),
        ] {
            assert_eq!(name(script), expected, "{script}");
        }
    }

    #[test]
    fn several_keys() {
        let key = format!("2103{}", zeros(32));
        let script =
            |required: &str, keys: usize, number: &str| format!("{required}{}{number}ae", key.repeat(keys));
        for (script, expected) in [
            (script("51", 1, "51"), "multisig"),
            (script("52", 3, "53"), "multisig"),
            (script("60", 16, "60"), "multisig"),
            // Above 16 the number is data.
            (script("0111", 17, "0111"), "multisig"),
            (script("51", 20, "0114"), "multisig"),
            (script("51", 21, "0115"), "nonstandard"),
            // Not in the shortest form, or not there.
            (script("0101", 1, "51"), "nonstandard"),
            (script("4c0111", 17, "0111"), "nonstandard"),
            (script("51", 20, "021400"), "nonstandard"),
            (script("00", 1, "51"), "nonstandard"),
            (script("52", 1, "51"), "nonstandard"),
            (script("51", 2, "51"), "nonstandard"),
            (script("51", 0, "00"), "nonstandard"),
            (script("51", 1, "5161"), "nonstandard"),
            (script("51", 1, ""), "nonstandard"),
            ("ae".to_owned(), "nonstandard"),
        ] {
            assert_eq!(name(&script), expected, "{script}");
        }
        let script = ScriptBuf::from_hex(&script("52", 3, "53")).expect("hexadecimal");
        let Kind::MultiSig { required, keys } = Kind::of(&script) else {
            panic!("of several");
        };
        assert_eq!((required, keys.len(), keys[2][0]), (2, 3, 3));
    }
}
