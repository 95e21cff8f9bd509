//! The arguments of `compare`.

use crate::ibd::{Level, Shape};
use crate::subject::{self, Kind};
use crate::sv2::Ask;
use crate::work::Work;
use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Most connections of a server: descriptor limits of 20,000 are common, and a port range of 28,000.
const MOST: u64 = 19_000;

/// Compares every compiled backend with hand-written loops and other libraries, on real sockets.
///
/// Server and load generator are separate processes on different cores. Rounds interleave the subjects; medians are
/// reported, and ratios to a hand-written epoll loop (of `ibd` and `sv2` to blocking reads) with a paired 95 % interval. `epoll-again` (of
/// HTTP `http-epoll-again`, of `ibd` and `sv2` `std-again`) is that program a second time: what it differs by is what identical programs
/// differ by.
#[derive(Debug, Parser)]
#[command(name = "compare", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// What to compare.
    #[command(flatten)]
    pub compare: CompareArgs,
    /// Something else to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What `compare` does besides comparing.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Counts the server's instructions in user space per message under valgrind, and its system calls
    Instructions(InstructionsArgs),
    /// A server process
    #[command(hide = true)]
    Serve(ServeArgs),
    /// A load process
    #[command(hide = true)]
    Load(LoadArgs),
    /// A loop and a thread that sends through it
    #[command(hide = true)]
    Wake(WakeArgs),
    /// A process that downloads a chain
    #[command(hide = true)]
    Download(DownloadArgs),
}

/// What to compare.
#[derive(Clone, Debug, Args)]
pub struct CompareArgs {
    /// What to measure, separated by commas
    #[arg(long, value_enum, value_delimiter = ',', default_value = "echo")]
    pub work: Vec<Work>,
    /// Which backends, separated by commas
    #[arg(long, value_delimiter = ',', default_value = "all", value_parser = choices(Kind::Backend))]
    pub backends: Vec<String>,
    /// Which rivals
    #[arg(long, value_delimiter = ',', default_value = "all", value_parser = choices(Kind::Rival))]
    pub rivals: Vec<String>,
    /// Whom the ratios are to [default: epoll, of `wake` eventfd, of HTTP http-epoll, of `ibd` and `sv2` std]; it always runs
    #[arg(long, value_name = "SUBJECT", value_parser = PossibleValuesParser::new(everybody()))]
    pub baseline: Option<String>,
    /// How many connections: of `echo` active ones [default: 1,50,1000], of `echo-idle` idle ones
    /// [default: 10,1000,10000], over HTTP [default: 64, of `http-tail` 1,2,8], of `ibd` readers of a server [default:
    /// 1,4,100]; `wake` and `sv2` have one
    #[arg(long, value_delimiter = ',', value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..=MOST))]
    pub connections: Vec<u64>,
    /// Bytes of a message [default: 64; `echo` has 65536 as well, at 50 connections, if neither these nor those are given];
    /// requests over HTTP are what they are; of `sv2` bytes of a template's transactions
    #[arg(long, value_delimiter = ',', value_name = "BYTES", value_parser = clap::value_parser!(u64).range(1..=1 << 20))]
    pub size: Vec<u64>,
    /// Messages that each connection keeps outstanding [default: 1, of `http-pipeline` 16 and at most 256;
    /// over HTTP no other has several]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub depth: Option<u64>,
    /// Of `ibd`: what is downloaded, and how [default: all]
    #[arg(long, value_enum, value_delimiter = ',')]
    pub shapes: Vec<Shape>,
    /// Of `ibd`: what is done with each block [default: all of big ones, of the others some]
    #[arg(long, value_enum, value_delimiter = ',')]
    pub levels: Vec<Level>,
    /// Of `sv2`: what is asked [default: all]
    #[arg(long, value_enum, value_delimiter = ',')]
    pub asks: Vec<Ask>,
    /// Length of each measurement [default: 0.15; of `wake` 1; over HTTP 0.3; a download of `ibd` takes what it takes, and so do
    /// the thousand answers of `sv2`]
    #[arg(long, value_parser = seconds)]
    pub seconds: Option<f64>,
    /// Measurements of each subject [default: 7]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub rounds: Option<u64>,
    /// Also write the rows there, as a JSON array
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Few, short rounds and few connections: to see that it works, not to compare
    #[arg(long)]
    pub quick: bool,
}

