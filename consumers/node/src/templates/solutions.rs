//! The thread that hands in what was found: a block is put together, checked and stored there, and not on the loop.

use super::board::Board;
use sockman_p2p::state::{AcceptError, Handle, Refused};
use sockman_p2p::store::Store;
use sockman_sv2::Solution;

/// Until it is told to end.
pub(super) fn run<D: Store>(handle: &Handle<D>, board: &Board) {
    while let Some(solution) = board.found().take() {
        hand_in(handle, &solution);
    }
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
