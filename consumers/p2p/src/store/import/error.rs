//! What can go wrong with an import.

use crate::store::StoreError;
use std::fmt;
use std::path::PathBuf;

/// Why files cannot be imported.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// A directory has no block files.
    #[error("{path} has no files blk*.dat")]
    NoFiles {
        /// The directory.
        path: PathBuf,
    },
    /// There is no block of this chain in any file, and they are not empty either.
    #[error(
        "{path} has no block of this chain: is it of another one, or is the xor.dat missing that it was written with?"
    )]
    NoBlocks {
        /// The first of them that is not.
        path: PathBuf,
    },
    /// A key has not 8 bytes.
    #[error("{path} is not a key of 8 bytes")]
    Key {
        /// Its file.
        path: PathBuf,
    },
    /// The kernel refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is wrong with a part of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// A block begins, and what follows is not all of it.
    CutShort,
    /// What follows a block is neither a block nor empty.
    Rubbish,
    /// A block has a length that is not right: another one begins within it, and none behind it. (Both are imported, as far as they
    /// are blocks.)
    Length,
}

/// A part of a file that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damaged {
    /// The file.
    pub path: PathBuf,
    /// Where the part begins, in bytes.
    pub offset: u64,
    /// Its bytes.
    pub length: u64,
    /// What is wrong.
    pub what: Damage,
}

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.what {
            Damage::CutShort => "a block is cut short",
            Damage::Rubbish => "what is there is no block",
            Damage::Length => "the length of a block is wrong",
        };
        let (path, offset, length) = (self.path.display(), self.offset, self.length);
        write!(f, "{path} is damaged: {what}, in {length} bytes from {offset} on")
    }
}
