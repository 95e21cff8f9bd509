//! What is to be mined on, as a source gives it.

use crate::body::Body;
use crate::wire::Constraints;
use bitcoin::{BlockHash, CompactTarget, Txid, Wtxid};
use bytes::Bytes;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a block may weigh (BIP 141).
pub const MAX_BLOCK_WEIGHT: u64 = 4_000_000;

/// The cost of signature operations that a block may have (BIP 141); one that was counted before segregated witness costs 4.
pub const MAX_BLOCK_SIGOPS: u64 = 80_000;

/// Room for the outputs of almost any coinbase, in bytes and signature operations: clients that need no more all get the same block,
/// which is made with the [`Work`], where that is. It costs them at most a thousandth of a block's weight, and 0.7 % of its signature
/// operations. (What Bitcoin Core reserves for a coinbase by default is about as much.)
pub const USUAL_ROOM: Constraints = Constraints {
    size: 1_024,
    sigops: 128,
};

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

impl Transaction {
    /// A transaction that pays `fee` satoshis, and whose signature operations cost `sigops`.
    pub fn new(tx: &bitcoin::Transaction, fee: u64, sigops: u32) -> Transaction {
        Transaction {
            bytes: bitcoin::consensus::serialize(tx).into(),
            txid: tx.compute_txid(),
            wtxid: tx.compute_wtxid(),
            fee,
            // More than four billion units are in no memory.
            weight: u32::try_from(tx.weight().to_wu()).unwrap_or(u32::MAX),
            sigops,
        }
    }
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
    /// Hashes them all, which for a full block takes some milliseconds: on a thread that may. For clients who need more than
    /// [`USUAL_ROOM`] it is done again when the first of them asks, or the work is new.
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
        if let Some(count) = work.count(USUAL_ROOM) {
            work.body(count);
        }
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

    fn sum(&self, count: usize) -> Sum {
        let last = count.checked_sub(1).and_then(|last| self.sums.get(last));
        last.copied().unwrap_or_default()
    }

    /// What the first `count` transactions weigh, and what their signature operations cost.
    pub(crate) fn size(&self, count: usize) -> (u64, u64) {
        let sum = self.sum(count);
        (sum.weight, sum.sigops)
    }

    /// Whether this is for the same place as `other`: the same parent, and the same target.
    pub(crate) fn follows(&self, other: &Work) -> bool {
        let (ours, other) = (&self.basis, &other.basis);
        ours.prev_hash == other.prev_hash && ours.bits == other.bits
    }

    /// How many transactions a block has whose coinbase outputs need so much room; `None` if not even an empty one has it.
    ///
    /// As many as there can be, beside [`USUAL_ROOM`] at least. But once [`EXACT`] different blocks were made of it, those who need
    /// others share some, which leave them more room, or get an empty one if they need almost all of it: whatever clients ask for,
    /// there is little to be made.
    pub(crate) fn count(&self, room: Constraints) -> Option<usize> {
        let is_usual = room.size <= USUAL_ROOM.size && room.sigops <= USUAL_ROOM.sigops;
        let most = self.longest(if is_usual { USUAL_ROOM } else { room })?;
        let is_exact = {
            let bodies = self.bodies();
            bodies.len() < EXACT || bodies.iter().any(|body| body.count() == most)
        };
        if is_exact {
            return Some(most);
        }
        let step = (0..STEPS)
            .map(step)
            .find(|step| room.size <= step.size && room.sigops <= step.sigops);
        Some(step.and_then(|step| self.longest(step)).unwrap_or(0))
    }

    /// The longest beginning for which there is room.
    fn longest(&self, room: Constraints) -> Option<usize> {
        let taken = coinbase(room);
        let weight = MAX_BLOCK_WEIGHT.checked_sub(taken.weight)?;
        let sigops = MAX_BLOCK_SIGOPS.checked_sub(taken.sigops)?;
        let fits = |sum: &Sum| sum.weight <= weight && sum.sigops <= sigops;
        Some(self.sums.partition_point(fits))
    }

    fn bodies(&self) -> MutexGuard<'_, Vec<Arc<Body>>> {
        self.bodies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the coinbase of a block with the first `count` transactions may pay, in satoshis.
    pub(crate) fn value(&self, count: usize) -> u64 {
        self.basis.subsidy.saturating_add(self.sum(count).fees)
    }

