//! `sockman http`

use super::{print, serve, stats};
use crate::args::http::HttpArgs;
use crate::failure::Failure;
use crate::signals::StopOnSignal;
use sockman_backends::sockman::{Backend, Driver, Endpoint, SockMan};
use sockman_http::{Server, Service, Workers};
use sockman_node::OnBackend;
use sockman_node::http::{Probe, Shared, Site};
use std::io;

/// Runs the HTTP server to its end.
pub(crate) fn run(args: &HttpArgs) -> Result<(), Failure> {
    let choice = serve::choice(&args.server)?;
    let shared = Shared::default();
    if args.probe {
        return choice.run(Serve {
            args,
            service: Probe,
            shared,
        });
    }
    let workers =
        Workers::new(args.workers.get(), args.worker_queue).map_err(Failure::system("start the workers"))?;
    choice.run(Serve {
        args,
        service: Site::new(workers, shared.clone(), args.sse_every()),
        shared,
    })
}

struct Serve<'a, V> {
    args: &'a HttpArgs,
    service: V,
    shared: Shared,
}

impl<V: Service> OnBackend for Serve<'_, V> {
    type Output = Result<(), Failure>;

    fn run<B: Backend>(self) -> Result<(), Failure> {
        let args = self.args;
        let server = Server::new(self.service, args.settings()?);
        let mut driver = Driver::<B, _>::new(&args.config()?, server)
            .map_err(Failure::system(serve::cannot_start::<B>()))?;
        let mut listening = Vec::new();
        for at in &args.server.listen {
            let listened = driver.with(|server, net| listen(server, net, args, at));
            listening.push(listened.map_err(Failure::system(format!("listen on {at}")))?);
        }
        // Before anything is printed: whoever has read that we listen may send us a signal.
        let (remote, shared) = (driver.remote(), self.shared);
        let stop = move |within| {
            shared.stop();
            remote.stop(within).is_ok()
        };
        let signals = StopOnSignal::start(args.server.drain(), stop)?;
        serve::tell::<B>(&listening)?;

        driver.run().map_err(Failure::system(serve::CANNOT_GO_ON))?;
        drop(signals);
        if args.server.stats {
            print(&stats::lines(&driver.with(|_, net| net.stats().clone())))?;
        }
        Ok(())
    }
}

/// Listens, and tells where: with the port that the kernel chose.
fn listen<V: Service, S: SockMan>(
    server: &mut Server<V>,
    net: &mut S,
    args: &HttpArgs,
    at: &Endpoint,
) -> io::Result<Endpoint> {
    let listener = server.listen(net, at, &args.listen_options())?;
    Ok(net.local_addr(listener).unwrap_or_else(|| at.clone()))
}
