//! The program `sockman`: servers over any backend, and what backends there are. See `sockman --help`.

#![forbid(unsafe_code)]

mod args;
mod command;
mod failure;
mod logging;
mod progress;
mod signals;

use args::{Args, Command};
use clap::Parser;
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = Args::parse();
    if matches!(
        args.command,
        Command::Echo(_) | Command::Http(_) | Command::Node(_)
    ) {
        sockman_node::reserve_descriptors();
    }
    let access_log = match &args.command {
        Command::Http(args) => args.access_log,
        Command::Node(args) => args.rpc.access_log,
        _ => false,
    };
    let done = logging::start(args.verbose, access_log).and_then(|()| match &args.command {
        Command::Echo(args) => command::echo::run(args),
        Command::Http(args) => command::http::run(args),
        Command::Node(args) => command::node::run(args),
        Command::ChainGen(args) => command::chain_gen::run(args),
        Command::ChainImport(args) => command::chain_import::run(args),
        Command::Sv2Client(args) => command::sv2_client::run(args),
        Command::Backends => command::backends::run(),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            // With standard error closed there is nobody left to tell; the exit code still says it.
            let _ = writeln!(std::io::stderr(), "sockman: {why}");
            ExitCode::from(why.exit_code())
        }
    }
}
