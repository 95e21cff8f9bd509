//! The store: what it keeps, over every end that a process can have and every damage that a disk can do.
//!
//! - `rig`: blocks to store, and what a store is compared with
//! - `kept`: what comes back, in memory and on a disk; `model`: the same, whatever was done
//! - `killed`: SIGKILL at any moment; `locked`: two at once; `full`: no room
//! - `torn`, `flipped`: files that end anywhere, and bits that are wrong anywhere; `damaged`: everything else that is not as it was
//! - `importing`: the files of Bitcoin Core
//! - `reading`: places that mean nothing, and how many files are open

#![allow(clippy::unwrap_used)]

mod rig;

mod damaged;
mod flipped;
mod full;
mod importing;
mod kept;
mod killed;
mod locked;
mod model;
mod reading;
mod torn;
