//! `sockman echo`

use super::{print, serve, stats};
use crate::args::EchoArgs;
use crate::failure::Failure;
use crate::signals::StopOnSignal;
use sockman_backends::sockman::{Backend, Config, Driver, Endpoint, ListenOptions, SockMan};
use sockman_node::{Echo, OnBackend};

/// Runs the echo server to its end.
pub(crate) fn run(args: &EchoArgs) -> Result<(), Failure> {
    serve::choice(args.server.backend.as_deref())?.run(Serve { args })
}

struct Serve<'a> {
    args: &'a EchoArgs,
}

impl OnBackend for Serve<'_> {
    type Output = Result<(), Failure>;

    fn run<B: Backend>(self) -> Result<(), Failure> {
        let args = &self.args.server;
        let config = Config {
            max_connections: args.max_connections.map(usize::from),
            ..Config::default()
        };
        let echo = Echo {
            idle_timeout: self.args.idle_timeout(),
        };
        let mut driver =
            Driver::<B, Echo>::new(&config, echo).map_err(Failure::system(serve::cannot_start::<B>()))?;
        let mut listening = Vec::new();
        for at in &args.listen {
            listening.push(driver.with(|_, net| listen(net, at))?);
        }
        // Before anything is printed: whoever has read that we listen may send us a signal.
        let remote = driver.remote();
        // The loop may be gone already: then there is nothing left to stop.
        let signals = StopOnSignal::start(args.drain(), move |within| remote.stop(within).is_ok())?;
        serve::tell::<B>(&listening)?;

        driver.run().map_err(Failure::system(serve::CANNOT_GO_ON))?;
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
