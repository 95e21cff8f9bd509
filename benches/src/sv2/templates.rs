//! The work that all servers have, and who vouches for them.

use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, CompactTarget, Txid, Wtxid};
use sockman::bytes::Bytes;
use sockman_sv2::{Basis, Transaction, Work};
use std::sync::Arc;

/// The secret key of the authority, as SRI's `key-utils` publishes one.
pub const SECRET: &str = "zmBEmPhqo3A92FkiLVvyCz6htc3e53ph3ZbD4ASqGaLjwnFLi";

/// Bytes of a transaction.
pub const TRANSACTION: usize = 400;

/// What a transaction pays, in satoshis.
const FEE: u64 = 1_000;

/// What a block may create, in satoshis.
const SUBSIDY: u64 = 312_500_000;

/// As many transactions as make up so many bytes. Nobody here looks into them.
pub fn transactions(bytes: usize) -> Vec<Bytes> {
    let whole = bytes / TRANSACTION;
    (0..whole)
        .map(|number| {
            let pattern = (0..TRANSACTION).map(|at| (at.wrapping_mul(31) ^ number.wrapping_mul(131)) as u8);
            pattern.collect()
        })
        .collect()
}

/// The work for the block at a height.
pub fn work(height: u32, transactions: &[Bytes]) -> Arc<Work> {
    let basis = Basis {
        prev_hash: BlockHash::hash(&height.to_le_bytes()),
        height,
        version: 0x2000_0000,
        bits: CompactTarget::from_consensus(0x1702_3456),
        least_time: 1_700_000_000,
        subsidy: SUBSIDY,
        segwit: true,
    };
    let list = transactions.iter().map(|bytes| {
        Arc::new(Transaction {
            bytes: bytes.clone(),
            txid: Txid::hash(bytes),
            wtxid: Wtxid::hash(bytes),
            fee: FEE,
            weight: 4 * TRANSACTION as u32 - 3 * 110,
            sigops: 4,
        })
    });
    Arc::new(Work::new(basis, list.collect()))
}
