//! A header, and where it stands in the chain.

use super::number::{Real, difficulty};
use super::text::{Hex, Text};
use bitcoin::block::Header;
use bitcoin::{BlockHash, Target, TxMerkleNode, Work};
use serde::{Serialize, Serializer};

/// A header and what a node knows of it: what JSON needs, copied out of the node's state in one go.
///
/// As JSON it is what `getblockheader` gives (Core's `blockheaderToJSON`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Headline {
    /// The header.
    pub header: Header,
    /// Its hash.
    pub hash: BlockHash,
    /// Blocks of the active chain from this one on, or -1 if it is not in it.
    pub confirmations: i64,
    /// How many are before it.
    pub height: u32,
    /// The median of its time and those of the ten before it, in Unix seconds.
    pub median_time: u32,
    /// The work of all headers up to and with this one.
    pub work: Work,
    /// The transactions of its block; 0 if the block has not come.
    pub txs: u32,
    /// The one before it; none for the first.
    pub previous: Option<BlockHash>,
    /// The one after it in the active chain.
    pub next: Option<BlockHash>,
}

#[derive(Serialize)]
struct Json {
    hash: Text<BlockHash>,
    confirmations: i64,
    height: u32,
    version: i32,
    #[serde(rename = "versionHex")]
    version_hex: Text<String>,
    merkleroot: Text<TxMerkleNode>,
    time: u32,
    mediantime: u32,
    nonce: u32,
    bits: Text<String>,
    target: Hex<[u8; 32]>,
    difficulty: Real,
    chainwork: Hex<[u8; 32]>,
    #[serde(rename = "nTx")]
    txs: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    previousblockhash: Option<Text<BlockHash>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nextblockhash: Option<Text<BlockHash>>,
}

impl Serialize for Headline {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let header = &self.header;
        let version = header.version.to_consensus();
        let json = Json {
            hash: Text(self.hash),
            confirmations: self.confirmations,
            height: self.height,
            version,
            version_hex: Text(format!("{version:08x}")),
            merkleroot: Text(header.merkle_root),
            time: header.time,
            mediantime: self.median_time,
            nonce: header.nonce,
            bits: Text(format!("{:08x}", header.bits.to_consensus())),
            target: Hex(Target::from_compact(header.bits).to_be_bytes()),
            difficulty: difficulty(header.bits),
            chainwork: Hex(self.work.to_be_bytes()),
            txs: self.txs,
            previousblockhash: self.previous.map(Text),
            nextblockhash: self.next.map(Text),
        };
        json.serialize(to)
    }
}
