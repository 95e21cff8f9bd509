//! What a node tells while it runs: how far it is, whom it cannot reach, and that it has caught up. It also ends the node, when it has done what it was
//! to do or can do it no longer.

use super::brake::Brake;
use crate::failure::Failure;
use crate::progress::{Progress, Sample};
use sockman_node::templates::{MOST_BEHIND, Templates};
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
    /// Who could not be reached, and why; each once.
    unreached: Vec<(String, String)>,
}

fn look<D: Store>(state: &mut State<D>) -> Seen {
    let chain = &state.chain;
    let best = chain.entry(chain.tree().best()).height;
    // Before anybody has told, the chain seems to end where it does here.
    let is_known = best > chain.height() || state.peers.iter().any(|(_, peer)| peer.headers.is_complete());
    Seen {
        sample: Sample {
            blocks: chain.height().into(),
            all_blocks: is_known.then(|| best.max(chain.height()).into()),
            bytes: state.bytes.0,
            coins: None,
            peers: Some(state.peers.len()),
        },
        is_synced: state.is_synced(),
        has_failed: state.failure().is_some(),
        unreached: state.targets.unreached(),
    }
}

impl Reporter {
    /// Begins to look. `templates`: if it makes them. `exit_when_synced`: it stops the node, within `drain`, once that has caught up.
    pub(super) fn start<D: Store>(
        handle: Handle<D>,
        templates: Option<Templates<D>>,
        mut progress: Progress,
        exit_when_synced: bool,
        drain: Duration,
        brake: Arc<Brake>,
    ) -> Result<Reporter, Failure> {
        let (end, ended) = channel();
        let work = move || {
            let (mut was_synced, mut is_ending) = (false, false);
            while ended.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                let mut seen = handle.with(look);
                if let Some(templates) = &templates {
                    let height = templates.figures().height;
                    let is_far = u64::from(height + MOST_BEHIND) < seen.sample.blocks;
                    seen.sample.coins = is_far.then_some(height.into());
                    for note in templates.take_notes() {
                        progress.say(&format!("sockman: {note}"));
                    }
                }
                progress.show(Instant::now(), seen.sample);
                for (name, why) in &seen.unreached {
                    progress.say(&format!(
                        "sockman: cannot connect to {name}: {why}; it is tried again"
                    ));
                }
                if seen.is_synced && !was_synced {
                    was_synced = true;
                    progress.say(&format!("synced at height {}", seen.sample.blocks));
                }
                if !is_ending && (seen.has_failed || (exit_when_synced && seen.is_synced)) {
                    is_ending = true;
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
