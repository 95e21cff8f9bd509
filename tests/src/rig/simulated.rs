//! The rig over simulated sockets.

use super::{Family, Host, Kind, Net, Peer, Rig};
use sockman::{Config, Endpoint, ListenOptions};
use sockman_backends::sim::{
    Host as SimHost, Network, Plain, PlainListener, Plan, Settings, Simulated as Backend, Tracing,
};
use std::io;
use std::marker::PhantomData;
use std::time::{Duration, Instant};

/// Simulated sockets of the kind `N`, on a network of their own, and the simulated backend `B`. Its peers are spared the
/// network's faults: what scripts do with them works.
pub struct Simulated<B, N> {
    /// The network.
    pub network: Network,
    /// Where the loop runs.
    pub near: SimHost,
    /// Where its peers are, except for Unix sockets, which have both ends on one host.
    pub far: SimHost,
    names: u16,
    types: PhantomData<(B, N)>,
}

/// Ports of peers that listen begin here.
const PORTS: u16 = 1000;

/// A dial that is not answered after this long, however often its packets are lost, will not be.
const PATIENCE: Duration = Duration::from_secs(100);

/// More connections than this do not fit into a backlog of 0.
const FILLERS: usize = 8;

impl<B, N: Net> Simulated<B, N> {
    /// On a network where this happens.
    pub fn planned(plan: Plan) -> Self {
        let network = Network::new(Settings {
            plan,
            tracing: Tracing::from_env(),
            // Some scripts connect thousands.
            descriptors: 20_000,
            // So that a loop that is busy for a tenth of a second takes thousands of turns, and no more.
            wait_cost: Duration::from_micros(20),
            ..Settings::default()
        });
        let near = network.host();
        let far = network.host();
        far.spare();
        Simulated {
            network,
            near,
            far,
            names: 0,
            types: PhantomData,
        }
    }

    /// A name on a host that nobody has yet.
    fn name(&mut self, host: &SimHost) -> Endpoint {
        self.names += 1;
        let port = PORTS + self.names;
        match N::KIND {
            Kind::Unix => Endpoint::Unix(format!("/socket/{port}").into()),
            Kind::V4 => Endpoint::Tcp((host.ip4(), port).into()),
            Kind::V6 => Endpoint::Tcp((host.ip6(), port).into()),
        }
    }

    /// The host that peers are on.
    fn peers(&self) -> SimHost {
        if N::KIND == Kind::Unix {
            self.near.clone()
        } else {
            self.far.clone()
        }
    }

    fn listen(&mut self, backlog: u32, unlink: bool) -> PlainListener {
        let peers = self.peers();
        let how = ListenOptions {
            backlog,
            unlink,
            ..ListenOptions::default()
        };
        peers.listen(&self.name(&peers), &how).expect("the name is free")
    }
}

impl<B: Backend, N: Net> Rig for Simulated<B, N> {
    type Backend = B;
    type Peer = Plain;
    type Host = Listening;

    const FAMILY: Family = match N::KIND {
        Kind::Unix => Family::Unix,
        _ => Family::Tcp,
    };

    fn new() -> Self {
        Simulated::planned(Plan::default())
    }

    fn backend(&mut self, config: &Config) -> io::Result<B> {
        self.near.backend(config)
    }

    fn address(&mut self) -> Endpoint {
        let near = self.near.clone();
        match self.name(&near) {
            Endpoint::Tcp(at) => Endpoint::Tcp((at.ip(), 0).into()),
            path @ Endpoint::Unix(_) => path,
        }
    }

    fn nowhere(&mut self) -> Endpoint {
        let gone = self.listen(1, false);
        gone.local_addr().expect("it listens somewhere")
    }

    fn unreachable(&mut self) -> Endpoint {
        match N::KIND {
            Kind::Unix => self.name(&self.near.clone()),
            Kind::V4 => Endpoint::Tcp(([192, 0, 2, 1], 9).into()),
            Kind::V6 => Endpoint::Tcp(([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 9).into()),
        }
    }

    fn connect(&mut self, to: &Endpoint) -> Plain {
        let peer = self.peers().connect(to).expect("the backlog has room");
        // At once, unless a fault delays a packet.
        for _ in 0..PATIENCE.as_millis() {
            if peer.is_connected().expect("the backlog has room") {
                return peer;
            }
            self.network.pass(Duration::from_millis(1));
        }
        panic!("the backlog has no room");
    }

    fn host(&mut self) -> Listening {
        Listening {
            listener: self.listen(128, true),
            _fillers: Vec::new(),
        }
    }

    fn deaf_host(&mut self) -> Listening {
        let listener = self.listen(0, true);
        let at = listener.local_addr().expect("it listens somewhere");
        let mut fillers = Vec::new();
        for _ in 0..FILLERS {
            match self.peers().connect(&at) {
                Ok(peer) if peer.is_connected().expect("no answer") => fillers.push(peer),
                _ => {
                    return Listening {
                        listener,
                        _fillers: fillers,
                    };
                }
            }
        }
        panic!("the backlog takes every connection");
    }

    fn pass(&mut self, time: Duration) {
        self.network.pass(time);
    }

    fn now(&self) -> Instant {
        self.network.now()
    }
}

impl Peer for Plain {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        Plain::read(self, into)
    }

    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        Plain::write(self, data)
    }

    fn finish(&mut self) {
        // Fails when the connection is gone already, and then there is nothing to finish.
        let _ = Plain::finish(self);
    }

    fn reset(self) {
        Plain::reset(self);
    }
}

/// A plain listening socket, and the connections that fill its backlog.
pub struct Listening {
    listener: PlainListener,
    _fillers: Vec<Plain>,
}

impl Host for Listening {
    type Peer = Plain;

    fn at(&self) -> Endpoint {
        self.listener.local_addr().expect("it listens somewhere")
    }

    fn accept(&mut self) -> Option<Plain> {
        match self.listener.accept() {
            Ok(peer) => Some(peer),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            Err(error) => panic!("accept: {error}"),
        }
    }
}
