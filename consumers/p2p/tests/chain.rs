//! Headers, difficulty, blocks, and generated chains.

#[path = "chain/support.rs"]
mod support;

#[path = "chain/tree.rs"]
mod tree;
