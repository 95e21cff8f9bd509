//! Output descriptors (BIP 380 to 386), as far as they name one script: what `generatetodescriptor` takes.

use crate::node::json::descriptor::checksum;
use bitcoin::hex::FromHex as _;
use bitcoin::secp256k1::Secp256k1;
use bitcoin::{Address, Network, NetworkKind, ScriptBuf, XOnlyPublicKey};
use miniscript::Descriptor;
use miniscript::descriptor::{DescriptorPublicKey, XKeyNetwork};
use sockman_http::rpc::{RpcError, code};
use std::fmt::Display;

fn wrong(why: impl Display) -> RpcError {
    RpcError::new(code::INVALID_ADDRESS_OR_KEY, why.to_string())
}

/// The script that a descriptor names (Core's `getScriptFromDescriptor`). Its checksum may be left out.
pub(super) fn script(text: &str, network: Network) -> Result<ScriptBuf, RpcError> {
    let body = without_checksum(text)?;
    let inside = |name: &str| body.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')');
    if let Some(address) = inside("addr") {
        let address: Address<_> = address.parse().map_err(|_| wrong("Address is not valid"))?;
        let address = address.require_network(network);
        return Ok(address
            .map_err(|_| wrong("Address is not valid"))?
            .script_pubkey());
    }
    if let Some(hex) = inside("raw") {
        let bytes = Vec::from_hex(hex).map_err(|_| wrong("Raw script is not hex"))?;
        return Ok(ScriptBuf::from_bytes(bytes));
    }
    if let Some(key) = inside("rawtr") {
        // Keys that others follow from are for those who have a wallet.
        let key: XOnlyPublicKey = key.parse().map_err(|_| wrong("rawtr(): key is not valid"))?;
        let key = bitcoin::key::TweakedPublicKey::dangerous_assume_tweaked(key);
        return Ok(ScriptBuf::new_p2tr_tweaked(key));
    }
    if let Some(key) = inside("combo") {
        // Of the scripts that it stands for, a block pays to that in a witness, if the key can have one.
        return of(&format!("wpkh({key})"), network).or_else(|_| of(&format!("pkh({key})"), network));
    }
    of(body, network)
}

fn without_checksum(text: &str) -> Result<&str, RpcError> {
    let (body, given) = match text.split_once('#') {
        Some((body, given)) => (body, Some(given)),
        None => (text, None),
    };
    let right = checksum(body).ok_or_else(|| wrong("Invalid characters in payload"))?;
    match given {
        Some(given) if given.len() != right.len() => {
            let (expected, length) = (right.len(), given.len());
            Err(wrong(format_args!(
                "Expected {expected} character checksum, not {length} characters"
            )))
        }
        Some(given) if given != right => Err(wrong(format_args!(
            "Provided checksum '{given}' does not match computed checksum '{right}'"
        ))),
        _ => Ok(body),
    }
}

/// The script of a descriptor of keys.
fn of(body: &str, network: Network) -> Result<ScriptBuf, RpcError> {
    let secp = Secp256k1::signing_only();
    let (descriptor, _) = Descriptor::<DescriptorPublicKey>::parse_descriptor(&secp, body).map_err(wrong)?;
    match descriptor.xkey_network() {
        XKeyNetwork::NoXKeys => {}
        XKeyNetwork::Single(kind) if kind == NetworkKind::from(network) => {}
        XKeyNetwork::Single(_) | XKeyNetwork::Mixed => return Err(wrong("key of another network")),
    }
    if descriptor.is_multipath() {
        let why = "Multipath descriptor not accepted";
        return Err(RpcError::new(code::INVALID_PARAMETER, why));
    }
    if descriptor.has_wildcard() {
        let why = "Ranged descriptor not accepted. Maybe pass through deriveaddresses first?";
        return Err(RpcError::new(code::INVALID_PARAMETER, why));
    }
    let definite = descriptor.at_derivation_index(0).map_err(wrong)?;
    Ok(definite
        .derived_descriptor(&Secp256k1::verification_only())
        .script_pubkey())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> String {
        script(text, Network::Regtest).expect(text).to_hex_string()
    }

    fn error(text: &str) -> (i32, String) {
        let why = script(text, Network::Regtest).expect_err(text);
        (why.code, why.message.into_owned())
    }

    const KEY: &str = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";

    /// The scripts of the generator point's key; those in witnesses are BIP 173's examples.
    #[test]
    fn what_they_name() {
        let hash = "751e76e8199196d454941c45d1b3a323f1433bd6";
        for (text, expected) in [
            ("raw(51)".to_owned(), "51".to_owned()),
            ("raw(deadbeef)#89f8spxm".to_owned(), "deadbeef".to_owned()),
            (
                "addr(bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080)".to_owned(),
                format!("0014{hash}"),
            ),
            (format!("pk({KEY})"), format!("21{KEY}ac")),
            (format!("pkh({KEY})"), format!("76a914{hash}88ac")),
            (format!("wpkh({KEY})"), format!("0014{hash}")),
            (format!("combo({KEY})"), format!("0014{hash}")),
            (
                format!("wsh(pk({KEY}))"),
                "00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262".to_owned(),
            ),
            (format!("rawtr({})", &KEY[2..]), format!("5120{}", &KEY[2..])),
            // BIP 86 tweaks by the key alone.
            (
                format!("tr({})", &KEY[2..]),
                "5120da4710964f7852695de2da025290e24af6d8c281de5a0b902b7135fd9fd74d21".to_owned(),
            ),
        ] {
            assert_eq!(hex(&text), expected, "{text}");
        }
        let long = "0479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8";
        let uncompressed = "76a91491b24bf9f5288532960ac687abb035127b1d28a588ac";
        assert_eq!(
            hex(&format!("combo({long})")),
            uncompressed,
            "there is no such key in a witness"
        );
    }

    #[test]
    fn what_is_wrong_with_them() {
        for (text, expected) in [
            ("raw(deadbeef)#89f8spxn", "does not match"),
            ("raw(deadbeef)#", "Expected 8 character checksum, not 0"),
            ("raw(xy)", "not hex"),
            ("raw(\u{e9})", "Invalid characters"),
            (
                "addr(bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4)",
                "Address is not valid",
            ),
            ("addr(nonsense)", "Address is not valid"),
            ("rawtr(00)", "key is not valid"),
            ("nonsense", ""),
            ("wpkh(00)", ""),
            ("", ""),
            (
                "wpkh(xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8/0)",
                "another network",
            ),
        ] {
            let (code, why) = error(text);
            assert_eq!(code, code::INVALID_ADDRESS_OR_KEY, "{text}: {why}");
            assert!(why.contains(expected), "{text}: {why}");
        }
        let ranged = "wpkh(tpubD6NzVbkrYhZ4WaWSyoBvQwbpLkojyoTZPRsgXELWz3Popb3qkjcJyJUGLnL4qHHoQvao8ESaAstxYSnhyswJ76uZPStJRJCTKvosUCJZL5B/0/*)";
        let (code, why) = error(ranged);
        assert_eq!(code, code::INVALID_PARAMETER);
        assert!(why.contains("Ranged descriptor not accepted"), "{why}");
        let several = ranged.replace("/0/*", "/<0;1>/*");
        let expected = "Multipath descriptor not accepted".to_owned();
        assert_eq!(error(&several), (code::INVALID_PARAMETER, expected));
    }
}
