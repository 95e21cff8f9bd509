//! A node with a loop on a thread.

use bitcoin::{Block, Network};
use sockman_backends::sockman::{Backend, Config, Driver, Endpoint, Remote};
use sockman_p2p::chain::Params;
use sockman_p2p::state::{Bans, Chain, Count, Handle};
use sockman_p2p::store::{Loaded, Memory, Store};
use sockman_p2p::wire::Magic;
use sockman_p2p::{Node, Settings};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Later than any block that is made here.
const NOW: u64 = 1_700_000_000;

pub(super) struct Running<D: Store = Memory> {
    pub(super) at: SocketAddr,
    pub(super) handle: Handle<D>,
    remote: Remote,
    thread: Option<JoinHandle<()>>,
    /// Starts one on the same backend.
    again: fn(Settings, &[Block]) -> Running,
}

/// Settings of the node with this number.
pub(super) fn settings(number: u8) -> Settings {
    Settings::new([number; 32])
}

impl Running {
    pub(super) fn start<B: Backend>(settings: Settings, blocks: &[Block]) -> Running {
        Running::on::<B>(settings, blocks, |magic| Memory::new(magic).crash(0))
    }

    /// Another one, on the same backend.
    pub(super) fn another(&self, settings: Settings, blocks: &[Block]) -> Running {
        (self.again)(settings, blocks)
    }
}

impl<D: Store> Running<D> {
    /// With the store that `open` opens.
    pub(super) fn on<B: Backend>(
        settings: Settings,
        blocks: &[Block],
        open: impl FnOnce(Magic) -> (D, Loaded) + Send + 'static,
    ) -> Running<D> {
        let (tell, told) = mpsc::channel();
        let thread = thread::spawn(move || {
            let params = Params::of(Network::Regtest);
            let (store, loaded) = open(params.magic);
            let chain = Chain::new(params, store, loaded, NOW).unwrap();
            let node = Node::new(settings, chain, Bans::default());
            let mut driver = Driver::<B, _>::new(&Config::default(), node).unwrap();
            let at = Endpoint::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
            let listening = driver.with(|node, net| node.start(net, &[at], &[])).unwrap();
            let at = listening[0].tcp().unwrap();
            tell.send((at, driver.handler().handle(), driver.remote()))
                .unwrap();
            driver.run().unwrap();
        });
        let (at, handle, remote) = told.recv().unwrap();
        for block in blocks {
            handle.submit(&super::miner::bytes(block)).unwrap();
        }
        Running {
            at,
            handle,
            remote,
            thread: Some(thread),
            again: Running::start::<B>,
        }
    }

    pub(super) fn count(&self, what: Count) -> u64 {
        self.handle.with(|state| state.counters.get(what))
    }

    /// How many peers there are, the bystander not counted.
    pub(super) fn peers(&self) -> usize {
        self.handle.with(|state| state.peers.len()).saturating_sub(1)
    }

    /// Waits until something is so; fails if that takes very long.
    #[track_caller]
    pub(super) fn until(&self, so: impl Fn(&Self) -> bool) {
        let latest = Instant::now() + Duration::from_secs(60);
        while !so(self) {
            assert!(Instant::now() < latest, "it did not come to that");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl<D: Store> Drop for Running<D> {
    fn drop(&mut self) {
        let _ = self.remote.stop(Duration::ZERO);
        if let Some(Err(why)) = self.thread.take().map(JoinHandle::join)
            && !thread::panicking()
        {
            std::panic::resume_unwind(why);
        }
    }
}
