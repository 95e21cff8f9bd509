//! How much a pool may hold.

/// Weight units that a transaction may have: Core's `MAX_STANDARD_TX_WEIGHT`, a tenth of a block.
pub const MAX_WEIGHT: u64 = 400_000;

/// The cost of the signature operations that a transaction may have, four for each (BIP 141): Core's `MAX_STANDARD_TX_SIGOPS_COST`, a
/// fifth of a block's.
pub const MAX_SIGOPS: u64 = 16_000;

/// Bytes without witnesses that a transaction must have: one of 64 could be taken for a node of a Merkle tree (Core's
/// `MIN_STANDARD_TX_NONWITNESS_SIZE`).
pub const MIN_STRIPPED: usize = 65;

/// Limits of a [`Pool`](super::Pool). Every field has a default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolSettings {
    /// Bytes of memory that all transactions may take, as they are estimated. Default 5 MB, more than one block can have of the usual
    /// kind.
    pub bytes: usize,
    /// Transactions. It bounds what making a block costs. Default 20,000.
    pub count: usize,
    /// How many a transaction and its unconfirmed ancestors may be. Default 25 (Core's `DEFAULT_ANCESTOR_LIMIT`).
    pub ancestors: usize,
    /// Satoshis that a transaction must pay for each 1,000 virtual bytes. Default 0: whoever adds one knows what it is worth to them.
    pub min_feerate: u64,
}

impl Default for PoolSettings {
    fn default() -> Self {
        PoolSettings {
            bytes: 5_000_000,
            count: 20_000,
            ancestors: 25,
            min_feerate: 0,
        }
    }
}
