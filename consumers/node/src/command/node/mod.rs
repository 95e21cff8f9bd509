//! `sockman node`: two protocols on one loop, P2P and HTTP.
//!
//! - this file: how it is put together; `brake`: how it is stopped
//! - `patience`: what it tells while it is opened; `report`: what it tells while it runs

mod brake;
mod patience;
mod report;

use super::{print, serve, stats};
use crate::args::node::NodeArgs;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::signals::StopOnSignal;
use brake::Brake;
use patience::Patience;
use report::Reporter;
use sockman_backends::sockman::{Backend, Driver, Endpoint, Mux, Side, SockMan};
use sockman_http::rpc::{Dispatcher, Instance, Rpc};
use sockman_http::{Server, Workers};
use sockman_node::OnBackend;
use sockman_node::node::{Context, Site, rpc};
use sockman_p2p::chain::Params;
use sockman_p2p::state::{Bans, Chain, Handle, Kind};
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
        let chain = open(args, &dir, params, &settings)?;
        brake.opened();
        let bans = Bans::open(&dir.join("banlist.json"), settings.clock.unix(Instant::now()))?;
        let node = Node::new(settings, chain, bans);
        let handle = node.handle();
        // The directory is ours by now: nobody else's cookie is overwritten.
        args.rpc.cookie(&mut credentials, &dir.join(".cookie"))?;
        let context = Context::new(handle.clone(), waiting, None);
        let dispatcher = Dispatcher::new(rpc::methods(), Instance::new("sockman"), context.clone());
        let rpc = Rpc::new(
            dispatcher.batch(args.rpc.batch()),
            credentials,
            args.rpc.settings(),
        )
        .map_err(Failure::system("start the threads for JSON-RPC"))?;
        let dispatcher = Arc::downgrade(rpc.dispatcher());
        let site = site(args, context, rpc)?;
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
        brake.arm(args.drain(), handle.clone(), dispatcher, driver.remote());
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
        let ended = end(&handle);
        let counted = driver.with(|_, net| net.stats().clone());
        ran?;
        ended?;
        if args.stats {
            print(&stats::lines(&counted))?;
        }
        Ok(())
    }
}

/// Whatever has ended the node, what is there is to be there the next time. Fails with what ended it, if that was a failure.
fn end(handle: &Handle<Disk>) -> Result<(), Failure> {
    handle.with(|state| {
        let synced = state.chain.store_mut().sync();
        match state.failure() {
            Some(why) => Err(Failure::Stopped(why)),
            None => Ok(synced?),
        }
    })
}

/// What is served by HTTP.
fn site(args: &NodeArgs, context: Context<Disk>, rpc: Rpc<Context<Disk>>) -> Result<Site<Disk>, Failure> {
    let site = Site::new(context, rpc, args.rpc.acl());
    if !args.rpc.rest {
        return Ok(site);
    }
    let workers = Workers::new(args.rpc.rest_threads.get(), args.rpc.rest_queue)
        .map_err(Failure::system("start the threads for REST"))?;
    Ok(site.rest(workers))
}

/// What the node's random numbers come from.
fn seed() -> Result<[u8; 32], Failure> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)
        .map_err(|why| Failure::system("get random numbers")(io::Error::other(why.to_string())))?;
    Ok(seed)
}

/// Opens the data directory and puts the chain together.
fn open(args: &NodeArgs, dir: &Path, params: Params, settings: &Settings) -> Result<Chain<Disk>, Failure> {
    make(dir)?;
    let patience = Patience::start(dir, args.progress_every())?;
    let (disk, loaded) = Disk::open(dir, params.magic, args.store.options())?;
    for note in &loaded.notes {
        super::warn(note);
    }
    let now = settings.clock.unix(Instant::now());
    let chain = Chain::new(params, disk, loaded, now)?;
    drop(patience);
    Ok(chain)
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