    /// What a block with the first `count` transactions is made of; and whether it had to be made, which for a full one takes some
    /// milliseconds.
    pub(crate) fn body(&self, count: usize) -> (Arc<Body>, bool) {
        let mut bodies = self.bodies();
        if let Some(body) = bodies.iter().find(|body| body.count() == count) {
            return (body.clone(), false);
        }
        let body = Arc::new(Body::new(
            &self.basis,
            &self.transactions[..count],
            self.value(count),
        ));
        bodies.push(body.clone());
        (body, true)
    }
}

/// So many different blocks are made of the same work for whoever asks: clients that differ by more are rare.
const EXACT: usize = 8;

/// How many steps there are in which room is given after that.
const STEPS: u32 = 10;

/// Each has twice the room of the one before; of signature operations, at most 82 % of what a block may have.
fn step(number: u32) -> Constraints {
    Constraints {
        size: USUAL_ROOM.size << number,
        sigops: USUAL_ROOM.sigops << number.min(7),
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

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::hashes::Hash;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn basis() -> Basis {
        Basis {
            prev_hash: BlockHash::all_zeros(),
            height: 100,
            version: 0x2000_0000,
            bits: CompactTarget::from_consensus(0x207f_ffff),
            least_time: 1,
            subsidy: 50,
            segwit: true,
        }
    }

    fn transaction(weight: u32, sigops: u32, fee: u64) -> Arc<Transaction> {
        Arc::new(Transaction {
            bytes: Bytes::new(),
            txid: Txid::all_zeros(),
            wtxid: Wtxid::all_zeros(),
            fee,
            weight,
            sigops,
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        /// A template has the longest beginning that fits.
        #[test]
        fn there_are_as_many_transactions_as_there_is_room_for(
            all in vec((0..400_000_u32, 0..8_000_u32, 0..1_000_u64), 0..40),
            size in prop_oneof![0..2_000_u32, 0..1_100_000_u32],
            sigops in prop_oneof![0..100_u16, any::<u16>()],
        ) {
            let transactions = all.iter().map(|&(weight, sigops, fee)| transaction(weight, sigops, fee));
            let work = Work::new(basis(), transactions.collect());
            // Specification, 7.1, written out.
            let fits = |size: u64, sigops: u64, count: usize| {
                let weight = 4 * (80 + 9 + 4 + 1 + 36 + 1 + 100 + 4 + 9 + 47 + 4 + size) + 36;
                let taken = &all[..count];
                weight + taken.iter().map(|tx| u64::from(tx.0)).sum::<u64>() <= 4_000_000
                    && 4 * sigops + taken.iter().map(|tx| u64::from(tx.1)).sum::<u64>() <= 80_000
            };
            let longest = |size, sigops| (0..=all.len()).filter(|&count| fits(size, sigops, count)).max();
            let room = Constraints { size, sigops };
            let most = match (size, sigops) {
                (0..=1_024, 0..=128) => longest(1_024, 128),
                _ => longest(u64::from(size), u64::from(sigops)),
            };
            let count = work.count(room);
            prop_assert_eq!(count, most);
            // With many others before: what it gets then is valid.
            for count in 0..all.len().min(EXACT) {
                work.body(count);
            }
            let shared = work.count(room);
            prop_assert_eq!(shared.is_some(), most.is_some());
            prop_assert!(shared <= most);
            if let Some(count) = count {
                let fees: u64 = all[..count].iter().map(|tx| tx.2).sum();
                prop_assert_eq!(work.value(count), 50 + fees);
                prop_assert_eq!(work.body(count).0.value(), 50 + fees);
            }
        }
    }

    /// Whoever asks for whatever: there is little to be made, and what most need is there already.
    #[test]
    fn there_are_few_different_ones() {
        let work = Work::new(basis(), (0..4_000).map(|_| transaction(990, 19, 1)).collect());
        let made = |size, sigops| {
            let count = work.count(Constraints { size, sigops });
            count.is_some_and(|count| work.body(count).1)
        };
        assert!(!made(0, 0) && !made(100, 4) && !made(1_024, 128));
        let by_size = (0..1_000_000).step_by(997).filter(|size| made(*size, 0)).count();
        let by_sigops = (0..=u16::MAX)
            .step_by(97)
            .filter(|sigops| made(0, *sigops))
            .count();
        assert!(by_size >= EXACT - 1);
        // The shared ones are a step's, or empty.
        assert!(
            by_size + by_sigops <= EXACT + STEPS as usize,
            "{by_size} {by_sigops}"
        );
    }
}
