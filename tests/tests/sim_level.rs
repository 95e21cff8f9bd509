//! The level-triggered simulated kernel: the canaries of the faults on it, the order in a turn, and what is its own.
#![cfg(feature = "sim")]

#[path = "sim/common.rs"]
mod common;
#[path = "sim/faults.rs"]
mod faults;
#[path = "sim/level.rs"]
mod level;
#[path = "sim/turn.rs"]
mod turn;

type Rig = sockman_tests::Simulated<sockman_backends::sim::SimLevel, sockman_tests::Tcp>;
