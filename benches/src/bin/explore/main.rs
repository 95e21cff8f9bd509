//! Explores protocols on simulated networks: runs seed after seed until something is violated, and then tells the fewest
//! faults that it takes, and what happened.
//!
//! - this file: start and end; `cli`: the arguments; `search`: many seeds, on all cores, and `watch`, how far it is; `replay`:
//!   one seed, with its trace

#![forbid(unsafe_code)]

mod cli;
mod replay;
mod search;
mod watch;

use clap::Parser;
use cli::Cli;
use std::process::ExitCode;

/// How the program ends where it found a violation.
const FOUND: u8 = 1;

fn main() -> ExitCode {
    let cli = Cli::parse();
    sockman_explorer::quiet();
    let target = match cli.target() {
        Ok(target) => target,
        Err(error) => error.exit(),
    };
    let found = match cli.seed {
        Some(seed) => replay::replay(target, &cli, seed),
        None => search::search(target, &cli),
    };
    if found {
        ExitCode::from(FOUND)
    } else {
        ExitCode::SUCCESS
    }
}
