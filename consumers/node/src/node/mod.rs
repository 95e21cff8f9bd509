//! What `sockman node` serves beside the P2P protocol, on any backend.
//!
//! - [`rpc`]: JSON-RPC by the methods of Bitcoin Core; [`Context`]: what they work on
//! - [`json`]: blocks, transactions and headers as Bitcoin Core shows them; `view`: taken from a running node

mod context;
pub mod json;
pub mod rpc;
mod view;

pub use context::Context;
