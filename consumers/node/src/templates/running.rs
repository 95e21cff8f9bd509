//! The threads: their beginning and their end.

use super::follow::Following;
use super::{Shared, solutions};
use sockman_p2p::coins::Coins;
use sockman_p2p::state::Handle;
use sockman_p2p::store::Store;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

/// Follows the chain, once it is started.
pub struct Follower<D: Store> {
    shared: Arc<Shared<D>>,
    coins: Coins,
}

/// The threads. They end when this is dropped, which stops the node's waiting calls and waits for the threads: for a step of the index
/// at most, which takes about a second.
pub struct Running<D: Store> {
    shared: Arc<Shared<D>>,
    threads: Vec<JoinHandle<()>>,
}

impl<D: Store> Follower<D> {
    pub(super) fn new(shared: Arc<Shared<D>>, coins: Coins) -> Follower<D> {
        Follower { shared, coins }
    }

    /// Starts the threads. `wake` is called whenever there is other work: it is to wake the loop of the provider.
    ///
    /// Fails as starting a thread does.
    pub fn start(self, wake: impl Fn() + Send + 'static) -> io::Result<Running<D>> {
        let Follower { shared, coins } = self;
        let mut running = Running {
            shared: shared.clone(),
            threads: Vec::new(),
        };
        let (handle, board) = (shared.handle.clone(), shared.board.clone());
        running.spawn("solutions", move || solutions::run(&handle, &board))?;
        running.spawn("templates", move || Following::new(shared, coins).run(&wake))?;
        Ok(running)
    }
}

impl<D: Store> Running<D> {
    fn spawn(&mut self, name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let thread = thread::Builder::new().name(name.to_owned()).spawn(work)?;
        self.threads.push(thread);
        Ok(())
    }
}

impl<D: Store> Drop for Running<D> {
    fn drop(&mut self) {
        self.shared.handle.stop_waiting();
        self.shared.board.found().end();
        for thread in self.threads.drain(..) {
            // It has told of its panic.
            let _ = thread.join();
        }
    }
}

/// Does what a thread is for. The node cannot go on without it, and is stopped where it panics.
pub(super) fn watched<D: Store>(handle: &Handle<D>, what: &str, work: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(work)).is_err() {
        handle.fail(&format!("the thread that {what} has panicked"));
    }
}
