//! A transaction.

use super::asm::Asm;
use super::script::ScriptPubKey;
use super::text::{Hex, Text};
use bitcoin::{Network, Transaction, TxIn, TxOut, Txid, Wtxid, consensus};
use serde::{Serialize, Serializer};
use sockman_http::rpc::Amount;

/// A transaction (Core's `TxToUniv`). What its inputs spent is not told, and so no fee: that takes blocks before.
#[derive(Debug, Serialize)]
pub struct Tx<'a> {
    txid: Text<Txid>,
    hash: Text<Wtxid>,
    version: u32,
    size: usize,
    vsize: usize,
    weight: u64,
    locktime: u32,
    vin: Inputs<'a>,
    vout: Outputs<'a>,
    hex: Hex<Vec<u8>>,
}

impl<'a> Tx<'a> {
    /// `network`: whose addresses it has.
    pub fn new(tx: &'a Transaction, network: Network) -> Self {
        Tx {
            txid: Text(tx.compute_txid()),
            hash: Text(tx.compute_wtxid()),
            version: version(tx),
            size: tx.total_size(),
            vsize: tx.vsize(),
            weight: tx.weight().to_wu(),
            locktime: tx.lock_time.to_consensus_u32(),
            vin: Inputs(tx),
            vout: Outputs(&tx.output, network),
            hex: Hex(consensus::serialize(tx)),
        }
    }
}

/// The version. Core has no negative ones since version 28.
pub(super) fn version(tx: &Transaction) -> u32 {
    tx.version.0.cast_unsigned()
}

#[derive(Debug)]
struct Inputs<'a>(&'a Transaction);

impl Serialize for Inputs<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let is_coinbase = self.0.is_coinbase();
        to.collect_seq(self.0.input.iter().map(|input| Input::new(input, is_coinbase)))
    }
}

#[derive(Serialize)]
struct Input<'a> {
    #[serde(flatten)]
    from: From<'a>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    txinwitness: Vec<Hex<&'a [u8]>>,
    sequence: u32,
}

/// Where an input's money comes from.
#[derive(Serialize)]
#[serde(untagged)]
enum From<'a> {
    Nowhere {
        coinbase: Hex<&'a [u8]>,
    },
    Output {
        txid: Text<Txid>,
        vout: u32,
        #[serde(rename = "scriptSig")]
        script: ScriptSig<'a>,
    },
}

#[derive(Serialize)]
struct ScriptSig<'a> {
    asm: Text<Asm<'a>>,
    hex: Hex<&'a [u8]>,
}

impl<'a> Input<'a> {
    fn new(input: &'a TxIn, is_coinbase: bool) -> Self {
        let hex = Hex(input.script_sig.as_bytes());
        let from = if is_coinbase {
            From::Nowhere { coinbase: hex }
        } else {
            let asm = Text(Asm::input(&input.script_sig));
            From::Output {
                txid: Text(input.previous_output.txid),
                vout: input.previous_output.vout,
                script: ScriptSig { asm, hex },
            }
        };
        Input {
            from,
            txinwitness: input.witness.iter().map(Hex).collect(),
            sequence: input.sequence.0,
        }
    }
}

#[derive(Debug)]
struct Outputs<'a>(&'a [TxOut], Network);

impl Serialize for Outputs<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let &Outputs(outputs, network) = self;
        to.collect_seq(outputs.iter().enumerate().map(|(n, output)| Output {
            value: Amount(output.value.to_sat().cast_signed()),
            n,
            script: ScriptPubKey::new(&output.script_pubkey, network),
        }))
    }
}

#[derive(Serialize)]
struct Output<'a> {
    value: Amount,
    n: usize,
    #[serde(rename = "scriptPubKey")]
    script: ScriptPubKey<'a>,
}
