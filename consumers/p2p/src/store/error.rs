//! What can go wrong with a store.

use super::frame::BadFrame;
use crate::wire::Magic;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why a store did not do what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no room: the disk, the quota or the limit of a file's size. Nothing is lost, and it may be tried again.
    #[error("no room to write {path}: {source}")]
    Full {
        /// The file.
        path: PathBuf,
        /// What the kernel said.
        source: Arc<io::Error>,
    },
    /// The kernel refuses for another reason.
    #[error("cannot {doing} {path}: {source}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// What the kernel said.
        source: Arc<io::Error>,
    },
    /// What was stored there is not there any more: the block has to be fetched again.
    #[error("{path} is damaged at {offset}: {what}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Bytes from its beginning.
        offset: u64,
        /// What is wrong.
        what: BadFrame,
    },
    /// The index cannot be used any more. What was recorded since its last commit is found again when the store is opened anew.
    #[error("the index {path} failed: {why}")]
    Index {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// What was to be appended is not the frame of a block.
    #[error("not the frame of a block: {0}")]
    NotAFrame(BadFrame),
}

impl StoreError {
    /// What the kernel says about a file.
    pub(crate) fn io(path: &Path, doing: &'static str, source: io::Error) -> StoreError {
        let path = path.to_path_buf();
        let full = matches!(
            source.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
        );
        let source = Arc::new(source);
        if full {
            StoreError::Full { path, source }
        } else {
            StoreError::Io { path, doing, source }
        }
    }
}

/// Why a store could not be opened. Nothing that was stored is lost by trying.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process uses it, or this one does already.
    #[error("{path} is in use: is another node running with it?")]
    Locked {
        /// The directory.
        path: PathBuf,
    },
    /// It cannot be used as it is, and what to do about it is for its owner to decide.
    #[error("{path}: {what}. {remedy}")]
    Damaged {
        /// What is wrong.
        what: String,
        /// Where.
        path: PathBuf,
        /// What to do.
        remedy: &'static str,
    },
    /// It holds another chain.
    #[error("{path} is of the chain whose magic is {found:02x?}, not {expected:02x?}")]
    WrongChain {
        /// The file that says so.
        path: PathBuf,
        /// Its magic.
        found: Magic,
        /// The magic it was opened with.
        expected: Magic,
    },
    /// It is a data directory of Bitcoin Core.
    #[error("{path} is Bitcoin Core's: its blocks can be imported into a directory of our own")]
    OfCore {
        /// What says so.
        path: PathBuf,
    },
    /// It was written by a later version of this program.
    #[error("{path} has format {found}; this program knows formats up to {known}")]
    Version {
        /// The file that says so.
        path: PathBuf,
        /// Its format.
        found: u64,
        /// The last one that is known.
        known: u64,
    },
    /// As at any other time: full, or the kernel refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
}
