//! Tracing to standard error, when it is asked for.

use crate::failure::Failure;
use std::env::{self, VarError};
use std::io::{self, IsTerminal};
use tracing_subscriber::EnvFilter;

/// The variable that says what to log, in the syntax of `tracing_subscriber::EnvFilter`.
const VARIABLE: &str = "SOCKMAN_LOG";

/// Starts logging as `SOCKMAN_LOG` says, or else as many `-v` ask for; with neither, nothing is set up and nothing costs.
pub(crate) fn start(verbose: u8) -> Result<(), Failure> {
    let unusable = |why: String| Failure::Usage(format!("{VARIABLE}: {why}"));
    let filter = match env::var(VARIABLE) {
        Ok(text) if !text.is_empty() => text,
        Err(VarError::NotUnicode(_)) => return Err(unusable("not valid Unicode".to_owned())),
        _ => match verbose {
            0 => return Ok(()),
            1 => "debug".to_owned(),
            _ => "trace".to_owned(),
        },
    };
    let filter = EnvFilter::try_new(&filter).map_err(|why| unusable(format!("`{filter}`: {why}")))?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
    Ok(())
}
