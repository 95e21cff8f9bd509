//! Equal traces: scenarios whose handler calls are the same on every backend, up to how bytes are split.
//!
//! Each scenario is a public function generic over the rig, as the scripts of the suite are, but asserts little: it
//! writes what it does, what comes of it to the handler, and what the peers hear, to a [`Trace`]. The traces of several
//! backends are then compared. Scenarios go stepwise: everything that one step causes has come before the next is
//! taken, and within a step nothing happens of which the order is free, such as words of two peers at a time.
//!
//! [`equal_traces!`](crate::equal_traces) makes a test of each scenario, for TCP and for Unix sockets.
//!
//! - `trace`: [`Trace`] and its [`Line`]s
//! - `diff`: [`differences`] between traces, for people
//! - `play`: a [`Stage`](crate::Stage) with a trace, and the steps
//! - `list`: which scenarios there are, and the macro
//! - [`talking`], [`holding`], [`ending`], [`dialling`], [`loops`], [`walks`]: the scenarios

pub mod dialling;
mod diff;
pub mod ending;
pub mod holding;
mod list;
pub mod loops;
mod play;
pub mod talking;
mod trace;
pub mod walks;

pub use diff::{Played, differences};
pub use trace::{Line, Trace};

use crate::rig::Rig;
use sockman::Backend;

/// Runs a scenario on the rig.
pub fn played<R: Rig>(scenario: impl FnOnce(&Trace)) -> Played {
    // Where a scenario panics, the test's output ends with this.
    eprintln!("on {}", R::Backend::NAME);
    let trace = Trace::default();
    scenario(&trace);
    Played {
        backend: R::Backend::NAME,
        lines: trace.lines(),
    }
}

/// Panics with what differs from the first, if anything does.
pub fn assert_equal(traces: &[Played]) {
    if let Some(text) = differences(traces) {
        panic!("the backends differ\n{text}");
    }
}
