//! The Bitcoin node, from outside.
//!
//! - `cli.rs`: bad flags, the cookie, what it says; `stop.rs`: how it ends
//! - `rpc.rs`: JSON-RPC, REST and metrics over HTTP
//! - `sync.rs`: nodes among each other; `data.rs`: what is on the disk, and what is not
//! - `sv2.rs`: templates for pools; `pool.rs`: the transactions that go into them, and coins
//! - `files.rs`: `chain-gen` and `chain-import`
//! - `rig.rs`: a node that runs, and calls of its methods

mod cli;
mod data;
mod files;
mod pool;
#[allow(dead_code, reason = "other test programs use more of it")]
mod rig;
mod rpc;
mod stop;
mod sv2;
mod sync;

use sockman_node::Choice;

/// Runs a script on each backend.
fn everywhere(script: impl Fn(&str)) {
    Choice::compiled().map(Choice::name).for_each(script);
}

/// The backend of tests that are of what is the same on all of them.
fn preferred() -> &'static str {
    Choice::preferred().expect("one is compiled in").name()
}
