//! The threads: their beginning and their end.

use super::board::Job;
use super::follow::Following;
use super::{Shared, solutions};
use sockman_p2p::coins::Coins;
use sockman_p2p::store::Store;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread::{self, JoinHandle};

/// Follows the chain, once it is started.
pub struct Follower<D: Store> {
    shared: Arc<Shared<D>>,
    coins: Coins,
    jobs: Receiver<Job>,
}

/// The threads. They end when this is dropped, which stops the node's waiting calls and waits for the threads: for a step of the index
/// at most, which takes about a second.
pub struct Running<D: Store> {
    shared: Arc<Shared<D>>,
    threads: Vec<JoinHandle<()>>,
}

impl<D: Store> Follower<D> {
    pub(super) fn new(shared: Arc<Shared<D>>, coins: Coins, jobs: Receiver<Job>) -> Follower<D> {
        Follower { shared, coins, jobs }
    }

    /// Starts the threads. `wake` is called whenever there is other work: it is to wake the loop of the provider.
    ///
    /// Fails as starting a thread does.
    pub fn start(self, wake: impl Fn() + Send + 'static) -> io::Result<Running<D>> {
        let Follower { shared, coins, jobs } = self;
        let mut running = Running {
            shared: shared.clone(),
            threads: Vec::new(),
        };
        let handle = shared.handle.clone();
        running.spawn("solutions", move || solutions::run(&handle, &jobs))?;
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
        self.shared.board.end();
        for thread in self.threads.drain(..) {
            // It has told of its panic.
            let _ = thread.join();
        }
    }
}
