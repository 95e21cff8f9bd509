//! Where the tests' work comes from, and what becomes of solutions.

use bitcoin::absolute::LockTime;
use bitcoin::hashes::Hash;
use bitcoin::{
    Amount, BlockHash, CompactTarget, OutPoint, ScriptBuf, Sequence, TxIn, TxOut, Txid, Witness, transaction,
};
use sockman_sv2::{Basis, Solution, Source, Transaction, Work};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

/// Work that tests set, and solutions that they look at. Clones are one.
#[derive(Clone, Default)]
pub(crate) struct Mine(Rc<RefCell<Held>>);

#[derive(Default)]
struct Held {
    work: Option<Arc<Work>>,
    solved: Vec<Solution>,
}

impl Mine {
    /// What is to be mined on from now on. Whoever calls this wakes the loop.
    pub(crate) fn set(&self, work: Work) {
        self.0.borrow_mut().work = Some(Arc::new(work));
    }

    /// What has been handed on since this was asked last.
    pub(crate) fn solved(&self) -> Vec<Solution> {
        std::mem::take(&mut self.0.borrow_mut().solved)
    }
}

impl Source for Mine {
    fn work(&self) -> Option<Arc<Work>> {
        self.0.borrow().work.clone()
    }

    fn solved(&mut self, solution: Solution) {
        self.0.borrow_mut().solved.push(solution);
    }
}

/// The place of a block on regtest, at this height, on a block that is told from others by `tip`.
pub(crate) fn basis(tip: u8, height: u32) -> Basis {
    Basis {
        prev_hash: BlockHash::from_byte_array([tip; 32]),
        height,
        version: 0x2000_0000,
        bits: CompactTarget::from_consensus(0x207f_ffff),
        least_time: 1_000,
        subsidy: 5_000_000_000,
        segwit: true,
    }
}

/// A transaction that no other is like, with so many bytes of witness, which pays this.
pub(crate) fn transaction(number: u32, witness: usize, fee: u64) -> Arc<Transaction> {
    transaction_with(number, witness, fee, 4)
}

pub(crate) fn transaction_with(number: u32, witness: usize, fee: u64, sigops: u32) -> Arc<Transaction> {
    let witness = if witness == 0 {
        Witness::new()
    } else {
        Witness::from_slice(&[vec![0x77; witness]])
    };
    let tx = bitcoin::Transaction {
        version: transaction::Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            previous_output: OutPoint::new(Txid::from_byte_array([9; 32]), number),
            script_sig: ScriptBuf::new(),
            sequence: Sequence::MAX,
            witness,
        }],
        output: vec![TxOut {
            value: Amount::from_sat(1_000),
            script_pubkey: ScriptBuf::from_bytes(vec![0x51]),
        }],
    };
    Arc::new(Transaction::new(&tx, fee, sigops))
}

/// Work at height 100 on a block that is told from others by `tip`, with so many transactions that pay 1,000 each.
pub(crate) fn work(tip: u8, count: u32) -> Work {
    let transactions = (0..count).map(|number| transaction(number, 30, 1_000));
    Work::new(basis(tip, 100), transactions.collect())
}
