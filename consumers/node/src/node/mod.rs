//! What `sockman node` serves beside the P2P protocol, on any backend.
//!
//! - [`json`]: blocks, transactions and headers as Bitcoin Core shows them

pub mod json;
