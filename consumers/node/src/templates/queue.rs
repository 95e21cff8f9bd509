//! Blocks that were found and wait to be handed in.

use bitcoin::BlockHash;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// How many wait at most. Each was some work to find: more than a few at once there are on regtest alone.
pub(super) const MOST_WAITING: usize = 64;

/// Blocks that wait, each once: from the loop, which waits for nothing, to a thread that hands them in.
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    more: Condvar,
}

struct State<T> {
    waiting: VecDeque<(BlockHash, T)>,
    ended: bool,
}

/// What became of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Put {
    /// It waits.
    Waits,
    /// It did already.
    Waited,
    /// There is no room.
    Full,
    /// Nobody takes any more.
    Ended,
}

impl<T> Queue<T> {
    pub(super) fn new() -> Queue<T> {
        Queue {
            state: Mutex::new(State {
                waiting: VecDeque::new(),
                ended: false,
            }),
            more: Condvar::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has one wait, unless it does: a client that tells of the same block again and again takes nobody else's room.
    pub(super) fn put(&self, hash: BlockHash, block: T) -> Put {
        let mut state = self.state();
        if state.ended {
            return Put::Ended;
        }
        if state.waiting.iter().any(|(waiting, _)| *waiting == hash) {
            return Put::Waited;
        }
        if state.waiting.len() >= MOST_WAITING {
            return Put::Full;
        }
        state.waiting.push_back((hash, block));
        drop(state);
        self.more.notify_one();
        Put::Waits
    }

    /// The next one, for as long as it takes until there is one. None once it has ended, and none waits.
    pub(super) fn take(&self) -> Option<T> {
        let mut state = self.state();
        loop {
            if let Some((_, block)) = state.waiting.pop_front() {
                return Some(block);
            }
            if state.ended {
                return None;
            }
            state = self.more.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes no more; those that wait can still be taken.
    pub(super) fn end(&self) {
        self.state().ended = true;
        self.more.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::hashes::Hash;
    use std::thread;

    fn hash(mark: u8) -> BlockHash {
        BlockHash::from_byte_array([mark; 32])
    }

    #[test]
    fn copies_of_one_block_leave_room_for_another() {
        let queue = Queue::new();
        assert_eq!(queue.put(hash(1), 1), Put::Waits);
        for _ in 0..100 {
            assert_eq!(queue.put(hash(1), 1), Put::Waited);
        }
        assert_eq!(queue.put(hash(2), 2), Put::Waits);
        assert_eq!((queue.take(), queue.take()), (Some(1), Some(2)));
        // It is not known for good: whoever hands it in finds that it is there.
        assert_eq!(queue.put(hash(1), 1), Put::Waits);
    }

    #[test]
    fn no_more_wait_than_may() {
        let queue = Queue::new();
        for mark in 0..MOST_WAITING as u8 {
            assert_eq!(queue.put(hash(mark), mark), Put::Waits);
        }
        assert_eq!(queue.put(hash(0), 0), Put::Waited);
        assert_eq!(queue.put(hash(200), 200), Put::Full);
        assert_eq!(queue.take(), Some(0));
        assert_eq!(queue.put(hash(200), 200), Put::Waits);
    }

    #[test]
    fn what_waits_at_the_end_is_taken() {
        let queue = Queue::new();
        assert_eq!(queue.put(hash(1), 1), Put::Waits);
        queue.end();
        assert_eq!(queue.put(hash(2), 2), Put::Ended);
        assert_eq!((queue.take(), queue.take()), (Some(1), None));
    }

    #[test]
    fn whoever_waits_is_woken() {
        let queue = Queue::new();
        thread::scope(|scope| {
            let taker = scope.spawn(|| (queue.take(), queue.take()));
            assert_eq!(queue.put(hash(1), 1), Put::Waits);
            queue.end();
            assert_eq!(taker.join().unwrap(), (Some(1), None));
        });
    }
}
