//! `sockman node`: two protocols on one loop, P2P and HTTP.
//!
//! - this file: how it is put together; `brake`: how it is stopped; `report`: what it tells meanwhile

mod brake;
mod report;

use super::{print, serve, stats};
use crate::args::node::NodeArgs;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::signals::StopOnSignal;
use brake::Brake;
use report::Reporter;
use sockman_backends::sockman::{Backend, Driver, Endpoint, Mux, Side, SockMan};
use sockman_http::rpc::{Dispatcher, Instance, Rpc};
use sockman_http::{Server, Workers};
use sockman_node::OnBackend;
use sockman_node::node::{Context, Site, rpc};
use sockman_p2p::chain::Params;
use sockman_p2p::state::{Bans, Chain, Kind};
use sockman_p2p::store::{Disk, Store as _, directory};
use sockman_p2p::{Node, Settings};
use std::fmt::Write as _;
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// Runs the node to its end.
pub(crate) fn run(args: &NodeArgs) -> Result<(), Failure> {
    serve::choice(args.backend.as_deref())?.run(Serve { args })
}

struct Serve<'a> {
    args: &'a NodeArgs,
}

/// Two protocols, by static dispatch.
type Both = Mux<Node<Disk>, Server<Site<Disk>>>;

impl OnBackend for Serve<'_> {
    type Output = Result<(), Failure>;

    fn run<B: Backend>(self) -> Result<(), Failure> {
        let args = self.args;
        // What is wrong with the flags is told before anything is touched.
        let (config, waiting) = (args.config()?, args.rpc.waiting()?);
        let mut credentials = args.rpc.credentials()?;
        let settings = args.peers.settings(seed()?)?;
        let brake = Arc::new(Brake::default());
        let signals = {
            let brake = brake.clone();
            StopOnSignal::start(args.drain(), move |within| brake.pull(within))?
        };

        let params = Params::of(args.data.network());
        let dir = directory(&args.data.datadir()?, params.network);
        let (p2p_port, rpc_port) = (params.default_port, params.rpc_port);
        let Some(chain) = open(args, &dir, params, &settings, &brake)? else {
            return Ok(());
        };
        let bans = Bans::open(&dir.join("banlist.json"), settings.clock.unix(Instant::now()))?;
        let node = Node::new(settings, chain, bans);
        let handle = node.handle();

        let context = Context::new(handle.clone(), waiting);
        let dispatcher = Dispatcher::new(rpc::methods(), Instance::new("sockman"), context.clone())
            .batch(args.rpc.batch());
        // The directory is ours by now: nobody else's cookie is overwritten.
        args.rpc.cookie(&mut credentials, &dir.join(".cookie"))?;
        let rpc = Rpc::new(dispatcher, credentials, args.rpc.settings())
            .map_err(Failure::system("start the threads for JSON-RPC"))?;
        let dispatcher = Arc::downgrade(rpc.dispatcher());
        let mut site = Site::new(context, rpc, args.rpc.acl());
        if args.rpc.rest {
            let workers = Workers::new(args.rpc.rest_threads.get(), args.rpc.rest_queue)
                .map_err(Failure::system("start the threads for REST"))?;
            site = site.rest(workers);
        }
        let server = Server::new(site, args.http.settings());
        server.service().count(server.counters());

        let both = Mux::new(node, server);
        let mut driver =
            Driver::<B, Both>::new(&config, both).map_err(Failure::system(serve::cannot_start::<B>()))?;
        let (peers, clients) = driver.with(|both, net| {
            let peers = listen_for_peers(both, net, args, p2p_port)?;
            let clients = listen_for_clients(both, net, args, rpc_port)?;
            Ok::<_, Failure>((peers, clients))
        })?;
        // Before anything is printed: whoever has read that we listen may send us a signal.
        let remote = driver.remote();
        brake.arm(args.drain(), &dispatcher.clone(), {
            let handle = handle.clone();
            move |within| {
                handle.stop_waiting();
                if let Some(dispatcher) = dispatcher.upgrade() {
                    dispatcher.instance().interrupt();
                }
                remote.stop(within).is_ok()
            }
        });
        tell::<B>(&peers, &clients)?;

        let progress = Progress::new(args.progress_every());
        let reporter = Reporter::start(
            handle.clone(),
            progress,
            args.exit_when_synced,
            args.drain(),
            brake,
        )?;
        let ran = driver.run().map_err(Failure::system(serve::CANNOT_GO_ON));
        drop(signals);
        reporter.end();
        // Also if something failed: what is there is to be there the next time.
        let synced = handle.with(|state| state.chain.store_mut().sync());
        let failed = handle.with(|state| state.failure());
        let counted = driver.with(|_, net| net.stats().clone());
        ran?;
        if let Some(why) = failed {
            return Err(Failure::Stopped(why));
        }
        synced?;
        if args.stats {
            print(&stats::lines(&counted))?;
        }
        Ok(())
    }
}

/// What the node's random numbers come from.
fn seed() -> Result<[u8; 32], Failure> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)
        .map_err(|why| Failure::system("get random numbers")(io::Error::other(why.to_string())))?;
    Ok(seed)
}

/// Opens the data directory and puts the chain together. None if it was stopped meanwhile.
fn open(
    args: &NodeArgs,
    dir: &Path,
    params: Params,
    settings: &Settings,
    brake: &Brake,
) -> Result<Option<Chain<Disk>>, Failure> {
    make(dir)?;
    let (disk, loaded) = Disk::open(dir, params.magic, args.store.options())?;
    for note in &loaded.notes {
        super::warn(note);
    }
    if brake.is_pulled() {
        return Ok(None);
    }
    let now = settings.clock.unix(Instant::now());
    let chain = Chain::new(params, disk, loaded, now)?;
    Ok((!brake.is_pulled()).then_some(chain))
}

/// Makes the data directory, for nobody else to look into.
pub(super) fn make(dir: &Path) -> Result<(), Failure> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.map_err(Failure::system(format!("make {}", dir.display())))
}

fn listen_for_peers<S: SockMan>(
    both: &mut Both,
    net: &mut S,
    args: &NodeArgs,
    port: u16,
) -> Result<Vec<Endpoint>, Failure> {
    let names = |names: &[String], kind| names.iter().map(|name| (name.clone(), kind)).collect::<Vec<_>>();
    let mut connect = names(&args.peers.connect, Kind::Connect);
    connect.extend(names(&args.peers.addnode, Kind::Added));
    let net = &mut Both::on(net, Side::A);
    both.a
        .start(net, &args.peers.bind(port), &connect)
        .map_err(Failure::system("listen for peers"))
}

fn listen_for_clients<S: SockMan>(
    both: &mut Both,
    net: &mut S,
    args: &NodeArgs,
    port: u16,
) -> Result<Vec<Endpoint>, Failure> {
    let net = &mut Both::on(net, Side::B);
    let mut listening = Vec::new();
    for at in args.rpc.bind(port) {
        let listener = both
            .b
            .listen(net, &at, &args.http.listen_options()?)
            .map_err(Failure::system(format!("listen on {at}")))?;
        listening.push(net.local_addr(listener).unwrap_or(at));
    }
    Ok(listening)
}

/// Tells where it listens: with the ports that the kernel chose.
fn tell<B: Backend>(peers: &[Endpoint], clients: &[Endpoint]) -> Result<(), Failure> {
    let mut text = String::new();
    for at in peers {
        let _ = writeln!(text, "listening for peers on {at} (backend {})", B::NAME);
    }
    for at in clients {
        let _ = writeln!(text, "listening for JSON-RPC on {at} (backend {})", B::NAME);
    }
    print(&text)
}
