//! `sockman node`: three protocols on one loop: P2P, HTTP and Stratum V2.
//!
//! - this file: how it is put together; `brake`: how it is stopped
//! - `sv2`: what serving templates takes; `authority`: the key that vouches for it to Stratum V2's clients
//! - `patience`: what it tells while it is opened; `report`: what it tells while it runs

mod authority;
mod brake;
mod patience;
mod report;
mod sv2;

use super::{print, serve, stats};
use crate::args::node::NodeArgs;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::signals::StopOnSignal;
use bitcoin::Network;
use brake::Brake;
use patience::Patience;
use report::Reporter;
use sockman_backends::sockman::{Backend, Driver, Endpoint, Mux, Side, SockMan};
use sockman_http::rpc::{Dispatcher, Instance, Rpc};
use sockman_http::{Server, Workers};
use sockman_node::OnBackend;
use sockman_node::node::{Context, Site, Sv2, rpc};
use sockman_node::templates::Feed;
use sockman_p2p::chain::Params;
use sockman_p2p::state::{Bans, Chain, Handle, Kind};
use sockman_p2p::store::{Disk, Store as _, directory};
use sockman_p2p::{Node, Settings};
use sockman_sv2::Provider;
use std::fmt::Write as _;
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use sv2::Sv2Parts;

/// Runs the node to its end.
pub(crate) fn run(args: &NodeArgs) -> Result<(), Failure> {
    serve::choice(args.backend.as_deref())?.run(Serve { args })
}

struct Serve<'a> {
    args: &'a NodeArgs,
}

/// Three protocols, by static dispatch: peers, clients, and pools.
type All = Mux<Mux<Node<Disk>, Server<Site<Disk>>>, Provider<Feed>>;

impl OnBackend for Serve<'_> {
    type Output = Result<(), Failure>;

    fn run<B: Backend>(self) -> Result<(), Failure> {
        let args = self.args;
        // What is wrong with the flags is told before anything is touched.
        let (config, waiting) = (args.config()?, args.rpc.waiting()?);
        let mut credentials = args.rpc.credentials()?;
        let settings = args.peers.settings(seed()?)?;
        let sv2_settings = args.sv2.settings(args.data.network(), seed()?)?;
        let brake = Arc::new(Brake::default());
        let signals = {
            let brake = brake.clone();
            StopOnSignal::start(args.drain(), move |within| brake.pull(within))?
        };

        let params = Params::of(args.data.network());
        let dir = directory(&args.data.datadir()?, params.network);
        let (network, p2p_port, rpc_port) = (params.network, params.default_port, params.rpc_port);
        let chain = open(args, &dir, params, &settings)?;
        let bans = Bans::open(&dir.join("banlist.json"), settings.clock.unix(Instant::now()))?;
        let node = Node::new(settings, chain, bans);
        let handle = node.handle();
        let Sv2Parts {
            authority,
            feed,
            templates,
            follower,
        } = sv2::open(args, &dir, &handle, seed()?)?;
        brake.opened();
        // The directory is ours by now: nobody else's cookie is overwritten.
        args.rpc.cookie(&mut credentials, &dir.join(".cookie"))?;
        let provider = Provider::new(sv2_settings, authority, feed);
        let sv2 = templates.as_ref().map(|_| Sv2 {
            handle: provider.handle(),
            authority: authority.key(),
        });
        let context = Context::new(handle.clone(), waiting, sv2, templates.clone());
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

        let all = Mux::new(Mux::new(node, server), provider);
        let mut driver =
            Driver::<B, All>::new(&config, all).map_err(Failure::system(serve::cannot_start::<B>()))?;
        let listening = driver.with(|all, net| listen(all, net, args, network, (p2p_port, rpc_port)))?;
        let remote = driver.remote();
        let running = follower.map(|follower| follower.start(move || remote.wake()));
        let running = running
            .transpose()
            .map_err(Failure::system("start the threads for templates"))?;
        // Before anything is printed: whoever has read that we listen may send us a signal.
        brake.arm(args.drain(), handle.clone(), dispatcher, driver.remote());
        tell::<B>(&listening)?;
        if running.is_some() {
            print(&format!("authority public key {}\n", authority.key()))?;
        }

        let progress = Progress::new(args.progress_every());
        let reporter = Reporter::start(
            handle.clone(),
            templates,
            progress,
            args.exit_when_synced,
            args.drain(),
            brake,
        )?;
        let ran = driver.run().map_err(Failure::system(serve::CANNOT_GO_ON));
        drop(signals);
        reporter.end();
        // What was found is handed in before all is put on the disk.
        drop(running);
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
    let patience = Patience::start(dir, "its blocks are looked through", args.progress_every())?;
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

/// What is served on which protocol: `peers`, `JSON-RPC`, `Sv2 clients`.
type Listening = Vec<(&'static str, Endpoint)>;

fn listen<S: SockMan>(
    all: &mut All,
    net: &mut S,
    args: &NodeArgs,
    network: Network,
    (p2p_port, rpc_port): (u16, u16),
) -> Result<Listening, Failure> {
    type Both = Mux<Node<Disk>, Server<Site<Disk>>>;

    let mut listening = Vec::new();
    {
        let net = &mut All::on(net, Side::A);
        let both = &mut all.a;
        let peers = listen_for_peers(&mut both.a, &mut Both::on(net, Side::A), args, p2p_port)?;
        listening.extend(peers.into_iter().map(|at| ("peers", at)));
        let clients = listen_for_clients(&mut both.b, &mut Both::on(net, Side::B), args, rpc_port)?;
        listening.extend(clients.into_iter().map(|at| ("JSON-RPC", at)));
    }
    let net = &mut All::on(net, Side::B);
    for at in args.sv2.bind(network) {
        let heard = all
            .b
            .listen(net, &at)
            .map_err(Failure::system(format!("listen on {at}")))?;
        listening.push(("Sv2 clients", heard));
    }
    Ok(listening)
}

fn listen_for_peers<S: SockMan>(
    node: &mut Node<Disk>,
    net: &mut S,
    args: &NodeArgs,
    port: u16,
) -> Result<Vec<Endpoint>, Failure> {
    let names = |names: &[String], kind| names.iter().map(|name| (name.clone(), kind)).collect::<Vec<_>>();
    let mut connect = names(&args.peers.connect, Kind::Connect);
    connect.extend(names(&args.peers.addnode, Kind::Added));
    node.start(net, &args.peers.bind(port), &connect)
        .map_err(Failure::system("listen for peers"))
}

fn listen_for_clients<S: SockMan>(
    server: &mut Server<Site<Disk>>,
    net: &mut S,
    args: &NodeArgs,
    port: u16,
) -> Result<Vec<Endpoint>, Failure> {
    let mut listening = Vec::new();
    for at in args.rpc.bind(port) {
        let listener = server
            .listen(net, &at, &args.http.listen_options()?)
            .map_err(Failure::system(format!("listen on {at}")))?;
        listening.push(net.local_addr(listener).unwrap_or(at));
    }
    Ok(listening)
}

/// Tells where it listens: with the ports that the kernel chose.
fn tell<B: Backend>(listening: &Listening) -> Result<(), Failure> {
    let mut text = String::new();
    for (whom, at) in listening {
        let _ = writeln!(text, "listening for {whom} on {at} (backend {})", B::NAME);
    }
    print(&text)
}
