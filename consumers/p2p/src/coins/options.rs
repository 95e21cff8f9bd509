//! What the index of the coins allows itself.

/// Limits of [`Coins`](super::Coins). Every field has a default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoinsOptions {
    /// Blocks that can be taken back: what takes them back is kept for so many. A reorganisation that goes deeper has the index made
    /// anew. On the main chain each has some half a megabyte. Default 2,016, a period of one difficulty.
    pub undo: u32,
    /// Blocks of one step. Default 1,000.
    pub step_blocks: u32,
    /// Bytes of blocks after which a step ends. Default 16 MiB.
    pub step_bytes: u64,
    /// Coins made or spent after which a step ends; each takes some 100 bytes of memory until then. One block more is all it can be,
    /// which has at most some 130,000. Default 250,000.
    pub step_coins: usize,
    /// Bytes of the file that are kept in memory. Default 64 MiB.
    pub cache: usize,
    /// A file of up to so many bytes is read and verified whole when it is opened. In a larger one, damage shows when it is come
    /// across. Default 1 GiB, which takes some seconds.
    pub verify: u64,
}

impl Default for CoinsOptions {
    fn default() -> Self {
        CoinsOptions {
            undo: 2016,
            step_blocks: 1000,
            step_bytes: 16 << 20,
            step_coins: 250_000,
            cache: 64 << 20,
            verify: 1 << 30,
        }
    }
}
