//! `compare`: see [`sockman_bench`].

use clap::Parser;
use sockman_bench::cli::{Cli, Command};
use sockman_bench::{Failure, compare, heap, instructions, load, serve, subject, sys, wake};
use std::process::ExitCode;

/// The memory of idle connections is one of the figures.
#[global_allocator]
static HEAP: heap::Counting = heap::Counting;

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("compare: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode, Failure> {
    let cli = Cli::parse();
    match cli.command {
        None => return compare::run(&cli.compare),
        Some(Command::Instructions(args)) => instructions::run(&args)?,
        Some(Command::Load(args)) => load::run(&args)?,
        Some(Command::Wake(args)) => wake::run(&args)?,
        Some(Command::Serve(args)) => {
            let subject = subject::find(&args.subject).ok_or("no such subject")?;
            let server = subject.server(args.work).ok_or("it does not do this work")?;
            if let Some(core) = args.pin {
                sys::pin(core)?;
            }
            sys::raise_descriptor_limit();
            serve::start(server, &mut serve::announce)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
