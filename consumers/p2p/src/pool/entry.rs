//! What is known of a transaction that is in a pool.

use super::candidate::Candidate;
use super::judge::Verdict;
use bitcoin::{OutPoint, Txid, Wtxid};
use bytes::Bytes;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::ops::{AddAssign, SubAssign};
use std::sync::Arc;

/// A transaction, as who makes a block needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// Itself, with its witnesses.
    pub bytes: Bytes,
    /// Its id.
    pub txid: Txid,
    /// Its id with witnesses.
    pub wtxid: Wtxid,
    /// Satoshis that it pays.
    pub fee: u64,
    /// Its weight, in units.
    pub weight: u32,
    /// What its signature operations cost at most: see [`Candidate::sigops`].
    pub sigops: u32,
}

/// Sums over several transactions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// How many they are.
    pub count: u64,
    /// Satoshis that they pay.
    pub fee: u64,
    /// Weight units.
    pub weight: u64,
    /// Virtual bytes: each one's own, rounded up.
    pub vsize: u64,
    /// What their signature operations cost at most.
    pub sigops: u64,
}

impl AddAssign for Sums {
    fn add_assign(&mut self, other: Sums) {
        self.count += other.count;
        self.fee += other.fee;
        self.weight += other.weight;
        self.vsize += other.vsize;
        self.sigops += other.sigops;
    }
}

impl SubAssign for Sums {
    fn sub_assign(&mut self, other: Sums) {
        self.count -= other.count;
        self.fee -= other.fee;
        self.weight -= other.weight;
        self.vsize -= other.vsize;
        self.sigops -= other.sigops;
    }
}

impl Sums {
    /// Over one transaction.
    pub(super) fn of_one(fee: u64, weight: u64, sigops: u64) -> Sums {
        Sums {
            count: 1,
            fee,
            weight,
            vsize: weight.div_ceil(4),
            sigops,
        }
    }

    /// Which of two pays more for its weight.
    pub fn cmp_rate(&self, other: &Sums) -> Ordering {
        let product = |fee: u64, weight: u64| u128::from(fee) * u128::from(weight);
        product(self.fee, other.weight).cmp(&product(other.fee, self.weight))
    }
}

/// A transaction that is in a pool.
#[derive(Clone, Debug)]
pub struct Entry {
    pub(super) tx: Arc<Transaction>,
    pub(super) spends: Vec<OutPoint>,
    /// What its outputs are worth, in satoshis.
    pub(super) outputs: Vec<u64>,
    /// Those in the pool whose outputs it spends, and those that spend its own.
    pub(super) parents: BTreeSet<Txid>,
    pub(super) children: BTreeSet<Txid>,
    /// Sums over it and all that it needs, and over it and all that need it.
    pub(super) ancestors: Sums,
    pub(super) descendants: Sums,
    pub(super) time: u64,
    pub(super) height: u32,
    /// What sets it apart from others that came before or after.
    pub(super) sequence: u64,
}

/// Bytes of memory that an entry takes besides its transaction, about; and for each input.
const ENTRY: usize = 700;
const INPUT: usize = 150;

impl Entry {
    pub(super) fn new(
        candidate: &Candidate,
        verdict: &Verdict,
        now: u64,
        height: u32,
        sequence: u64,
    ) -> Entry {
        let tx = candidate.tx();
        let own = verdict.own;
        Entry {
            spends: tx.input.iter().map(|input| input.previous_output).collect(),
            outputs: tx.output.iter().map(|output| output.value.to_sat()).collect(),
            parents: verdict.parents.clone(),
            children: BTreeSet::new(),
            ancestors: own,
            descendants: own,
            time: now,
            height,
            sequence,
            tx: Arc::new(Transaction {
                bytes: candidate.bytes().clone(),
                txid: candidate.txid(),
                wtxid: candidate.wtxid(),
                fee: own.fee,
                weight: own.weight as u32,
                sigops: own.sigops as u32,
            }),
        }
    }

    /// The transaction.
    pub fn transaction(&self) -> &Arc<Transaction> {
        &self.tx
    }

    /// When it came, in Unix seconds.
    pub fn time(&self) -> u64 {
        self.time
    }

    /// The height of the block that came next when it came.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Those in the pool whose outputs it spends.
    pub fn parents(&self) -> impl Iterator<Item = Txid> + '_ {
        self.parents.iter().copied()
    }

    /// Those in the pool that spend its outputs.
    pub fn children(&self) -> impl Iterator<Item = Txid> + '_ {
        self.children.iter().copied()
    }

    /// It alone.
    pub fn own(&self) -> Sums {
        let Transaction {
            fee, weight, sigops, ..
        } = *self.tx;
        Sums::of_one(fee, weight.into(), sigops.into())
    }

    /// It and all in the pool that it needs.
    pub fn ancestors(&self) -> Sums {
        self.ancestors
    }

    /// It and all in the pool that need it.
    pub fn descendants(&self) -> Sums {
        self.descendants
    }

    /// By what entries are sorted so that parents come first: whoever needs others has more ancestors than they.
    pub(super) fn order(&self) -> (u64, u64) {
        (self.ancestors.count, self.sequence)
    }

    /// Bytes of memory that it takes, about.
    pub(super) fn usage(&self) -> usize {
        ENTRY + self.tx.bytes.len() + INPUT * self.spends.len() + size_of::<u64>() * self.outputs.len()
    }
}
