//! A Bitcoin P2P node for [`sockman`]: it downloads and checks a chain of blocks, keeps it, and serves it.
//!
//! - [`wire`]: messages as they are on the wire; no sockets, no time.
//! - [`chain`]: headers, difficulty, and what makes a block valid; no input or output at all.
//! - [`store`]: blocks in files, and the index of them.
//! - [`coins`]: what can be spent, by the blocks of the active chain; [`pool`]: transactions that wait for a block. Neither is of
//!   any use to [`Node`]: they are for those who make blocks.
//! - [`state`]: what a node knows, as other threads may see it too.
//! - [`sync`]: what to ask whom for.
//! - [`Node`]: the protocol, a [`Handler`](sockman::Handler).
//!
//! Scripts, and whether what a transaction spends exists, are not checked: whoever relies on a chain that this node has
//! downloaded relies on its proof of work.

#![forbid(unsafe_code)]

pub mod chain;
pub mod coins;
pub mod mutant;
mod node;
pub mod pool;
mod settings;
pub mod state;
pub mod store;
pub mod sync;
pub mod wire;

pub use node::{Node, services};
pub use settings::{Resolve, Settings};
pub use sockman::Clock;
