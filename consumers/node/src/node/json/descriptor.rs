//! Output descriptors (BIP 380): their checksum, and the one that an output's script has.

use super::kind::Kind;
use bitcoin::hex::DisplayHex as _;
use bitcoin::{Address, Network, Script, XOnlyPublicKey};
use std::fmt::{self, Write as _};

/// What descriptors are written with, in the order in which the checksum numbers it.
const INPUT: &[u8; 95] = b"0123456789()[],'/*abcdefgh@:$%{}\
IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~\
ijklmnopqrstuvwxyzABCDEFGH`#\"\\ ";

/// What checksums are written with: Bech32's letters.
const OUTPUT: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

const GENERATOR: [u64; 5] = [
    0xf5_dee5_1989,
    0xa9_fdca_3312,
    0x1b_ab10_e32d,
    0x37_06b1_677a,
    0x64_4d62_6ffd,
];

/// The checksum of a descriptor, as it stands behind its `#`. None if there is a character that no descriptor has.
///
/// ```
/// use sockman_node::node::json::descriptor::checksum;
/// assert_eq!(checksum("raw(deadbeef)").unwrap(), "89f8spxm");
/// ```
pub fn checksum(descriptor: &str) -> Option<String> {
    let mut sum = Sum(1);
    let mut groups = 0;
    let mut count = 0;
    for letter in descriptor.bytes() {
        let place = INPUT.iter().position(|one| *one == letter)?;
        sum.add(place as u64 & 31);
        // The groups of three letters go into one symbol.
        groups = groups * 3 + (place as u64 >> 5);
        count += 1;
        if count == 3 {
            sum.add(groups);
            (groups, count) = (0, 0);
        }
    }
    if count > 0 {
        sum.add(groups);
    }
    (0..8).for_each(|_| sum.add(0));
    let sum = sum.0 ^ 1;
    let letter = |place: u64| char::from(OUTPUT[(sum >> (5 * (7 - place))) as usize & 31]);
    Some((0..8).map(letter).collect())
}

/// The remainder of what has been added, by the polynomial.
struct Sum(u64);

impl Sum {
    fn add(&mut self, value: u64) {
        let top = self.0 >> 35;
        self.0 = (self.0 & 0x7_ffff_ffff) << 5 ^ value;
        for (bit, generator) in GENERATOR.iter().enumerate() {
            if top >> bit & 1 == 1 {
                self.0 ^= generator;
            }
        }
    }
}

/// The address that an output pays to, if it has one (Core's `ExtractDestination`).
///
/// An output to a public key itself has none: nobody writes such addresses any more.
pub fn address(script: &Script, network: Network) -> Option<Address> {
    Address::from_script(script, network).ok()
}

/// The descriptor of an output's script, known by nothing but the script, with its checksum (Core's `InferDescriptor`).
pub fn of_output(script: &Script, kind: &Kind<'_>, address: Option<&Address>) -> String {
    let mut text = String::new();
    // Writing to a text cannot fail.
    let _ = write(&mut text, script, kind, address);
    // There is no letter in it that could not be.
    if let Some(sum) = checksum(&text) {
        text.push('#');
        text.push_str(&sum);
    }
    text
}

fn write(text: &mut String, script: &Script, kind: &Kind<'_>, address: Option<&Address>) -> fmt::Result {
    match kind {
        Kind::PubKey(key) if !is_hybrid(key) => write!(text, "pk({:x})", key.as_hex()),
        Kind::MultiSig { required, keys } if !keys.iter().any(|key| is_hybrid(key)) => {
            write!(text, "multi({required}")?;
            for key in keys {
                write!(text, ",{:x}", key.as_hex())?;
            }
            text.write_char(')')
        }
        Kind::WitnessV1Taproot(key) if XOnlyPublicKey::from_slice(key).is_ok() => {
            write!(text, "rawtr({:x})", key.as_hex())
        }
        _ => match address {
            Some(address) => write!(text, "addr({address})"),
            None => write!(text, "raw({:x})", script.as_bytes().as_hex()),
        },
    }
}

