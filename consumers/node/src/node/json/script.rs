//! An output's script.

use super::asm::Asm;
use super::descriptor;
use super::kind::Kind;
use super::text::{Hex, Text};
use bitcoin::{Address, Network, Script};
use serde::Serialize;

/// An output's script, as `scriptPubKey` (Core's `ScriptToUniv`).
#[derive(Clone, Debug, Serialize)]
pub struct ScriptPubKey<'a> {
    asm: Text<Asm<'a>>,
    desc: String,
    hex: Hex<&'a [u8]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<Text<Address>>,
    r#type: &'static str,
}

impl<'a> ScriptPubKey<'a> {
    /// `network`: whose addresses it has.
    pub fn new(script: &'a Script, network: Network) -> Self {
        let kind = Kind::of(script);
        let address = descriptor::address(script, network);
        ScriptPubKey {
            asm: Text(Asm::output(script)),
            desc: descriptor::of_output(script, &kind, address.as_ref()),
            hex: Hex(script.as_bytes()),
            address: address.map(Text),
            r#type: kind.name(),
        }
    }
}
