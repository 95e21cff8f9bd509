//! What may be forgotten.

use super::{Id, Tree};
use bitcoin::BlockHash;

/// A header that is in the tree no longer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Forgotten {
    /// Its height.
    pub height: u32,
    /// Its hash.
    pub hash: BlockHash,
}

impl Tree {
    /// Forgets headers, and says which: all those without a stored block that lead to none with one, and to none of `keep`. What is
    /// invalid is no exception.
    ///
    /// Their [`Id`]s mean nothing afterwards, and will mean other headers later: whatever the caller still has an `Id` of must be in
    /// `keep`, or above it. It takes time in proportion to the whole tree, so it is for when the tree is full.
    pub fn prune(&mut self, keep: &[Id]) -> Vec<Forgotten> {
        let mut kept = vec![false; self.entries.len()];
        kept[Id::GENESIS.index()] = true;
        let stored = self.entries.iter().enumerate();
        let stored = stored.filter(|(_, entry)| entry.live && entry.place.is_some());
        let stored = stored.map(|(index, _)| Id::at(index));
        for id in stored.chain(keep.iter().copied()) {
            let mut at = id;
            while !kept[at.index()] {
                kept[at.index()] = true;
                at = self.entry(at).parent;
            }
        }

        let mut forgotten = Vec::new();
        for (index, kept) in kept.iter().enumerate() {
            let entry = &mut self.entries[index];
            (entry.child, entry.sibling) = (None, None);
            if entry.live && !kept {
                entry.live = false;
                self.by_hash.remove(&entry.hash);
                self.free.push(Id::at(index));
                let (height, hash) = (entry.height, entry.hash);
                forgotten.push(Forgotten { height, hash });
            }
        }
        self.unstored -= forgotten.len();
        self.link();
        if !self.entry(self.best).live {
            self.find_best();
        }
        forgotten
    }

    /// Makes the links to children, and the set of those without any, from the links to parents.
    fn link(&mut self) {
        self.tips.clear();
        for index in 1..self.entries.len() {
            let parent = self.entries[index].parent;
            if self.entries[index].live {
                self.entries[index].sibling = self.entry_mut(parent).child.replace(Id::at(index));
            }
        }
        let tips = self.entries.iter().enumerate();
        let tips = tips.filter(|(_, entry)| entry.live && entry.child.is_none());
        self.tips = tips.map(|(index, _)| Id::at(index)).collect();
    }
}
