//! What the program `sockman` is made of, for use by others: benchmarks, tests, programs of your own.
//!
//! - [`Echo`]: the handler of `sockman echo`
//! - [`http`]: what `sockman http` serves
//! - [`node`]: what `sockman node` serves; [`templates`]: what it gives to miners
//! - [`Choice`], [`KNOWN`], [`OnBackend`]: from a backend's name to its type
//! - [`reserve_descriptors`], [`descriptor_limit`]: descriptors of the process
//!
//! The program itself is in `main.rs` (start and end), `args/` (the command line), `command/` (one file a command),
//! `logging.rs`, `failure.rs` and `signals.rs`.

#![forbid(unsafe_code)]

mod choice;
mod descriptors;
mod echo;
pub mod http;
pub mod node;
pub mod templates;

pub use choice::{Choice, KNOWN, Known, OnBackend, Unavailable};
pub use descriptors::{descriptor_limit, reserve_descriptors};
pub use echo::Echo;

/// The programs in the README are compiled with the documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
