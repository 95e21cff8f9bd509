//! A transaction that wants to come in.

use bitcoin::consensus::encode;
use bitcoin::{Transaction, Txid, Wtxid};
use bytes::Bytes;

/// A transaction that was decoded, and nothing more.
#[derive(Clone, Debug)]
pub struct Candidate {
    bytes: Bytes,
    tx: Transaction,
    txid: Txid,
    wtxid: Wtxid,
}

impl Candidate {
    /// Decodes one, with its witnesses if it has any (BIP 144). The bytes are kept.
    pub fn decode(bytes: impl Into<Bytes>) -> Result<Candidate, encode::Error> {
        let bytes = bytes.into();
        let tx: Transaction = encode::deserialize(&bytes)?;
        Ok(Candidate {
            txid: tx.compute_txid(),
            wtxid: tx.compute_wtxid(),
            bytes,
            tx,
        })
    }

    /// As it came.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// What it says.
    pub fn tx(&self) -> &Transaction {
        &self.tx
    }

    /// Its id.
    pub fn txid(&self) -> Txid {
        self.txid
    }

    /// Its id with witnesses.
    pub fn wtxid(&self) -> Wtxid {
        self.wtxid
    }

    /// Its weight, in units (BIP 141).
    pub fn weight(&self) -> u64 {
        self.tx.weight().to_wu()
    }

    /// The cost of its signature operations, as far as it can be told without the scripts that it spends: four for each (BIP 141).
    pub fn sigops(&self) -> u64 {
        self.tx.total_sigop_cost(|_| None) as u64
    }
}
