//! Who spends whose outputs, and the sums over those.

use super::{Entry, Pool};
use bitcoin::Txid;
use std::collections::{BTreeSet, HashSet};

impl Pool {
    /// All that these need, and they themselves; none if they are more than `most`.
    pub(super) fn ancestors_of(&self, of: &BTreeSet<Txid>, most: usize) -> Option<HashSet<Txid>> {
        self.closure(of, most, |entry| &entry.parents)
    }

    /// All that need this one, and it itself.
    pub(super) fn descendants_of(&self, of: Txid) -> HashSet<Txid> {
        let all = self.closure(&BTreeSet::from([of]), usize::MAX, |entry| &entry.children);
        all.unwrap_or_default()
    }

    fn closure(
        &self,
        of: &BTreeSet<Txid>,
        most: usize,
        next: impl Fn(&Entry) -> &BTreeSet<Txid>,
    ) -> Option<HashSet<Txid>> {
        let mut found: HashSet<Txid> = of.iter().copied().collect();
        let mut open: Vec<Txid> = of.iter().copied().collect();
        while found.len() <= most {
            let Some(txid) = open.pop() else {
                return Some(found);
            };
            let Some(entry) = self.entries.get(&txid) else {
                continue;
            };
            open.extend(next(entry).iter().filter(|txid| found.insert(**txid)));
        }
        None
    }

    /// Puts in one whose parents are there and that nobody needs yet.
    pub(super) fn insert(&mut self, mut entry: Entry) {
        let (txid, own) = (entry.tx.txid, entry.own());
        let ancestors = self.ancestors_of(&entry.parents, usize::MAX).unwrap_or_default();
        for ancestor in &ancestors {
            if let Some(ancestor) = self.entries.get_mut(ancestor) {
                entry.ancestors += ancestor.own();
                ancestor.descendants += own;
            }
        }
        for parent in &entry.parents {
            if let Some(parent) = self.entries.get_mut(parent) {
                parent.children.insert(txid);
            }
        }
        self.spent.extend(entry.spends.iter().map(|spent| (*spent, txid)));
        self.bytes += entry.bytes();
        self.total += own;
        self.changes += 1;
        self.entries.insert(txid, entry);
    }

    /// Takes out one, and leaves those that need it.
    pub(super) fn remove(&mut self, txid: Txid) -> Option<Entry> {
        let descendants = self.descendants_of(txid);
        let mut removed = self.entries.remove(&txid)?;
        let own = removed.own();
        for ancestor in self
            .ancestors_of(&removed.parents, usize::MAX)
            .unwrap_or_default()
        {
            if let Some(ancestor) = self.entries.get_mut(&ancestor) {
                ancestor.descendants -= own;
            }
        }
        for descendant in &descendants {
            if let Some(descendant) = self.entries.get_mut(descendant) {
                descendant.ancestors -= own;
            }
        }
        for parent in &removed.parents {
            if let Some(parent) = self.entries.get_mut(parent) {
                parent.children.remove(&txid);
            }
        }
        for child in &removed.children {
            if let Some(child) = self.entries.get_mut(child) {
                child.parents.remove(&txid);
            }
        }
        for spent in &removed.spends {
            self.spent.remove(spent);
        }
        self.bytes -= removed.bytes();
        self.total -= own;
        self.changes += 1;
        // It held others together.
        if !removed.parents.is_empty() && !removed.children.is_empty() {
            self.count_again();
        }
        // It may come in again, and then alone.
        removed.children.clear();
        (removed.ancestors, removed.descendants) = (own, own);
        Some(removed)
    }

    /// Takes out one and all that need it; gives them, parents first.
    pub(super) fn remove_all(&mut self, txid: Txid) -> Vec<Entry> {
        let all = self.descendants_of(txid);
        let mut order: Vec<_> = all
            .into_iter()
            .filter_map(|txid| Some((self.entries.get(&txid)?.order(), txid)))
            .collect();
        order.sort_unstable();
        let mut removed: Vec<Entry> = order
            .iter()
            .rev()
            .filter_map(|(_, txid)| self.remove(*txid))
            .collect();
        removed.reverse();
        removed
    }

    /// Makes all sums anew.
    fn count_again(&mut self) {
        let all: Vec<Txid> = self.entries.keys().copied().collect();
        for entry in self.entries.values_mut() {
            let own = entry.own();
            (entry.ancestors, entry.descendants) = (own, own);
        }
        for txid in all {
            let Some(entry) = self.entries.get(&txid) else {
                continue;
            };
            let (own, parents) = (entry.own(), entry.parents.clone());
            let mut sum = own;
            for ancestor in self.ancestors_of(&parents, usize::MAX).unwrap_or_default() {
                if let Some(ancestor) = self.entries.get_mut(&ancestor) {
                    ancestor.descendants += own;
                    sum += ancestor.own();
                }
            }
            if let Some(entry) = self.entries.get_mut(&txid) {
                entry.ancestors = sum;
            }
        }
    }
}
