//! Blocks that clients have found.

use crate::body::{Body, RESERVED};
use crate::wire::Submission;
use crate::work::Work;
use bitcoin::block::{Header, Version};
use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, Target, Transaction, TxMerkleNode, VarInt, Witness, consensus};
use std::fmt;
use std::sync::Arc;

/// The bits of a block's version that a miner may use as a nonce (BIP 323).
const VERSION_ROLLING: u32 = 0x1fff_ffe0;

/// What the script of a coinbase's input may have, in bytes.
const MAX_SCRIPT: usize = 100;

/// Why a solution is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsolved {
    /// The coinbase cannot be read.
    #[error("the coinbase cannot be read")]
    Undecodable,
    /// It is not one: it has another input, or none, or several.
    #[error("the coinbase is an ordinary transaction")]
    NoCoinbase,
    /// Its script does not begin with what the template says, or is too long.
    #[error(
        "the coinbase's script does not begin with the template's prefix, or is longer than {MAX_SCRIPT} bytes"
    )]
    Script,
    /// It does not end with the outputs that the template says: it does not commit to the block's witnesses.
    #[error("the coinbase does not end with the template's outputs")]
    Outputs,
    /// Its witness is not what the commitment was made with.
    #[error("the coinbase's witness is not the template's")]
    Witness,
    /// It pays more than there is.
    #[error("the coinbase pays {paid} satoshis, and there are {value}")]
    Value {
        /// What it pays.
        paid: u64,
        /// What it may pay.
        value: u64,
    },
    /// Bits of the version are changed that are not the miner's.
    #[error("the version {0:#010x} changes bits that are not the miner's")]
    Version(u32),
    /// The time is less than the block may have.
    #[error("the time {time} is before {least}")]
    Time {
        /// The time.
        time: u32,
        /// The least it may be.
        least: u32,
    },
    /// The hash is above the target.
    #[error("the hash {0} is above the target")]
    Work(BlockHash),
}

/// A block that a client has found: its hash is below the target, and its coinbase, Merkle root and witness commitment are right.
#[derive(Clone)]
pub struct Solution {
    header: Header,
    /// Serialized, with witness.
    coinbase: Vec<u8>,
    count: usize,
    work: Arc<Work>,
}

impl Solution {
    pub(crate) fn check(work: &Arc<Work>, body: &Body, found: &Submission) -> Result<Solution, Unsolved> {
        let basis = work.basis();
        if (found.version ^ basis.version) & !VERSION_ROLLING != 0 {
            return Err(Unsolved::Version(found.version));
        }
        if found.time < basis.least_time {
            return Err(Unsolved::Time {
                time: found.time,
                least: basis.least_time,
            });
        }
        let coinbase = check_coinbase(body, &found.coinbase)?;
        let root = body.root(coinbase.compute_txid().to_byte_array());
        let header = Header {
            version: Version::from_consensus(found.version.cast_signed()),
            prev_blockhash: basis.prev_hash,
            merkle_root: TxMerkleNode::from_byte_array(root),
            time: found.time,
            bits: basis.bits,
            nonce: found.nonce,
        };
        let hash = header.block_hash();
        if !Target::from_compact(basis.bits).is_met_by(hash) {
            return Err(Unsolved::Work(hash));
        }
        Ok(Solution {
            header,
            coinbase: consensus::serialize(&coinbase),
            count: body.count(),
            work: work.clone(),
        })
    }

    /// The block's hash.
    pub fn hash(&self) -> BlockHash {
        self.header.block_hash()
    }

    /// Its height.
    pub fn height(&self) -> u32 {
        self.work.basis().height
    }

    /// The block, serialized with witnesses: up to four million bytes are copied.
    pub fn block(&self) -> Vec<u8> {
        let transactions = &self.work.transactions()[..self.count];
        let mut block = consensus::serialize(&self.header);
        block.extend(consensus::serialize(&VarInt::from(1 + self.count)));
        block.extend(&self.coinbase);
        for tx in transactions {
            block.extend_from_slice(&tx.bytes);
        }
        block
    }
}

impl fmt::Debug for Solution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hash, height) = (self.hash(), self.height());
        write!(
            f,
            "Solution({hash} at height {height}, {} transactions)",
            1 + self.count
        )
    }
}

/// Reads a coinbase. One without a witness is given the one that it needs: that says nothing, and miners may leave it out.
fn check_coinbase(body: &Body, bytes: &[u8]) -> Result<Transaction, Unsolved> {
    let mut coinbase: Transaction = consensus::deserialize(bytes).map_err(|_| Unsolved::Undecodable)?;
    if !coinbase.is_coinbase() {
        return Err(Unsolved::NoCoinbase);
    }
    let paid = coinbase
        .output
        .iter()
        .fold(0_u64, |sum, output| sum.saturating_add(output.value.to_sat()));
    if paid > body.value() {
        let value = body.value();
        return Err(Unsolved::Value { paid, value });
    }
    if !coinbase.output.ends_with(body.outputs()) {
        return Err(Unsolved::Outputs);
    }
    let input = &mut coinbase.input[0];
    let script = input.script_sig.as_bytes();
    if !script.starts_with(body.prefix()) || script.len() > MAX_SCRIPT {
        return Err(Unsolved::Script);
    }
    if body.outputs().is_empty() {
        // Before segregated witness: pools send one all the same.
        input.witness.clear();
        return Ok(coinbase);
    }
    if input.witness.is_empty() {
        input.witness = Witness::from_slice(&[RESERVED]);
    }
    let right = input.witness.len() == 1 && input.witness.nth(0) == Some(&RESERVED[..]);
    if right {
        Ok(coinbase)
    } else {
        Err(Unsolved::Witness)
    }
}
