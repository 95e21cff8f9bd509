//! What is known of one header.

use crate::chain::hash::block_hash;
use crate::store::Place;
use bitcoin::block::Header;
use bitcoin::{BlockHash, CompactTarget, Work};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::num::NonZeroU32;

/// Names a header in a [`Tree`](super::Tree). It stays good until the header is forgotten; after that it may name another one.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Id(NonZeroU32);

impl Id {
    /// The first header's.
    pub const GENESIS: Id = Id(NonZeroU32::MIN);

    /// That of the slot `index`. There are never so many that they do not fit: each takes some 250 bytes.
    pub(super) fn at(index: usize) -> Id {
        Id(NonZeroU32::MIN.saturating_add(index as u32))
    }

    /// The number of its slot, for what is kept beside the tree: below the number of slots that have ever been in use at once.
    pub fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// What is known of one header.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The header itself.
    pub header: Header,
    /// Its hash.
    pub hash: BlockHash,
    /// How many headers are below it.
    pub height: u32,
    /// The work of the whole chain up to it.
    pub work: Work,
    /// The header that it is built on; genesis is its own.
    pub parent: Id,
    /// Where its block is stored, if it is.
    pub place: Option<Place>,
    /// How many transactions its block has; zero while that is not known.
    pub txs: u32,
    /// Whether it or one below it is known to be invalid.
    pub invalid: bool,
    /// Its difficulty, or that of an ancestor if it came late: see [`difficulty::steady`](crate::chain::difficulty).
    pub(in crate::chain) steady: CompactTarget,
    /// An ancestor further down, to walk faster.
    pub(super) jump: Id,
    /// The child that came last, and the next older child of this one's parent.
    pub(super) child: Option<Id>,
    pub(super) sibling: Option<Id>,
    /// How many came before it.
    pub(super) seen: u64,
    /// Whether it is still there; if not, its slot is free.
    pub(super) live: bool,
}

impl Entry {
    pub(super) fn genesis(header: &Header, txs: u32) -> Entry {
        Entry {
            header: *header,
            hash: block_hash(header),
            height: 0,
            work: header.work(),
            parent: Id::GENESIS,
            place: None,
            txs,
            invalid: false,
            steady: header.bits,
            jump: Id::GENESIS,
            child: None,
            sibling: None,
            seen: 0,
            live: true,
        }
    }
}

pub(super) type ByHash = HashMap<BlockHash, Id, BuildHasherDefault<Prefix>>;

/// Takes the first bytes of a block's hash for its hash: work is seen in the last ones, and whoever wants many that are alike in
/// the first ones has to do that much work for each.
#[derive(Debug, Default)]
pub(super) struct Prefix(u64);

impl Hasher for Prefix {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    /// The length of an array, which is the same for all.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}
