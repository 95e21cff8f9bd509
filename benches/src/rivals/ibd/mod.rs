//! What our downloading and serving of blocks is compared with.
//!
//! - [`std`]: blocking reads and writes, a thread for each connection: the floor, and the baseline of every ratio
//! - [`tokio`]: the same on tokio's current-thread runtime, a task for each connection
//! - [`dynamic`]: our handlers behind trait objects

#[cfg(any_backend)]
pub mod dynamic;
pub mod std;
pub mod tokio;
