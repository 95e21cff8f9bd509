//! Work: when there is other to be had, and what it is made of.

use super::Shared;
use super::basis::basis;
use sockman_p2p::pool::Transaction;
use sockman_p2p::store::Store;
use sockman_sv2::{Basis, MAX_BLOCK_SIGOPS, MAX_BLOCK_WEIGHT, Work};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Work that differs from the last in its transactions alone, or that has none because the coins are behind, is made no sooner than so
/// long after it.
const REMAKE: Duration = Duration::from_secs(1);

/// Makes work and puts it where the loop finds it.
pub(super) struct Publisher<D: Store> {
    shared: Arc<Shared<D>>,
    last: Option<Published>,
    /// When there is other work for sure, if nothing happens before.
    next: Option<Instant>,
}

/// What the last work was made of.
struct Published {
    basis: Basis,
    /// How often the pool had changed; none for work without transactions because the coins are behind.
    changes: Option<u64>,
    /// How many transactions it has.
    count: usize,
    at: Instant,
}

impl<D: Store> Publisher<D> {
    pub(super) fn new(shared: Arc<Shared<D>>) -> Publisher<D> {
        Publisher {
            shared,
            last: None,
            next: None,
        }
    }

    /// When it is to be asked again, if nothing happens before.
    pub(super) fn next(&self) -> Option<Instant> {
        self.next
    }

    /// Makes work of the pool and the block that its coins are of, if it is other than the last.
    pub(super) fn publish(&mut self, wake: &dyn Fn()) {
        let now = Instant::now();
        self.next = None;
        let mempool = self.shared.mempool();
        let (at, changes) = (mempool.view.at(), mempool.pool.changes());
        let unix = self.shared.handle.unix();
        let place = self.shared.handle.with(|state| {
            let tree = state.chain.tree();
            tree.find(&at.hash).map(|tip| basis(tree, tip, unix))
        });
        let Some((basis, until)) = place else {
            return;
        };
        self.next = until.map(|until| now + until);
        if let Some(last) = &self.last
            && last.basis == basis
        {
            if last.changes == Some(changes) {
                return;
            }
            let due = last.at + REMAKE;
            if last.changes.is_some() && now < due {
                self.next = Some(self.next.map_or(due, |next| next.min(due)));
                return;
            }
        }
        // Before there are witnesses, nobody has any business with transactions here: those in the pool may have some.
        let chosen = if basis.segwit {
            mempool.pool.select(MAX_BLOCK_WEIGHT, MAX_BLOCK_SIGOPS)
        } else {
            Vec::new()
        };
        drop(mempool);
        self.put(basis, &chosen, Some(changes), now, wake);
    }

    /// Makes work without transactions on top of the last block, whose coins are not known yet.
    pub(super) fn publish_empty(&mut self, wake: &dyn Fn()) {
        let now = Instant::now();
        let is_hurried = |last: &Published| last.changes.is_none() && now < last.at + REMAKE;
        if self.last.as_ref().is_some_and(is_hurried) {
            return;
        }
        let unix = self.shared.handle.unix();
        let (basis, _) = self
            .shared
            .handle
            .with(|state| basis(state.chain.tree(), state.chain.tip(), unix));
        if self.last.as_ref().is_none_or(|last| last.basis != basis) {
            self.put(basis, &[], None, now, wake);
        }
    }

    fn put(
        &mut self,
        basis: Basis,
        chosen: &[Arc<Transaction>],
        changes: Option<u64>,
        at: Instant,
        wake: &dyn Fn(),
    ) {
        let is_same = |last: &Published| last.basis == basis && last.count == 0 && chosen.is_empty();
        let is_known = self.last.as_ref().is_some_and(is_same);
        if !is_known {
            let transactions = chosen.iter().map(|tx| Arc::new(of_work(tx))).collect();
            let work = Work::new(basis.clone(), transactions);
            self.shared.board.set(Arc::new(work));
            wake();
        }
        self.last = Some(Published {
            basis,
            changes,
            count: chosen.len(),
            at,
        });
    }
}

fn of_work(tx: &Transaction) -> sockman_sv2::Transaction {
    sockman_sv2::Transaction {
        bytes: tx.bytes.clone(),
        txid: tx.txid,
        wtxid: tx.wtxid,
        fee: tx.fee,
        weight: tx.weight,
        sigops: tx.sigops,
    }
}
