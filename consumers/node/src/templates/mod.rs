//! What miners are given to work on: the coins of the active chain, a pool of transactions over them, and blocks to be made of it.
//!
//! A thread of its own follows the chain, so that nothing that takes long is done on the loop; what it makes lies ready there.
//!
//! - this file: [`Templates`], for those who add transactions and ask for them
//! - `running`: [`Follower`] and [`Running`], the beginning and the end of the threads; `follow`: the one that takes in the blocks that
//!   come; `publish`: when it makes work, and of what; `basis`: the place of the next block
//! - `board`: where work lies and solutions are dropped; `feed`: [`Feed`], the loop's end of that; `queue`: blocks that wait;
//!   `solutions`: the thread that hands them in
//! - `at_tip`: the coins and the chain, as the pool asks for them; `notes`: what whoever runs the node should know
//!
//! Work on a new tip is made once the coins of its block are known. Where more than [`MOST_BEHIND`] blocks have to be taken in first
//! (at the very first start: all), it is made at once, and has no transactions.

mod at_tip;
mod basis;
mod board;
mod feed;
mod follow;
mod notes;
mod publish;
mod queue;
mod running;
mod solutions;

pub use at_tip::AtTip;
pub use feed::Feed;
pub use running::{Follower, Running};

use board::Board;
use notes::Notes;
use sockman_p2p::chain::{Id, Rules};
use sockman_p2p::coins::{At, Coins, CoinsError, View};
use sockman_p2p::pool::{Pool, PoolSettings};
use sockman_p2p::state::Handle;
use sockman_p2p::store::Store;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How many blocks the coins may be behind the chain so that work waits for them.
pub const MOST_BEHIND: u32 = 6;

/// How many they may be behind so that those who ask for them wait. It takes about a second.
pub const MOST_AWAITED: u32 = 1_000;

/// How long they wait.
const PATIENCE: Duration = Duration::from_secs(10);

/// The pool, and the coins that it is over. Clones share them.
pub struct Templates<D: Store>(Arc<Shared<D>>);

impl<D: Store> Clone for Templates<D> {
    fn clone(&self) -> Self {
        Templates(self.0.clone())
    }
}

struct Shared<D: Store> {
    handle: Handle<D>,
    mempool: Mutex<Mempool>,
    /// The coins are those of another block.
    moved: Condvar,
    board: Arc<Board>,
    /// The pool has changed.
    changed: AtomicBool,
    /// What is told of both, without waiting for whoever works on them.
    figures: Mutex<Figures>,
    notes: Arc<Notes>,
}

/// Both are of the same block.
struct Mempool {
    pool: Pool,
    view: View,
    /// Nothing happens any more.
    ended: bool,
}

/// Figures of the pool and the coins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// The height of the block up to which the coins are known.
    pub height: u32,
    /// Inputs of blocks that spend what is not there, since the start: see [`Coins::missing`].
    pub missing: u64,
    /// Transactions that wait for a block.
    pub transactions: usize,
    /// Their bytes.
    pub bytes: usize,
}

/// Why the coins cannot be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotReady {
    /// They are not those of the last block yet.
    #[error("the coins are known up to block {height} of {target}")]
    Behind {
        /// The height up to which they are known.
        height: u32,
        /// The height of the last block.
        target: u32,
    },
    /// The node stops.
    #[error("the node stops")]
    Stopping,
}

impl<D: Store> Templates<D> {
    /// Over this chain and these coins, with an empty pool. Nothing happens before the [`Follower`] is started.
    ///
    /// Fails where the coins cannot be read.
    pub fn new(
        handle: Handle<D>,
        coins: Coins,
        settings: PoolSettings,
    ) -> Result<(Templates<D>, Follower<D>), CoinsError> {
        let view = coins.view()?;
        let next = next_after(&handle, view.at());
        let notes = Arc::new(Notes::default());
        let figures = Figures {
            height: view.at().height,
            ..Figures::default()
        };
        let shared = Arc::new(Shared {
            handle,
            mempool: Mutex::new(Mempool {
                pool: Pool::new(settings, next),
                view,
                ended: false,
            }),
            moved: Condvar::new(),
            board: Arc::new(Board::new(notes.clone())),
            changed: AtomicBool::new(false),
            figures: Mutex::new(figures),
            notes,
        });
        let follower = Follower::new(shared.clone(), coins);
        Ok((Templates(shared), follower))
    }

