//! The rules for a header.

use super::{Id, Tree};
use crate::chain::hash::block_hash;
use crate::chain::target::check_work;
use bitcoin::block::Header;
use thiserror::Error;

/// Seconds that a block's time may be ahead of ours: Core's `MAX_FUTURE_BLOCK_TIME`.
pub const MAX_FUTURE_TIME: u32 = 2 * 60 * 60;

/// Seconds that the first block of a period may be behind its parent with BIP 94: Core's `MAX_TIMEWARP`.
pub const MAX_TIMEWARP: u32 = 600;

/// A header that is in the tree.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Accepted {
    /// What it is called.
    pub id: Id,
    /// Whether it was not there before.
    pub new: bool,
}

/// Why a header is not taken. The text is what Bitcoin Core calls it.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum HeaderError {
    /// The header that it is built on is not known: perhaps it only comes too early.
    #[error("prev-blk-not-found")]
    UnknownParent,
    /// It is built on one that is known to be invalid.
    #[error("bad-prevblk")]
    InvalidParent,
    /// It is known to be invalid itself.
    #[error("duplicate-invalid")]
    Invalid,
    /// Its time is more than [`MAX_FUTURE_TIME`] ahead. It may be taken later, or it is our clock that is wrong.
    #[error("time-too-new")]
    TimeTooNew,
    /// The work that it claims has not been done, or is less than the network allows.
    #[error("high-hash")]
    ProofOfWork,
    /// Its difficulty is not the one that its place asks for.
    #[error("bad-diffbits")]
    Difficulty,
    /// Its time is not later than the median of the 11 before it.
    #[error("time-too-old")]
    TimeTooOld,
    /// It begins a period, and its time is more than [`MAX_TIMEWARP`] before its parent's (BIP 94).
    #[error("time-timewarp-attack")]
    Timewarp,
    /// Its version is one that has been given up at its height (BIP 34, 66, 65).
    #[error("bad-version(0x{0:08x})")]
    Version(i32),
    /// As many headers without a block are kept as may be ([`Tree::set_limit`]).
    #[error("too-many-headers")]
    Full,
}

impl Tree {
    /// Takes a header that a peer sent, if it keeps the rules: proof of work, difficulty, time after the median of the 11 before it
    /// and not more than two hours ahead, version, and a parent that is there and not invalid. `now` is in seconds since 1970.
    ///
    /// A header that is there already is no error.
    pub fn accept(&mut self, header: &Header, now: u64) -> Result<Accepted, HeaderError> {
        let hash = block_hash(header);
        if let Some(id) = self.find(&hash) {
            let invalid = self.entry(id).invalid.then_some(HeaderError::Invalid);
            return invalid.map_or(Ok(Accepted { id, new: false }), Err);
        }
        let target = check_work(&self.params, header, &hash).ok_or(HeaderError::ProofOfWork)?;
        let parent = self.find(&header.prev_blockhash);
        let parent = parent.ok_or(HeaderError::UnknownParent)?;
        if self.entry(parent).invalid {
            return Err(HeaderError::InvalidParent);
        }
        self.check(header, parent, now)?;
        if self.unstored >= self.limit {
            return Err(HeaderError::Full);
        }
        let id = self.insert(header, hash, parent, target);
        Ok(Accepted { id, new: true })
    }

    /// What a header must keep as a child of `parent`.
    fn check(&self, header: &Header, parent: Id, now: u64) -> Result<(), HeaderError> {
        let params = &self.params;
        let over = self.entry(parent);
        let height = over.height + 1;
        if header.bits != self.next_bits(parent, header.time) {
            return Err(HeaderError::Difficulty);
        }
        if header.time <= self.median_time(parent) {
            return Err(HeaderError::TimeTooOld);
        }
        if params.bip94
            && height.is_multiple_of(params.retarget_interval())
            && header.time < over.header.time.saturating_sub(MAX_TIMEWARP)
        {
            return Err(HeaderError::Timewarp);
        }
        if u64::from(header.time) > now.saturating_add(u64::from(MAX_FUTURE_TIME)) {
            return Err(HeaderError::TimeTooNew);
        }
        let version = header.version.to_consensus();
        let given_up = [
            (2, params.bip34_height),
            (3, params.bip66_height),
            (4, params.bip65_height),
        ];
        if given_up
            .iter()
            .any(|(least, from)| version < *least && height >= *from)
        {
            return Err(HeaderError::Version(version));
        }
        Ok(())
    }
}
