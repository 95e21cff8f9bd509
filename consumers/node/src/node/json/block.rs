//! A block.

use super::headline::Headline;
use super::text::{Hex, Text};
use super::tx::{Tx, version};
use bitcoin::{Network, Txid};
use serde::{Serialize, Serializer};

/// How much is told of a block's transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Their ids.
    Ids,
    /// All of it, with the addresses of this network.
    Full(Network),
}

/// A block, as `getblock` gives it (Core's `blockToJSON`).
#[derive(Debug, Serialize)]
pub struct Block<'a> {
    #[serde(flatten)]
    headline: &'a Headline,
    strippedsize: u64,
    size: usize,
    weight: u64,
    /// Core has it from version 31 on.
    #[serde(skip_serializing_if = "Option::is_none")]
    coinbase_tx: Option<Coinbase<'a>>,
    tx: Txs<'a>,
}

/// What miners write into a block.
#[derive(Debug, Serialize)]
struct Coinbase<'a> {
    version: u32,
    locktime: u32,
    sequence: u32,
    coinbase: Hex<&'a [u8]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    witness: Option<Hex<&'a [u8]>>,
}

impl<'a> Coinbase<'a> {
    fn of(block: &'a bitcoin::Block) -> Option<Self> {
        let tx = block.txdata.first()?;
        let input = tx.input.first()?;
        Some(Coinbase {
            version: version(tx),
            locktime: tx.lock_time.to_consensus_u32(),
            sequence: input.sequence.0,
            coinbase: Hex(input.script_sig.as_bytes()),
            witness: input.witness.nth(0).map(Hex),
        })
    }
}

impl<'a> Block<'a> {
    /// `headline` is of this block.
    pub fn new(headline: &'a Headline, block: &'a bitcoin::Block, detail: Detail) -> Self {
        let (size, weight) = (block.total_size(), block.weight().to_wu());
        Block {
            headline,
            // A byte weighs one unit in a witness, and four anywhere else (BIP 141).
            strippedsize: (weight - size as u64) / 3,
            size,
            weight,
            coinbase_tx: Coinbase::of(block),
            tx: Txs(&block.txdata, detail),
        }
    }
}

#[derive(Debug)]
struct Txs<'a>(&'a [bitcoin::Transaction], Detail);

impl Serialize for Txs<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let &Txs(txs, detail) = self;
        match detail {
            Detail::Ids => to.collect_seq(txs.iter().map(|tx| Text::<Txid>(tx.compute_txid()))),
            Detail::Full(network) => to.collect_seq(txs.iter().map(|tx| Tx::new(tx, network))),
        }
    }
}
