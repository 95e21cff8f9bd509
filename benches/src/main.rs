//! `compare`: see [`sockman_bench`].

use clap::Parser;
use sockman_bench::cli::{Cli, Command, ServeArgs};
use sockman_bench::ibd::{self, chain::Chain};
use sockman_bench::work::Work;
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
        Some(Command::Download(args)) => ibd::download::run(&args)?,
        Some(Command::Serve(args)) => run_server(&args)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn run_server(args: &ServeArgs) -> Result<(), Failure> {
    let subject = subject::find(&args.subject).ok_or("no such subject")?;
    if let Some(core) = args.pin {
        sys::pin(core)?;
    }
    sys::raise_descriptor_limit();
    let unfit = "it does not do this work";
    match &args.chain {
        Some(chain) => {
            let chain = Chain::read(chain)?;
            let part = subject.part.ok_or(unfit)?;
            serve::start(|ready| (part.serve)(chain, ready), &mut serve::announce)?;
        }
        None if args.work == Work::Sv2 => {
            let sv2 = subject.sv2.ok_or(unfit)?;
            serve::start(|ready| sv2(args.size, ready), &mut serve::announce)?;
        }
        None => {
            let server = subject.server(args.work).ok_or(unfit)?;
            serve::start(server, &mut serve::announce)?;
        }
    }
    Ok(())
}
