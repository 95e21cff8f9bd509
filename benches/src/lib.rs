//! Side-by-side comparison of sockman's backends with hand-written loops and other libraries, on real sockets.
//!
//! - [`cli`]: the arguments of `compare`; [`work`]: what can be measured
//! - [`compare`]: runs the rounds; [`cell`]: one measurement, a server process and a load process
//! - [`subject`]: the list of what can be measured
//! - [`serve`]: the server process: what runs in it, and how it is asked for its counters
//! - [`rivals`]: the hand-written loops, tokio, and the same handler behind `dyn` and async-trait
//! - [`ibd`]: downloading a chain of blocks, and serving one; [`sv2`]: giving templates to pools
//! - [`load`]: the load generator's process; [`http`]: what it asks over HTTP, and what must come back
//! - [`wake`]: sending from another thread to an idle connection
//! - [`instructions`]: instructions and system calls per message, under valgrind and strace
//! - [`statistics`], [`report`]: medians, paired intervals; tables and JSON rows
//! - `dispatch`: a backend without a kernel, for the bench of dispatch; [`random`]: whose turn it is there
//! - [`echo`]: the handler that every backend serves
//! - [`sys`], [`heap`], [`child`]: this process's cores, clocks and memory; its allocations; its child processes

#![deny(unsafe_code)]

pub mod cell;
pub mod child;
pub mod cli;
pub mod compare;
#[cfg(any_backend)]
pub mod dispatch;
pub mod echo;
pub mod heap;
pub mod http;
pub mod ibd;
pub mod instructions;
pub mod load;
pub mod random;
pub mod report;
pub mod rivals;
pub mod serve;
pub mod statistics;
pub mod subject;
pub mod sv2;
pub mod sys;
pub mod wake;
pub mod work;

/// Whatever went wrong, in words for the one who ran it.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
