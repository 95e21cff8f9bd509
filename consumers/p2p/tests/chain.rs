//! Headers, difficulty, blocks, and generated chains.

#[path = "chain/block.rs"]
mod block;
#[path = "chain/difficulty.rs"]
mod difficulty;
#[path = "chain/generate.rs"]
mod generate;
#[path = "chain/headers.rs"]
mod headers;
#[path = "chain/low_work.rs"]
mod low_work;
#[path = "chain/params.rs"]
mod params;
#[path = "chain/support.rs"]
mod support;

#[path = "chain/tree.rs"]
mod tree;
