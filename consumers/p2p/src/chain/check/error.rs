//! What can be wrong with a block.

use super::cursor::DecodeError;
use thiserror::Error;

/// Why a block is refused, told apart by whom that speaks against. The text of the last two is what Bitcoin Core calls it.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum BlockError {
    /// These bytes are no block. The peer is to blame, and the header is not.
    #[error("Block decode failed: {0}")]
    Decode(#[from] DecodeError),
    /// The bytes are not those that the header is for: somebody has changed them on the way. The peer is to blame; the header is not,
    /// and the block has to be accepted when it comes unchanged.
    #[error(transparent)]
    Mutated(#[from] Mutated),
    /// The header is for what breaks the rules: it is invalid for good, and all that is built on it.
    #[error(transparent)]
    Invalid(#[from] Invalid),
}

impl BlockError {
    /// Whether it is wrong wherever the block is: what Core's `CheckBlock` looks for, before it looks at the header's place.
    pub fn is_anywhere(&self) -> bool {
        match self {
            BlockError::Decode(_) => true,
            BlockError::Mutated(why) => {
                matches!(why, Mutated::MerkleRoot | Mutated::Duplicate | Mutated::Node)
            }
            BlockError::Invalid(why) => {
                !matches!(why, Invalid::Weight | Invalid::CoinbaseHeight | Invalid::NonFinal)
            }
        }
    }
}

/// How it is seen that a block has been changed.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum Mutated {
    /// The transactions do not give the header's Merkle root.
    #[error("bad-txnmrklroot")]
    MerkleRoot,
    /// They do, but only because some are there twice (CVE-2012-2459).
    #[error("bad-txns-duplicate")]
    Duplicate,
    /// They do, but may be nodes of the tree, with the true transactions below them: one has the size of a node, and the first is no
    /// coinbase.
    #[error("bad-cb-missing")]
    Node,
    /// The coinbase commits to witnesses, and its own witness is not one item of 32 bytes (BIP 141).
    #[error("bad-witness-nonce-size")]
    WitnessReserved,
    /// The witnesses are not those that the coinbase commits to.
    #[error("bad-witness-merkle-match")]
    WitnessCommitment,
    /// There are witnesses, and the coinbase does not commit to any; or they are not allowed yet.
    #[error("unexpected-witness")]
    UnexpectedWitness,
}

/// Which rule a block breaks.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum Invalid {
    /// The work that the header claims has not been done, or is less than the network allows.
    #[error("high-hash")]
    HighHash,
    /// It has no transaction, or is too large without its witnesses.
    #[error("bad-blk-length")]
    Length,
    /// It weighs too much.
    #[error("bad-blk-weight")]
    Weight,
    /// The first transaction is no coinbase.
    #[error("bad-cb-missing")]
    CoinbaseMissing,
    /// Another transaction is one.
    #[error("bad-cb-multiple")]
    CoinbaseMultiple,
    /// The coinbase's script has not 2 to 100 bytes.
    #[error("bad-cb-length")]
    CoinbaseLength,
    /// The coinbase's script does not begin with the height (BIP 34).
    #[error("bad-cb-height")]
    CoinbaseHeight,
    /// A transaction has no input.
    #[error("bad-txns-vin-empty")]
    NoInputs,
    /// A transaction has no output.
    #[error("bad-txns-vout-empty")]
    NoOutputs,
    /// An output's value is negative.
    #[error("bad-txns-vout-negative")]
    OutputNegative,
    /// An output's value is more than all bitcoins.
    #[error("bad-txns-vout-toolarge")]
    OutputTooLarge,
    /// The outputs of a transaction are together more than all bitcoins.
    #[error("bad-txns-txouttotal-toolarge")]
    OutputsTooLarge,
    /// A transaction spends something twice (CVE-2018-17144).
    #[error("bad-txns-inputs-duplicate")]
    InputsDuplicate,
    /// A transaction that is no coinbase spends nothing.
    #[error("bad-txns-prevout-null")]
    InputNull,
    /// The scripts of its inputs and outputs have too many signature operations.
    #[error("bad-blk-sigops")]
    Sigops,
    /// A transaction's lock time has not come (BIP 113).
    #[error("bad-txns-nonfinal")]
    NonFinal,
}
