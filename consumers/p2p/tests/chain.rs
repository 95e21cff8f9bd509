//! Headers, difficulty, blocks, and generated chains.

#[path = "chain/difficulty.rs"]
mod difficulty;
#[path = "chain/headers.rs"]
mod headers;
#[path = "chain/params.rs"]
mod params;
#[path = "chain/support.rs"]
mod support;

#[path = "chain/tree.rs"]
mod tree;
