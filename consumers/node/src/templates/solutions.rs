//! The thread that hands in what was found: a block is put together, checked and stored there, and not on the loop.

use super::board::Job;
use sockman_p2p::state::{AcceptError, Handle, Refused};
use sockman_p2p::store::Store;
use std::sync::mpsc::Receiver;

/// Until it is told to end.
pub(super) fn run<D: Store>(handle: &Handle<D>, jobs: &Receiver<Job>) {
    while let Ok(Job::HandIn(solution)) = jobs.recv() {
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
}
