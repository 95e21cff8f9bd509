//! Which blocks come next.

use super::{At, Coins, CoinsError};
use crate::chain::Entry;
use crate::state::Chain;
use crate::store::{Place, Reader, Store};
use crate::wire::HEADER;
use bitcoin::Block;
use bitcoin::consensus::deserialize;

/// What is to be done so that the index gets to the end of the active chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Nothing: it is there.
    Nothing,
    /// It is of a branch that it cannot be taken back from: it is to be [made anew](Coins::remake).
    Remake,
    /// Blocks are to be taken back, or to be taken in ([`Coins::prepare`]).
    Step {
        /// Blocks above this height are to be taken back.
        back_to: u32,
        /// Then these are to be taken in: no more than a step can have.
        forward: Vec<Ahead>,
        /// How high the active chain is.
        target: u32,
    },
}

/// A block that is to be taken in, or was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ahead {
    /// Which.
    pub at: At,
    /// Where it is stored.
    pub place: Place,
}

impl Ahead {
    /// Reads it. What it was checked for when it was stored, it is still.
    ///
    /// Fails with [`CoinsError::Block`] and [`CoinsError::Undecodable`].
    pub fn read(&self, reader: &impl Reader) -> Result<Block, CoinsError> {
        let hash = self.at.hash;
        let frame = reader
            .verified(self.place)
            .map_err(|why| CoinsError::Block { hash, why })?;
        deserialize(frame.get(HEADER..).unwrap_or_default()).map_err(|why| CoinsError::Undecodable {
            hash,
            why: why.to_string(),
        })
    }
}

impl Coins {
    /// What is to be done next, as the chain is now. Takes no longer than as many looks at the chain as a step has blocks.
    ///
    /// A block that the chain does not know is taken back, by itself: after a power failure the index may have blocks that the store
    /// has lost. How far back that goes shows as it is done; where it goes further than it can, [`prepare`](Coins::prepare) fails with
    /// [`CoinsError::TooDeep`].
    pub fn plan<D: Store>(&self, chain: &Chain<D>) -> Plan {
        let At { height, hash } = self.at;
        if chain.entry(chain.tip()).hash == hash {
            return Plan::Nothing;
        }
        let target = chain.height();
        let Some(id) = chain.tree().find(&hash) else {
            return match height.checked_sub(1) {
                None => Plan::Remake,
                Some(back_to) => Plan::Step {
                    back_to,
                    forward: Vec::new(),
                    target,
                },
            };
        };
        let fork = chain.entry(chain.fork(id)).height;
        if height - fork > self.options.undo {
            return Plan::Remake;
        }
        let last = target.min(fork.saturating_add(self.options.step_blocks.max(1)));
        let ahead = |height| {
            let id = chain.at(height)?;
            let at = At {
                height,
                hash: chain.entry(id).hash,
            };
            chain.place(id).map(|place| Ahead { at, place })
        };
        Plan::Step {
            back_to: fork,
            forward: (fork + 1..=last).map_while(ahead).collect(),
            target,
        }
    }

    /// The blocks that are in it and are none of the active chain's, lowest first, as far as they are stored: their transactions may be
    /// wanted again. None if there are too many to be taken back, or the chain does not know the last.
    pub fn lost<D: Store>(&self, chain: &Chain<D>) -> Vec<Ahead> {
        let Some(id) = chain.tree().find(&self.at.hash) else {
            return Vec::new();
        };
        let fork = chain.fork(id);
        if self.at.height - chain.entry(fork).height > self.options.undo {
            return Vec::new();
        }
        let down = std::iter::successors(Some(id), |id| Some(chain.entry(*id).parent));
        let stored = |id| {
            let Entry {
                height, hash, place, ..
            } = *chain.entry(id);
            let at = At { height, hash };
            place.map(|place| Ahead { at, place })
        };
        let mut lost: Vec<Ahead> = down.take_while(|id| *id != fork).filter_map(stored).collect();
        lost.reverse();
        lost
    }
}