/// Keys in the form that nobody uses have no descriptor.
fn is_hybrid(key: &[u8]) -> bool {
    matches!(key.first(), Some(6 | 7))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::ScriptBuf;

    /// BIP 380's own, and descriptors that Core printed.
    #[test]
    fn checksums() {
        for (descriptor, expected) in [
            ("raw(deadbeef)", "89f8spxm"),
            ("addr(mkmZxiEcEd8ZqjQWVZuC6so5dFMKEFpN2j)", "02wpgw69"),
            ("addr(n3FnenEMWzrw5XuVwaPG6qgBAsgwVZMtgj)", "lr0lv3s0"),
            ("raw(6a09414243001123646566)", "ux7sdpua"),
            (
                "pkh([d34db33f/44'/0'/0']xpub6ERApfZwUNrhLCkDtcHTcxd75RbzS1ed54G1LkBUHQVHQKqhMkhgbmJbZRkrgZw4koxb5JaHWkY4ALHY2grBGRjaDMzQLcgJvLJuZZvRcEL/1/*)",
                "ml40v0wf",
            ),
        ] {
            assert_eq!(checksum(descriptor).as_deref(), Some(expected), "{descriptor}");
        }
        assert_eq!(checksum("raw(ü)"), None);
    }

    fn described(hex: &str, network: Network) -> String {
        let script = ScriptBuf::from_hex(hex).expect("hexadecimal");
        let address = address(&script, network);
        of_output(&script, &Kind::of(&script), address.as_ref())
    }

    /// Scripts, and what Core said of them.
    #[test]
    fn outputs_that_core_described() {
        for (script, network, expected) in [
            (
                "0014e81e24f8e2cc2ed33f8475968a8138707ffdf906",
                Network::Regtest,
                "addr(bcrt1qaq0zf78zeshdx0uywktg4qfcwpllm7gxxetln2)#cky7t7p2",
            ),
            (
                "0014aafd7386f99f4b508ec05ee8f7edc2e07126620a",
                Network::Bitcoin,
                "addr(bc1q4t7h8phena94prkqtm500mwzupcjvcs2akcdy9)#qmxeweuu",
            ),
            (
                "002003a3b77a35754da4934709a41c9f4eb0e1d16895babc74c10a437137fc635d75",
                Network::Regtest,
                "addr(bcrt1qqw3mw734w4x6fy68pxjpe86wkrsaz6y4h278fsg2gdcn0lrrt46sn4yvyt)#ffm9cu7e",
            ),
            (
                "76a914ee747a81bc7af6afce0e597c672d9dcb4268aa4188ac",
                Network::Testnet4,
                "addr(n3FnenEMWzrw5XuVwaPG6qgBAsgwVZMtgj)#lr0lv3s0",
            ),
            ("51024e73", Network::Signet, "addr(tb1pfees9rn5nz)#8njps4hg"),
            (
                "512083698e458c6664e1595d75da2597de1e22ee97d798e706c4c0a4b5a9823cd743",
                Network::Signet,
                "rawtr(83698e458c6664e1595d75da2597de1e22ee97d798e706c4c0a4b5a9823cd743)#lr3hfg6s",
            ),
            (
                "6a5d21020704b5e1d8e1c8eeb788a30705a02d039f3e01020680dc9afd2808c7e8430a64",
                Network::Bitcoin,
                "raw(6a5d21020704b5e1d8e1c8eeb788a30705a02d039f3e01020680dc9afd2808c7e8430a64)#d24em3lg",
            ),
            (
                "203e61dd9b70d4f6d5a2c30f955995b4186f0374c781a69cbbce244b7140d24281ad02f003b2",
                Network::Regtest,
                "raw(203e61dd9b70d4f6d5a2c30f955995b4186f0374c781a69cbbce244b7140d24281ad02f003b2)#fejnhmtz",
            ),
            (
                "4104678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5fac",
                Network::Bitcoin,
                "pk(04678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5f)#vlz6ztea",
            ),
            (
                "512103c46b73fe2ff939bea5d0a577950dc8876e863bed11c887d681417dfd70533e5121039036c8182c70770f8f6bd702a25c7179bfff1ccb3a844297a717226b88b976cc2102020202020202020202020202020202020202020202020202020202020202020253ae",
                Network::Bitcoin,
                "multi(1,03c46b73fe2ff939bea5d0a577950dc8876e863bed11c887d681417dfd70533e51,039036c8182c70770f8f6bd702a25c7179bfff1ccb3a844297a717226b88b976cc,020202020202020202020202020202020202020202020202020202020202020202)#jjleg3k0",
            ),
        ] {
            assert_eq!(described(script, network), expected);
        }
    }

    #[test]
    fn what_has_no_descriptor_of_its_own() {
        let hybrid = format!("4106{}", "00".repeat(64));
        let raw = |hex: &str| format!("raw({hex})#");
        let script = format!("{hybrid}ac");
        assert!(described(&script, Network::Regtest).starts_with(&raw(&script)));
        let script = format!("51{hybrid}51ae");
        assert!(described(&script, Network::Regtest).starts_with(&raw(&script)));
        // No point of the curve: the address is there all the same.
        let nowhere = format!("5120{}", "ff".repeat(32));
        assert!(described(&nowhere, Network::Regtest).starts_with("addr(bcrt1p"));
    }
}
