//! The commands, one file each: `echo`, `http` and `node` run servers, `chain_gen` and `chain_import` make and read files of
//! blocks, `sv2_client` asks a template provider, `backends` lists the backends. `serve` has what servers have in common; `stats` prints counters; `stopper` ends the HTTP
//! server.

pub(crate) mod backends;
pub(crate) mod chain_gen;
pub(crate) mod chain_import;
pub(crate) mod echo;
pub(crate) mod http;
pub(crate) mod node;
mod serve;
mod stats;
mod stopper;
pub(crate) mod sv2_client;

use crate::failure::Failure;
use std::fmt::Display;
use std::io::{self, Write};

/// Writes to standard output and flushes, so that a program reading the other end of a pipe has it at once.
fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(Failure::system("write to standard output"))
}

/// Tells on standard error what is not right and yet no reason to stop.
fn warn(what: &dyn Display) {
    // With that closed there is nobody left to tell.
    let _ = writeln!(io::stderr(), "sockman: {what}");
}
