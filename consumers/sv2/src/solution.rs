//! Blocks that clients have found.

use crate::body::{Body, RESERVED};
use crate::mutant::{Mutant, planted};
use crate::wire::Submission;
use crate::work::{MAX_BLOCK_SIGOPS, MAX_BLOCK_WEIGHT, Work};
use bitcoin::absolute::LockTime;
use bitcoin::block::{Header, Version};
use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, Sequence, Target, Transaction, TxIn, TxMerkleNode, VarInt, Witness, consensus};
use std::fmt;
use std::sync::Arc;

/// The bits of a block's version that a miner may use as a nonce (BIP 323).
const VERSION_ROLLING: u32 = 0x1fff_ffe0;

/// What the script of a coinbase's input has at least and at most, in bytes.
const MIN_SCRIPT: usize = 2;
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
    /// Its script does not begin with what the template says, or is too short or too long.
    #[error(
        "the coinbase's script does not begin with the template's prefix, or has not {MIN_SCRIPT} to {MAX_SCRIPT} bytes"
    )]
    Script,
    /// It does not end with the outputs that the template says: it does not commit to the block's witnesses. Or it has none at all.
    #[error("the coinbase does not end with the template's outputs, or has none")]
    Outputs,
    /// Its lock time lies in the future, or is none that is known to be in the past.
    #[error("the coinbase is locked until {0}")]
    Locked(u32),
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
    /// The block would be larger than blocks may be, with a coinbase of more than the client's constraints have said.
    #[error("the block would weigh {weight}, and its signature operations cost {sigops}")]
    Size {
        /// Its weight.
        weight: u64,
        /// The cost of its signature operations.
        sigops: u64,
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

/// A block that a client has found: its hash is below the target, its coinbase, Merkle root and witness commitment are right, and it
/// is not too large.
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
        check_final(&coinbase, basis.height)?;
        check_size(work, body.count(), &coinbase)?;
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
        let solves = Target::from_compact(basis.bits).is_met_by(hash) || planted(Mutant::AnyHash);
        if !solves {
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
    let commits = coinbase.output.ends_with(body.outputs()) || planted(Mutant::AnyOutputs);
    if coinbase.output.is_empty() || !commits {
        return Err(Unsolved::Outputs);
    }
    let input = &mut coinbase.input[0];
    let script = input.script_sig.as_bytes();
    if !script.starts_with(body.prefix()) || !(MIN_SCRIPT..=MAX_SCRIPT).contains(&script.len()) {
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

/// Templates lock nothing. What is locked nevertheless must be open at this height; by which time a block is judged, is not known here.
fn check_final(coinbase: &Transaction, height: u32) -> Result<(), Unsolved> {
    let is_over = match coinbase.lock_time {
        LockTime::Blocks(until) => until.to_consensus_u32() < height,
        LockTime::Seconds(_) => false,
    };
    let never = |input: &TxIn| input.sequence == Sequence::MAX;
    if is_over || coinbase.input.iter().all(never) {
        Ok(())
    } else {
        Err(Unsolved::Locked(coinbase.lock_time.to_consensus_u32()))
    }
}

fn check_size(work: &Work, count: usize, coinbase: &Transaction) -> Result<(), Unsolved> {
    let head = Header::SIZE + VarInt::from(1 + count).size();
    let (weight, sigops) = work.size(count);
    let weight = weight + 4 * head as u64 + coinbase.weight().to_wu();
    // It spends nothing.
    let sigops = sigops + coinbase.total_sigop_cost(|_| None) as u64;
    if weight > MAX_BLOCK_WEIGHT || sigops > MAX_BLOCK_SIGOPS {
        return Err(Unsolved::Size { weight, sigops });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Job;
    use crate::wire::{Constraints, PrevHash};
    use crate::work::Basis;
    use bitcoin::{Amount, CompactTarget, OutPoint, ScriptBuf, Txid};

    fn work() -> Arc<Work> {
        let basis = Basis {
            prev_hash: BlockHash::from_byte_array([1; 32]),
            height: 100,
            version: 0x2000_0000,
            bits: CompactTarget::from_consensus(0x207f_ffff),
            least_time: 1_000,
            subsidy: 5_000,
            segwit: true,
        };
        Arc::new(Work::new(basis, Vec::new()))
    }

    /// What is found of a job that is changed so; it is solved, unless `is_solved` says that it must not be.
    fn found(change: impl FnOnce(&mut Job), is_solved: bool) -> Result<Solution, Unsolved> {
        let work = work();
        let body = work.body(work.count(Constraints::default()).unwrap()).0;
        let prev = PrevHash {
            template: 7,
            hash: [1; 32],
            time: 2_000,
            bits: 0x207f_ffff,
            target: [0; 32],
        };
        let mut job = Job::new(&body.template(7, true), &prev, ScriptBuf::new(), &[1, 2]).unwrap();
        change(&mut job);
        job.seal();
        while job.header.target().is_met_by(job.header.block_hash()) != is_solved {
            job.header.nonce += 1;
        }
        Solution::check(&work, &body, &job.submission())
    }

    /// Each reason, told apart.
    #[test]
    fn why_a_solution_is_none() {
        type Change = fn(&mut Job);
        let version = |version| Version::from_consensus(version);
        assert!(found(|_| {}, true).is_ok());
        assert!(matches!(found(|_| {}, false), Err(Unsolved::Work(_))));
        assert_eq!(
            found(|job| job.header.version = version(0x2000_0001), true).unwrap_err(),
            Unsolved::Version(0x2000_0001)
        );
        assert!(found(|job| job.header.version = version(0x3fff_ffe0), true).is_ok());
        let changes: [(Change, Unsolved); 9] = [
            (
                |job| job.header.time = 999,
                Unsolved::Time {
                    time: 999,
                    least: 1_000,
                },
            ),
            (|job| job.coinbase.input.clear(), Unsolved::NoCoinbase),
            (
                |job| job.coinbase.input[0].previous_output = OutPoint::new(Txid::all_zeros(), 0),
                Unsolved::NoCoinbase,
            ),
            (
                |job| job.coinbase.input[0].script_sig = ScriptBuf::from_bytes(vec![1, 99]),
                Unsolved::Script,
            ),
            (|job| job.coinbase.output.truncate(1), Unsolved::Outputs),
            (
                |job| job.coinbase.input[0].witness = Witness::from_slice(&[[1; 32]]),
                Unsolved::Witness,
            ),
            (
                |job| job.coinbase.output[0].value = Amount::from_sat(5_001),
                Unsolved::Value {
                    paid: 5_001,
                    value: 5_000,
                },
            ),
            (
                |job| {
                    job.coinbase.lock_time = LockTime::from_consensus(100);
                    job.coinbase.input[0].sequence = Sequence::ZERO;
                },
                Unsolved::Locked(100),
            ),
            (
                // OP_CHECKSIG, so often that it costs more than a block may.
                |job| job.coinbase.output[0].script_pubkey = ScriptBuf::from_bytes(vec![0xac; 20_001]),
                Unsolved::Size {
                    weight: 80_820,
                    sigops: 80_004,
                },
            ),
        ];
        for (change, why) in changes {
            assert_eq!(found(change, true).unwrap_err(), why);
        }
    }
}
