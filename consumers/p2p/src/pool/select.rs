//! What should be in the next block.

use super::{Pool, Sums, Transaction};
use bitcoin::Txid;
use std::cmp::Ordering;
use std::collections::{BTreeSet, BinaryHeap, HashMap, HashSet};
use std::sync::Arc;

/// A transaction, and what it would pay with all that it needs and that was not chosen when this was written down.
struct Offer {
    sums: Sums,
    sequence: u64,
    txid: Txid,
}

impl Ord for Offer {
    /// What pays more is greater; then, what came first.
    fn cmp(&self, other: &Offer) -> Ordering {
        let by_rate = self.sums.cmp_rate(&other.sums);
        by_rate.then_with(|| other.sequence.cmp(&self.sequence))
    }
}

impl PartialOrd for Offer {
    fn partial_cmp(&self, other: &Offer) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Offer {
    fn eq(&self, other: &Offer) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Offer {}

impl Pool {
    /// The transactions that pay most for their weight, together with what they need, as many as have room: parents before their
    /// children, and what pays more first (as Core's ancestor feerate has it). Every beginning of the list can be in a block.
    ///
    /// `weight`: weight units for all of them. `sigops`: the cost of all signature operations that are known.
    pub fn select(&self, weight: u64, sigops: u64) -> Vec<Arc<Transaction>> {
        let mut left: HashMap<Txid, Sums> = HashMap::with_capacity(self.len());
        let mut offers = BinaryHeap::with_capacity(self.len());
        for (&txid, entry) in &self.entries {
            let (sums, sequence) = (entry.ancestors, entry.sequence);
            left.insert(txid, sums);
            offers.push(Offer { sums, sequence, txid });
        }
        let mut chosen = Vec::new();
        let (mut used_weight, mut used_sigops) = (0, 0);
        while let Some(Offer { sums, txid, .. }) = offers.pop() {
            // Chosen since, or some of what it needs was.
            if left.get(&txid) != Some(&sums) {
                continue;
            }
            if used_weight + sums.weight > weight || used_sigops + sums.sigops > sigops {
                continue;
            }
            (used_weight, used_sigops) = (used_weight + sums.weight, used_sigops + sums.sigops);
            let package = self.package(txid, &left);
            for txid in &package {
                left.remove(txid);
                chosen.extend(self.get(txid).map(|entry| entry.tx.clone()));
            }
            offers.extend(self.cheaper(&package, &mut left));
        }
        chosen
    }

    /// A transaction with all that it needs and that is left, parents first.
    fn package(&self, txid: Txid, left: &HashMap<Txid, Sums>) -> Vec<Txid> {
        let all = self
            .ancestors_of(&BTreeSet::from([txid]), usize::MAX)
            .unwrap_or_default();
        let entries = all.iter().filter(|txid| left.contains_key(*txid));
        let mut package: Vec<_> = entries
            .filter_map(|txid| Some((self.get(txid)?.order(), *txid)))
            .collect();
        package.sort_unstable();
        package.into_iter().map(|(_, txid)| txid).collect()
    }

    /// Those that need some of a package need less now.
    fn cheaper(&self, package: &[Txid], left: &mut HashMap<Txid, Sums>) -> Vec<Offer> {
        let mut changed = HashSet::new();
        for txid in package {
            let Some(own) = self.get(txid).map(super::Entry::own) else {
                continue;
            };
            for descendant in self.descendants_of(*txid) {
                if let Some(sums) = left.get_mut(&descendant) {
                    *sums -= own;
                    changed.insert(descendant);
                }
            }
        }
        let offer = |txid| {
            let sums = *left.get(&txid)?;
            let sequence = self.get(&txid)?.sequence;
            Some(Offer { sums, sequence, txid })
        };
        changed.into_iter().filter_map(offer).collect()
    }
}
