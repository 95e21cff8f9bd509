//! Transactions that wait for a block.
//!
//! A pool in memory, of bounded size, for those who make blocks: what is in it can be put into the next block as far as this node can
//! tell. It holds no sockets and no clock; whoever owns it tells it of every new tip.
//!
//! - this file: [`Pool`], and how a transaction gets in
//! - `candidate`: [`Candidate`], a transaction that was decoded; `judge`: whether it may come in; `locks`: relative lock times;
//!   `refused`: why it may not ([`Refused`]); `confirmed`: [`Confirmed`], what the pool asks of the chain
//! - `entry`: [`Entry`], what is known of one that is in; `links`: who spends whose outputs, and the sums over those
//! - `evict`: which have to leave when it is full; `tip`: new blocks, and lost ones
//! - `select`: what should be in the next block
//! - `settings`: its limits ([`PoolSettings`])
//!
//! As in Bitcoin Core, a transaction has to be final, its inputs have to be there, unspent and mature, its outputs must not be above its
//! inputs, and it may not have too many unconfirmed ancestors. Unlike there:
//!
//! - Scripts are not checked: neither whether an input may be spent nor what kind of output there is. Whoever adds transactions
//!   vouches for them. Of signature operations there is an upper bound, so that no block has too many.
//! - Nothing replaces what is in it (BIP 125), and nothing is told to peers or asked of them.
//! - Nothing expires: what nobody mines leaves when there is no room for it, or with the process.

mod candidate;
mod confirmed;
mod entry;
mod evict;
mod judge;
mod links;
mod locks;
mod refused;
mod select;
mod settings;
mod tip;

pub use candidate::Candidate;
pub use confirmed::Confirmed;
pub use entry::{Entry, Sums, Transaction};
pub use judge::Verdict;
pub use refused::{AcceptError, Refused};
pub use settings::{MAX_SIGOPS, MAX_WEIGHT, MIN_STRIPPED, PoolSettings};

use crate::chain::Rules;
use bitcoin::{OutPoint, Txid};
use std::collections::HashMap;

/// Transactions that wait for a block.
#[derive(Clone, Debug)]
pub struct Pool {
    settings: PoolSettings,
    /// The place of the next block.
    next: Rules,
    entries: HashMap<Txid, Entry>,
    /// Who spends what.
    spent: HashMap<OutPoint, Txid>,
    /// Bytes of all transactions, and of the memory that they take.
    bytes: usize,
    usage: usize,
    /// The sums over all.
    total: Sums,
    /// How often it has changed.
    changes: u64,
}

impl Pool {
    /// An empty one, for a block at this place: see [`Tree::rules`](crate::chain::Tree::rules).
    pub fn new(settings: PoolSettings, next: Rules) -> Pool {
        Pool {
            settings,
            next,
            entries: HashMap::new(),
            spent: HashMap::new(),
            bytes: 0,
            usage: 0,
            total: Sums::default(),
            changes: 0,
        }
    }

    /// Its limits.
    pub fn settings(&self) -> &PoolSettings {
        &self.settings
    }

    /// The place of the next block.
    pub fn next(&self) -> Rules {
        self.next
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Bytes of all transactions.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes of memory that they take, about.
    pub fn usage(&self) -> usize {
        self.usage
    }

    /// The sums over all.
    pub fn total(&self) -> Sums {
        self.total
    }

    /// How often it has changed: another number means that something came or went.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// One that is in it.
    pub fn get(&self, txid: &Txid) -> Option<&Entry> {
        self.entries.get(txid)
    }

    /// Which one spends this.
    pub fn spender(&self, outpoint: &OutPoint) -> Option<Txid> {
        self.spent.get(outpoint).copied()
    }

    /// All of them, parents before their children.
    pub fn in_order(&self) -> Vec<&Entry> {
        let mut all: Vec<&Entry> = self.entries.values().collect();
        all.sort_unstable_by_key(|entry| entry.order());
        all
    }

    /// Takes in a transaction, at this time in Unix seconds. Others may have to leave for it, which pay less.
    ///
    /// Fails with [`AcceptError::Refused`], and the pool is as it was; or, where the coins cannot be read, with [`AcceptError::Coins`].
    pub fn accept(
        &mut self,
        candidate: &Candidate,
        confirmed: &impl Confirmed,
        now: u64,
    ) -> Result<Verdict, AcceptError> {
        let verdict = self.judge(candidate, confirmed)?;
        self.take_in(candidate, &verdict, now)?;
        Ok(verdict)
    }

    /// Takes in a transaction that this pool was asked about ([`judge`](Pool::judge)), with what came of it: nothing has happened to
    /// the pool since. Otherwise as [`accept`](Pool::accept) does.
    ///
    /// Fails with [`Refused::Full`], and the pool is as it was.
    pub fn take_in(&mut self, candidate: &Candidate, verdict: &Verdict, now: u64) -> Result<(), Refused> {
        let (height, sequence) = (self.next.height, self.changes);
        self.insert(Entry::new(candidate, verdict, now, height, sequence));
        self.shrink(candidate.txid())
    }
}
