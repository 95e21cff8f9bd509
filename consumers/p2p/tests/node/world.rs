//! Nodes on hosts of a simulated network.

use bitcoin::{Block, BlockHash, Network as Chains};
use sockman::{Config, Driver, Endpoint, SockMan};
use sockman_backends::sim::{self, Host, Network, Sim};
use sockman_p2p::chain::Params;
use sockman_p2p::state::{Bans, Chain, Count, Handle, Kind, State};
use sockman_p2p::store::{Memory, Store};
use sockman_p2p::{Clock, Node, Settings};
use std::time::Duration;

/// When the simulation begins, in Unix seconds: some days after the time of regtest's genesis block, so that a chain of some
/// thousand blocks is not of the future.
const BEGIN: u64 = 1_296_688_602 + 40 * 24 * 3600;

/// A port for peers.
pub(crate) const PORT: u16 = 18_444;

pub(crate) type Regtest = Driver<Sim, Node<Memory>>;

pub(crate) struct World {
    pub(crate) network: Network,
    pub(crate) hosts: Vec<Host>,
    pub(crate) nodes: Vec<Option<Regtest>>,
    disks: Vec<Memory>,
    /// The rules of nodes that are started from now on.
    pub(crate) params: Params,
}

pub(crate) const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

pub(crate) const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Settings of the node with this number.
pub(crate) fn settings(number: u8) -> Settings {
    Settings::new([number; 32])
}

impl World {
    pub(crate) fn new() -> World {
        World::with(sim::Settings::default())
    }

    pub(crate) fn with(settings: sim::Settings) -> World {
        World {
            network: Network::new(settings),
            hosts: Vec::new(),
            nodes: Vec::new(),
            disks: Vec::new(),
            params: Params::of(Chains::Regtest),
        }
    }

    /// A world with one node that has these blocks.
    pub(crate) fn one(settings: Settings, blocks: &[Block]) -> World {
        let mut world = World::new();
        let node = world.add(settings);
        world.give(node, blocks);
        world
    }

    /// One more node, which listens. Gives its number.
    pub(crate) fn add(&mut self, settings: Settings) -> usize {
        let host = self.network.host();
        let disk = Memory::new(self.params.magic);
        let (store, loaded) = disk.crash(0);
        self.hosts.push(host);
        self.nodes.push(None);
        self.disks.push(store.clone());
        let number = self.nodes.len() - 1;
        self.start(number, settings, store, loaded, &[]);
        number
    }

    fn start(
        &mut self,
        number: usize,
        settings: Settings,
        store: Memory,
        loaded: sockman_p2p::store::Loaded,
        connect: &[(String, Kind)],
    ) {
        let host = &self.hosts[number];
        let clock = Clock::Virtual {
            unix: BEGIN + self.network.elapsed().as_secs(),
            at: self.network.now(),
        };
        let unix = clock.unix(self.network.now());
        let chain = Chain::new(self.params.clone(), store, loaded, unix).unwrap();
        let node = Node::new(Settings { clock, ..settings }, chain, Bans::default());
        let backend = host.backend::<Sim>(&Config::default()).unwrap();
        let mut driver = Driver::with_backend(backend, node);
        let at = host.at(PORT);
        driver.with(|node, net| node.start(net, &[at], connect)).unwrap();
        self.nodes[number] = Some(driver);
    }

    /// The node's process is killed; of what its index was told the first `committed` have reached the disk. Its host is up
    /// again, with a new process that dials `connect`.
    pub(crate) fn kill(&mut self, number: usize, committed: usize, settings: Settings, connect: &[usize]) {
        self.hosts[number].crash();
        self.nodes[number] = None;
        self.hosts[number].restart();
        let (store, loaded) = self.disks[number].crash(committed);
        self.disks[number] = store.clone();
        let connect: Vec<_> = connect.iter().map(|&to| (self.name(to), Kind::Connect)).collect();
        self.start(number, settings, store, loaded, &connect);
    }

    /// The disk of a node.
    pub(crate) fn disk(&self, node: usize) -> &Memory {
        &self.disks[node]
    }

    /// Bytes that a node's connections have queued and not looked at, all together.
    pub(crate) fn buffered(&mut self, node: usize) -> (usize, usize) {
        let conns: Vec<_> = self.see(node, |state| state.peers.iter().map(|(conn, _)| conn).collect());
        let node = self.nodes[node].as_mut().unwrap();
        node.with(|_, net| {
            let infos: Vec<_> = conns.iter().filter_map(|&conn| net.info(conn)).collect();
            (
                infos.iter().map(|info| info.queued).sum(),
                infos.iter().map(|info| info.unread).sum(),
            )
        })
    }

    /// Puts blocks into a node as if they had been submitted to it.
    pub(crate) fn give(&mut self, node: usize, blocks: &[Block]) {
        let handle = self.handle(node);
        for block in blocks {
            handle.submit(&crate::miner::bytes(block)).unwrap();
        }
    }

    /// What a node is called by others.
    pub(crate) fn name(&self, node: usize) -> String {
        format!("{}:{PORT}", self.hosts[node].ip4())
    }

    pub(crate) fn endpoint(&self, node: usize) -> Endpoint {
        self.hosts[node].at(PORT)
    }

    /// One node dials another, again and again.
    pub(crate) fn connect(&mut self, from: usize, to: usize) {
        let name = self.name(to);
        let node = self.nodes[from].as_mut().unwrap();
        node.with(|node, net| node.connect(net, &name, Kind::Connect));
    }

    pub(crate) fn handle(&self, node: usize) -> Handle<Memory> {
        self.nodes[node].as_ref().unwrap().handler().handle()
    }

    /// Looks at what a node knows.
    pub(crate) fn see<R>(&self, node: usize, look: impl FnOnce(&mut State<Memory>) -> R) -> R {
        self.handle(node).with(look)
    }

    pub(crate) fn count(&self, node: usize, what: Count) -> u64 {
        self.see(node, |state| state.counters.get(what))
    }

    pub(crate) fn height(&self, node: usize) -> u32 {
        self.see(node, |state| state.chain.height())
    }

    pub(crate) fn tip(&self, node: usize) -> BlockHash {
        self.see(node, |state| state.chain.entry(state.chain.tip()).hash)
    }

    /// How many of a node's peers have a handshake behind them.
    pub(crate) fn ready(&self, node: usize) -> usize {
        self.see(node, |state| state.peers.ready())
    }

    /// Lets time pass.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.network.elapsed() + time;
        self.network.run_until(&mut self.nodes, time, |_| false).unwrap();
        // It ends early when nothing is left to happen.
        self.network.pass(end.saturating_sub(self.network.elapsed()));
    }

    /// Lets time pass until something is so; fails if that takes longer than `within`.
    #[track_caller]
    pub(crate) fn until(&mut self, within: Duration, mut so: impl FnMut(&World) -> bool) {
        let step = ms(10);
        let mut left = within;
        while !so(self) {
            assert!(!left.is_zero(), "it did not come to that within {within:?}");
            self.pass(step);
            left = left.saturating_sub(step);
        }
    }
}

/// Nothing that was appended may ever be lost.
pub(crate) fn stored<D: Store>(state: &State<D>) -> usize {
    let tree = state.chain.tree();
    (0..=state.chain.height())
        .filter_map(|height| state.chain.at(height))
        .filter(|&id| tree.entry(id).place.is_some())
        .count()
}
