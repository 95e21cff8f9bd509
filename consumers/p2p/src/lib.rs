//! A Bitcoin P2P node for [`sockman`]: it downloads and checks a chain of blocks, keeps it, and serves it.
//!
//! - [`wire`]: messages as they are on the wire; no sockets, no time.
//! - [`chain`]: headers, difficulty, and what makes a block valid; no input or output at all.
//! - [`store`]: blocks in files, and the index of them.

#![forbid(unsafe_code)]

pub mod chain;
pub mod store;
pub mod wire;
