//! The arguments.

use clap::{CommandFactory, Parser};
use sockman_backends::sim::Occurrence;
use sockman_explorer::{TARGETS, Target, target};
use std::thread;

/// Runs a protocol on simulated networks, under random work and random faults, and checks at every step what must hold.
///
/// Ends with status 1 when something was violated: then it tells the seed, the fewest faults that it takes, and what
/// happened.
#[derive(Debug, Parser)]
#[command(name = "explore", version)]
pub(crate) struct Cli {
    /// What to explore
    #[arg(long, value_name = "NAME", default_value = "echo", help = handlers())]
    handler: String,

    /// How many seeds to try
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) seeds: u64,

    /// The first seed to try
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) first: u64,

    /// Runs this one seed and prints everything that happens
    #[arg(long, value_name = "N", conflicts_with_all = ["seeds", "first", "jobs"])]
    pub(crate) seed: Option<u64>,

    /// With --seed: lets exactly these faults happen, such as `ShortRead@17,Lost@3`, or `none`
    #[arg(long, value_name = "LIST", requires = "seed", value_parser = parse_faults)]
    pub(crate) faults: Option<Faults>,

    /// How many threads to run on [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,

    /// How many runs to spend on finding the fewest faults
    #[arg(long, value_name = "N", default_value_t = 2_000)]
    pub(crate) shrink: usize,
}

/// A list of faults.
#[derive(Clone, Debug)]
pub(crate) struct Faults(pub(crate) Vec<Occurrence>);

fn parse_faults(text: &str) -> Result<Faults, String> {
    if text == "none" {
        return Ok(Faults(Vec::new()));
    }
    let faults = text.split(',').map(|fault| {
        fault
            .trim()
            .parse::<Occurrence>()
            .map_err(|error| error.to_string())
    });
    faults.collect::<Result<_, _>>().map(Faults)
}

fn handlers() -> String {
    let list = TARGETS
        .iter()
        .map(|target| format!("`{}`: {}", target.name, target.about));
    format!("What to explore. {}", list.collect::<Vec<_>>().join("; "))
}

impl Cli {
    pub(crate) fn target(&self) -> Result<&'static Target, clap::Error> {
        target(&self.handler).ok_or_else(|| {
            let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
            let text = format!("no handler `{}`: there is {}", self.handler, names.join(", "));
            Cli::command().error(clap::error::ErrorKind::InvalidValue, text)
        })
    }

    pub(crate) fn jobs(&self) -> u64 {
        let cores = || thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
        self.jobs.map_or_else(cores, u64::from)
    }
}
