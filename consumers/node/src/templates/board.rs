//! Where work lies ready, and solutions are dropped.

use super::notes::Notes;
use super::queue::{Put, Queue};
use bitcoin::BlockHash;
use sockman_sv2::{Solution, Work};
use std::sync::{Arc, Mutex, PoisonError};

/// What the loop and the threads share.
pub(super) struct Board {
    work: Mutex<Option<Arc<Work>>>,
    found: Queue<Solution>,
    notes: Arc<Notes>,
}

impl Board {
    pub(super) fn new(notes: Arc<Notes>) -> Board {
        Board {
            work: Mutex::new(None),
            found: Queue::new(),
            notes,
        }
    }

    pub(super) fn work(&self) -> Option<Arc<Work>> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set(&self, work: Arc<Work>) {
        let old = self
            .work
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .replace(work);
        // Not while the loop waits.
        drop(old);
    }

    pub(super) fn hand_in(&self, solution: Solution) {
        let hash = solution.hash();
        tell_lost(&self.notes, hash, self.found.put(hash, solution));
    }

    /// What was found and waits to be handed in.
    pub(super) fn found(&self) -> &Queue<Solution> {
        &self.found
    }
}

/// A block is worth something: that one is lost is told.
fn tell_lost(notes: &Notes, hash: BlockHash, put: Put) {
    let why = match put {
        Put::Waits | Put::Waited => return,
        Put::Full => "too many wait to be stored",
        Put::Ended => "the node stops",
    };
    notes.add(format!("block {hash}, which a client has found, is lost: {why}"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::hashes::Hash;

    #[test]
    fn a_block_that_is_lost_is_told() {
        let notes = Notes::default();
        let hash = BlockHash::from_byte_array([7; 32]);
        for put in [Put::Waits, Put::Waited] {
            tell_lost(&notes, hash, put);
            assert!(notes.take().is_empty(), "{put:?}");
        }
        for put in [Put::Full, Put::Ended] {
            tell_lost(&notes, hash, put);
            let told = notes.take();
            assert!(told[0].contains(&hash.to_string()), "{told:?}");
        }
    }
}
