//! The command line: what all commands have, and those of `echo`. `http`, `node`, `chain` and `sv2_client` have those of the
//! others.
//!
//! `engine` and `rpc` have what several commands have; `values` sizes and times.

pub(crate) mod chain;
mod engine;
pub(crate) mod http;
pub(crate) mod node;
mod rpc;
pub(crate) mod sv2_client;
mod values;

use chain::{GenArgs, ImportArgs};
use clap::{ArgAction, Parser, Subcommand};
use http::HttpArgs;
use node::NodeArgs;
use sockman_backends::sockman::Endpoint;
use std::num::NonZeroUsize;
use std::time::Duration;
use sv2_client::ClientArgs;
use values::{Seconds, positive};

/// Protocol servers over any of sockman's backends.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Args {
    /// Log to standard error; twice for every detail. The variable `SOCKMAN_LOG` (as `debug` or
    /// `sockman_backends=trace`) goes before it.
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Send back what is received, until SIGINT or SIGTERM.
    Echo(EchoArgs),
    /// Serve HTTP/1.1, until SIGINT or SIGTERM.
    Http(Box<HttpArgs>),
    /// Run a Bitcoin node, with JSON-RPC and REST, until SIGINT or SIGTERM.
    Node(Box<NodeArgs>),
    /// Make a chain of regtest from a seed, and write it to a file.
    ChainGen(GenArgs),
    /// Read blocks from files into a data directory.
    ChainImport(ImportArgs),
    /// Connect to a Stratum V2 template provider, and print what it tells.
    Sv2Client(ClientArgs),
    /// List the backends: what is compiled in, and what works on this machine.
    Backends,
}

/// What servers have in common.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ServerArgs {
    // Not as a comment of documentation, where the brackets would be a link.
    #[arg(
        long,
        value_name = "ADDR",
        required = true,
        help = "Where to listen: IP:PORT, [IPv6]:PORT or unix:PATH; port 0 lets the kernel choose. May be given several times"
    )]
    pub(crate) listen: Vec<Endpoint>,
    /// The backend, by its name in `sockman backends`; the first that is listed when it is not given.
    #[arg(long, value_name = "NAME")]
    pub(crate) backend: Option<String>,
    /// Connections at once; more wait in the backlog. By default what the limit of open files allows.
    #[arg(long, value_name = "N")]
    pub(crate) max_connections: Option<NonZeroUsize>,
    /// How many seconds open connections have, after SIGINT or SIGTERM, to take what is under way for them. A second
    /// signal ends it at once.
    #[arg(long, value_name = "SECS", default_value_t = Seconds(Duration::from_secs(5)))]
    drain: Seconds,
    /// Print the loop's counters at the end.
    #[arg(long)]
    pub(crate) stats: bool,
}

impl ServerArgs {
    pub(crate) fn drain(&self) -> Duration {
        self.drain.0
    }
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct EchoArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    /// Close connections on which nothing has moved for this many seconds.
    #[arg(long, value_name = "SECS", value_parser = positive)]
    idle_timeout: Option<Seconds>,
}

impl EchoArgs {
    pub(crate) fn idle_timeout(&self) -> Option<Duration> {
        self.idle_timeout.map(|seconds| seconds.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_holds_together() {
        Args::command().debug_assert();
    }
}
