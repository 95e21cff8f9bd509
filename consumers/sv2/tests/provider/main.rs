//! A provider on a simulated network, with clients of whom every message is sent by hand.
//!
//! `world` has the provider, `source` its work, `raw` the clients. What is tested is in the other files.

#![allow(clippy::unwrap_used)]

mod costs;
mod flow;
mod handshake;
mod hostile;
mod quiet;
mod raw;
mod requests;
mod setup;
mod solutions;
mod source;
mod stopping;
mod templates;
mod world;
