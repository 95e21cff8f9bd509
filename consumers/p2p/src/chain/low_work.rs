//! Headers of a chain whose work does not suffice so far.
//!
//! A chain of little difficulty is cheap to make, at any length, and a peer could fill our memory with one. Whether a long chain has
//! enough work is only known at its end. So its headers are asked for twice, as Bitcoin Core does (`headerssync.h`): at first they
//! are followed and not kept, but for a mark of every 500th. If they come to enough work, they are fetched again, and given out in
//! runs, each when the mark at its end has been seen to be the same. Then they are the headers whose work was counted.

use super::difficulty::is_permitted;
use super::hash::block_hash;
use super::params::Params;
use super::target::check_work;
use super::tree::{HeaderError, Id, Tree};
use bitcoin::block::Header;
use bitcoin::hashes::{Hash, siphash24};
use bitcoin::{BlockHash, CompactTarget, Work};
use std::collections::VecDeque;
use thiserror::Error;

/// Headers from one mark to the next. So many are held back at most while they are fetched, and a mark is 8 bytes: this is small on
/// both sides.
pub const MARK_PERIOD: u32 = 500;

/// Headers that a peer's chain may have above the fork before it has shown enough work, unless [`LowWork::set_limit`] says otherwise:
/// more than there are in any network, and for a peer that goes there it is 160 kB of marks.
pub const MAX_FOLLOWED: u32 = 10_000_000;

/// The work of headers that follow each other, if it has been done.
///
/// Errors: [`HeaderError::UnknownParent`] where one does not follow the one before it, [`HeaderError::ProofOfWork`].
pub fn claimed_work(params: &Params, headers: &[Header]) -> Result<Work, HeaderError> {
    let mut total = Work::from_be_bytes([0; 32]);
    let mut before = None;
    for header in headers {
        let hash = block_hash(header);
        let target = check_work(params, header, &hash).ok_or(HeaderError::ProofOfWork)?;
        if before.is_some_and(|before| before != header.prev_blockhash) {
            return Err(HeaderError::UnknownParent);
        }
        total = total + target.to_work();
        before = Some(hash);
    }
    Ok(total)
}

/// Why a peer's headers are not followed any more.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum LowWorkError {
    /// They do not follow those before them.
    #[error("headers that do not follow those before them")]
    Unconnected,
    /// The work that one claims has not been done, or is less than the network allows.
    #[error("high-hash")]
    ProofOfWork,
    /// Difficulty does not change by so much, or not there.
    #[error("bad-diffbits")]
    Difficulty,
    /// There are more than may be ([`LowWork::set_limit`]).
    #[error("a long chain without enough work")]
    TooLong,
    /// When they were fetched they were not those that had been followed, or some were missing. A peer whose chain was reorganised in
    /// between may mean well.
    #[error("headers that have changed since they were told first")]
    Changed,
}

/// What follows from a message of headers.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Step {
    /// Headers of a chain with enough work, to be accepted into the tree. The first follows what was given before, or the fork.
    pub give: Vec<Header>,
    /// The locator with which to ask for more. If there is none, this is over: all has been given, or the peer has no more and it was
    /// not enough.
    pub next: Option<Vec<BlockHash>>,
}

/// A peer's headers, of which it is not known yet whether they lead to enough work.
#[derive(Debug)]
pub struct LowWork {
    fork: Id,
    need: Work,
    salt: u64,
    limit: u32,
    phase: Phase,
    at: Link,
    /// Of every header whose height is a multiple of [`MARK_PERIOD`].
    marks: VecDeque<u64>,
}

#[derive(Debug)]
enum Phase {
    Follow,
    /// They come again. `held` have come since the last mark; `end` is the header at which there was enough work.
    Fetch {
        held: Vec<Header>,
        end: Link,
    },
}

/// Where in the chain we are.
#[derive(Clone, Copy, Debug)]
struct Link {
    hash: BlockHash,
    height: u32,
    bits: CompactTarget,
    work: Work,
}

impl LowWork {
    /// Begins with headers that are to follow `fork`, which stays in the tree as long as this is in use. The whole chain must have the
    /// work of `need`. The `salt` should be random: who knows it can make headers with the marks of others.
    pub fn start(tree: &Tree, fork: Id, need: Work, salt: u64) -> LowWork {
        LowWork {
            fork,
            need,
            salt,
            limit: MAX_FOLLOWED,
            phase: Phase::Follow,
            at: Link::of(tree, fork),
            marks: VecDeque::new(),
        }
    }

