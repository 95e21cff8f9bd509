//! All headers known, and how they hang together.
//!
//! - this file: [`Tree`], what is in it, and how it grows
//! - `entry`: [`Entry`], [`Id`]; `accept`: the rules for a header; `walk`: ancestors, forks, locators, medians of time
//! - `branches`: tips and what is invalid; `prune`: what may be forgotten

mod accept;
mod branches;
mod entry;
mod prune;
mod walk;

pub use accept::{Accepted, HeaderError, MAX_FUTURE_TIME, MAX_TIMEWARP};
pub use entry::{Entry, Id};
pub use prune::Forgotten;
pub use walk::MEDIAN_SPAN;

use super::check::Rules;
use super::difficulty;
use super::hash::block_hash;
use super::params::Params;
use super::target::check_work;
use crate::store::Place;
use bitcoin::block::Header;
use bitcoin::{BlockHash, CompactTarget, Target};
use entry::ByHash;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Headers without a stored block that are kept, unless [`Tree::set_limit`] says otherwise: twice as many as the main network has, so
/// that all of its can come before its blocks. Each takes about 250 bytes.
pub const MAX_UNSTORED: usize = 2_000_000;

/// The headers known, from genesis on.
///
/// A tree is a pure data structure: it knows no clock, and the same calls give the same answers. What it holds is bounded: see
/// [`Tree::set_limit`] and [`Tree::prune`].
#[derive(Debug)]
pub struct Tree {
    params: Arc<Params>,
    entries: Vec<Entry>,
    by_hash: ByHash,
    /// Slots whose headers have been forgotten.
    free: Vec<Id>,
    /// Entries without children.
    tips: BTreeSet<Id>,
    best: Id,
    /// Entries without a block, but for genesis.
    unstored: usize,
    limit: usize,
    /// How many headers have ever been put in.
    seen: u64,
}

impl Tree {
    /// A tree of genesis alone.
    ///
    /// Genesis has no place: its block is in the [`Params`].
    pub fn new(params: impl Into<Arc<Params>>) -> Tree {
        let params = params.into();
        let header = params.genesis.header;
        let genesis = Entry::genesis(&header, params.genesis.txdata.len() as u32);
        let mut by_hash = ByHash::default();
        by_hash.insert(genesis.hash, Id::GENESIS);
        Tree {
            params,
            entries: vec![genesis],
            by_hash,
            free: Vec::new(),
            tips: BTreeSet::from([Id::GENESIS]),
            best: Id::GENESIS,
            unstored: 0,
            limit: MAX_UNSTORED,
            seen: 1,
        }
    }

    /// The network's rules.
    pub fn params(&self) -> &Arc<Params> {
        &self.params
    }

    /// Sets how many headers without a stored block there may be: above that, [`Tree::accept`] takes no new one, and says
    /// [`HeaderError::Full`]. [`MAX_UNSTORED`] at first.
    pub fn set_limit(&mut self, headers: usize) {
        self.limit = headers;
    }

    /// How many headers there are, genesis included.
    #[expect(clippy::len_without_is_empty, reason = "genesis is always there")]
    pub fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    /// How many of them have no stored block, genesis not counted: what [`Tree::set_limit`] bounds.
    pub fn unstored(&self) -> usize {
        self.unstored
    }

    /// The header with this hash.
    pub fn find(&self, hash: &BlockHash) -> Option<Id> {
        self.by_hash.get(hash).copied()
    }

    /// What is known about a header. The `id` must be one that this tree gave, and that has not been forgotten since
    /// ([`Tree::prune`]).
    pub fn entry(&self, id: Id) -> &Entry {
        &self.entries[id.index()]
    }

    fn entry_mut(&mut self, id: Id) -> &mut Entry {
        &mut self.entries[id.index()]
    }

    /// Notes where a block is stored, or that it is stored no longer, and how many transactions it has.
    pub fn set_place(&mut self, id: Id, place: Option<Place>, txs: u32) {
        let entry = self.entry_mut(id);
        let was = entry.place.is_some();
        entry.place = place;
        entry.txs = txs;
        if id != Id::GENESIS {
            self.unstored = self.unstored + usize::from(was) - usize::from(place.is_some());
        }
    }

    /// Puts back a header that had been accepted and kept: parents first. Its work is checked, so that what a damaged index says
    /// cannot outweigh a real chain; the rules that depend on its place are not checked again, nor is the limit of headers.
    ///
    /// Errors: [`HeaderError::UnknownParent`] and [`HeaderError::ProofOfWork`]. A header that is already there stays, and takes the
    /// place and the number of transactions given.
    pub fn load(
        &mut self,
        header: &Header,
        place: Option<Place>,
        txs: u32,
        invalid: bool,
    ) -> Result<Id, HeaderError> {
        let hash = block_hash(header);
        let id = match self.find(&hash) {
            Some(id) => id,
            None => {
                let target = check_work(&self.params, header, &hash).ok_or(HeaderError::ProofOfWork)?;
                let parent = self.find(&header.prev_blockhash);
                let parent = parent.ok_or(HeaderError::UnknownParent)?;
                self.insert(header, hash, parent, target)
            }
        };
        self.set_place(id, place, txs);
        if invalid {
            self.mark_invalid(id);
        }
        Ok(id)
    }

    /// What a child of `parent` with this `time` must have in its `bits`. Where blocks that are late may be of least difficulty it
    /// depends on the time; everywhere else it does not.
    pub fn next_bits(&self, parent: Id, time: u32) -> CompactTarget {
        difficulty::next_bits(self, parent, time)
    }

    /// What has to be known of its place to check a child of `parent`.
    pub fn rules(&self, parent: Id) -> Rules {
        Rules {
            height: self.entry(parent).height + 1,
            median_time: self.median_time(parent),
        }
    }

    /// Puts in a header that has passed its checks.
    fn insert(&mut self, header: &Header, hash: BlockHash, parent: Id, target: Target) -> Id {
        let over = self.entry(parent);
        // The same bits are the same work, and most have their parent's. To divide by the target takes as long as all the rest.
        let work = if over.header.bits == header.bits && parent != Id::GENESIS {
            over.work - self.entry(over.parent).work
        } else {
            target.to_work()
        };
        // Myers' skew-binary jumps: a jump is as long as the two before it together, or it goes to the parent. An ancestor is then
        // found in a logarithmic number of steps, from anywhere, and a header needs one link for it.
        let first = self.entry(over.jump);
        let second = self.entry(first.jump);
        let even = over.height - first.height == first.height - second.height;
        let jump = if even { first.jump } else { parent };
        let entry = Entry {
            header: *header,
            hash,
            height: over.height + 1,
            work: over.work + work,
            parent,
            place: None,
            txs: 0,
            invalid: over.invalid,
            steady: difficulty::steady(&self.params, over.height + 1, header.bits, over.steady),
            jump,
            child: None,
            sibling: over.child,
            seen: self.seen,
            live: true,
        };
        let (total, fit) = (entry.work, !entry.invalid);
        self.seen += 1;
        self.unstored += 1;
        let id = match self.free.pop() {
            Some(id) => {
                self.entries[id.index()] = entry;
                id
            }
            None => {
                self.entries.push(entry);
                Id::at(self.entries.len() - 1)
            }
        };
        self.by_hash.insert(hash, id);
        self.entry_mut(parent).child = Some(id);
        self.tips.remove(&parent);
        self.tips.insert(id);
        if fit && total > self.entry(self.best).work {
            self.best = id;
        }
        id
    }
}
