//! A thread that others hand jobs to: what it has to do is nothing, so that handing over is what is measured.

use std::io;
use std::sync::mpsc::{self, Sender};
use std::thread;

/// The thread's queue. It ends with the process.
pub struct Worker<J>(Sender<J>);

impl<J> Clone for Worker<J> {
    fn clone(&self) -> Self {
        Worker(self.0.clone())
    }
}

impl<J: Send + 'static> Worker<J> {
    /// Starts the thread, which does one job after the other.
    pub fn start(mut work: impl FnMut(J) + Send + 'static) -> io::Result<Worker<J>> {
        let (jobs, queue) = mpsc::channel();
        thread::Builder::new().name("worker".to_owned()).spawn(move || {
            for job in queue {
                work(job);
            }
        })?;
        Ok(Worker(jobs))
    }

    /// Hands a job over.
    #[inline]
    pub fn hand(&self, job: J) {
        // The thread never ends before its queue.
        let _ = self.0.send(job);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn jobs_are_done_in_their_order_on_another_thread() {
        let (done, results) = mpsc::channel();
        let worker = Worker::start(move |job: u32| done.send((job, thread::current().id())).expect("open"));
        let worker = worker.expect("a thread");
        for job in [1, 2, 3] {
            worker.hand(job);
            let (number, on) = results.recv_timeout(Duration::from_secs(20)).expect("done");
            assert_eq!(number, job);
            assert_ne!(on, thread::current().id());
        }
    }
}
