//! A transaction that wants to come in.

use crate::chain::{SIGOP_COST, bare_sigops, hashed_sigops, last_push};
use bitcoin::consensus::encode;
use bitcoin::{Transaction, TxIn, Txid, Wtxid};
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
        let tx = encode::deserialize(&bytes)?;
        Ok(Candidate::new(bytes, tx))
    }

    /// One that was decoded as a part of something else, a block for example.
    pub fn of(tx: Transaction) -> Candidate {
        Candidate::new(encode::serialize(&tx).into(), tx)
    }

    fn new(bytes: Bytes, tx: Transaction) -> Candidate {
        Candidate {
            txid: tx.compute_txid(),
            wtxid: tx.compute_wtxid(),
            bytes,
            tx,
        }
    }

    /// As it came, or is written.
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

    /// An upper bound of the cost of its signature operations (BIP 141: four for each, and one in a witness). What it spends is not
    /// known, and with it whether there is a script behind a hash: whatever may be one is counted as one. For a key or a signature,
    /// which is none, that makes a few more than there are.
    pub fn sigops(&self) -> u64 {
        let inputs = self.tx.input.iter().map(|input| &input.script_sig);
        let outputs = self.tx.output.iter().map(|output| &output.script_pubkey);
        let bare: u64 = inputs
            .chain(outputs)
            .map(|script| bare_sigops(script.as_bytes()))
            .sum();
        let hashed: u64 = self.tx.input.iter().map(most_hashed).sum();
        SIGOP_COST * bare + hashed
    }
}

/// The cost that the script may have whose hash an input spends: a redeem script is what the input pushes last (BIP 16), a witness
/// script the last item of the witness; and the witness of a key has one operation, without any script (BIP 141).
fn most_hashed(input: &TxIn) -> u64 {
    let redeem = hashed_sigops(last_push(input.script_sig.as_bytes()));
    let witness = input.witness.last().map_or(0, |item| hashed_sigops(item).max(1));
    SIGOP_COST * redeem + witness
}
