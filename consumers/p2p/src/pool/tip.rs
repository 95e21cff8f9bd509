//! New blocks, and lost ones.

use super::{AcceptError, Candidate, Confirmed, Entry, Pool};
use crate::chain::Rules;
use crate::coins::{CoinsError, Mined};

impl Pool {
    /// A block came on top of the others: what it has is no longer wanted, and what spends the same cannot be had any more. `next`: the
    /// place of the block after it.
    pub fn connect(&mut self, mined: &[Mined], next: Rules) {
        for mined in mined {
            self.remove(mined.txid);
            for spent in &mined.spends {
                if let Some(other) = self.spender(spent) {
                    self.remove_all(other);
                }
            }
        }
        self.next = next;
    }

    /// The chain is another one. The transactions of blocks that are no longer part of it come back, parents first, and then those that
    /// were in the pool; each if it can be had now. `next`: the place of the next block.
    ///
    /// Fails where the coins cannot be read. The pool has a part of them then.
    pub fn reorganise(
        &mut self,
        lost: impl IntoIterator<Item = Candidate>,
        confirmed: &impl Confirmed,
        next: Rules,
        now: u64,
    ) -> Result<(), CoinsError> {
        let before: Vec<Entry> = self.in_order().into_iter().cloned().collect();
        *self = Pool {
            // Whoever compares must see a change.
            changes: self.changes + 1,
            ..Pool::new(self.settings, next)
        };
        for candidate in lost {
            self.accept_again(&candidate, confirmed, now)?;
        }
        for entry in before {
            if let Ok(candidate) = Candidate::decode(entry.tx.bytes.clone()) {
                self.accept_again(&candidate, confirmed, entry.time)?;
            }
        }
        Ok(())
    }

    fn accept_again(
        &mut self,
        candidate: &Candidate,
        confirmed: &impl Confirmed,
        time: u64,
    ) -> Result<(), CoinsError> {
        match self.accept(candidate, confirmed, time) {
            Err(AcceptError::Coins(why)) => Err(why),
            Ok(_) | Err(AcceptError::Refused(_)) => Ok(()),
        }
    }
}
