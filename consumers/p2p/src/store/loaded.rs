//! What is there when a store is opened.

use super::disk::Rows;
use super::{BadFrame, Place, StoreError};
use bitcoin::BlockHash;
use bitcoin::block::Header;
use std::fmt;
use std::path::PathBuf;
use std::vec;

/// What a store holds when it is opened.
#[derive(Debug)]
pub struct Loaded {
    /// What the index knows, parents first. They are read from the disk as they are asked for.
    pub headers: Headers,
    /// Stored blocks that the index does not know: the process was killed before that, or the index was lost. Parents come before
    /// their children, as far as both are here. Their checksums are right, no more: they are to be checked as a peer's block is,
    /// and recorded again.
    pub found: Vec<Found>,
    /// What whoever runs the node should know.
    pub notes: Vec<Note>,
}

/// A header that the index knows, and what it knows of its block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadedHeader {
    /// The header itself.
    pub header: Header,
    /// Its hash.
    pub hash: BlockHash,
    /// Its height.
    pub height: u32,
    /// Where its block is, if it is stored.
    pub place: Option<Place>,
    /// Transactions of its block, if it is stored.
    pub txs: u32,
    /// Whether it was found invalid.
    pub invalid: bool,
}

/// A stored block that the index does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where it is.
    pub place: Place,
    /// Its header.
    pub header: Header,
    /// Its hash.
    pub hash: BlockHash,
}

/// The headers of an index, lowest first, as they were when it was opened. It can be read as long as the store is open; after an
/// error it ends.
#[derive(Debug)]
pub struct Headers(Source);

#[derive(Debug)]
enum Source {
    Memory(vec::IntoIter<LoadedHeader>),
    Disk(Box<Rows>),
    Failed,
}

impl Headers {
    pub(super) fn of_memory(headers: Vec<LoadedHeader>) -> Headers {
        Headers(Source::Memory(headers.into_iter()))
    }

    pub(super) fn of_disk(rows: Rows) -> Headers {
        Headers(Source::Disk(Box::new(rows)))
    }
}

impl Iterator for Headers {
    type Item = Result<LoadedHeader, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = match &mut self.0 {
            Source::Memory(headers) => headers.next().map(Ok),
            Source::Disk(rows) => rows.next().transpose(),
            Source::Failed => None,
        };
        if let Some(Err(_)) = next {
            self.0 = Source::Failed;
        }
        next
    }
}

/// Something that happened to a store while it was closed, or as the last process to use it ended. None is a reason to stop.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// There are blocks but no index. It is made anew from them.
    IndexMissing {
        /// Where it should be.
        path: PathBuf,
    },
    /// The index cannot be read. It was set aside, and is made anew from the blocks.
    IndexDamaged {
        /// The index.
        path: PathBuf,
        /// What it is called now.
        kept: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A file ended in a part of a block, as it does when a process is killed or a disk is full while it is written. It was cut off.
    Torn {
        /// The file.
        path: PathBuf,
        /// Where the part began.
        offset: u64,
        /// Its bytes.
        length: u64,
    },
    /// A file has lost its end, with blocks that the index knows. They are no longer stored.
    Truncated {
        /// The file.
        path: PathBuf,
        /// Its bytes.
        length: u64,
        /// How many blocks.
        blocks: usize,
    },
    /// A part of a file is not what was written there. If the index knew of a block there, it is no longer stored.
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where the part begins.
        offset: u64,
        /// Its bytes.
        length: u64,
        /// What is wrong.
        what: BadFrame,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::IndexMissing { path } => {
                let path = path.display();
                write!(f, "{path} is missing; it is made anew from the block files")
            }
            Note::IndexDamaged { path, kept, why } => {
                let (path, kept) = (path.display(), kept.display());
                write!(
                    f,
                    "{path} is damaged ({why}); it was kept as {kept}, and is made anew from the block files"
                )
            }
            Note::Torn { path, offset, length } => {
                let path = path.display();
                write!(
                    f,
                    "{path} ended in a part of a block; {length} bytes from {offset} on were cut off"
                )
            }
            Note::Truncated { path, length, blocks } => {
                let path = path.display();
                write!(
                    f,
                    "{path} ends after {length} bytes; {blocks} blocks that were behind are downloaded again. \
                     Was it copied while a node ran, or does the disk lose what it was told to keep?"
                )
            }
            Note::Damaged {
                path,
                offset,
                length,
                what,
            } => {
                let path = path.display();
                write!(
                    f,
                    "{path} is damaged: {what}, in {length} bytes from {offset} on. What was there is downloaded again; \
                     check the disk"
                )
            }
        }
    }
}
