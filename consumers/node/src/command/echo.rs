//! `sockman echo`

use super::{print, stats};
use crate::args::EchoArgs;
use crate::failure::Failure;
use crate::signals::StopOnSignal;
use sockman_backends::sockman::{Backend, Config, Driver, Endpoint, ListenOptions, SockMan};
use sockman_node::{Choice, Echo, OnBackend};
use std::fmt::Write;

/// Runs the echo server to its end.
pub(crate) fn run(args: &EchoArgs) -> Result<(), Failure> {
    let choice = match &args.backend {
        Some(name) => Choice::by_name(name)?,
        None => Choice::preferred()?,
    };
    choice.run(Serve { args })
}

struct Serve<'a> {
    args: &'a EchoArgs,
}

impl OnBackend for Serve<'_> {
    type Output = Result<(), Failure>;

    fn run<B: Backend>(self) -> Result<(), Failure> {
        let args = self.args;
        let config = Config {
            max_connections: args.max_connections.map(usize::from),
            ..Config::default()
        };
        let echo = Echo {
            idle_timeout: args.idle_timeout,
        };
        let mut driver = Driver::<B, Echo>::new(&config, echo)
            .map_err(Failure::system(format!("start the backend {}", B::NAME)))?;

        let mut listening = String::new();
        for at in &args.listen {
            let at = driver.with(|_, net| listen(net, at))?;
            let _ = writeln!(listening, "listening on {at} (backend {})", B::NAME);
        }
        // Before anything is printed: whoever has read that we listen may send us a signal.
        let signals = StopOnSignal::start(driver.remote(), args.drain)?;
        print(&listening)?;

        driver
            .run()
            .map_err(Failure::system("go on: the backend has failed"))?;
        drop(signals);
        if args.stats {
            print(&stats::lines(&driver.with(|_, net| net.stats().clone())))?;
        }
        Ok(())
    }
}

/// Listens, and tells where: with the port that the kernel chose.
fn listen<S: SockMan>(net: &mut S, at: &Endpoint) -> Result<Endpoint, Failure> {
    let listener = net
        .listen(at, &ListenOptions::default())
        .map_err(Failure::system(format!("listen on {at}")))?;
    Ok(net.local_addr(listener).unwrap_or_else(|| at.clone()))
}
