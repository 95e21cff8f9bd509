//! What a template is made of: the same for all clients with as much room.

use crate::wire::NewTemplate;
use crate::work::{Basis, Transaction};
use bitcoin::hashes::{Hash, sha256d};
use bitcoin::script::Builder;
use bitcoin::{Amount, ScriptBuf, TxOut, consensus};
use std::sync::Arc;

type Hash256 = [u8; 32];

/// The version of coinbases.
pub(crate) const COINBASE_VERSION: u32 = 2;

/// The sequence number of their input.
const SEQUENCE: u32 = u32::MAX;

/// What the witness of a coinbase has (BIP 141): it may be anything, and this is what all use.
pub(crate) const RESERVED: Hash256 = [0; 32];

/// What the script of the output begins with that commits to witnesses (BIP 141).
const COMMITS: [u8; 6] = [0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed];

/// What a template is made of.
#[derive(Debug)]
pub(crate) struct Body {
    count: usize,
    /// Of its transactions, serialized.
    bytes: usize,
    prefix: Vec<u8>,
    value: u64,
    outputs: Vec<TxOut>,
    path: Vec<Hash256>,
    version: u32,
}

impl Body {
    pub(crate) fn new(basis: &Basis, transactions: &[Arc<Transaction>], value: u64) -> Body {
        let txids = transactions.iter().map(|tx| tx.txid.to_byte_array());
        let outputs = basis.segwit.then(|| {
            let wtxids = transactions.iter().map(|tx| tx.wtxid.to_byte_array());
            // The coinbase's own counts as zero.
            let root = follow([0; 32], &path(wtxids.collect()));
            commitment(root)
        });
        Body {
            count: transactions.len(),
            bytes: transactions.iter().map(|tx| tx.bytes.len()).sum(),
            prefix: prefix(basis.height).into_bytes(),
            value,
            outputs: outputs.into_iter().collect(),
            path: path(txids.collect()),
            version: basis.version,
        }
    }

    /// How many transactions it has, but for the coinbase.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// How many bytes these have, serialized.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// What the coinbase may pay, in satoshis.
    pub(crate) fn value(&self) -> u64 {
        self.value
    }

    /// What its script begins with (BIP 34).
    pub(crate) fn prefix(&self) -> &[u8] {
        &self.prefix
    }

    /// The outputs that it ends with.
    pub(crate) fn outputs(&self) -> &[TxOut] {
        &self.outputs
    }

    /// The Merkle root of a block with this coinbase.
    pub(crate) fn root(&self, coinbase: Hash256) -> Hash256 {
        follow(coinbase, &self.path)
    }

    pub(crate) fn template(&self, template: u64, future: bool) -> NewTemplate {
        let outputs = self.outputs.iter().map(consensus::serialize);
        NewTemplate {
            template,
            future,
            version: self.version,
            coinbase_version: COINBASE_VERSION,
            coinbase_prefix: self.prefix.clone(),
            coinbase_sequence: SEQUENCE,
            value: self.value,
            outputs_count: self.outputs.len() as u32,
            outputs: outputs.collect::<Vec<_>>().concat(),
            coinbase_locktime: 0,
            merkle_path: self.path.clone(),
        }
    }
}

/// The height as a coinbase has it: 1 to 16 are opcodes, and larger ones numbers of as few bytes as they need (BIP 34).
fn prefix(height: u32) -> ScriptBuf {
    Builder::new().push_int(i64::from(height)).into_script()
}

fn commitment(root: Hash256) -> TxOut {
    let script = [&COMMITS[..], &node(&root, &RESERVED)].concat();
    TxOut {
        value: Amount::ZERO,
        script_pubkey: ScriptBuf::from_bytes(script),
    }
}

/// What the hash that comes before `hashes` is to be hashed with, level by level, to get the Merkle root: deepest first.
fn path(hashes: Vec<Hash256>) -> Vec<Hash256> {
    // The first of each level is not known, and stands for itself.
    let mut level = hashes;
    let mut path = Vec::new();
    while let Some(&beside) = level.first() {
        path.push(beside);
        let pairs = level[1..].chunks(2);
        level = pairs
            .map(|pair| node(&pair[0], pair.last().unwrap_or(&pair[0])))
            .collect();
    }
    path
}

/// The Merkle root that a path leads to.
fn follow(first: Hash256, path: &[Hash256]) -> Hash256 {
    path.iter().fold(first, |hash, beside| node(&hash, beside))
}

fn node(left: &Hash256, right: &Hash256) -> Hash256 {
    sha256d::Hash::hash(&[*left, *right].concat()).to_byte_array()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::{TxMerkleNode, merkle_tree};

    #[test]
    fn paths_lead_to_the_root() {
        for count in 0..70_u8 {
            let hashes: Vec<Hash256> = (0..count).map(|byte| [byte + 1; 32]).collect();
            let path = path(hashes.clone());
            let whole = std::iter::once([0xcb; 32]).chain(hashes);
            let root = merkle_tree::calculate_root(whole.map(TxMerkleNode::from_byte_array));
            let root = root.map(Hash::to_byte_array);
            assert_eq!(Some(follow([0xcb; 32], &path)), root, "{count}");
        }
    }

    /// BIP 34, and what Core does for heights that have an opcode.
    #[test]
    fn heights() {
        for (height, script) in [
            (1, vec![0x51]),
            (16, vec![0x60]),
            (17, vec![1, 17]),
            (127, vec![1, 127]),
            (128, vec![2, 128, 0]),
            (227_931, vec![3, 0x5b, 0x7a, 0x03]),
            (840_000, vec![3, 0x40, 0xd1, 0x0c]),
        ] {
            assert_eq!(prefix(height).into_bytes(), script, "{height}");
        }
    }
}
