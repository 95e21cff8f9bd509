//! The end of an HTTP server: by signals, and by a call.

use crate::failure::Failure;
use crate::signals::StopOnSignal;
use sockman_backends::sockman::Remote;
use sockman_http::rpc::Dispatcher;
use sockman_node::http::Shared;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// What is to be told that the server stops.
pub(super) struct Stopper {
    shared: Shared,
    /// How long what is under way may take.
    drain: Duration,
    /// Not as an owner: the method `stop` in it leads back here.
    dispatcher: Weak<Dispatcher<()>>,
}

impl Stopper {
    pub(super) fn new(shared: Shared, drain: Duration) -> Stopper {
        Stopper {
            shared,
            drain,
            dispatcher: Weak::new(),
        }
    }

    /// JSON-RPC has to be told too, and can itself be told to stop the server.
    pub(super) fn with(mut self, dispatcher: &Arc<Dispatcher<()>>) -> Stopper {
        self.dispatcher = Arc::downgrade(dispatcher);
        self
    }

    /// From now on signals, and the method `stop`, stop these loops.
    pub(super) fn arm(self, remotes: Vec<Remote>) -> Result<StopOnSignal, Failure> {
        let (drain, dispatcher) = (self.drain, self.dispatcher.upgrade());
        let stop = Arc::new(move |within| self.stop(&remotes, within));
        if let Some(dispatcher) = dispatcher {
            let stop = stop.clone();
            dispatcher.instance().on_stop(move || {
                stop(drain);
            });
        }
        StopOnSignal::start(drain, move |within| stop(within))
    }

    /// Tells whether any loop is left.
    fn stop(&self, remotes: &[Remote], within: Duration) -> bool {
        self.shared.stop();
        if let Some(dispatcher) = self.dispatcher.upgrade() {
            // Nobody waits for calls that do nothing but wait.
            dispatcher.instance().interrupt();
        }
        // All of them, whatever has become of the others.
        let alive = remotes.iter().filter(|remote| remote.stop(within).is_ok());
        alive.count() > 0
    }
}
