//! What is to be mined on, as a source gives it.

use crate::body::Body;
use crate::wire::Constraints;
use bitcoin::{BlockHash, CompactTarget, Txid, Wtxid};
use bytes::Bytes;
use std::sync::{Arc, Mutex, PoisonError};

/// What a block may weigh (BIP 141).
pub const MAX_BLOCK_WEIGHT: u64 = 4_000_000;

/// The cost of signature operations that a block may have (BIP 141); one that was counted before segregated witness costs 4.
pub const MAX_BLOCK_SIGOPS: u64 = 80_000;

/// What constraints are made ready for when work is made: those of most pools. For others it is done when they ask.
const USUAL: Constraints = Constraints {
    size: 1_000,
    sigops: 400,
};

/// Different numbers of transactions for which work is kept ready: clients that differ by more are rare.
const MOST_BODIES: usize = 8;

/// The place that a block will have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Basis {
    /// The block that it builds on.
    pub prev_hash: BlockHash,
    /// Its height.
    pub height: u32,
    /// Its version, without what a miner may use as a nonce (BIP 323).
    pub version: u32,
    /// Its target.
    pub bits: CompactTarget,
    /// The least time that it may have, in Unix seconds: a second more than the median time past, if there is no other rule.
    pub least_time: u32,
    /// What its coinbase may create, in satoshis.
    pub subsidy: u64,
    /// Whether its coinbase is to commit to witnesses (BIP 141).
    pub segwit: bool,
}

/// A transaction that can be in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// Serialized, with witness.
    pub bytes: Bytes,
    /// The hash of it without witness.
    pub txid: Txid,
    /// The hash of it.
    pub wtxid: Wtxid,
    /// What it pays, in satoshis.
    pub fee: u64,
    /// Its weight.
    pub weight: u32,
    /// The cost of its signature operations: a block may have [`MAX_BLOCK_SIGOPS`].
    pub sigops: u32,
}

/// What the transactions up to one come to.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    weight: u64,
    sigops: u64,
    fees: u64,
}

/// What is to be mined on: a place, and transactions.
#[derive(Debug)]
pub struct Work {
    basis: Basis,
    transactions: Vec<Arc<Transaction>>,
    /// Of the first transaction, the first two, and so on.
    sums: Vec<Sum>,
    /// What has been made of it, for as many transactions as were asked for.
    bodies: Mutex<Vec<Arc<Body>>>,
}

impl Work {
    /// Work whose transactions are in an order of which every beginning is valid, the best ones first: a template has as many of
    /// them as there is room for.
    ///
    /// Hashes them all, which for a full block takes some milliseconds: on a thread that may.
    pub fn new(basis: Basis, transactions: Vec<Arc<Transaction>>) -> Work {
        let mut sum = Sum::default();
        let sums = transactions.iter().map(|tx| {
            sum.weight += u64::from(tx.weight);
            sum.sigops += u64::from(tx.sigops);
            sum.fees = sum.fees.saturating_add(tx.fee);
            sum
        });
        let sums = sums.collect();
        let work = Work {
            basis,
            transactions,
            sums,
            bodies: Mutex::new(Vec::new()),
        };
        // There is always room for a thousand bytes.
        let _ = work.body(USUAL);
        work
    }

    /// The place.
    pub fn basis(&self) -> &Basis {
        &self.basis
    }

    /// The transactions.
    pub fn transactions(&self) -> &[Arc<Transaction>] {
        &self.transactions
    }

    /// What the first `count` transactions pay, in satoshis.
    pub(crate) fn fees(&self, count: usize) -> u64 {
        let last = count.checked_sub(1).and_then(|last| self.sums.get(last));
        last.map_or(0, |sum| sum.fees)
    }

    /// Whether this is for the same place as `other`: the same parent, and the same target.
    pub(crate) fn follows(&self, other: &Work) -> bool {
        let (ours, other) = (&self.basis, &other.basis);
        ours.prev_hash == other.prev_hash && ours.bits == other.bits
    }

    /// What a client mines whose coinbase outputs need so much room; `None` if not even an empty block has it.
    pub(crate) fn body(&self, room: Constraints) -> Option<Arc<Body>> {
        let taken = coinbase(room);
        let (weight, sigops) = (
            MAX_BLOCK_WEIGHT.checked_sub(taken.weight)?,
            MAX_BLOCK_SIGOPS.checked_sub(taken.sigops)?,
        );
        let fits = |sum: &Sum| sum.weight <= weight && sum.sigops <= sigops;
        let count = self.sums.partition_point(fits);
        let mut bodies = self.bodies.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(body) = bodies.iter().find(|body| body.count() == count) {
            return Some(body.clone());
        }
        let body = Arc::new(Body::new(
            &self.basis,
            &self.transactions[..count],
            self.fees(count),
        ));
        if bodies.len() == MOST_BODIES {
            bodies.remove(1);
        }
        bodies.push(body.clone());
        Some(body)
    }
}

/// What a header, a coinbase and the number of transactions take at most (specification, 7.1): the coinbase's script has 100 bytes,
/// and the number of its outputs up to nine.
fn coinbase(room: Constraints) -> Sum {
    const HEADER: u64 = 80;
    /// The longest way to write a number.
    const COUNT: u64 = 9;
    /// Version, one input (previous output, script and its length, sequence), lock time.
    const COINBASE: u64 = 4 + 1 + 36 + 1 + 100 + 4 + 4;
    /// Amount, length, and the script that commits to witnesses.
    const COMMITMENT: u64 = 8 + 1 + 38;
    /// Marker, flag, and one witness of 32 bytes: these weigh a quarter.
    const WITNESS: u64 = 2 + 1 + 1 + 32;

    let bytes = HEADER + COUNT + COINBASE + COUNT + COMMITMENT + u64::from(room.size);
    Sum {
        weight: 4 * bytes + WITNESS,
        sigops: 4 * u64::from(room.sigops),
        fees: 0,
    }
}
