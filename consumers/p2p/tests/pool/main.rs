//! The pool: what comes in, what has to leave, and what goes into a block.
//!
//! - `rig`: coins to spend, and transactions that spend them
//! - `accept`: every reason to refuse one; `locks`: times before which one may not be in a block
//! - `chains`: transactions that need each other; `full`: who has to leave; `tips`: new blocks and lost ones
//! - `sigops`: signature operations of scripts that are spent
//! - `select`: what should be in the next block; `model`: the same, and all sums, whatever was done

#![allow(clippy::unwrap_used)]

mod rig;
mod spend;

mod accept;
mod chains;
mod full;
mod locks;
mod model;
mod select;
mod sigops;
mod tips;
