//! What the methods know of the server they run in.

use sockman::Remote;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// The running server, as `uptime`, `getrpcinfo` and `stop` see it.
pub struct Instance {
    name: String,
    log: String,
    started: Instant,
    stop: OnceLock<Box<dyn Fn() + Send + Sync>>,
    /// The calls that workers carry out. What runs on the loop nobody can see running.
    running: Mutex<Vec<Running>>,
    /// Whether whoever waits is to wait no longer.
    interrupted: Mutex<bool>,
    interruption: Condvar,
}

/// A call that a worker carries out.
#[derive(Clone, Copy)]
pub(super) struct Running {
    pub(super) method: &'static str,
    pub(super) since: Instant,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is behind these locks is right at any time, also after a panic.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Instance {
    /// A server of this name that started now.
    pub fn new(name: &str) -> Self {
        Instance {
            name: name.to_owned(),
            log: String::new(),
            started: Instant::now(),
            stop: OnceLock::new(),
            running: Mutex::default(),
            interrupted: Mutex::default(),
            interruption: Condvar::new(),
        }
    }

    /// The file that the log is written to; empty if there is none.
    #[must_use]
    pub fn log(mut self, path: &str) -> Self {
        path.clone_into(&mut self.log);
        self
    }

    /// Has the method `stop` stop this loop, with so much time for what is open.
    pub fn stop_by(&self, remote: Remote, within: Duration) {
        self.on_stop(move || {
            // It fails where the loop is gone already.
            let _ = remote.stop(within);
        });
    }

    /// What the method `stop` does, which until then is an error: asks for the end and returns. The first one counts.
    pub fn on_stop(&self, stop: impl Fn() + Send + Sync + 'static) {
        let _ = self.stop.set(Box::new(stop));
    }

    /// The server's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// For how long it has been running.
    pub fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    /// Waits this long, for methods that run on a worker; not to the end if [`interrupt`](Self::interrupt) is called,
    /// which it tells by `false`.
    pub fn wait(&self, time: Duration) -> bool {
        let interrupted = lock(&self.interrupted);
        let (interrupted, _) = self
            .interruption
            .wait_timeout_while(interrupted, time, |interrupted| !*interrupted)
            .unwrap_or_else(PoisonError::into_inner);
        !*interrupted
    }

    /// Ends all waiting, from now on: for the end of the program, which joins the workers.
    pub fn interrupt(&self) {
        *lock(&self.interrupted) = true;
        self.interruption.notify_all();
    }

    pub(super) fn log_path(&self) -> &str {
        &self.log
    }

    /// Whether somebody could be asked to stop.
    pub(super) fn stop(&self) -> bool {
        self.stop.get().inspect(|stop| stop()).is_some()
    }

    pub(super) fn running(&self) -> Vec<Running> {
        lock(&self.running).clone()
    }

    /// Enters a call among those that run, until what it returns is dropped.
    pub(super) fn enter(&self, method: &'static str) -> Entry<'_> {
        let since = Instant::now();
        lock(&self.running).push(Running { method, since });
        let instance = self;
        Entry {
            instance,
            method,
            since,
        }
    }
}

/// A call among those that run.
pub(super) struct Entry<'a> {
    instance: &'a Instance,
    method: &'static str,
    since: Instant,
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        let mut running = lock(&self.instance.running);
        // Two that cannot be told apart are as good as each other.
        let ours = |other: &Running| other.method == self.method && other.since == self.since;
        if let Some(index) = running.iter().position(ours) {
            running.remove(index);
        }
    }
}
