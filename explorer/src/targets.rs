//! What can be explored.

use crate::case::{self, Case, Ran, Run};
use crate::{echo, http, p2p, sv2};

/// A protocol with the work that is done to it.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// What it is, in a few words.
    pub about: &'static str,
    scenario: fn(&mut Run),
}

/// Every target.
pub const TARGETS: &[Target] = &[
    Target {
        name: "echo",
        about: "the echo server, under clients that do everything to their connections",
        scenario: echo::scenario,
    },
    Target {
        name: "http",
        about: "the HTTP server, under clients that pipeline requests of all kinds",
        scenario: http::scenario,
    },
    Target {
        name: "p2p",
        about: "nodes that download a chain from each other, on a network that parts and heals, with peers that lie",
        scenario: p2p::scenario,
    },
    Target {
        name: "sv2",
        about: "a template provider, under clients that ask, mine, stall, lie and do not read",
        scenario: sv2::scenario,
    },
];

/// The target of this name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

impl Target {
    /// Runs one case. What is violated is caught, and told in the result.
    pub fn run(&self, case: &Case) -> Ran {
        case::run(case, self.scenario)
    }
}
