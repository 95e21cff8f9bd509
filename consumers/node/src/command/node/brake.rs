//! The end of a node: by a signal at any time, by a call, or by itself.

use sockman_http::rpc::Dispatcher;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

type Stop = Box<dyn Fn(Duration) -> bool + Send + Sync>;

/// Stops a node, also one that does not run yet.
#[derive(Default)]
pub(super) struct Brake {
    pulled: AtomicBool,
    stop: OnceLock<Stop>,
}

impl Brake {
    /// Stops it within this time. Tells whether there is anything left to stop.
    pub(super) fn pull(&self, within: Duration) -> bool {
        self.pulled.store(true, Ordering::SeqCst);
        // One that does not run yet looks whether this has been done.
        self.stop.get().is_none_or(|stop| stop(within))
    }

    /// Whether it has been pulled.
    pub(super) fn is_pulled(&self) -> bool {
        self.pulled.load(Ordering::SeqCst)
    }

    /// The node runs from now on: this is how it is stopped, by the method `stop` too. `drain`: what is under way has so long.
    pub(super) fn arm<C: Send + Sync + 'static>(
        self: &Arc<Self>,
        drain: Duration,
        dispatcher: &Weak<Dispatcher<C>>,
        stop: impl Fn(Duration) -> bool + Send + Sync + 'static,
    ) {
        // There is only one node.
        let _ = self.stop.set(Box::new(stop));
        if let Some(dispatcher) = dispatcher.upgrade() {
            // Not as an owner: what stops leads back to the dispatcher.
            let brake = Arc::downgrade(self);
            dispatcher.instance().on_stop(move || {
                if let Some(brake) = brake.upgrade() {
                    brake.pull(drain);
                }
            });
        }
        if self.is_pulled() {
            self.pull(drain);
        }
    }
}
