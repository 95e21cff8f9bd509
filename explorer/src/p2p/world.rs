//! The nodes and villains, and what connects them.

use super::blocks::{Blocks, Shared};
use super::place::{self, BEGIN, Loop, Place};
use super::villain::{Spam, Villain};
use super::watch::{Honest, Watch};
use crate::case::Run;
use bitcoin::{BlockHash, Network as Chains, Work};
use fastrand::Rng;
use sockman::{Config, Driver, ListenOptions, SockMan};
use sockman_backends::sim::{Host, Link, Network, Simulated};
use sockman_p2p::chain::Params;
use sockman_p2p::store::Memory;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::num::NonZeroU64;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// No run takes more steps of the network.
const MOST_STEPS: u64 = 1_000_000;

/// The most honest nodes.
const NODES: usize = 20;

/// A villain's process.
pub(super) type Villains<B> = Driver<B, Villain>;

/// All that runs.
type Loops<B> = (Vec<Option<Loop<B>>>, Vec<Option<Villains<B>>>);

pub(super) struct World<B: Simulated> {
    pub(super) random: Rng,
    pub(super) network: Network,
    pub(super) params: Arc<Params>,
    pub(super) blocks: Shared,
    pub(super) places: Vec<Place>,
    pub(super) loops: Loops<B>,
    pub(super) watches: Vec<Watch>,
    /// Where the villains live, and whom they dial.
    lairs: Vec<(Host, Vec<usize>)>,
    /// Hosts that are to see nothing of each other, and those that do not.
    pub(super) cuts: Vec<(Host, Host)>,
    pub(super) made_cuts: Vec<(Host, Host)>,
    /// Nodes whose hosts are down.
    pub(super) down: Vec<usize>,
    /// The most work of a chain that a node has acknowledged.
    pub(super) submitted: (Work, BlockHash),
    /// Whether villains stay to the end.
    pub(super) villains_stay: bool,
    /// The first blocks are many.
    long: bool,
    spam: Spam,
    steps: u64,
    pub(super) turns: u64,
    pub(super) opened: u64,
    pub(super) bytes: u64,
}

/// The rules: regtest's, or such as make quick chains have more work.
fn params(random: &mut Rng) -> Params {
    let regtest = Params::of(Chains::Regtest);
    if random.bool() {
        return regtest;
    }
    Params {
        retarget: true,
        min_difficulty: false,
        pow_timespan: 8 * regtest.pow_spacing,
        ..regtest
    }
}

fn link(random: &mut Rng) -> Link {
    let most = [1, 10, 50][random.usize(0..3)];
    Link {
        latency: Duration::from_millis(random.u64(0..=most)),
        jitter: Duration::from_millis(random.u64(0..=most / 2)),
        bandwidth: (random.u8(0..8) == 0)
            .then(|| NonZeroU64::new(random.u64(20_000..1_000_000)))
            .flatten(),
    }
}

impl<B: Simulated> World<B> {
    pub(super) fn new(run: &mut Run) -> World<B> {
        let mut random = run.random.fork();
        let network = run.network.clone();
        let params = Arc::new(params(&mut random));
        let blocks: Shared = Rc::new(Blocks::new(&params).into());
        let long = random.u8(0..50) == 0;
        let count = match random.u8(0..6) {
            _ if long => random.usize(2..4),
            0 => NODES,
            1 => random.usize(8..NODES),
            _ => random.usize(2..8),
        };
        let villains = match random.u8(0..3) {
            0 => 0,
            1 => 1,
            _ => random.usize(1..5),
        };
        let hosts: Vec<Host> = (0..count + villains).map(|_| network.host()).collect();
        for host in &hosts {
            host.set_descriptors(1_000);
        }
        let villains_stay = random.bool();
        // With villains about who fill the table of headers, some of the honest are dropped.
        let small = !villains_stay && random.bool() && !long;
        let (headers, most) = if small { (40, 37) } else { (2_000_000, 30) };
        let spam = Spam { most, mostly: small };
        let honest: Honest = Rc::new(hosts[..count].iter().map(|host| IpAddr::V4(host.ip4())).collect());
        let genesis = blocks.borrow().order()[0];
        let work = blocks.borrow().work(&genesis);
        let mut world = World {
            random,
            submitted: (work, genesis),
            watches: (0..count)
                .map(|number| Watch::new(number, &network, &blocks, &honest))
                .collect(),
            network,
            params,
            blocks,
            places: Vec::new(),
            loops: (Vec::new(), Vec::new()),
            lairs: Vec::new(),
            cuts: Vec::new(),
            made_cuts: Vec::new(),
            down: Vec::new(),
            villains_stay,
            long,
            spam,
            steps: 0,
            turns: 0,
            opened: 0,
            bytes: 0,
        };
        world.connect(&hosts, count, headers);
        world
    }

    /// Who dials whom: all the honest hang together without the help of any villain.
    fn connect(&mut self, hosts: &[Host], count: usize, headers: usize) {
        let random = &mut self.random;
        let (honest, villains) = hosts.split_at(count);
        let mut dials: BTreeSet<(usize, usize)> = BTreeSet::new();
        let mut edge = |random: &mut Rng, a, b| {
            dials.insert(if random.bool() { (a, b) } else { (b, a) });
        };
        for node in 1..count {
            let other = random.usize(0..node);
            edge(random, node, other);
        }
        for _ in 0..random.usize(0..=count) {
            let (a, b) = (random.usize(0..count), random.usize(0..count));
            if a != b {
                edge(random, a, b);
            }
        }
        for &(a, b) in &dials {
            self.network.set_link(&honest[a], &honest[b], link(random));
        }
        for (node, host) in honest.iter().enumerate() {
            let inbound = dials.iter().filter(|(_, to)| *to == node).count();
            // Each villain may have as many connections as it likes to dial.
            let room = inbound + 8 * villains.len() + random.usize(0..3);
            let settings = place::settings(random, room, headers);
            let targets = dials.iter().filter(|(from, _)| *from == node);
            let targets = targets.map(|(_, to)| place::name(&honest[*to]));
            let wicked = villains.iter().filter(|_| random.u8(0..3) == 0);
            let targets = targets.chain(wicked.map(place::name)).collect();
            self.places.push(Place {
                host: host.clone(),
                config: place::config(random, &settings),
                settings,
                targets,
                disk: Memory::new(self.params.magic),
            });
        }
        for host in villains {
            let victims = (0..count).filter(|_| random.u8(0..4) > 0).collect();
            self.lairs.push((host.clone(), victims));
        }
    }

