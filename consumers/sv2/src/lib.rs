//! A Stratum V2 template provider for [`sockman`]: pools and job declarators are told what to mine, and hand in what they find.
//!
//! It speaks the Template Distribution Protocol (chapter 7 of the specification) over Noise, to any number of clients, on any
//! backend. Every answer leaves at once, and so does every template: nothing waits for a tick.
//!
//! - [`Provider`]: the protocol, a [`Handler`](sockman::Handler), with its [`Settings`], [`Counters`] and a [`Handle`] for other threads
//! - [`Source`]: where [`Work`] comes from, and where a [`Solution`] goes to: a node, or a test
//! - [`Job`]: what a client makes of a template
//! - [`wire`]: keys, handshake, frames and messages, for both ends

#![forbid(unsafe_code)]

mod body;
mod job;
pub mod mutant;
mod provider;
mod settings;
mod solution;
mod source;
pub mod wire;
mod work;

pub use job::Job;
pub use provider::{ClientInfo, Count, Counters, Handle, Provider, Stage};
pub use settings::{Seed, Settings};
pub use sockman::Clock;
pub use solution::{Solution, Unsolved};
pub use source::Source;
pub use work::{Basis, MAX_BLOCK_SIGOPS, MAX_BLOCK_WEIGHT, Transaction, USUAL_ROOM, Work};
