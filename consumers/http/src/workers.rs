//! Threads for answers that would block the loop.

use crate::deferred::Deferred;
use crate::reply::{Answered, Reply};
use crate::service::Source;
use bytes::Bytes;
use http::{Response, StatusCode};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Work, and by what it answers.
struct Job {
    deferred: Deferred,
    work: Box<dyn FnOnce(Deferred) + Send>,
}

/// A fixed number of threads, and a queue of fixed length before them. Clones share both.
///
/// The threads end when the last clone is gone and what was queued is done.
#[derive(Clone, Debug)]
pub struct Workers {
    jobs: SyncSender<Job>,
}

impl Workers {
    /// Starts `threads` threads, before which `queue` jobs may wait. Fails as starting a thread does, and with
    /// [`io::ErrorKind::InvalidInput`] for no threads.
    pub fn new(threads: usize, queue: usize) -> io::Result<Workers> {
        if threads == 0 {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no threads to work"));
        }
        let (jobs, waiting) = sync_channel(queue);
        let waiting = Arc::new(Mutex::new(waiting));
        for number in 0..threads {
            let waiting = waiting.clone();
            thread::Builder::new()
                .name(format!("worker-{number}"))
                .spawn(move || work(&waiting))?;
        }
        Ok(Workers { jobs })
    }

    /// Has a thread answer by what `job` returns. When the queue is full, answers 503 (Service Unavailable) at once; when the job
    /// panics, 500.
    pub fn run<S: Source>(
        &self,
        reply: Reply<'_, S>,
        job: impl FnOnce() -> Response<Bytes> + Send + 'static,
    ) -> Answered {
        let (deferred, answered) = reply.defer();
        self.submit(deferred, |deferred| deferred.respond(job()));
        answered
    }

    /// Has a thread do `job`, which answers by the token itself. When the queue is full, answers 503 at once.
    pub fn submit(&self, deferred: Deferred, job: impl FnOnce(Deferred) + Send + 'static) {
        let job = Job {
            deferred,
            work: Box::new(job),
        };
        if let Err(TrySendError::Full(job) | TrySendError::Disconnected(job)) = self.jobs.try_send(job) {
            let mut full = Response::new(Bytes::from_static(b"503: too much work\n"));
            *full.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            job.deferred.respond(full);
        }
    }
}

fn work(waiting: &Mutex<Receiver<Job>>) {
    loop {
        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        // The token says by its drop that there is no answer; the thread goes on.
        let _ = catch_unwind(AssertUnwindSafe(|| (job.work)(job.deferred)));
    }
}
