//! How blocks are kept.

use crate::args::values::{Seconds, Size, positive};
use sockman_p2p::store::{DiskOptions, MAX_FRAME};
use std::num::NonZeroUsize;

fn default() -> DiskOptions {
    DiskOptions::default()
}

fn nonzero(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).unwrap_or(NonZeroUsize::MIN)
}

/// Any block fits into a file.
fn block_file(text: &str) -> Result<Size, String> {
    let least = Size(MAX_FRAME);
    match text.parse()? {
        size if size < least => Err(format!("below {least}, which a block may have")),
        size => Ok(size),
    }
}

#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "The data directory")]
pub(crate) struct StoreArgs {
    /// Bytes of a block file; the next block begins another one.
    #[arg(long, value_name = "SIZE", value_parser = block_file, default_value_t = Size(default().file_size as usize))]
    block_file: Size,
    /// Block files that are kept open to be read.
    #[arg(long, value_name = "N", default_value_t = nonzero(default().open_files))]
    open_files: NonZeroUsize,
    /// How many seconds what the index is to know may wait to be written, together with what comes meanwhile.
    #[arg(long, value_name = "SECS", value_parser = positive, default_value_t = Seconds(default().commit_every))]
    commit_every: Seconds,
    /// Changes to the index that are not left to wait so long.
    #[arg(long, value_name = "N", default_value_t = nonzero(default().commit_at))]
    commit_at: NonZeroUsize,
    /// Changes to the index that may wait while others are written, at some 100 bytes each; above it peers' headers and
    /// blocks wait.
    #[arg(long, value_name = "N", default_value_t = nonzero(default().queue))]
    commit_queue: NonZeroUsize,
    /// Bytes of the index that are kept in memory.
    #[arg(long, value_name = "SIZE", default_value_t = Size(default().cache))]
    index_cache: Size,
    /// Bytes of blocks, the newest first, that are verified at the start.
    #[arg(long, value_name = "SIZE", default_value_t = Size(default().verify as usize))]
    verify: Size,
    /// Bytes that are hashed in vain at the start, over and above a file's length, in search of blocks behind a damaged one.
    #[arg(long, value_name = "SIZE", default_value_t = Size(default().search as usize))]
    search: Size,
}

impl StoreArgs {
    pub(crate) fn options(&self) -> DiskOptions {
        DiskOptions {
            file_size: self.block_file.0 as u64,
            open_files: self.open_files.get(),
            commit_every: self.commit_every.0,
            commit_at: self.commit_at.get(),
            queue: self.commit_queue.get(),
            cache: self.index_cache.0,
            verify: self.verify.0 as u64,
            search: self.search.0 as u64,
        }
    }
}