    /// Sets how many headers are followed at most while their work does not suffice: [`MAX_FOLLOWED`] at first.
    pub fn set_limit(&mut self, headers: u32) {
        self.limit = headers;
    }

    /// The header in the tree that the others follow.
    pub fn fork(&self) -> Id {
        self.fork
    }

    /// The height up to which headers have been followed.
    pub fn height(&self) -> u32 {
        match &self.phase {
            Phase::Follow => self.at.height,
            Phase::Fetch { end, .. } => end.height,
        }
    }

    /// Whether this is the header that is to come next. Others that a peer sends are none of this chain, or it has changed.
    pub fn is_next(&self, header: &Header) -> bool {
        header.prev_blockhash == self.at.hash
    }

    /// Takes a message of headers; `more` if the peer may have more than it tells in it. After an error, nothing more can come of
    /// this.
    pub fn feed(&mut self, tree: &Tree, headers: &[Header], more: bool) -> Result<Step, LowWorkError> {
        match self.phase {
            Phase::Follow => self.follow(tree, headers, more),
            Phase::Fetch { .. } => self.fetch(tree, headers, more),
        }
    }

    fn follow(&mut self, tree: &Tree, headers: &[Header], more: bool) -> Result<Step, LowWorkError> {
        let params = tree.params();
        let below = tree.entry(self.fork).height;
        for header in headers {
            let height = self.at.height + 1;
            let hash = self.at.follow(header)?;
            let target = check_work(params, header, &hash).ok_or(LowWorkError::ProofOfWork)?;
            if !is_permitted(params, height, self.at.bits, header.bits) {
                return Err(LowWorkError::Difficulty);
            }
            if height - below > self.limit {
                return Err(LowWorkError::TooLong);
            }
            self.at = Link {
                hash,
                height,
                bits: header.bits,
                work: self.at.work + target.to_work(),
            };
            if self.at.work >= self.need {
                self.phase = Phase::Fetch {
                    held: Vec::new(),
                    end: self.at,
                };
                self.at = Link::of(tree, self.fork);
                return Ok(self.ask(tree, Vec::new()));
            }
            if height.is_multiple_of(MARK_PERIOD) {
                self.marks.push_back(self.mark(&hash));
            }
        }
        Ok(if more {
            self.ask(tree, Vec::new())
        } else {
            Step::default()
        })
    }

    fn fetch(&mut self, tree: &Tree, headers: &[Header], more: bool) -> Result<Step, LowWorkError> {
        let mut give = Vec::new();
        for (index, header) in headers.iter().enumerate() {
            let hash = self.at.follow(header).map_err(|_| LowWorkError::Changed)?;
            self.at.hash = hash;
            self.at.height += 1;
            let is_marked = self.at.height.is_multiple_of(MARK_PERIOD);
            let mark = is_marked.then(|| self.mark(&hash));
            let Phase::Fetch { held, end } = &mut self.phase else {
                break;
            };
            if self.at.height == end.height {
                if hash != end.hash {
                    return Err(LowWorkError::Changed);
                }
                give.append(held);
                give.extend_from_slice(&headers[index..]);
                return Ok(Step { give, next: None });
            }
            held.push(*header);
            if mark.is_some() {
                if self.marks.pop_front() != mark {
                    return Err(LowWorkError::Changed);
                }
                give.append(held);
            }
        }
        if !more {
            return Err(LowWorkError::Changed);
        }
        Ok(self.ask(tree, give))
    }

    /// Asks for what follows.
    fn ask(&self, tree: &Tree, give: Vec<Header>) -> Step {
        let mut locator = tree.locator(self.fork);
        if self.at.hash != tree.entry(self.fork).hash {
            locator.insert(0, self.at.hash);
        }
        let next = Some(locator);
        Step { give, next }
    }

    fn mark(&self, hash: &BlockHash) -> u64 {
        siphash24::Hash::hash_to_u64_with_keys(self.salt, 0, hash.as_byte_array())
    }
}

impl Link {
    fn of(tree: &Tree, id: Id) -> Link {
        let entry = tree.entry(id);
        Link {
            hash: entry.hash,
            height: entry.height,
            bits: entry.header.bits,
            work: entry.work,
        }
    }

    /// The hash of a header that must follow this one.
    fn follow(&self, header: &Header) -> Result<BlockHash, LowWorkError> {
        if header.prev_blockhash != self.hash {
            return Err(LowWorkError::Unconnected);
        }
        Ok(block_hash(header))
    }
}
