//! The index of the coins: what it has is what the blocks of the active chain made and did not spend, whatever happens.
//!
//! - `rig`: a chain in memory, an index beside it, and what the index is compared with
//! - `follow`: blocks come, and go again; `odd`: blocks that are not as they should be
//! - `killed`: ends at any moment; `damaged`: files that are not what was written
//! - `model`: the same, whatever was done

#![allow(clippy::unwrap_used)]

mod rig;
#[path = "../pool/spend.rs"]
mod spend;

mod damaged;
mod follow;
mod killed;
mod model;
mod odd;
