//! What `sockman node` serves beside the P2P protocol, on any backend.
//!
//! - [`rpc`]: JSON-RPC by the methods of Bitcoin Core; [`Context`]: what they work on
//! - [`Site`]: what is at which path: JSON-RPC, `rest` and `metrics`
//! - [`json`]: blocks, transactions and headers as Bitcoin Core shows them; `view`: taken from a running node

mod context;
pub mod json;
mod metrics;
#[cfg(test)]
mod recorded;
mod rest;
pub mod rpc;
mod site;
mod view;

pub use context::{Context, Sv2};
pub use site::Site;
