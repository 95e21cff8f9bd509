//! The level-triggered simulated kernel: the canaries of the faults on it, and what is its own.
#![cfg(feature = "sim")]

#[path = "sim/common.rs"]
mod common;
#[path = "sim/faults.rs"]
mod faults;
#[path = "sim/level.rs"]
mod level;

type Rig = sockman_tests::Simulated<sockman_backends::sim::SimLevel, sockman_tests::Tcp>;
