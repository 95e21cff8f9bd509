//! Transactions for tests.

use bitcoin::absolute::LockTime;
use bitcoin::transaction::Version;
use bitcoin::{Amount, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Witness};

/// An output that anybody can spend. It is long enough that no transaction with it is a node of a Merkle tree.
pub(crate) fn anyone() -> ScriptBuf {
    ScriptBuf::from_bytes(vec![0x51; 22])
}

/// A transaction that spends these, and pays these values to anybody.
pub(crate) fn spend(inputs: &[OutPoint], values: &[u64]) -> Transaction {
    Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: inputs
            .iter()
            .map(|spent| TxIn {
                previous_output: *spent,
                script_sig: ScriptBuf::new(),
                sequence: Sequence::MAX,
                witness: Witness::new(),
            })
            .collect(),
        output: values
            .iter()
            .map(|value| TxOut {
                value: Amount::from_sat(*value),
                script_pubkey: anyone(),
            })
            .collect(),
    }
}
