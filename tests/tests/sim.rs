//! What only the simulated network has: faults that can be made to happen, and ways that can be long, narrow or cut.
//!
//! - `faults`: a canary for each fault, which fails when the fault does nothing
//! - `network`: time, ways, windows, hosts, loops
//! - `tcp`: what TCP does, with plain sockets
//! - here: what they have in common
#![cfg(feature = "sim")]

#[path = "sim/faults.rs"]
mod faults;
#[path = "sim/network.rs"]
mod network;
#[path = "sim/tcp.rs"]
mod tcp;

use sockman::Config;
use sockman_backends::sim::{Fault, Plan, Sim, When};
use sockman_tests::{Recorder, Simulated, Stage, Tcp};

type Rig = Simulated<Sim, Tcp>;

/// A loop with this handler, on a network where this happens.
fn stage(plan: Plan, recorder: Recorder) -> Stage<Rig> {
    Stage::on(Rig::planned(plan), &Config::default(), recorder)
}

/// The fault happens at its first opportunity.
fn first(fault: Fault) -> Plan {
    Plan::new(5).with(fault, When::At(0))
}

/// A stage with a connection, after which the fault happens once.
fn after_opening(
    fault: Fault,
    recorder: Recorder,
) -> (Stage<Rig>, sockman::Conn, <Rig as sockman_tests::Rig>::Peer) {
    let mut stage = stage(Plan::default(), recorder);
    let (conn, peer) = stage.connect();
    stage.rig.network.set_plan(first(fault));
    (stage, conn, peer)
}

/// How often the fault has happened.
fn count(stage: &Stage<Rig>, fault: Fault) -> usize {
    let happened = stage.rig.network.happened();
    happened
        .iter()
        .filter(|occurrence| occurrence.fault == fault)
        .count()
}
