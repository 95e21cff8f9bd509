//! What goes between the loop and the threads.

use sockman_backends::sockman::Remote;
use sockman_sv2::{Solution, Source, Work};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tracing::warn;

/// What the threads and the loop share.
#[derive(Default)]
pub(super) struct Shared {
    work: Mutex<Option<Arc<Work>>>,
    remote: OnceLock<Remote>,
}

impl Shared {
    pub(super) fn runs_on(&self, remote: Remote) {
        // There is only one loop.
        let _ = self.remote.set(remote);
    }

    pub(super) fn publish(&self, work: Work) {
        *self.work.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(work));
        // Before the loop runs there is nobody to tell.
        if let Some(remote) = self.remote.get() {
            remote.wake();
        }
    }
}

/// What the provider is given.
pub struct Feed {
    shared: Arc<Shared>,
    found: Option<SyncSender<Solution>>,
}

impl Feed {
    pub(super) fn new(shared: Arc<Shared>, found: SyncSender<Solution>) -> Feed {
        let found = Some(found);
        Feed { shared, found }
    }

    /// One that has nothing: for a provider that nobody asks.
    pub fn none() -> Feed {
        let shared = Arc::default();
        Feed { shared, found: None }
    }
}

impl Source for Feed {
    fn work(&self) -> Option<Arc<Work>> {
        self.shared
            .work
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn solved(&mut self, solution: Solution) {
        let Some(found) = &self.found else { return };
        let hash = solution.hash();
        match found.try_send(solution) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => warn!(%hash, "a block that was found is dropped: too many wait"),
            Err(TrySendError::Disconnected(_)) => {
                warn!(%hash, "a block that was found is dropped: the node stops");
            }
        }
    }
}
