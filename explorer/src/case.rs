//! One run: what it starts from, and what came of it.

use crate::surroundings;
use sockman_backends::sim::{Network, Occurrence, Plan, Tracing};
use std::any::Any;
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::time::Duration;

/// What one run starts from. The same case always gives the same run.
#[derive(Clone, Debug)]
pub struct Case {
    /// Decides everything: the network, the settings, the work, the faults.
    pub seed: u64,
    /// Which faults happen.
    pub faults: Faults,
    /// What is kept of what happens.
    pub tracing: Tracing,
}

/// Which faults happen in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Faults {
    /// Those that the seed gives.
    ByChance,
    /// Exactly these.
    Only(Vec<Occurrence>),
}

impl Case {
    /// The case of a seed, without a trace.
    pub fn seed(seed: u64) -> Case {
        Case {
            seed,
            faults: Faults::ByChance,
            tracing: Tracing::Off,
        }
    }

    /// The same with exactly these faults.
    #[must_use]
    pub fn only(mut self, faults: &[Occurrence]) -> Case {
        self.faults = Faults::Only(faults.to_vec());
        self
    }

    /// The same with a trace.
    #[must_use]
    pub fn traced(mut self, tracing: Tracing) -> Case {
        self.tracing = tracing;
        self
    }
}

/// What came of a run.
#[derive(Clone, Debug, Default)]
pub struct Ran {
    /// What was found to be wrong, if anything was.
    pub violation: Option<String>,
    /// The faults that happened.
    pub happened: Vec<Occurrence>,
    /// Turns of all loops.
    pub turns: u64,
    /// Connections that were opened, at either end.
    pub opened: u64,
    /// Bytes that were received, at either end.
    pub bytes: u64,
    /// How long it took, in the network's time.
    pub elapsed: Duration,
    /// Sums up everything that happened, if it was traced.
    pub hash: u64,
    /// Everything that happened, if it was traced as text.
    pub trace: String,
}

/// A run under way, as its scenario sees it.
pub(crate) struct Run {
    /// Decides what is done.
    pub(crate) random: fastrand::Rng,
    /// Everything lives here.
    pub(crate) network: Network,
    /// Whether an end may never hear that the other has reset.
    pub(crate) deaf: bool,
    /// How long after its client's end a server has a last word, if it has one.
    pub(crate) late: Option<Duration>,
    /// Counted by the scenario.
    pub(crate) turns: u64,
    /// Counted by the scenario.
    pub(crate) opened: u64,
    /// Counted by the scenario.
    pub(crate) bytes: u64,
}

thread_local! {
    /// Where the last panic of this thread was.
    static PLACE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Keeps panics off the screen, and notes where they were, for whoever makes thousands of runs.
pub fn quiet() {
    panic::set_hook(Box::new(|info| {
        let place = info.location().map_or(String::new(), |place| {
            format!("{}:{}", place.file(), place.line())
        });
        PLACE.with_borrow_mut(|slot| *slot = place);
    }));
}

/// What a panic said.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string))
        .unwrap_or_else(|| "a panic without words".to_owned());
    let place = PLACE.take();
    if place.is_empty() {
        text
    } else {
        format!("{text} ({place})")
    }
}

/// Runs a scenario.
pub(crate) fn run(case: &Case, scenario: fn(&mut Run)) -> Ran {
    let mut random = fastrand::Rng::with_seed(case.seed);
    let mut conditions = surroundings::conditions(&mut random, case.seed);
    conditions.settings.tracing = case.tracing;
    if let Faults::Only(faults) = &case.faults {
        conditions.settings.plan = Plan::new(case.seed).only(faults);
    }
    let network = Network::new(conditions.settings);
    let late = (random.u8(0..3) == 0).then(|| Duration::from_millis(random.u64(0..300)));
    let mut run = Run {
        random,
        network: network.clone(),
        deaf: conditions.deaf,
        late,
        turns: 0,
        opened: 0,
        bytes: 0,
    };
    let caught = panic::catch_unwind(AssertUnwindSafe(|| scenario(&mut run)));
    let violation = caught.err().map(|panic| message(&*panic));
    if let Some(violation) = &violation {
        network.note(format_args!("VIOLATION {violation}"));
    }
    Ran {
        violation,
        happened: network.happened(),
        turns: run.turns,
        opened: run.opened,
        bytes: run.bytes,
        elapsed: network.elapsed(),
        hash: network.trace_hash(),
        trace: network.trace(),
    }
}
