//! The commands, one file each: `echo` and `http` run servers, `backends` lists the backends. `serve` has what servers have in
//! common; `stats` prints counters; `stopper` ends the
//! HTTP server.

pub(crate) mod backends;
pub(crate) mod echo;
pub(crate) mod http;
mod serve;
mod stats;
mod stopper;

use crate::failure::Failure;
use std::io::{self, Write};

/// Writes to standard output and flushes, so that a program reading the other end of a pipe has it at once.
fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(Failure::system("write to standard output"))
}
