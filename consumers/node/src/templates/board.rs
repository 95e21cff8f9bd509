//! Where work lies ready, and solutions are dropped.

use sockman_sv2::{Solution, Work};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

/// Solutions that wait to be handed in. Each was some work to find: more than a few at once there are on regtest alone.
const MOST_SOLUTIONS: usize = 64;

/// What the thread for solutions is given.
pub(super) enum Job {
    HandIn(Solution),
    End,
}

/// What the loop and the threads share.
pub(super) struct Board {
    work: Mutex<Option<Arc<Work>>>,
    jobs: SyncSender<Job>,
}

impl Board {
    pub(super) fn new() -> (Board, Receiver<Job>) {
        let (jobs, receiver) = sync_channel(MOST_SOLUTIONS);
        let work = Mutex::new(None);
        (Board { work, jobs }, receiver)
    }

    pub(super) fn work(&self) -> Option<Arc<Work>> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set(&self, work: Arc<Work>) {
        let old = self
            .work
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .replace(work);
        // Not while the loop waits.
        drop(old);
    }

    pub(super) fn hand_in(&self, solution: Solution) {
        if let Err(
            TrySendError::Full(Job::HandIn(solution)) | TrySendError::Disconnected(Job::HandIn(solution)),
        ) = self.jobs.try_send(Job::HandIn(solution))
        {
            tracing::warn!(hash = %solution.hash(), "a solution is dropped: too many wait, or the node stops");
        }
    }

    pub(super) fn end(&self) {
        // With the thread gone there is nothing to be ended.
        let _ = self.jobs.send(Job::End);
    }
}
