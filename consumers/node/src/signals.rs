//! SIGINT and SIGTERM stop the loop.

use crate::failure::Failure;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// While it exists, the first signal stops the server within a time limit and the next one at once.
pub(crate) struct StopOnSignal {
    handle: Handle,
    thread: Option<JoinHandle<()>>,
}

impl StopOnSignal {
    /// Begins to listen for signals. `stop` is given the time limit, and tells whether there is anything left to stop.
    pub(crate) fn start(
        drain: Duration,
        mut stop: impl FnMut(Duration) -> bool + Send + 'static,
    ) -> Result<StopOnSignal, Failure> {
        let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(Failure::system("catch signals"))?;
        let handle = signals.handle();
        let wait = move || {
            let mut within = drain;
            for _ in &mut signals {
                if !stop(within) {
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
