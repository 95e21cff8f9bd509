//! Which blocks come next.

use super::{At, Coins};
use crate::chain::Entry;
use crate::state::Chain;
use crate::store::{Place, Store};

/// What is to be done so that the index gets to the end of the active chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Nothing: it is there.
    Nothing,
    /// It is of another chain, or of a branch that it cannot be taken back from: it is to be [made anew](Coins::remake).
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

/// A block that is to be taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ahead {
    /// Which.
    pub at: At,
    /// Where it is stored.
    pub place: Place,
}

impl Coins {
    /// What is to be done next, as the chain is now. Takes no longer than as many looks at the chain as a step has blocks.
    pub fn plan<D: Store>(&self, chain: &Chain<D>) -> Plan {
        let At { height, hash } = self.at;
        if chain.entry(chain.tip()).hash == hash {
            return Plan::Nothing;
        }
        let Some(id) = chain.tree().find(&hash) else {
            return Plan::Remake;
        };
        let fork = chain.entry(chain.fork(id)).height;
        if height - fork > self.options.undo {
            return Plan::Remake;
        }
        let target = chain.height();
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
    /// wanted again. None if there are too many to be taken back.
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