    /// Where a provider has its work from.
    pub fn feed(&self) -> Feed {
        Feed::new(self.0.board.clone())
    }

    /// The block up to which the coins are known. Waits for whoever has the pool: not for the loop.
    pub fn at(&self) -> At {
        self.0.mempool().view.at()
    }

    /// Figures, as they were a moment ago. Waits for nothing, so it is for the loop too.
    pub fn figures(&self) -> Figures {
        *self.0.figures()
    }

    /// What has happened since this was asked last, for whoever runs the node.
    pub fn take_notes(&self) -> Vec<String> {
        self.0.notes.take()
    }

    /// Looks at the pool, as it is. Waits for whoever has the pool: not for the loop.
    pub fn look<R>(&self, look: impl FnOnce(&Pool) -> R) -> R {
        look(&self.0.mempool().pool)
    }

    /// Looks at the pool and what is confirmed, or changes the pool; both are of the last block. Waits for that, up to ten seconds, if
    /// there are no more than [`MOST_AWAITED`] blocks left to be taken in. Not for the loop.
    pub fn with<R>(&self, work: impl FnOnce(&mut Pool, &AtTip<'_, D>) -> R) -> Result<R, NotReady> {
        let mut mempool = self.0.current()?;
        let Mempool { pool, view, .. } = &mut *mempool;
        let before = pool.changes();
        let done = work(pool, &AtTip::new(view, &self.0.handle));
        let is_changed = pool.changes() != before;
        self.0.tell(&mempool);
        drop(mempool);
        if is_changed {
            self.0.changed.store(true, Ordering::SeqCst);
            self.0.handle.look_again();
        }
        Ok(done)
    }
}

impl<D: Store> Shared<D> {
    fn mempool(&self) -> MutexGuard<'_, Mempool> {
        // Whoever panics with the pool locked leaves one whose sums may be wrong: its templates may be refused then, and no more.
        self.mempool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The pool and the coins, once they are those of the last block.
    fn current(&self) -> Result<MutexGuard<'_, Mempool>, NotReady> {
        let until = Instant::now() + PATIENCE;
        let mut mempool = self.mempool();
        loop {
            if mempool.ended {
                return Err(NotReady::Stopping);
            }
            let At { height, hash } = mempool.view.at();
            let (tip, target) = self.handle.with(|state| {
                let tip = state.chain.entry(state.chain.tip());
                (tip.hash, tip.height)
            });
            if tip == hash {
                return Ok(mempool);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || target.saturating_sub(height) > MOST_AWAITED {
                return Err(NotReady::Behind { height, target });
            }
            let waited = self.moved.wait_timeout(mempool, left);
            mempool = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn figures(&self) -> MutexGuard<'_, Figures> {
        self.figures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the figures say how it is now.
    fn tell(&self, mempool: &Mempool) {
        let mut figures = self.figures();
        figures.height = mempool.view.at().height;
        figures.transactions = mempool.pool.len();
        figures.bytes = mempool.pool.bytes();
    }

    /// Nothing happens any more.
    fn end(&self) {
        self.mempool().ended = true;
        self.moved.notify_all();
    }
}

/// The place of the block that comes after this one.
fn next_after<D: Store>(handle: &Handle<D>, at: At) -> Rules {
    handle.with(|state| {
        let tree = state.chain.tree();
        tree.rules(tree.find(&at.hash).unwrap_or(Id::GENESIS))
    })
}
