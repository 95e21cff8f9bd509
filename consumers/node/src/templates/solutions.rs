//! The thread that hands in what was found: a block is put together, checked and stored there, and not on the loop.

use super::board::Board;
use super::queue::Queue;
use super::running::watched;
use sockman_p2p::state::{AcceptError, Handle, Refused};
use sockman_p2p::store::Store;
use sockman_sv2::Solution;

/// Until it is told to end, or panics: then the node is stopped.
pub(super) fn run<D: Store>(handle: &Handle<D>, board: &Board) {
    serve(handle, board.found(), |solution| hand_in(handle, &solution));
}

fn serve<D: Store, T>(handle: &Handle<D>, found: &Queue<T>, hand_in: impl Fn(T)) {
    watched(handle, "hands in what clients have found", || {
        while let Some(block) = found.take() {
            hand_in(block);
        }
    });
    // What comes from now on is told to be lost.
    found.end();
}

fn hand_in<D: Store>(handle: &Handle<D>, solution: &Solution) {
    let (hash, height) = (solution.hash(), solution.height());
    match handle.submit(&solution.block()) {
        Ok(accepted) if accepted.new_tip => {
            tracing::info!(%hash, height, "a client's block is the new tip");
        }
        Ok(_) => tracing::info!(%hash, height, "a client's block came too late to be the tip"),
        // Several clients may find the same one, or one of them may tell of it twice.
        Err(AcceptError::Refused(Refused::Duplicate(_))) => {}
        Err(AcceptError::Refused(why)) => {
            tracing::warn!(%hash, height, %why, "a client's block is refused");
        }
        // The node ends for it.
        Err(AcceptError::Store(why)) => {
            tracing::error!(%hash, height, %why, "a client's block is not stored");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::queue::Put;
    use super::*;
    use bitcoin::hashes::Hash;
    use bitcoin::{BlockHash, Network};
    use sockman_p2p::chain::Params;
    use sockman_p2p::state::{Bans, Chain};
    use sockman_p2p::store::Memory;
    use sockman_p2p::{Node, Settings};
    use std::sync::Mutex;

    fn handle() -> Handle<Memory> {
        let params = Params::of(Network::Regtest);
        let (memory, loaded) = Memory::new(params.magic).crash(0);
        let chain = Chain::new(params, memory, loaded, u64::from(u32::MAX)).unwrap();
        Node::new(Settings::new([1; 32]), chain, Bans::default()).handle()
    }

    fn failure(handle: &Handle<Memory>) -> Option<String> {
        handle.with(|state| state.failure())
    }

    /// Two blocks wait, and the end.
    fn queue() -> Queue<u8> {
        let queue = Queue::new();
        for mark in 1..=2 {
            assert_eq!(
                queue.put(BlockHash::from_byte_array([mark; 32]), mark),
                Put::Waits
            );
        }
        queue
    }

    #[test]
    fn a_panic_stops_the_node() {
        let (handle, queue) = (handle(), queue());
        serve(&handle, &queue, |_| panic!("a test"));
        let why = failure(&handle).unwrap();
        assert!(why.contains("has panicked"), "{why}");
        let late = queue.put(BlockHash::from_byte_array([3; 32]), 3);
        assert_eq!(late, Put::Ended);
    }

    #[test]
    fn the_end_is_no_failure() {
        let (handle, queue) = (handle(), queue());
        queue.end();
        let taken = Mutex::new(Vec::new());
        serve(&handle, &queue, |mark| taken.lock().unwrap().push(mark));
        assert_eq!(
            (taken.into_inner().unwrap(), failure(&handle)),
            (vec![1, 2], None)
        );
    }
}
