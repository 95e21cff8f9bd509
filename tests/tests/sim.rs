//! What only the simulated network has: faults that can be made to happen, and ways that can be long, narrow or cut.
//!
//! - `faults`: a canary for each fault, which fails when the fault does nothing (`sim_level` has them level-triggered)
//! - `network`: time, ways, windows, hosts, loops
//! - `tcp`: what TCP does, with plain sockets; `files`: socket files; `turn`: the order in a turn
//! - `common`: what they have in common
#![cfg(feature = "sim")]

#[path = "sim/common.rs"]
mod common;
#[path = "sim/faults.rs"]
mod faults;
#[path = "sim/files.rs"]
mod files;
#[path = "sim/network.rs"]
mod network;
#[path = "sim/tcp.rs"]
mod tcp;
#[path = "sim/turn.rs"]
mod turn;

type Rig = sockman_tests::Simulated<sockman_backends::sim::Sim, sockman_tests::Tcp>;