    /// Starts all, some with a chain.
    pub(super) fn begin(&mut self) {
        let chain = self.first_blocks();
        for number in 0..self.places.len() {
            let place = &self.places[number];
            let found = place.disk.crash(0);
            self.loops.0.push(None);
            self.start(number, found);
            let most = chain.len();
            let count = match self.random.u8(0..3) {
                0 => most,
                1 => self.random.usize(0..=most),
                _ => 0,
            };
            let count = if number == 0 { most } else { count };
            for hash in &chain[..count] {
                self.submit(number, *hash);
            }
        }
        for (host, victims) in std::mem::take(&mut self.lairs) {
            let victims = victims.iter().map(|&node| self.places[node].host.at(place::PORT));
            let future = (BEGIN + self.network.elapsed().as_secs()) as u32;
            let villain = Villain::new(
                &mut self.random,
                &self.blocks,
                victims.collect(),
                self.spam,
                future,
            );
            let backend = host
                .backend::<B>(&Config::default())
                .expect("the settings are right");
            let mut driver = Driver::with_backend(backend, villain);
            let listening =
                driver.with(|_, net| net.listen(&host.at(place::PORT), &ListenOptions::default()));
            listening.expect("the port is free");
            driver.with(Villain::begin);
            self.loops.1.push(Some(driver));
        }
    }

    /// The blocks that there are at the beginning.
    fn first_blocks(&mut self) -> Vec<BlockHash> {
        let random = &mut self.random;
        let mut blocks = self.blocks.borrow_mut();
        let count = match random.u8(0..3) {
            _ if self.long => random.u32(100..250),
            0 => 0,
            _ => random.u32(1..25),
        };
        let mut tip = blocks.order()[0];
        let mut chain = Vec::new();
        for _ in 0..count {
            // (At the pace at which difficulty stays.)
            tip = blocks.mine(random, &tip, 686, None);
            chain.push(tip);
        }
        chain
    }

    /// Starts a process with what is on its disk.
    pub(super) fn start(&mut self, number: usize, found: (Memory, sockman_p2p::store::Loaded)) {
        let place = &mut self.places[number];
        let driver = place.start(&self.network, &self.params, found);
        self.watches[number].begin(place, &driver);
        self.loops.0[number] = Some(driver);
    }

    /// Ends a process: nothing is told to anybody if its host is down.
    pub(super) fn stop(&mut self, number: usize) {
        if let Some(driver) = self.loops.0[number].take() {
            self.count(&driver);
            self.watches[number].end();
        }
    }

    /// Adds what a loop has done to what the run has.
    fn count(&mut self, driver: &Loop<B>) {
        let stats = driver.backend().net().stats();
        self.turns += stats.turns;
        self.bytes += stats.bytes_in;
        self.opened += driver.handler().opened();
    }

    /// Hands in a block to a node that has all that it is built on.
    pub(super) fn submit(&mut self, number: usize, hash: BlockHash) {
        let Some(driver) = &self.loops.0[number] else {
            return;
        };
        let handle = driver.handler().handler().handle();
        let (bytes, work) = {
            let blocks = self.blocks.borrow();
            (blocks.bytes(&hash), blocks.work(&hash))
        };
        let accepted = handle.submit(&bytes);
        let accepted = accepted.unwrap_or_else(|why| panic!("node {number}: its own block {hash}: {why}"));
        let before = self.watches[number].work;
        self.network.note(format_args!("node {number} is given {hash}"));
        self.watches[number].look();
        assert_eq!(
            accepted.new_tip,
            work > before,
            "node {number}: its own block {hash} became the tip, or did not"
        );
        if work > self.submitted.0 {
            self.submitted = (work, hash);
        }
    }

    /// Lets time pass until something is so. Says whether it was.
    pub(super) fn pass(&mut self, time: Duration, mut so: impl FnMut(&[Watch]) -> bool) -> bool {
        let World {
            network,
            loops,
            watches,
            steps,
            ..
        } = self;
        let ran = network.run_until(loops, time, |(nodes, _)| {
            *steps += 1;
            assert!(*steps < MOST_STEPS, "the loops do not come to rest");
            for (watch, driver) in watches.iter_mut().zip(nodes) {
                if let Some(driver) = driver {
                    watch.check(driver);
                }
            }
            so(watches)
        });
        ran.expect("no turn fails").is_done()
    }

    /// Everything is over.
    pub(super) fn finish(mut self, run: &mut Run) {
        for number in 0..self.places.len() {
            self.watches[number].finish();
            self.stop(number);
        }
        run.turns += self.turns;
        run.bytes += self.bytes;
        run.opened += self.opened;
    }

    /// The host of each node and villain.
    pub(super) fn hosts(&self) -> Vec<Host> {
        let honest = self.places.iter().map(|place| place.host.clone());
        let wicked = self.loops.1.iter().flatten();
        honest
            .chain(wicked.map(|driver| driver.backend().host().clone()))
            .collect()
    }
}
