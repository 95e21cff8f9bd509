//! Nodes on a simulated network, with each other and with peers of whom every byte is written by hand.
//!
//! `world` has the nodes, `raw` the hand-made peers, `miner` the blocks. What is tested is in the other files.

#![allow(clippy::unwrap_used)]

mod blocks;
mod dialling;
mod explored;
mod flow;
mod handed_in;
mod handshake;
mod headers;
mod hostile;
mod limits;
mod liveness;
mod miner;
mod raw;
mod serving;
mod serving_limits;
mod siege;
mod slow_disk;
mod stallers;
mod stopping;
mod syncing;
mod world;