/// How to count instructions.
#[derive(Clone, Debug, Args)]
pub struct InstructionsArgs {
    /// Whose to count, separated by commas [default: the backends and the loops they are compared with]
    #[arg(long, value_delimiter = ',', value_parser = PossibleValuesParser::new(everybody()))]
    pub subjects: Vec<String>,
    /// At what: `echo`, or a work over HTTP
    #[arg(long, value_enum, default_value = "echo")]
    pub work: Work,
    /// How many connections
    #[arg(long, value_name = "COUNT", default_value = "50", value_parser = clap::value_parser!(u64).range(1..=MOST))]
    pub connections: u64,
    /// How many messages; a second run has a fifth of them, and the difference counts
    #[arg(long, value_name = "COUNT", default_value = "20000", value_parser = clap::value_parser!(u64).range(100..=10_000_000))]
    pub messages: u64,
    /// Bytes of a message
    #[arg(long, value_name = "BYTES", default_value = "64", value_parser = clap::value_parser!(u64).range(1..=1 << 20))]
    pub size: u64,
    /// Messages that each connection keeps outstanding [default: 1, of `http-pipeline` 16]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub depth: Option<u64>,
    /// Keep callgrind's files in this folder, for `callgrind_annotate`
    #[arg(long, value_name = "FOLDER")]
    pub keep: Option<PathBuf>,
}

/// A server process.
#[derive(Clone, Debug, Args)]
pub struct ServeArgs {
    /// What to serve with.
    #[arg(value_parser = PossibleValuesParser::new(everybody()))]
    pub subject: String,
    /// What for.
    #[arg(long, value_enum, default_value = "echo")]
    pub work: Work,
    /// Bytes of a template's transactions, of the work `sv2`.
    #[arg(long, default_value = "0")]
    pub size: usize,
    /// The chain to serve, of the work `ibd`.
    #[arg(long, required_if_eq("work", "ibd"))]
    pub chain: Option<PathBuf>,
    /// The core to stay on.
    #[arg(long)]
    pub pin: Option<usize>,
}

/// A load process.
#[derive(Clone, Debug, Args)]
pub struct LoadArgs {
    /// Where the server listens.
    pub at: SocketAddr,
    /// What it does.
    #[arg(long, value_enum, default_value = "echo")]
    pub work: Work,
    /// What it asks, of the work `sv2`.
    #[arg(long, value_enum, required_if_eq("work", "sv2"))]
    pub ask: Option<Ask>,
    /// Active connections.
    #[arg(long)]
    pub connections: usize,
    /// Idle connections.
    #[arg(long, default_value = "0")]
    pub idle: usize,
    /// Bytes of a message.
    #[arg(long)]
    pub size: usize,
    /// Messages outstanding on each connection.
    #[arg(long)]
    pub depth: usize,
    /// Length of the window.
    #[arg(long, default_value = "0")]
    pub seconds: f64,
    /// Messages of the window, in place of its length; there is no warming up then.
    #[arg(long)]
    pub messages: Option<u64>,
    /// The core to stay on.
    #[arg(long)]
    pub pin: Option<usize>,
}

impl LoadArgs {
    /// How long to warm up.
    pub fn warm_up(&self) -> Duration {
        match self.messages {
            Some(_) => Duration::ZERO,
            None => Duration::from_secs_f64((self.seconds / 4.0).min(0.05)),
        }
    }
}

