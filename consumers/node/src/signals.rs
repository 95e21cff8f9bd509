//! SIGINT and SIGTERM stop the loop.

use crate::failure::Failure;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};
use sockman_backends::sockman::Remote;
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// While it exists, the first signal stops the loop within a time limit and the next one at once.
pub(crate) struct StopOnSignal {
    handle: Handle,
    thread: Option<JoinHandle<()>>,
}

impl StopOnSignal {
    /// Begins to listen for signals.
    pub(crate) fn start(remote: Remote, drain: Duration) -> Result<StopOnSignal, Failure> {
        let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(Failure::system("catch signals"))?;
        let handle = signals.handle();
        let wait = move || {
            let mut within = drain;
            for _ in &mut signals {
                // The loop may be gone already: then there is nothing left to stop.
                if remote.stop(within).is_err() {
                    break;
                }
                within = Duration::ZERO;
            }
        };
        let thread = thread::Builder::new()
            .name("signals".to_owned())
            .spawn(wait)
            .map_err(Failure::system("start the thread for signals"))?;
        Ok(StopOnSignal {
            handle,
            thread: Some(thread),
        })
    }
}

impl Drop for StopOnSignal {
    fn drop(&mut self) {
        self.handle.close();
        if let Some(thread) = self.thread.take() {
            // It cannot panic, and if it did there would be nothing to do about it here.
            let _ = thread.join();
        }
    }
}
