//! What a store on a disk allows itself.

use std::time::Duration;

/// Limits of a [`Disk`](super::Disk). Every field has a default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskOptions {
    /// Bytes of a block file; the next block begins another one. (A block that is larger has a file of its own.) Default 128 MiB,
    /// as in Bitcoin Core (`MAX_BLOCKFILE_SIZE`).
    pub file_size: u64,
    /// Block files that readers keep open, all of them together. Default 64.
    pub open_files: usize,
    /// What is recorded is committed so long after it, or later while the disk is slow. If the process is killed, so much of the
    /// index is made up for at the next start, from the blocks. Default 1 s.
    pub commit_every: Duration,
    /// Changes that are not left to wait that long. Default 65,536.
    pub commit_at: usize,
    /// Changes that wait while earlier ones are committed; from then on the store is
    /// [swamped](crate::store::Store::is_swamped), and peers' headers and blocks wait. A change has about 100 bytes (one that
    /// forgets headers, 36 bytes for each), and those being committed count apart. Default 262,144.
    pub queue: usize,
    /// Bytes of the index that are kept in memory. Default 64 MiB.
    pub cache: usize,
    /// When the store is opened, so many bytes of blocks are verified, the newest first; of each file at least the beginning is
    /// looked at. Default 16 MiB.
    pub verify: u64,
    /// Behind a damaged block that the index does not know, others are looked for; what looks like one is hashed to see whether it
    /// is. A block can be made to contain many that are none, so when as many bytes as its file has and so many more were hashed in
    /// vain, the rest up to the next block that the index knows is given up. Default 64 MiB.
    pub search: u64,
}

impl Default for DiskOptions {
    fn default() -> Self {
        DiskOptions {
            file_size: 128 << 20,
            open_files: 64,
            commit_every: Duration::from_secs(1),
            commit_at: 65_536,
            queue: 262_144,
            cache: 64 << 20,
            verify: 16 << 20,
            search: 64 << 20,
        }
    }
}
