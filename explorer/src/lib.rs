//! Looks for bugs: runs protocols on [simulated networks](sockman_backends::sim), under random work and random faults, and
//! checks at every step what must hold. What it finds is a number, the seed, from which it can be found again.
//!
//! ```
//! use sockman_explorer::{Case, target};
//!
//! let echo = target("echo").expect("there is one of this name");
//! let ran = echo.run(&Case::seed(1));
//! assert_eq!(ran.violation, None);
//! assert_eq!(ran.turns, echo.run(&Case::seed(1)).turns);
//! ```
//!
//! - `case`: [`Case`], one run, and what [came](Ran) of it; `shrink`: the fewest faults with which it still fails;
//!   `report`: all that in words
//! - `targets`: what can be explored; `echo`: the echo server under clients that do everything; `http`: the HTTP server under
//!   clients that pipeline; `p2p`: nodes that download from each other, on a network that parts and heals; `sv2`: a template
//!   provider under clients that ask, mine, lie and do not read
//! - [`checked`]: [`Checked`], a handler around another that sees that the contract is kept
//! - [`feed`]: any handler, fed any bytes in any pieces; what the fuzz targets run
//! - `surroundings`: what networks and loops are like, by chance; `ends`: how a run of two loops ends
//!
//! **What is checked.** Everywhere, whatever the protocol: points 1 to 9, 11, 12, 14 and 15 of the contract as far as callbacks,
//! counters and the other ends of connections show them, that everything comes to an end, that wakes are not lost, and that
//! no socket or descriptor is left. For each target, what its protocol promises.

#![forbid(unsafe_code)]
// Finding a rule broken is a panic: that is what it is for.
#![allow(clippy::missing_panics_doc)]

mod case;
pub mod checked;
mod echo;
mod ends;
pub mod feed;
mod http;
mod p2p;
mod report;
mod shrink;
mod surroundings;
mod sv2;
mod targets;

pub use case::{Case, Faults, Ran, quiet};
pub use checked::Checked;
pub use report::report;
pub use shrink::{Shrunk, shrink};
pub use targets::{TARGETS, Target, target};
