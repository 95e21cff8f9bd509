//! A place for an honest node: its host and disk, and how a process is started there.

use crate::checked::Checked;
use fastrand::Rng;
use sockman::{Config, Driver};
use sockman_backends::sim::{Host, Network, Simulated};
use sockman_p2p::chain::Params;
use sockman_p2p::state::{Bans, Chain, Kind};
use sockman_p2p::store::{Loaded, Memory};
use sockman_p2p::{Clock, Node, Settings};
use std::sync::Arc;
use std::time::Duration;

/// An honest node's process.
pub(super) type Loop<B> = Driver<B, Checked<Node<Memory>>>;

/// When a run begins, in Unix seconds: some weeks after regtest's genesis block, so that no block is of the future.
pub(super) const BEGIN: u64 = 1_296_688_602 + 40 * 24 * 3600;

/// The port for peers.
pub(super) const PORT: u16 = 18_444;

/// Bytes more than the high-water mark that may wait of a peer: more than any message has here.
const MESSAGE: usize = 40_000;

/// Where an honest node lives.
pub(super) struct Place {
    pub(super) host: Host,
    pub(super) settings: Settings,
    pub(super) config: Config,
    /// Whom it dials.
    pub(super) targets: Vec<String>,
    pub(super) disk: Memory,
}

fn pick<T: Copy>(random: &mut Rng, from: &[T]) -> T {
    from[random.usize(0..from.len())]
}

fn ms(random: &mut Rng, from: &[u64]) -> Duration {
    Duration::from_millis(pick(random, from))
}

/// Settings of a node whom so many may dial: small ones, so that their bounds are met.
pub(super) fn settings(random: &mut Rng, inbound: usize, headers: usize) -> Settings {
    let mut seed = [0; 32];
    random.fill(&mut seed);
    let ping_every = ms(random, &[5_000, 20_000, 60_000]);
    let send_high = pick(random, &[200, 2_000, 1 << 20]);
    Settings {
        max_inbound: inbound,
        handshake_within: ms(random, &[2_000, 10_000, 60_000]),
        ping_every,
        silence: ping_every + ms(random, &[10_000, 60_000]),
        dial_within: ms(random, &[2_000, 5_000]),
        retry_after: ms(random, &[200, 1_000]),
        retry_most: ms(random, &[2_000, 10_000]),
        headers_within: ms(random, &[20_000, 60_000]),
        blocks_per_peer: pick(random, &[1, 2, 2, 16]),
        window: pick(random, &[1, 4, 4, 1_024]),
        window_bytes: pick(random, &[0, 1_000, 1 << 30]),
        hedge_after: ms(random, &[200, 2_000]),
        stall: ms(random, &[500, 5_000]),
        block_within: ms(random, &[20_000, 60_000]),
        announce_every: ms(random, &[0, 100, 1_000]),
        headers,
        cache: pick(random, &[0, 600, 16 << 20]),
        requests: pick(random, &[8_000, 64 << 10]),
        receive: send_high + pick(random, &[MESSAGE, 5 << 20]),
        send_high,
        ..Settings::new(seed)
    }
}

/// Settings of a node's loop.
pub(super) fn config(random: &mut Rng, settings: &Settings) -> Config {
    let read_buffer = pick(random, &[64, 512, 4_096, 64 << 10]);
    Config {
        limits: settings.limits(),
        byte_budget: pick(random, &[1_000, 8_000, 256 << 10]).max(read_buffer),
        accept_budget: pick(random, &[1, 2, 100]),
        read_buffer,
        direct_write: pick(random, &[0, 100, 2_000, usize::MAX]),
        events: pick(random, &[1, 2, 8, 1_024]),
        spare_buffers: pick(random, &[0, 10_000]),
        ..Config::default()
    }
}

impl Place {
    /// The name by which others dial it.
    pub(super) fn name(&self) -> String {
        name(&self.host)
    }

    /// Starts a process on what is on the disk.
    pub(super) fn start<B: Simulated>(
        &mut self,
        network: &Network,
        params: &Arc<Params>,
        (disk, loaded): (Memory, Loaded),
    ) -> Loop<B> {
        self.disk = disk.clone();
        let now = self.host.now();
        let clock = Clock::Virtual {
            unix: BEGIN + network.elapsed().as_secs(),
            at: now,
        };
        let chain = Chain::new(params.clone(), disk, loaded, clock.unix(now)).expect("the disk is not full");
        let settings = Settings {
            clock,
            ..self.settings.clone()
        };
        let node = Node::new(settings, chain, Bans::default());
        let handler = Checked::new(node, "node", &self.config, network);
        let backend = self
            .host
            .backend::<B>(&self.config)
            .expect("the settings are right");
        let mut driver = Driver::with_backend(backend, handler);
        let connect: Vec<_> = self
            .targets
            .iter()
            .map(|name| (name.clone(), Kind::Connect))
            .collect();
        let listen = [self.host.at(PORT)];
        let started =
            driver.with(|checked, net| checked.with(net, |node, net| node.start(net, &listen, &connect)));
        started.expect("the port is free");
        driver
    }
}

/// The name by which a host is dialled.
pub(super) fn name(host: &Host) -> String {
    format!("{}:{PORT}", host.ip4())
}