/// A loop and a thread that sends through it.
#[derive(Clone, Debug, Args)]
pub struct WakeArgs {
    /// What to send through.
    pub subject: String,
    /// What is sent: a message, or of the work `sv2` a tip.
    #[arg(long, value_enum, default_value = "wake")]
    pub work: Work,
    /// Bytes of a template's transactions, of the work `sv2`.
    #[arg(long, default_value = "0")]
    pub size: usize,
    /// How long.
    #[arg(long, default_value = "0")]
    pub seconds: f64,
    /// How often, in place of how long.
    #[arg(long)]
    pub messages: Option<u64>,
    /// The loop's core, and the thread's.
    #[arg(long, num_args = 2)]
    pub pin: Vec<usize>,
}

/// A process that downloads a chain.
#[derive(Clone, Debug, Args)]
pub struct DownloadArgs {
    /// What to download with.
    #[arg(value_parser = PossibleValuesParser::new(everybody()))]
    pub subject: String,
    /// From where.
    #[arg(long)]
    pub at: SocketAddr,
    /// How.
    #[arg(long, value_enum)]
    pub shape: Shape,
    /// What to do with it.
    #[arg(long, value_enum)]
    pub level: Level,
    /// Where to store it.
    #[arg(long)]
    pub folder: PathBuf,
    /// Who pings meanwhile.
    #[arg(long)]
    pub bystander: Option<SocketAddr>,
    /// Not more blocks than these.
    #[arg(long)]
    pub blocks: Option<usize>,
    /// The core to stay on.
    #[arg(long)]
    pub pin: Option<usize>,
}

/// The names of one kind, and how to say all or none of them.
fn choices(kind: Kind) -> PossibleValuesParser {
    PossibleValuesParser::new(["all", "none"].into_iter().chain(subject::names(kind)))
}

fn everybody() -> impl Iterator<Item = &'static str> {
    subject::ALL.iter().map(|subject| subject.name)
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.01..=600.0).contains(&seconds) => Ok(seconds),
        _ => Err("a number of seconds from 0.01 to 600 is allowed".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parse(args: &[&str]) -> Result<CompareArgs, String> {
        let args = std::iter::once("compare").chain(args.iter().copied());
        Cli::try_parse_from(args)
            .map(|cli| cli.compare)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn no_argument_means_echo_with_everything() {
        let args = parse(&[]).expect("valid");
        assert_eq!(args.work, [Work::Echo]);
        assert_eq!(
            (args.backends[0].as_str(), args.rivals[0].as_str()),
            ("all", "all")
        );
        assert!(args.size.is_empty() && args.connections.is_empty());
        assert_eq!((args.depth, args.quick), (None, false));
    }

    #[test]
    fn lists_are_separated_by_commas() {
        let args = parse(&[
            "--connections",
            "1,50",
            "--size",
            "64,1000",
            "--work",
            "wake,echo-idle",
            "--rivals",
            "tick,tokio",
        ]);
        let args = args.expect("valid");
        assert_eq!((args.connections, args.size), (vec![1, 50], vec![64, 1000]));
        assert_eq!(args.work, [Work::Wake, Work::EchoIdle]);
        assert_eq!(args.rivals, ["tick", "tokio"]);
    }

    #[test]
    fn bad_values_are_told_what_is_allowed() {
        let says = |args: &[&str], text: &str| {
            let error = parse(args).expect_err("invalid");
            assert!(error.contains(text), "{error}");
        };
        says(&["--work", "dance"], "echo-idle");
        says(&["--backends", "tokio"], "all, none");
        says(&["--rivals", "apache"], "polling-loop");
        says(&["--connections", "0"], "1..=19000");
        says(&["--size", "0"], "1..=1048576");
        says(&["--depth", "x"], "--depth");
        says(&["--asks", "x"], "handshake");
        says(&["--seconds", "0"], "from 0.01 to 600");
        says(&["--rounds", "0"], "1..=1000");
    }
}
