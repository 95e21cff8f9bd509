//! Tips, what is invalid, and which chain is best.

use super::{Entry, Id, Tree};
use std::cmp::Reverse;
use std::ops::Bound;

impl Tree {
    /// The header with the most work that is not known to be invalid; of two, the one that came first.
    pub fn best(&self) -> Id {
        self.best
    }

    /// The headers that nothing is built on.
    pub fn tips(&self) -> impl Iterator<Item = Id> + '_ {
        self.tips.iter().copied()
    }

    /// The [tips](Tree::tips) that come after this one: to go through them in shares.
    pub fn tips_after(&self, after: Option<Id>) -> impl Iterator<Item = Id> + '_ {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.tips.range((from, Bound::Unbounded)).copied()
    }

    /// The headers that are built on `id`, in no order.
    pub fn children(&self, id: Id) -> impl Iterator<Item = Id> + '_ {
        std::iter::successors(self.entry(id).child, |child| self.entry(*child).sibling)
    }

    /// Notes that a header is invalid, and with it everything built on it. Those of which it was not known before are returned,
    /// parents first. Genesis cannot be invalid.
    pub fn mark_invalid(&mut self, id: Id) -> Vec<Id> {
        if id == Id::GENESIS || self.entry(id).invalid {
            return Vec::new();
        }
        let mut marked = vec![id];
        let mut next = 0;
        while let Some(at) = marked.get(next).copied() {
            self.entry_mut(at).invalid = true;
            let children = std::iter::successors(self.entry(at).child, |child| self.entry(*child).sibling);
            marked.extend(children.filter(|child| !self.entry(*child).invalid));
            next += 1;
        }
        if self.entry(self.best).invalid {
            self.find_best();
        }
        marked
    }

    /// Finds the best header when what it was is so no longer.
    pub(super) fn find_best(&mut self) {
        let fit = |entry: &&Entry| entry.live && !entry.invalid;
        let best = self.entries.iter().enumerate().filter(|(_, entry)| fit(entry));
        let best = best.max_by_key(|(_, entry)| (entry.work, Reverse(entry.seen)));
        self.best = best.map_or(Id::GENESIS, |(index, _)| Id::at(index));
    }
}
