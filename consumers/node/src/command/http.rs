//! `sockman http`

use super::stopper::Stopper;
use super::{print, serve, stats};
use crate::args::http::HttpArgs;
use crate::failure::Failure;
use sockman_backends::sockman::{Backend, Config, Driver, Endpoint, Seat, Shards, SockMan, Spread, Stats};
use sockman_http::rpc::{Dispatcher, Instance, Methods, Rpc};
use sockman_http::{Server, Service, Settings, Workers};
use sockman_node::http::{Probe, Shared, Site};
use sockman_node::{OnBackend, descriptor_limit};
use std::fmt::Write;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// Runs the HTTP server to its end.
pub(crate) fn run(args: &HttpArgs) -> Result<(), Failure> {
    let choice = serve::choice(args.server.backend.as_deref())?;
    let plan = Plan::new(args)?;
    let shared = Shared::default();
    let stopper = Stopper::new(shared.clone(), args.server.drain());
    if args.probe {
        return choice.run(Serve {
            plan,
            service: Probe,
            shared,
            stopper,
        });
    }
    let workers =
        Workers::new(args.workers.get(), args.worker_queue).map_err(Failure::system("start the workers"))?;
    let dispatcher = Dispatcher::new(Methods::new(), Instance::new("sockman"), ()).batch(args.rpc.batch());
    let rpc = Rpc::new(dispatcher, args.rpc.credentials()?, args.rpc.settings())
        .map_err(Failure::system("start the threads for JSON-RPC"))?;
    let stopper = stopper.with(rpc.dispatcher());
    let site = Site::new(workers, rpc, shared.clone(), args.sse_every());
    choice.run(Serve {
        plan,
        service: site.bitcoin_compat(args.rpc.bitcoin_compat),
        shared,
        stopper,
    })
}

/// What the command line comes to.
struct Plan<'a> {
    args: &'a HttpArgs,
    settings: Settings,
    /// Of each loop.
    config: Config,
}

impl<'a> Plan<'a> {
    fn new(args: &'a HttpArgs) -> Result<Plan<'a>, Failure> {
        let settings = args.settings()?;
        let mut config = args.config()?;
        let shards = args.shards.get();
        if shards > 1 {
            // Each loop takes its share of what there may be in all.
            let all = config.max_connections.unwrap_or_else(descriptors);
            config.max_connections = Some(all.div_ceil(shards));
        }
        Ok(Plan {
            args,
            settings,
            config,
        })
    }
}

/// As many connections as there may be descriptors, less some for other things.
fn descriptors() -> usize {
    let limit = usize::try_from(descriptor_limit()).unwrap_or(usize::MAX);
    limit.saturating_sub(64).max(1)
}

struct Serve<'a, V> {
    plan: Plan<'a>,
    service: V,
    shared: Shared,
    stopper: Stopper,
}

impl<V: Service + Clone + Send + 'static> OnBackend for Serve<'_, V> {
    type Output = Result<(), Failure>;

    fn run<B: Backend>(self) -> Result<(), Failure> {
        let stats = if self.plan.args.shards.get() > 1 {
            self.several::<B>()?
        } else {
            self.single::<B>()?
        };
        print(&stats)
    }
}

impl<V: Service + Clone + Send + 'static> Serve<'_, V> {
    /// One loop, on this thread. Gives the counters, if they are to be printed.
    fn single<B: Backend>(self) -> Result<String, Failure> {
        let Plan {
            args,
            settings,
            config,
        } = self.plan;
        let server = Server::new(self.service, settings);
        self.shared.count(server.counters());
        let mut driver =
            Driver::<B, _>::new(&config, server).map_err(Failure::system(serve::cannot_start::<B>()))?;
        let listening = driver.with(|server, net| listen(server, net, args))?;
        // Before anything is printed: whoever has read that we listen may send us a signal.
        let signals = self.stopper.arm(vec![driver.remote()])?;
        serve::tell::<B>(&listening)?;

        driver.run().map_err(Failure::system(serve::CANNOT_GO_ON))?;
        drop(signals);
        let stats = driver.with(|_, net| net.stats().clone());
        Ok(report(args, &[stats]))
    }

    /// Several loops, on threads of their own. The first accepts for all.
    fn several<B: Backend>(self) -> Result<String, Failure> {
        let args = Arc::new(self.plan.args.clone());
        let Plan { settings, config, .. } = self.plan;
        let seats = Seat::group(args.shards.get());
        let listening = Arc::new(Mutex::new(Vec::new()));
        let make = {
            let (args, listening) = (args.clone(), listening.clone());
            // Each loop has a clone; all are made here, where one thread after the other has its turn.
            let service = Mutex::new(self.service);
            let shared = self.shared;
            move |shard: usize| {
                let service = service.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let settings = Settings {
                    // No two loops number a request alike.
                    first_id: (shard as u64) << 48,
                    ..settings.clone()
                };
                let server = Server::new(service, settings);
                shared.count(server.counters());
                let spread = Spread::new(server, seats[shard].clone());
                let mut driver = Driver::<B, _>::new(&config, spread)?;
                let at = driver.with(|spread, net| {
                    spread.join(net);
                    if shard == 0 {
                        listen(spread.handler_mut(), net, &args)
                    } else {
                        Ok(Vec::new())
                    }
                });
                let at = at.map_err(io::Error::other)?;
                listening
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .extend(at);
                Ok(driver)
            }
        };
        let shards = Shards::start::<B, _>(args.shards.get(), make).map_err(|why| {
            why.downcast()
                .unwrap_or_else(Failure::system(serve::cannot_start::<B>()))
        })?;
        let signals = self.stopper.arm(shards.remotes().collect())?;
        serve::tell::<B>(&listening.lock().unwrap_or_else(PoisonError::into_inner))?;

        let counted = shards.join().map_err(Failure::system(serve::CANNOT_GO_ON))?;
        drop(signals);
        Ok(report(&args, &counted))
    }
}

/// Listens everywhere, and tells where: with the ports that the kernel chose.
fn listen<V: Service, S: SockMan>(
    server: &mut Server<V>,
    net: &mut S,
    args: &HttpArgs,
) -> Result<Vec<Endpoint>, Failure> {
    let mut listening = Vec::new();
    for at in &args.server.listen {
        let listener = server
            .listen(net, at, &args.listen_options())
            .map_err(Failure::system(format!("listen on {at}")))?;
        listening.push(net.local_addr(listener).unwrap_or_else(|| at.clone()));
    }
    Ok(listening)
}

/// What `--stats` prints.
fn report(args: &HttpArgs, all: &[Stats]) -> String {
    let mut text = String::new();
    if args.server.stats {
        for (shard, one) in all.iter().enumerate() {
            if all.len() > 1 {
                let _ = writeln!(text, "shard {shard}");
            }
            text.push_str(&stats::lines(one));
        }
    }
    text
}
