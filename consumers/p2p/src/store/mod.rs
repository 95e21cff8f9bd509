//! Blocks in files, and the index of them: what a node keeps over a restart.
//!
//! A block is stored as the frame of the `block` message that brought it: the 24 bytes of its header (magic, command, length,
//! checksum) and the payload. So it is written by one write from the buffer it was received in, served by one read without
//! hashing, and what the disk has made of it is found by the checksum it came with.
//!
//! - here: [`Store`] and [`Reader`], which the rest of the crate is generic over, and what they are told ([`Change`], [`Place`])
//! - [`Disk`]: append-only files and an index in redb, locked against a second process. `disk` has its parts
//! - [`Memory`]: the same without a disk, for simulations; it can crash, and be damaged
//! - `loaded`: what is there when a store is opened; `error`: what can go wrong
//! - `frame`: the form of a stored block; `order`: parents before children
//! - [`import`]: blocks from the files of Bitcoin Core
//! - `names`, `open_files`, `window`: the names of block files, those that are open, and reading ahead in one

pub mod import;

mod disk;
mod error;
mod frame;
mod loaded;
mod memory;
mod names;
mod open_files;
mod order;
mod window;

pub use disk::{Disk, DiskOptions, DiskReader, directory};
pub use error::{OpenError, StoreError};
pub use frame::{BadFrame, MAX_FRAME, MIN_FRAME, verify};
pub use loaded::{Found, Headers, Loaded, LoadedHeader, Note};
pub use memory::{Memory, MemoryReader};

use crate::chain::Forgotten;
use bitcoin::BlockHash;
use bitcoin::block::Header;
use bytes::Bytes;
use std::sync::Arc;

/// Where a block's frame lies. Only the store that gave it out knows what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The number of the file.
    pub file: u32,
    /// Bytes from the file's beginning.
    pub offset: u64,
    /// Bytes of the frame, header included.
    pub length: u32,
}

/// What the index is to know. A header is recorded before anything else about its block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A header that was accepted, at the height it has.
    Header {
        /// Its height; the genesis block's is 0.
        height: u32,
        /// The header itself.
        header: Header,
    },
    /// Its block is stored, whole and checked. (Without a header it is not kept, and the frame is [`Found`] at the next start.)
    Block {
        /// The height of its header.
        height: u32,
        /// The hash of its header.
        hash: BlockHash,
        /// Where it is.
        place: Place,
        /// Its number of transactions.
        txs: u32,
    },
    /// Its block is no longer stored: what was read there is damaged.
    Lost {
        /// The height of its header.
        height: u32,
        /// The hash of its header.
        hash: BlockHash,
    },
    /// No chain with it is valid. That stays: there is no way back. What is built on it need not be recorded too.
    Invalid {
        /// The height of its header.
        height: u32,
        /// The hash of its header.
        hash: BlockHash,
    },
    /// These headers are no longer wanted, nor what else is known of them. However many they are, it is one change.
    Forget(Vec<Forgotten>),
}

/// Where blocks are kept. What was appended survives the process at once, what was recorded a little later, both survive the
/// machine after [`sync`](Store::sync).
pub trait Store: Send + 'static {
    /// What reads the blocks.
    type Reader: Reader;

    /// Stores a block's frame. When it returns the kernel has it, so that it survives the end of the process, however that comes
    /// about. After an error nothing of it is stored, and it may be tried again.
    ///
    /// Fails with [`StoreError::NotAFrame`] for what is not the frame of a block of this chain (its checksum is not computed
    /// again), with [`StoreError::Full`] or [`StoreError::Io`].
    fn append(&mut self, frame: &[u8]) -> Result<Place, StoreError>;

    /// Tells the index. It never waits for a disk: what is recorded is committed in order, in batches, by another thread. Whoever
    /// has more to record than one or two changes is to see before whether the store is [swamped](Store::is_swamped).
    fn record(&mut self, change: Change);

    /// Whether as many changes wait to be committed as may: nothing that can wait should be recorded before some are.
    /// [`sync`](Store::sync) waits for that, and [`when_ready`](Store::when_ready) tells of it.
    fn is_swamped(&self) -> bool;

    /// From now on `tell` is called, by any thread, when the store [was found swamped](Store::is_swamped) and is so no longer.
    fn when_ready(&mut self, tell: Arc<dyn Fn() + Send + Sync>);

    /// A reader of the blocks of this store, for any thread.
    fn reader(&self) -> Self::Reader;

    /// Waits until everything appended and recorded is on the disk.
    fn sync(&mut self) -> Result<(), StoreError>;

    /// Why the index is behind, while it is.
    fn failed(&self) -> Option<StoreError>;
}

/// Reads blocks. Clones share what they have open.
pub trait Reader: Clone + Send + Sync + 'static {
    /// The frame at a place, as it was appended. Its magic, command and length are checked, its checksum is not: [`verify`].
    ///
    /// Fails with [`StoreError::Damaged`] when there is no such frame there, or with [`StoreError::Io`].
    fn frame(&self, place: Place) -> Result<Bytes, StoreError>;

    /// That what is at a place is damaged, and how.
    fn damaged(&self, place: Place, what: BadFrame) -> StoreError;

    /// The frame at a place, with its checksum checked too.
    ///
    /// Fails as [`frame`](Reader::frame) does, and with [`StoreError::Damaged`] when the checksum is wrong.
    fn verified(&self, place: Place) -> Result<Bytes, StoreError> {
        let frame = self.frame(place)?;
        match verify(&frame) {
            Ok(_) => Ok(frame),
            Err(what) => Err(self.damaged(place, what)),
        }
    }
}
