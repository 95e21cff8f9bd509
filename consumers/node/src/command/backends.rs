//! `sockman backends`

use super::print;
use crate::failure::Failure;
use sockman_backends::sockman::{Backend, Config, Driver, SockMan};
use sockman_node::{Choice, Echo, KNOWN, Known, OnBackend};
use std::fmt::Write;
use std::io;
use std::time::Duration;

/// Prints a line for each backend of the project.
pub(crate) fn run() -> Result<(), Failure> {
    let width = KNOWN.iter().map(|known| known.name.len()).max().unwrap_or(0);
    let preferred = Choice::preferred().ok();
    let mut text = String::new();
    for known in KNOWN {
        let default = if known.choice.is_some() && known.choice == preferred {
            " (default)"
        } else {
            ""
        };
        let _ = writeln!(text, "{:width$}  {}{default}", known.name, state(known));
    }
    print(&text)
}

fn state(known: &Known) -> String {
    match known.choice.map(|choice| choice.run(Try)) {
        None => format!("not compiled in: build with `--features {}`", known.feature),
        Some(Ok(interface)) => format!("works: {interface}"),
        Some(Err(why)) => format!("does not work here: {why}"),
    }
}

/// Makes the backend and has it look at the kernel once: what a kernel lacks shows at the latest there. Gives what it
/// works by.
struct Try;

impl OnBackend for Try {
    type Output = io::Result<String>;

    fn run<B: Backend>(self) -> io::Result<String> {
        let mut driver = Driver::<B, Echo>::new(&Config::default(), Echo::default())?;
        driver.turn(Some(Duration::ZERO))?;
        Ok(driver.with(|_, net| net.stats().interface.clone()))
    }
}
