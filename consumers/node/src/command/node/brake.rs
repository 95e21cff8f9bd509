//! The end of a node: by a signal at any time, by a call, or by itself.

use crate::command::warn;
use sockman_backends::sockman::Remote;
use sockman_http::rpc::Dispatcher;
use sockman_node::node::Context;
use sockman_p2p::state::Handle;
use sockman_p2p::store::Store;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

type Stop = Box<dyn Fn(Duration) -> bool + Send + Sync>;

/// Stops a node, also one that does not run yet.
#[derive(Default)]
pub(super) struct Brake {
    pulled: AtomicBool,
    /// Whether the data directory is open.
    opened: Mutex<bool>,
    stop: OnceLock<Stop>,
}

impl Brake {
    /// Stops it within this time. Tells whether there is anything left to stop.
    ///
    /// While the data directory is being opened, which may take minutes, this ends the process: nobody is served yet, and what is
    /// in the directory bears being left at any moment.
    pub(super) fn pull(&self, within: Duration) -> bool {
        self.pulled.store(true, Ordering::SeqCst);
        {
            let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
            if !*opened {
                warn(&"stopped before the data directory was open");
                process::exit(0);
            }
        }
        // One that does not run yet looks whether this has been done.
        self.stop.get().is_none_or(|stop| stop(within))
    }

    /// The data directory is open.
    pub(super) fn opened(&self) {
        *self.opened.lock().unwrap_or_else(PoisonError::into_inner) = true;
    }

    /// Whether it has been pulled.
    fn is_pulled(&self) -> bool {
        self.pulled.load(Ordering::SeqCst)
    }

    /// The node runs from now on, and is stopped by its loop; by the method `stop` too. `drain`: what is under way has so long.
    pub(super) fn arm<D: Store>(
        self: &Arc<Self>,
        drain: Duration,
        handle: Handle<D>,
        dispatcher: Weak<Dispatcher<Context<D>>>,
        remote: Remote,
    ) {
        if let Some(dispatcher) = dispatcher.upgrade() {
            // Not as an owner: what stops leads back to the dispatcher.
            let brake = Arc::downgrade(self);
            dispatcher.instance().on_stop(move || {
                if let Some(brake) = brake.upgrade() {
                    brake.pull(drain);
                }
            });
        }
        let stop = move |within| {
            // Nobody waits for calls that do nothing but wait.
            handle.stop_waiting();
            if let Some(dispatcher) = dispatcher.upgrade() {
                dispatcher.instance().interrupt();
            }
            remote.stop(within).is_ok()
        };
        // There is only one node.
        let _ = self.stop.set(Box::new(stop));
        if self.is_pulled() {
            self.pull(drain);
        }
    }
}
