//! A template provider with some work, which is the same whenever it is made: its handshakes too.

use bitcoin::absolute::LockTime;
use bitcoin::hashes::Hash;
use bitcoin::{
    Amount, BlockHash, CompactTarget, OutPoint, ScriptBuf, Sequence, TxIn, TxOut, Txid, Witness, transaction,
};
use sockman_sv2::wire::{Authority, Chance};
use sockman_sv2::{Basis, Clock, Count, Provider, Settings, Solution, Source, Transaction, Work};
use std::cell::Cell;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

/// The time of day, in Unix seconds: it does not go on.
pub const UNIX: u64 = 1_700_000_000;

pub static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| Authority::generate(&mut Chance::new([1; 32])));

pub static WORK: LazyLock<Arc<Work>> = LazyLock::new(|| {
    let basis = Basis {
        prev_hash: BlockHash::from_byte_array([5; 32]),
        height: 100,
        version: 0x2000_0000,
        bits: CompactTarget::from_consensus(0x207f_ffff),
        least_time: 1_000,
        subsidy: 5_000_000_000,
        segwit: true,
    };
    Arc::new(Work::new(basis, (0..5).map(transaction).collect()))
});

/// It is large enough, by what is said of it, that constraints leave more or fewer of them their place.
fn transaction(number: u32) -> Arc<Transaction> {
    let tx = bitcoin::Transaction {
        version: transaction::Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            previous_output: OutPoint::new(Txid::from_byte_array([9; 32]), number),
            script_sig: ScriptBuf::new(),
            sequence: Sequence::MAX,
            witness: Witness::from_slice(&[[7; 20]]),
        }],
        output: vec![TxOut {
            value: Amount::from_sat(1_000),
            script_pubkey: ScriptBuf::new(),
        }],
    };
    Arc::new(Transaction {
        weight: 700_000,
        ..Transaction::new(&tx, 1_000, 10_000)
    })
}

/// Gives the work, and counts solutions.
pub struct Mine(Cell<u64>);

impl Source for Mine {
    fn work(&self) -> Option<Arc<Work>> {
        Some(WORK.clone())
    }

    fn solved(&mut self, solution: Solution) {
        let block: bitcoin::Block =
            bitcoin::consensus::deserialize(&solution.block()).expect("a solution is a block");
        assert!(block.check_merkle_root() && block.check_witness_commitment());
        assert!(block.header.validate_pow(block.header.target()).is_ok());
        self.0.set(self.0.get() + 1);
    }
}

pub fn settings() -> Settings {
    let long = Duration::from_secs(2_000);
    Settings {
        handshake_within: long,
        setup_within: long,
        frame: 2_000,
        // So that what takes turns does.
        share: 200,
        turn: 1,
        clock: Clock::Virtual {
            unix: UNIX,
            // It is never that late.
            at: Instant::now() + Duration::from_secs(1 << 30),
        },
        ..Settings::new([2; 32])
    }
}

pub fn new() -> Provider<Mine> {
    Provider::new(settings(), *AUTHORITY, Mine(Cell::new(0)))
}

/// What it has counted, as [`Count`] numbers it; nobody is left.
pub fn counted(provider: &Provider<Mine>) -> Vec<u64> {
    let handle = provider.handle();
    assert!(handle.clients().is_empty());
    let counters = handle.counters();
    assert_eq!(counters.get(Count::solutions), provider.source().0.get());
    counters.iter().map(|(_, count)| count).collect()
}
