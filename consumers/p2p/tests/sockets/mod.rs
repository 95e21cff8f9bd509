//! Hostile peers over real sockets, on loopback: what others notice of them, and what they cost.
//!
//! Each scenario has a node of its own, and a bystander who pings it every ten milliseconds. How long its worst ping took and how
//! much memory the process came to need is printed:
//!
//! ```text
//! cargo test --release -p sockman-node --all-features --test hostile -- --nocapture
//! ```
//!
//! Asserted are only a generous bound for the ping and one for the memory, which is stated with each scenario.
//!
//! - here: all scenarios on a backend; `scenarios` and `floods`: what hostile peers do
//! - `disk`: more headers than a disk takes
//! - `node` runs the nodes; `peer` has the peers; `bystander`; `memory`: what the process needs

mod bystander;
mod disk;
mod floods;
mod memory;
#[allow(dead_code, reason = "shared with the tests on the simulated network")]
#[path = "../node/miner.rs"]
mod miner;
mod node;
mod peer;
mod scenarios;

use bystander::Bystander;
use node::Running;
use sockman_backends::sockman::Backend;
use sockman_p2p::Settings;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The longest that a bystander's ping may take, optimised and alone, as `./test robust` runs it: far more than it does, which is
/// printed. Otherwise blocks are hashed without optimisation, beside many other tests.
const WORST_PING: Duration = Duration::from_secs(if cfg!(debug_assertions) { 20 } else { 1 });

/// What hostile peers do to a node.
struct Scenario {
    name: &'static str,
    /// The node's settings; random numbers and clock are set later.
    settings: fn(&mut Settings),
    run: fn(&Running),
    /// Whether its chain is one of large blocks.
    large: bool,
    /// MiB that the whole process, hostile peers included, may need more than before.
    memory: usize,
}

/// Says what came of a scenario. `bound`: MiB that may have been used.
fn judge<B: Backend>(name: &str, worst: Duration, used: usize, bound: usize) {
    let backend = B::NAME;
    println!(
        "{name:<52} {:>7.1} ms {:>4} MiB {bound:>6}",
        worst.as_secs_f64() * 1000.0,
        used >> 20,
    );
    assert!(worst < WORST_PING, "{backend}, {name}: a ping took {worst:?}");
    assert!(
        used <= bound << 20,
        "{backend}, {name}: {} MiB more than before",
        used >> 20
    );
}

/// One at a time: the memory is that of the process.
static ALONE: Mutex<()> = Mutex::new(());

/// Goes through all scenarios on a backend.
pub(crate) fn check<B: Backend>() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (small, large) = (scenarios::chain(0), scenarios::chain(floods::LARGE));
    println!(
        "{:<52} {:>10} {:>8} {:>6}",
        B::NAME,
        "worst ping",
        "memory",
        "bound"
    );
    for scenario in scenarios::ALL.iter().chain(floods::ALL) {
        let mut settings = node::settings(1);
        (scenario.settings)(&mut settings);
        let node = Running::start::<B>(settings, if scenario.large { &large } else { &small });
        let bystander = Bystander::start(node.at);
        let before = memory::reset_peak();
        (scenario.run)(&node);
        let used = memory::peak().saturating_sub(before);
        let worst = bystander.worst();
        judge::<B>(scenario.name, worst, used, scenario.memory);
    }
    disk::check::<B>();
}
