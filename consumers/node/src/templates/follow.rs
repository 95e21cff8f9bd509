//! What the thread does that follows the chain: it takes in the blocks that come, and has work made when there is other to be had.

use super::at_tip::AtTip;
use super::publish::Publisher;
use super::running::watched;
use super::{MOST_BEHIND, Mempool, Shared, next_after};
use sockman_p2p::coins::{Ahead, Coins, CoinsError, Plan};
use sockman_p2p::pool::{Candidate, Pool};
use sockman_p2p::store::{Store, StoreError};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// The thread, while it runs.
pub(super) struct Following<D: Store> {
    shared: Arc<Shared<D>>,
    coins: Coins,
    publisher: Publisher<D>,
    /// Damage was found, and the index made anew for it.
    has_mended: bool,
    /// When the last steps of the index are to be on the disk.
    settle_at: Option<Instant>,
}

/// How long steps of the index may not be on the disk: nothing waits for it then that miners wait for.
const SETTLE: Duration = Duration::from_secs(1);

impl<D: Store> Following<D> {
    pub(super) fn new(shared: Arc<Shared<D>>, coins: Coins) -> Following<D> {
        Following {
            publisher: Publisher::new(shared.clone()),
            shared,
            coins,
            has_mended: false,
            settle_at: None,
        }
    }

    /// Until the node stops, or cannot go on: then it is stopped.
    pub(super) fn run(mut self, wake: &dyn Fn()) {
        let shared = self.shared.clone();
        watched(&shared.handle, "makes templates", || {
            if let Err(why) = self.follow(wake) {
                shared.handle.fail(&why.to_string());
            }
        });
        shared.end();
    }

    fn follow(&mut self, wake: &dyn Fn()) -> Result<(), CoinsError> {
        while !self.shared.handle.with(|state| state.stopping) {
            self.turn(wake)?;
        }
        self.coins.settle()
    }

    fn turn(&mut self, wake: &dyn Fn()) -> Result<(), CoinsError> {
        let plan = self.shared.handle.with(|state| self.coins.plan(&state.chain));
        let done = match plan {
            Plan::Nothing => {
                self.publisher.publish(wake);
                self.wait();
                self.settle()
            }
            Plan::Remake => self.remake("it is of a branch that it cannot be taken back from"),
            Plan::Step {
                back_to,
                forward,
                target,
            } => {
                if target.saturating_sub(back_to) > MOST_BEHIND {
                    self.publisher.publish_empty(wake);
                }
                self.step(back_to, &forward, target)
            }
        };
        match done {
            Err(why @ CoinsError::TooDeep { .. }) => self.remake(&why.to_string()),
            // On a disk that goes on like that there is no end to it.
            Err(why @ CoinsError::Damaged { .. }) if !self.has_mended => {
                self.has_mended = true;
                self.remake(&why.to_string())
            }
            Err(CoinsError::Block { hash, why }) => {
                self.lose(hash, &why);
                Err(CoinsError::Block { hash, why })
            }
            done => done,
        }
    }

    /// Waits for another tip, for the pool to change, and for the time at which there is other work, or something for the disk.
    fn wait(&self) {
        let (at, changed) = (self.coins.at(), &self.shared.changed);
        let until = [self.publisher.next(), self.settle_at]
            .into_iter()
            .flatten()
            .min();
        self.shared.handle.wait(until, |state| {
            let is_new = state.chain.entry(state.chain.tip()).hash != at.hash;
            (changed.swap(false, Ordering::SeqCst) || is_new).then_some(())
        });
    }

    /// Puts the last steps of the index on the disk, when it is time.
    fn settle(&mut self) -> Result<(), CoinsError> {
        if self.settle_at.is_some_and(|at| at <= Instant::now()) {
            self.settle_at = None;
            self.coins.settle()?;
        }
        Ok(())
    }

    fn step(&mut self, back_to: u32, forward: &[Ahead], target: u32) -> Result<(), CoinsError> {
        let handle = &self.shared.handle;
        // Whatever comes into the pool comes while the coins are those of the last block, and so not from now on.
        let is_wanted = !self.shared.mempool().pool.is_empty();
        let prepared = self
            .coins
            .prepare(back_to, forward, target, handle.reader(), is_wanted)?;
        let lost = match prepared.delta().back {
            0 => Vec::new(),
            back => self.lost(back),
        };
        // Nobody must see the one without the other.
        let mut mempool = self.shared.mempool();
        // Miners wait for the coins of a block that has just come, and not for the disk.
        let is_hurried = target.saturating_sub(back_to) <= MOST_BEHIND;
        let delta = if is_hurried {
            self.coins.commit_soon(prepared)
        } else {
            self.coins.commit(prepared)
        }?;
        if self.coins.is_unsettled() {
            self.settle_at.get_or_insert_with(|| Instant::now() + SETTLE);
        }
        let Mempool { pool, view, .. } = &mut *mempool;
        *view = self.coins.view()?;
        let next = next_after(handle, delta.at);
        if delta.back == 0 {
            pool.connect(&delta.mined, next);
        } else {
            pool.reorganise(lost, &AtTip::new(view, handle), next, handle.unix())?;
        }
        self.shared.tell(&mempool);
        self.shared.figures().missing = self.coins.missing();
        drop(mempool);
        self.shared.moved.notify_all();
        Ok(())
    }

    /// The transactions of the last so many blocks of the index, which the active chain has not, parents first: no more than the pool
    /// has room for. Blocks that cannot be read are passed over.
    fn lost(&self, back: u32) -> Vec<Candidate> {
        let handle = &self.shared.handle;
        let above = self.coins.at().height - back;
        let mut room = self.shared.mempool().pool.settings().bytes;
        let mut lost = Vec::new();
        let blocks = handle.with(|state| self.coins.lost(&state.chain));
        for ahead in blocks.iter().filter(|ahead| ahead.at.height > above) {
            let Ok(block) = ahead.read(handle.reader()) else {
                continue;
            };
            for tx in block.txdata.into_iter().skip(1) {
                let candidate = Candidate::of(tx);
                let Some(left) = room.checked_sub(candidate.bytes().len()) else {
                    return lost;
                };
                room = left;
                lost.push(candidate);
            }
        }
        lost
    }

    /// Begins the index anew, with an empty pool.
    fn remake(&mut self, why: &str) -> Result<(), CoinsError> {
        let mut mempool = self.shared.mempool();
        let also = match mempool.pool.len() {
            0 => String::new(),
            count => format!("; {count} transactions that waited for a block are given up"),
        };
        let note = format!("the index of the coins is made anew: {why}{also}");
        self.shared.notes.add(note);
        self.coins.remake()?;
        mempool.view = self.coins.view()?;
        let next = next_after(&self.shared.handle, self.coins.at());
        mempool.pool = Pool::new(*mempool.pool.settings(), next);
        self.shared.tell(&mempool);
        Ok(())
    }

    /// A block cannot be read. If it is damaged it is fetched again, from the next start on.
    fn lose(&self, hash: bitcoin::BlockHash, why: &StoreError) {
        if matches!(why, StoreError::Damaged { .. }) {
            self.shared.handle.with(|state| {
                if let Some(id) = state.chain.tree().find(&hash) {
                    state.chain.lost(id);
                }
            });
        }
    }
}
