//! What miners are given, from a node's chain.
//!
//! - [`Templates`]: the threads: one looks what is to be mined on, and one takes the blocks that are found
//! - [`Feed`]: what the provider on the loop sees of them

mod feed;

pub use feed::Feed;

use feed::Shared;
use sockman_backends::sockman::Remote;
use sockman_p2p::chain::{Slot, slot, subsidy};
use sockman_p2p::state::{AcceptError, Handle, Refused, State};
use sockman_p2p::store::Store;
use sockman_sv2::{Basis, Solution, Work};
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};
use tracing::{info, warn};

/// Blocks that have been found and may wait to be looked at: above it they are dropped. On any chain but regtest there is one in ten
/// minutes.
const MOST_SOLUTIONS: usize = 64;

/// The version of blocks: that of BIP 9, with no signals.
const VERSION: u32 = 0x2000_0000;

/// The threads that make templates. They end when the node stops and the [`Feed`] is gone.
pub struct Templates {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl Templates {
    /// Starts them.
    pub fn start<D: Store>(handle: &Handle<D>) -> io::Result<(Templates, Feed)> {
        let shared = Arc::new(Shared::default());
        let (found, solutions) = mpsc::sync_channel(MOST_SOLUTIONS);
        let named = |name: &str| thread::Builder::new().name(name.to_owned());
        let threads = vec![
            {
                let (handle, shared) = (handle.clone(), shared.clone());
                named("templates").spawn(move || look(&handle, &shared))?
            },
            {
                let handle = handle.clone();
                named("solutions").spawn(move || take(&handle, &solutions))?
            },
        ];
        let feed = Feed::new(shared.clone(), found);
        Ok((Templates { shared, threads }, feed))
    }

    /// The loop that is to be woken.
    pub fn runs_on(&self, remote: Remote) {
        self.shared.runs_on(remote);
    }

    /// Waits for their end.
    pub fn end(self) {
        for thread in self.threads {
            // A panic was told when it happened.
            let _ = thread.join();
        }
    }
}

/// Makes work whenever the tip has changed, until the node stops.
fn look<D: Store>(handle: &Handle<D>, shared: &Shared) {
    let mut seen = None;
    while let Some(basis) = handle.wait(None, |state| {
        let tip = state.chain.tip();
        (seen != Some(tip)).then(|| {
            seen = Some(tip);
            basis(state, handle.settings().clock.unix(std::time::Instant::now()))
        })
    }) {
        shared.publish(Work::new(basis, Vec::new()));
    }
}

fn basis<D: Store>(state: &State<D>, now: u64) -> Basis {
    let (tree, tip) = (state.chain.tree(), state.chain.tip());
    let Slot {
        height,
        least_time,
        bits,
        segwit,
        ..
    } = slot(tree, tip, now);
    Basis {
        prev_hash: tree.entry(tip).hash,
        height,
        version: VERSION,
        bits,
        least_time,
        subsidy: subsidy(tree.params(), height).to_sat(),
        segwit,
    }
}

/// Takes the blocks that are found, until there can be no more.
fn take<D: Store>(handle: &Handle<D>, solutions: &Receiver<Solution>) {
    for solution in solutions {
        let hash = solution.hash();
        match handle.submit(&solution.block()) {
            Ok(accepted) => info!(%hash, new_tip = accepted.new_tip, "a block that was found is taken"),
            Err(AcceptError::Refused(Refused::Duplicate(_))) => {}
            Err(why) => warn!(%hash, %why, "a block that was found is not taken"),
        }
    }
}
