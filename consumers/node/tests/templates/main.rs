//! What miners are given to work on, and the pool that it is made of: a node without a network, with everything else.
//!
//! - `rig`: such a node, calls of its methods, and transactions
//! - `follow`: work follows the chain and the pool; `ends`: how it begins and ends
//! - `pool_rpc`: the methods that add transactions and tell of them

mod rig;
#[path = "../../../p2p/tests/pool/spend.rs"]
mod spend;

mod ends;
mod follow;
mod pool_rpc;
