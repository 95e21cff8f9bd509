//! What is told while the data directory is being opened: where blocks have to be looked through, that takes as long as reading them.

use crate::command::warn;
use crate::failure::Failure;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// While it exists, it is told now and then for how long it has.
pub(super) struct Patience {
    _end: Sender<()>,
}

impl Patience {
    /// Begins with the opening of this directory or file. `what`: what is done with it.
    pub(super) fn start(path: &Path, what: &'static str, every: Duration) -> Result<Patience, Failure> {
        let (end, ended) = channel::<()>();
        let (path, since) = (path.to_owned(), Instant::now());
        let work = move || {
            while ended.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                let seconds = since.elapsed().as_secs();
                warn(&format_args!(
                    "{} is being opened, for {seconds} s by now: {what}",
                    path.display()
                ));
            }
        };
        thread::Builder::new()
            .name("patience".to_owned())
            .spawn(work)
            .map_err(Failure::system("start the thread for progress"))?;
        Ok(Patience { _end: end })
    }
}
