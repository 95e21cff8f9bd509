//! Tracing to standard error, when it is asked for.

use crate::failure::Failure;
use std::env::{self, VarError};
use std::io::{self, IsTerminal};
use tracing_subscriber::EnvFilter;

/// The variable that says what to log, in the syntax of `tracing_subscriber::EnvFilter`.
const VARIABLE: &str = "SOCKMAN_LOG";

/// What the access log is an event of.
const ACCESS: &str = "sockman_http::access";

/// Starts logging as `SOCKMAN_LOG` says, or else as many `-v` ask for, and the access log if that is asked for; with none of
/// these, nothing is set up and nothing costs.
pub(crate) fn start(verbose: u8, access_log: bool) -> Result<(), Failure> {
    let unusable = |why: String| Failure::Usage(format!("{VARIABLE}: {why}"));
    let filter = match env::var(VARIABLE) {
        Ok(text) if !text.is_empty() => text,
        Err(VarError::NotUnicode(_)) => return Err(unusable("not valid Unicode".to_owned())),
        _ => match verbose {
            0 if access_log => "off".to_owned(),
            0 => return Ok(()),
            // Each answer is logged only if that is asked for.
            1 => format!("debug,{ACCESS}=off"),
            _ => "trace".to_owned(),
        },
    };
    let filter = if access_log {
        format!("{filter},{ACCESS}=info")
    } else {
        filter
    };
    let filter = EnvFilter::try_new(&filter).map_err(|why| unusable(format!("`{filter}`: {why}")))?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
    Ok(())
}
