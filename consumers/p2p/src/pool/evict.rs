//! Which have to leave when there is no room.

use super::{Entry, Pool, Refused};
use bitcoin::Txid;
use std::cmp::Ordering;

impl Entry {
    /// Which of two is worth less, together with those that need it if these raise it (Core's `CompareTxMemPoolEntryByDescendantScore`);
    /// of two that are alike, the one that came later.
    fn cmp_worth(&self, other: &Entry) -> Ordering {
        let best = |entry: &Entry| {
            let (alone, together) = (entry.own(), entry.descendants);
            if together.cmp_rate(&alone).is_gt() {
                together
            } else {
                alone
            }
        };
        let by_rate = best(self).cmp_rate(&best(other));
        by_rate.then_with(|| other.sequence.cmp(&self.sequence))
    }
}

impl Pool {
    fn is_full(&self) -> bool {
        self.bytes > self.settings.bytes || self.len() > self.settings.count
    }

    /// Makes room for one that has just come in. If it is itself that would have to leave, it does and nobody else.
    pub(super) fn shrink(&mut self, newest: Txid) -> Result<(), Refused> {
        let mut gone = Vec::new();
        while self.is_full() {
            let worst = self.entries.values().min_by(|one, other| one.cmp_worth(other));
            let Some(worst) = worst.map(|entry| entry.tx.txid) else {
                break;
            };
            gone.push(self.remove_all(worst));
            if self.get(&newest).is_none() {
                // Those that went last are parents of none that went before.
                let others = gone.into_iter().rev().flatten();
                for entry in others.filter(|entry| entry.tx.txid != newest) {
                    self.insert(entry);
                }
                return Err(Refused::Full);
            }
        }
        Ok(())
    }
}
