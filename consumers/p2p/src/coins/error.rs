//! What can go wrong with the index of the coins.

use crate::store::StoreError;
use bitcoin::BlockHash;
use std::path::PathBuf;

/// Why the index did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CoinsError {
    /// It cannot be used any more: it is to be made anew ([`Coins::remake`](super::Coins::remake)).
    #[error("{path} is damaged: {why}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// It has to go back further than it can: it is to be made anew too.
    #[error("{path} cannot be taken back from height {height}; it is made anew from the blocks")]
    TooDeep {
        /// The file.
        path: PathBuf,
        /// The height of the block that it cannot take back.
        height: u32,
    },
    /// Another process has it open.
    #[error("{path} is in use: is another node running with it?")]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The disk is full, or the kernel refuses.
    #[error(transparent)]
    Disk(#[from] StoreError),
    /// A block that it needs cannot be read: it has to be fetched again first.
    #[error("block {hash}, which the index of the coins needs, cannot be read: {why}")]
    Block {
        /// Which.
        hash: BlockHash,
        /// Why.
        why: StoreError,
    },
    /// A block that was stored is no block.
    #[error("block {hash}, which the index of the coins needs, cannot be decoded: {why}")]
    Undecodable {
        /// Which.
        hash: BlockHash,
        /// Why.
        why: String,
    },
}

/// That the index was made anew when it was opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path} cannot be used ({why}); it is made anew from the blocks")]
pub struct Remade {
    /// The file.
    pub path: PathBuf,
    /// What was wrong with the old one.
    pub why: String,
}
