//! The command line.

use clap::{ArgAction, Parser, Subcommand};
use sockman_backends::sockman::Endpoint;
use std::num::NonZeroUsize;
use std::time::Duration;

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
    /// List the backends: what is compiled in, and what works on this machine.
    Backends,
}

#[derive(Debug, clap::Args)]
pub(crate) struct EchoArgs {
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
    /// Close connections on which nothing has moved for this many seconds.
    #[arg(long, value_name = "SECS", value_parser = positive_seconds)]
    pub(crate) idle_timeout: Option<Duration>,
    /// How many seconds open connections have, after SIGINT or SIGTERM, to take what is queued for them. A second
    /// signal ends it at once.
    #[arg(long, value_name = "SECS", value_parser = seconds, default_value = "5")]
    pub(crate) drain: Duration,
    /// Print the loop's counters at the end.
    #[arg(long)]
    pub(crate) stats: bool,
}

/// Some thirty years: far beyond any use, and far below what a clock reading can be added to.
const MOST_SECONDS: f64 = 1e9;

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    if !(0.0..=MOST_SECONDS).contains(&seconds) {
        return Err(format!("not between 0 and {MOST_SECONDS} seconds"));
    }
    Ok(Duration::from_secs_f64(seconds))
}

fn positive_seconds(text: &str) -> Result<Duration, String> {
    match seconds(text)? {
        Duration::ZERO => Err("must be above 0".to_owned()),
        duration => Ok(duration),
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

    #[test]
    fn seconds_are_what_a_clock_can_take() {
        assert_eq!(seconds("0.25"), Ok(Duration::from_millis(250)));
        assert_eq!(seconds("0"), Ok(Duration::ZERO));
        for bad in ["", "x", "-1", "NaN", "inf", "1e10"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
        assert!(positive_seconds("0").is_err());
    }
}
