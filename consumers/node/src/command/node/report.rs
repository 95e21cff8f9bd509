//! What a node tells while it runs: how far it is, and that it has caught up. It also ends the node, when it has done what it was
//! to do or can do it no longer.

use super::brake::Brake;
use crate::failure::Failure;
use crate::progress::{Progress, Sample};
use sockman_p2p::state::{Handle, State};
use sockman_p2p::store::Store;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How often it looks.
const LOOK: Duration = Duration::from_millis(100);

/// A thread that looks at the node now and then.
pub(super) struct Reporter {
    end: Sender<()>,
    thread: JoinHandle<()>,
}

/// What it sees.
struct Seen {
    sample: Sample,
    is_synced: bool,
    has_failed: bool,
}

fn look<D: Store>(state: &mut State<D>) -> Seen {
    let chain = &state.chain;
    let best = chain.entry(chain.tree().best()).height;
    Seen {
        sample: Sample {
            blocks: chain.height().into(),
            all_blocks: Some(best.max(chain.height()).into()),
            bytes: state.bytes.0,
            all_bytes: None,
            peers: Some(state.peers.len()),
        },
        is_synced: state.is_synced(),
        has_failed: state.failure().is_some(),
    }
}

impl Reporter {
    /// Begins to look. `exit_when_synced`: it stops the node, within `drain`, once that has caught up.
    pub(super) fn start<D: Store>(
        handle: Handle<D>,
        mut progress: Progress,
        exit_when_synced: bool,
        drain: Duration,
        brake: Arc<Brake>,
    ) -> Result<Reporter, Failure> {
        let (end, ended) = channel();
        let work = move || {
            let mut was_synced = false;
            while ended.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                let seen = handle.with(look);
                progress.show(Instant::now(), seen.sample);
                if seen.is_synced && !was_synced {
                    was_synced = true;
                    progress.say(&format!("synced at height {}", seen.sample.blocks));
                }
                if seen.has_failed || (exit_when_synced && seen.is_synced) {
                    brake.pull(drain);
                }
            }
            let height = handle.with(|state| state.chain.height());
            progress.say(&format!("stopped at height {height}"));
        };
        let thread = thread::Builder::new()
            .name("progress".to_owned())
            .spawn(work)
            .map_err(Failure::system("start the thread for progress"))?;
        Ok(Reporter { end, thread })
    }

    /// The node has ended.
    pub(super) fn end(self) {
        // Either may have ended already: then there is nothing to be ended.
        let _ = self.end.send(());
        let _ = self.thread.join();
    }
}
